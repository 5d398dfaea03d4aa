"""Crowds rendered on a Ray cluster: each job a task, its files brought home.

Owns the tasks and their order. Knows nothing of what is drawn, nor of where: placement
and retries are Ray's. Part of the shell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synthetic_crowds.film.crew import render_away

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synthetic_crowds.film.crew import Crew, Job

__all__ = ["ray_crew"]

# A job whose machine dies this often is itself the killer.
_MAX_RETRIES = 3


def ray_crew(ray: Any) -> Crew:  # noqa: ANN401 - the module
    """Make a crew of a cluster.

    Args:
        ray: The module, joined to it.
    """

    def work(jobs: Sequence[Job], progress: Callable[[str, int, int], None]) -> None:
        render = ray.remote(num_cpus=1, max_retries=_MAX_RETRIES)(render_away)
        pending = {render.remote(job.task): job for job in jobs}
        done = dict.fromkeys((job.title for job in jobs), 0)
        for title in done:
            progress(title, 0, _size_of(jobs, title))
        while pending:
            (ended,), _ = ray.wait(list(pending), num_returns=1)
            job = pending.pop(ended)
            for name, content in ray.get(ended).items():
                path = job.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            done[job.title] += job.size
            progress(job.title, done[job.title], _size_of(jobs, job.title))

    return work


def _size_of(jobs: Sequence[Job], title: str) -> int:
    return sum(job.size for job in jobs if job.title == title)
