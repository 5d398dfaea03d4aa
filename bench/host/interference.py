"""What the rest of the machine did meanwhile.

Owns the reading of the kernel's account of all processors. A simulator foretells what
a matcher does on a machine of its own; a measurement that others disturbed says
nothing about that. Knows nothing of matchers.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["busy_s", "others_share"]

_STAT = Path("/proc/stat")


def busy_s() -> float | None:
    """Read how long all processors were busy since the machine began, seconds.

    Time stolen by a hypervisor counts: nobody here could use it.

    Returns:
        None where the kernel keeps no such account.

    Source:
        Linux, Documentation/filesystems/proc.rst, section 1.7: user, nice, system,
        idle, iowait, irq, softirq, steal, in ticks.
    """
    try:
        fields = _STAT.read_text("ascii").splitlines()[0].split()[1:9]
        user, nice, system, _idle, _wait, irq, soft, steal = map(int, fields)
    except (OSError, ValueError, IndexError):
        return None
    ticks = user + nice + system + irq + soft + steal
    return ticks / os.sysconf("SC_CLK_TCK")


def others_share(
    before_s: float | None, after_s: float | None, *, ours_s: float, wall_s: float
) -> float | None:
    """Say how many cores others kept busy, on average.

    Args:
        before_s: A reading of `busy_s`.
        after_s: A later one.
        ours_s: Processor time in between of every process that belongs to the
            measurement.
        wall_s: Time in between.
    """
    if before_s is None or after_s is None or wall_s <= 0.0:
        return None
    return max(after_s - before_s - ours_s, 0.0) / wall_s
