"""Worker processes that make the folders which the cache lacks.

Owns the jobs and their order. Results do not depend on how many workers there are: a
job is a fixed share of a folder, and its random numbers come from its own streams.
Knows nothing of what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from synthetic_crowds.film.cache import PIECES
from synthetic_crowds.film.clips import ClipTask, is_rendered, render_piece
from synthetic_crowds.film.processes import in_processes
from synthetic_crowds.film.watchlist import (
    PortraitTask,
    count_portraits,
    render_portraits,
)

__all__ = ["Crew", "Job", "render_away", "work"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """One piece of work for one process.

    Attributes:
        title: What a progress bar calls it; jobs of one title share a bar.
        task: What to render.
        folder: Where to.
    """

    title: str
    task: ClipTask | PortraitTask
    folder: Path

    @property
    def size(self) -> int:
        """Frames or portraits to render."""
        if isinstance(self.task, ClipTask):
            return self.task.end - self.task.first
        return len(self.task.people) * self.task.watchlist.images_per_subject

    @property
    def done(self) -> int:
        """How much of it lies in the folder already, from an earlier try."""
        if isinstance(self.task, ClipTask):
            return self.size if is_rendered(self.task, self.folder) else 0
        return count_portraits(self.task, self.folder)


# Does all jobs, and reports progress by title meanwhile.
Crew = Callable[[Sequence[Job], Callable[[str, int, int], None]], None]


def render_away(task: ClipTask | PortraitTask) -> dict[str, bytes]:
    """Do a job on a machine that does not share our disk.

    Returns:
        The files that it makes, by name.
    """
    cv2.setNumThreads(1)
    with TemporaryDirectory(prefix="lfr-harness-") as name:
        folder = Path(name)
        (folder / PIECES).mkdir()
        _render(Job(title="", task=task, folder=folder), lambda: None)
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def work(
    jobs: Sequence[Job], *, workers: int, progress: Callable[[str, int, int], None]
) -> None:
    """Do all jobs that are not done, first ones first, and report progress meanwhile.

    Args:
        jobs: Independent of each other.
        workers: How many processes to use; 1 works in this one.
        progress: Called with a title, how much is done, how much there is.

    Raises:
        Exception: Whatever the first failing job raised.
    """
    done = [job.done for job in jobs]
    lacking = [n for n, job in enumerate(jobs) if done[n] < job.size]
    if any(done):
        _report(jobs, done, progress)
    if not lacking:
        return
    if workers == 1:
        for number in lacking:

            def tick(number: int = number) -> None:
                done[number] += 1
                _report(jobs, done, progress)

            _render(jobs[number], tick)
        return

    def report(counts: Sequence[int]) -> None:
        for number, count in zip(lacking, counts, strict=True):
            done[number] = count
        _report(jobs, done, progress)

    in_processes(
        _render,
        [jobs[number] for number in lacking],
        [done[number] for number in lacking],
        workers=workers,
        report=report,
    )


def _report(
    jobs: Sequence[Job], done: Sequence[int], progress: Callable[[str, int, int], None]
) -> None:
    for title in dict.fromkeys(job.title for job in jobs):
        mine = [number for number, job in enumerate(jobs) if job.title == title]
        progress(
            title,
            sum(done[number] for number in mine),
            sum(jobs[number].size for number in mine),
        )


def _render(job: Job, tick: Callable[[], None]) -> None:
    if isinstance(job.task, ClipTask):
        render_piece(job.task, job.folder, tick=tick)
    else:
        render_portraits(job.task, job.folder, tick=tick)
