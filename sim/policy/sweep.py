"""A grid of policies in one world: threshold by watchlist by deployments a week.

Owns the grid and one row of measures per policy. Knows nothing of how it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from sim.policy.config import PhaseConfig
from sim.policy.measures import Estimate, estimate, measure_named
from sim.policy.programme import run_programme

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.policy.config import ProgrammeConfig
    from sim.policy.error_rates import OperatingPoints
    from sim.policy.world import World

__all__ = ["SWEPT", "Cell", "sweep"]

# What is told of each policy of the grid.
SWEPT = ("arrests", "charged", "false_alerts", "false_engaged", "officer_hours")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One policy of the grid.

    Attributes:
        threshold, watchlist_size, deployments_per_week: The policy.
        estimates: Of `SWEPT`, in order.
    """

    threshold: float
    watchlist_size: int
    deployments_per_week: int
    estimates: tuple[Estimate, ...]


def sweep(
    world: World,
    *,
    programme: ProgrammeConfig,
    phase: PhaseConfig,
    thresholds: tuple[float, ...],
    watchlist_sizes: tuple[int, ...],
    deployments_per_week: tuple[int, ...],
    points: OperatingPoints | None,
    workers: int,
    progress: Callable[[int, int], None],
) -> tuple[Cell, ...]:
    """Run every policy of a grid in one world.

    Args:
        world: What all policies meet.
        programme: Length.
        phase: The policy from which the grid departs; days are added as a denser
            calendar needs them.
        thresholds: One side of the grid.
        watchlist_sizes: Another, people.
        deployments_per_week: The third.
        points: Tested error rates, or None for the record's.
        workers: Threads.
        progress: Told how many policies are done, and of how many.
    """
    grid = list(product(thresholds, watchlist_sizes, deployments_per_week))
    cells = []
    for done, (threshold, size, per_week) in enumerate(grid, 1):
        per_day = max(phase.vans + phase.fixed_cameras, 1)
        days = min(max(phase.days_per_week, -(-per_week // per_day)), 7)
        changed = {
            "threshold": threshold,
            "watchlist_size": size,
            "deployments_per_week": per_week,
            "days_per_week": days,
            "vans": max(phase.vans, -(-per_week // days) - phase.fixed_cameras),
        }
        policy = PhaseConfig.model_validate({**phase.model_dump(), **changed})
        result = run_programme(
            world,
            name=f"{threshold:g} x {size} x {per_week}",
            programme=programme,
            phases=(policy,),
            points=points,
            workers=workers,
            progress=_ignore,
        )
        totals = result.total()
        cells.append(
            Cell(
                threshold=threshold,
                watchlist_size=size,
                deployments_per_week=per_week,
                estimates=tuple(
                    estimate(name, measure_named(name).of(totals)) for name in SWEPT
                ),
            )
        )
        progress(done, len(grid))
    return tuple(cells)


def _ignore(done: int, of: int) -> None:
    """Tell nobody of single deployments: the grid counts policies."""
