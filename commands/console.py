"""What a person sees while a command works: progress bars, warnings, the log.

Owns the terminal. Knows nothing of what is being done.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    ProgressCall = Callable[[str, int, int], None]

__all__ = ["bars", "logged"]

_LOG = logging.getLogger("harness")


@contextmanager
def bars(*, hidden: bool) -> Iterator[ProgressCall]:
    """Yield a call that draws one bar per task on standard error."""
    bars = Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=hidden,
        refresh_per_second=4,
    )
    tasks: dict[str, TaskID] = {}

    def advance(task: str, done: int, total: int) -> None:
        if task not in tasks:
            _LOG.info("%s: begun", task)
            tasks[task] = bars.add_task(task, total=total)
        bars.update(tasks[task], completed=done, total=total)

    with bars:
        yield advance


@contextmanager
def logged(folder: Path) -> Iterator[None]:
    """Keep every log line of a run in its folder; show warnings to the user."""
    root = logging.getLogger()
    to_file = logging.FileHandler(folder / "harness.log", encoding="utf-8")
    to_file.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    to_user = logging.StreamHandler()
    to_user.setLevel(logging.WARNING)
    root.addHandler(to_file)
    root.addHandler(to_user)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(to_user)
        root.removeHandler(to_file)
        to_file.close()
