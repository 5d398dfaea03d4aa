"""Which machine this is, as far as its speed goes.

Owns the few facts by which a calibration knows whether it was made here. Knows
nothing of figures.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["read_boot_id", "this_machine"]


def read_boot_id() -> str:
    """Return what tells this boot of this machine from any other; empty if unknown.

    Whoever reads the same one has the same monotonic clock.

    Source:
        Linux, Documentation/admin-guide/sysctl/kernel.rst, random.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def this_machine() -> dict[str, str | int | float]:
    """Describe processor, cores and system, as plain JSON values."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.system(),
        "architecture": platform.machine(),
    }


def _processor() -> str:
    # platform.processor() is empty or "x86_64" on Linux; one model name covers many
    # steppings, so family and model come with it.
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    wanted = ("model name", "cpu family", "model")
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in wanted:
            found.setdefault(name.strip(), value.strip())
    return " ".join(found[name] for name in wanted if name in found)
