"""A programme: deployments week by week under a policy, in every replication.

Owns the sums over a calendar. Knows nothing of how one deployment comes about, or of
how results are compared or shown.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.policy.calendar import affordable, calendar
from sim.policy.columns import Outcome
from sim.policy.records import freeze
from sim.policy.slot import run_slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sim.policy.calendar import Slot
    from sim.policy.config import PhaseConfig, ProgrammeConfig
    from sim.policy.error_rates import OperatingPoints
    from sim.policy.world import World

__all__ = ["ProgrammeResult", "Sample", "run_programme"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Every deployment of the first replication: one year as it could have been.

    Attributes:
        site: (slots,) names.
        hours: (slots,) float64.
        outcomes: (slots, len(Outcome)) float64.
    """

    site: tuple[str, ...]
    hours: NDArray[np.float64]
    outcomes: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check that the columns agree; freeze them."""
        freeze(self, length=len(self.site))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProgrammeResult:
    """What a policy led to, week by week.

    Attributes:
        name: Of the policy.
        slots: The calendar that was run.
        weekly: (replications, weeks, len(Outcome)) float64.
        first_date: Of the first week.
        sample: The first replication, deployment by deployment.
    """

    name: str
    slots: tuple[Slot, ...]
    weekly: NDArray[np.float64]
    first_date: np.datetime64
    sample: Sample

    def total(self) -> NDArray[np.float64]:
        """Return the sums over all weeks, (replications, len(Outcome))."""
        summed: NDArray[np.float64] = self.weekly.sum(axis=1)
        return summed

    def window(self, first: np.datetime64, end: np.datetime64) -> NDArray[np.float64]:
        """Return the sums over the weeks that begin in [first, end)."""
        days = np.arange(self.weekly.shape[1]) * np.timedelta64(7, "D")
        starts = self.first_date + days
        inside = (starts >= first) & (starts < end)
        summed: NDArray[np.float64] = self.weekly[:, inside].sum(axis=1)
        return summed


def run_programme(
    world: World,
    *,
    name: str,
    programme: ProgrammeConfig,
    phases: tuple[PhaseConfig, ...],
    points: OperatingPoints | None,
    workers: int,
    progress: Callable[[int, int], None],
) -> ProgrammeResult:
    """Run a policy in every replication of a world.

    Args:
        world: What the policy meets.
        name: Of the policy.
        programme: Length, budget and seed.
        phases: The policy.
        points: Tested error rates; None takes those of the record.
        workers: Threads; the result does not depend on it.
        progress: Told how many deployments are done, and of how many.
    """
    slots = affordable(calendar(programme, phases), world, programme)
    weekly = np.zeros((world.n, programme.weeks, len(Outcome)))
    outcomes = np.zeros((len(slots), len(Outcome)))
    sites, hours = [], np.zeros(len(slots))
    with ThreadPoolExecutor(max_workers=workers) as pool:
        results = pool.map(lambda slot: run_slot(world, slot, points), slots)
        for row, (slot, run) in enumerate(zip(slots, results, strict=True)):
            weekly[:, slot.week] += run.outcomes
            outcomes[row], hours[row] = run.outcomes[0], run.first_hours
            sites.append(run.first_site)
            progress(row + 1, len(slots))
    return ProgrammeResult(
        name=name,
        slots=slots,
        weekly=weekly,
        first_date=np.datetime64(programme.first_date),
        sample=Sample(site=tuple(sites), hours=hours, outcomes=outcomes),
    )
