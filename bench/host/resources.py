"""What a process took from the machine: processor time, waiting for it, memory.

Owns the reading of the kernel's accounts. Knows nothing of what the process did.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Account", "joined", "read_account", "read_family_account", "used"]


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


def read_account(pid: int) -> Account:
    """Read a process's account.

    Raises:
        ProcessLookupError: If there is no such process, or only what is left of one.

    Source:
        Linux, Documentation/scheduler/sched-stats.rst: the second field of
        `/proc/<pid>/task/<tid>/schedstat` is nanoseconds spent on a run queue.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(pid)  # noqa: TRY301 - one sentence for both
        times = process.cpu_times()
        rss_bytes = process.memory_info().rss
    except psutil.NoSuchProcess as error:
        message = f"a process must be there to read its account, got none of id {pid}"
        raise ProcessLookupError(message) from error
    return Account(
        cpu_s=times.user + times.system,
        wait_s=_run_queue_s(Path(f"/proc/{pid}/task")),
        rss_bytes=rss_bytes,
    )


def read_family_account(pid: int) -> Account:
    """Read the account of a process and of all that it has started, as one.

    The harness's own account is never read so: the matcher is its child.

    Raises:
        ProcessLookupError: If there is no such process.
    """
    accounts = [read_account(pid)]
    # Those that have ended are in their parent's account, if it waited for them.
    ended = psutil.Process(pid).cpu_times()
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(ProcessLookupError):
            accounts.append(read_account(child.pid))
    family = joined(accounts)
    ended_s = ended.children_user + ended.children_system
    return replace(family, cpu_s=family.cpu_s + ended_s)


def joined(accounts: Sequence[Account]) -> Account:
    """Read the accounts of several processes as one."""
    waits = [account.wait_s for account in accounts if account.wait_s is not None]
    return Account(
        cpu_s=sum(account.cpu_s for account in accounts),
        wait_s=sum(waits) if len(waits) == len(accounts) else None,
        rss_bytes=sum(account.rss_bytes for account in accounts),
    )


def used(before: Account, after: Account) -> Account:
    """Say what was used between two readings; memory as it was at the later one."""
    wait_s = None
    if before.wait_s is not None and after.wait_s is not None:
        # What a thread waited is forgotten when it ends: never less than nothing.
        wait_s = max(0.0, after.wait_s - before.wait_s)
    return Account(
        cpu_s=max(0.0, after.cpu_s - before.cpu_s),
        wait_s=wait_s,
        rss_bytes=after.rss_bytes,
    )


def _run_queue_s(tasks: Path) -> float | None:
    try:
        files = [thread / "schedstat" for thread in tasks.iterdir()]
        return sum(int(file.read_text("ascii").split()[1]) for file in files) / 1e9
    except (OSError, IndexError, ValueError):
        # Not Linux, a kernel without the account, or a thread that ended meanwhile.
        return None
