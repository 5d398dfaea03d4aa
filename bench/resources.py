"""What a process took from the machine: processor time, waiting for it, memory.

Owns the reading of the kernel's accounts. Knows nothing of what the process did.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["Account", "read_account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One process's use of the machine since it began.

    Attributes:
        cpu_s: Processor time of all its threads.
        wait_s: Time its threads stood ready on a run queue and were not run; None
            where the kernel keeps no such account.
        rss_bytes: Resident memory now.
    """

    cpu_s: float
    wait_s: float | None
    rss_bytes: int


def read_account(pid: int) -> Account | None:
    """Read a process's account; None if the process is gone.

    Source:
        Linux, Documentation/scheduler/sched-stats.rst: the second field of
        `/proc/<pid>/task/<tid>/schedstat` is nanoseconds spent on a run queue.
    """
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        rss_bytes = process.memory_info().rss
    except psutil.NoSuchProcess:
        return None
    return Account(
        cpu_s=times.user + times.system,
        wait_s=_run_queue_s(Path(f"/proc/{pid}/task")),
        rss_bytes=rss_bytes,
    )


def _run_queue_s(tasks: Path) -> float | None:
    try:
        files = [thread / "schedstat" for thread in tasks.iterdir()]
        return sum(int(file.read_text("ascii").split()[1]) for file in files) / 1e9
    except (OSError, IndexError, ValueError):
        # Not Linux, a kernel without the account, or a thread that ended meanwhile.
        return None
