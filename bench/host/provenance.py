"""Where a run comes from: code, packages, machine, inputs, and the calendar.

Owns the reading of everything outside the scenario that could change a figure, and
the only calendar time of the project. Knows nothing of figures.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from synthetic_crowds.exchange.supplied import unstamped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matcher.messages import SystemDescription
    from synthetic_crowds.records import Crowd

__all__ = [
    "calendar_time",
    "describe_inputs",
    "describe_origin",
    "describe_pictures",
    "describe_system",
    "unix_offset_ns",
]

# Packages whose version could change a figure.
_PACKAGES = (
    "av",
    "faiss-cpu",
    "numba",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pyarrow",
    "pydantic",
    "scipy",
)
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def calendar_time() -> datetime:
    """Read the calendar, in UTC, to the second."""
    return datetime.now(tz=UTC).replace(microsecond=0)


def unix_offset_ns() -> int:
    """Say what to add to the harness's clock to get nanoseconds since 1970."""
    return time.time_ns() - time.perf_counter_ns()


def describe_origin(*, seed: int) -> dict[str, object]:
    """Describe code, packages, machine and moment of a run, as plain JSON values.

    Args:
        seed: The seed that the run derives all randomness from.
    """
    return {
        "began": calendar_time().isoformat(),
        "command_line": list(sys.argv),
        "seed": seed,
        "code": _code(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in ("lfr-harness", *_PACKAGES)},
        "machine": _machine(),
        "thread_variables": {
            name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ
        },
    }


def describe_pictures(crowd: Crowd, *, allowed: bool) -> dict[str, object]:
    """Say how many clips and portraits do not bear the stamp of a synthetic crowd."""
    return {
        "clips": len(crowd.clips),
        "portraits": len(crowd.watchlist.images),
        "unstamped": len(unstamped(crowd)),
        "unstamped_allowed": allowed,
    }


def describe_inputs(crowd: Crowd) -> dict[str, object]:
    """Name what the run was fed with, by hash."""
    return {
        "truth_sha256": crowd.truth_sha256,
        "clips_sha256": crowd.clips_sha256,
        "watchlist_sha256": crowd.watchlist.sha256,
        "clips": {clip.camera_id: clip.sha256 for clip in crowd.clips},
    }


def describe_system(system: SystemDescription) -> dict[str, object]:
    """Name the system under test: models by hash, index, threads, libraries."""
    return {
        "name": system.name,
        "detector": system.detector,
        "refiner": system.refiner,
        "embedder": system.embedder,
        "index": system.index,
        "gallery_size": system.gallery_size,
        "threshold": system.threshold,
        "threshold_origin": system.threshold_origin,
        "threads": dict(system.threads),
        "versions": dict(system.versions),
    }


def _code() -> Mapping[str, object]:
    """Name the commit, and whether files differ from it; None without git."""
    root = Path(__file__).resolve().parents[2]
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "dirty": None}
    changes = _git(root, "status", "--porcelain")
    return {"commit": commit, "dirty": None if changes is None else changes != ""}


def _git(root: Path, *arguments: str) -> str | None:
    # Installed as a package, the code may lie inside a repository that is not its own.
    if not (root / ".git").exists():
        return None
    try:
        finished = subprocess.run(  # noqa: S603  # fixed arguments, no shell
            ("git", "-C", str(root), *arguments),  # noqa: S607  # whichever git there is
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _machine() -> Mapping[str, object]:
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
    }


def _processor() -> str:
    # platform.processor() is empty or "x86_64" on Linux.
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if "model name" in line)
    return next(named, platform.machine())
