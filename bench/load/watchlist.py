"""Who joins and who leaves the watchlist while cameras run, drawn before the run.

Owns the draw. Knows nothing of templates or of how a matcher is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.records import PlannedChange

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bench.load.settings import LoadConfig

__all__ = ["draw_changes", "held_back"]


def draw_changes(
    load: LoadConfig,
    subjects: Sequence[str],
    *,
    passers: Collection[str],
    duration_s: float,
    rng: np.random.Generator,
) -> tuple[PlannedChange, ...]:
    """Draw the subjects of every change of the watchlist, in order of time.

    Whoever is to join is held back at the start; whoever leaves is drawn from those
    enrolled at that moment, and never returns.

    Args:
        load: Its `watchlist_change`.
        subjects: The watchlist, in order.
        passers: Those of them who walk past.
        duration_s: Of the run.
        rng: Draws the subjects.

    Raises:
        BenchError: If there are too few of them, or the run is over by then.
    """
    wanted = sorted(load.watchlist_change, key=lambda change: change.at_s)
    waiting = list(subjects)
    joins = []
    for change in wanted:
        if change.at_s >= duration_s:
            message = (
                f"load.watchlist_change.at_s must lie within the run's {duration_s:g} "
                f"s, got {change.at_s:g}; lower it or raise load.duration_s"
            )
            raise BenchError(message)
        pool = _pool(waiting, passers, passers_only=change.passers_only)
        joins.append(_drawn(pool, change.enrol, what="enrol", rng=rng))
        waiting = [s for s in waiting if s not in set(joins[-1])]
    enrolled = waiting
    planned = []
    for change, enrol in zip(wanted, joins, strict=True):
        pool = _pool(enrolled, passers, passers_only=change.passers_only)
        withdraw = _drawn(pool, change.withdraw, what="withdraw", rng=rng)
        enrolled = [s for s in enrolled if s not in set(withdraw)]
        if not enrolled:
            message = (
                "load.watchlist_change must leave somebody enrolled at every moment, "
                f"got nobody at {change.at_s:g} s; enrol or withdraw fewer"
            )
            raise BenchError(message)
        enrolled += enrol
        planned.append(
            PlannedChange(
                offset_ns=round(change.at_s * 1e9), enrol=enrol, withdraw=withdraw
            )
        )
    return tuple(planned)


def held_back(changes: Sequence[PlannedChange]) -> frozenset[str]:
    """Name those who are not enrolled at the start, since they join later."""
    return frozenset(subject for change in changes for subject in change.enrol)


def _pool(
    subjects: Sequence[str], passers: Collection[str], *, passers_only: bool
) -> list[str]:
    return [s for s in subjects if not passers_only or s in passers]


def _drawn(
    pool: Sequence[str], n: int, *, what: str, rng: np.random.Generator
) -> tuple[str, ...]:
    if n > len(pool):
        message = (
            f"load.watchlist_change.{what} must be at most the {len(pool)} there are "
            f"to choose from by then, got {n}; lower it or raise watchlist.size"
        )
        raise BenchError(message)
    chosen = np.sort(rng.choice(len(pool), size=n, replace=False))
    return tuple(pool[int(k)] for k in chosen)
