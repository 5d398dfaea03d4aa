"""When and where a policy deploys, and how much of that its budget allows.

Owns the calendar. A deployment's address is its week and its place in the week, the
same under every policy. Knows nothing of what a deployment leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sim.policy.config import PhaseConfig, ProgrammeConfig
    from sim.policy.world import World

__all__ = ["Slot", "affordable", "calendar", "staff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One deployment in the calendar.

    Attributes:
        week, place: Its address; `place` counts within the week.
        date: Day.
        phase: The policy in force.
        watchlist_size: People, grown since the phase began.
        is_fixed: Made by a fixed camera.
    """

    week: int
    place: int
    date: np.datetime64
    phase: PhaseConfig
    watchlist_size: float
    is_fixed: bool


def calendar(
    programme: ProgrammeConfig, phases: tuple[PhaseConfig, ...]
) -> tuple[Slot, ...]:
    """Lay out every deployment of a policy, in order.

    Args:
        programme: Length and budget.
        phases: In order of `from_week`, the first from week 0.
    """
    first = np.datetime64(programme.first_date)
    slots = []
    for week in range(programme.weeks):
        phase = [each for each in phases if each.from_week <= week][-1]
        months = (week - phase.from_week) * 7.0 / 30.4375
        size = phase.watchlist_size * (1.0 + phase.watchlist_growth_per_month) ** months
        by_vans = phase.vans * phase.days_per_week
        for place in range(phase.deployments_per_week):
            day = 7 * week + place * phase.days_per_week // phase.deployments_per_week
            slots.append(
                Slot(
                    week=week,
                    place=place,
                    date=first + np.timedelta64(day, "D"),
                    phase=phase,
                    watchlist_size=size,
                    is_fixed=place >= by_vans,
                )
            )
    return tuple(slots)


def staff(slot: Slot) -> int:
    """Return the officers present at a deployment, operators included."""
    operators, officers = slot.phase.operators, slot.phase.officers
    return (
        operators.n_reviewers
        + operators.n_second_reviewers
        + officers.n_teams * officers.officers_per_team
    )


def affordable(
    slots: tuple[Slot, ...], world: World, programme: ProgrammeConfig
) -> tuple[Slot, ...]:
    """Cut a calendar where the expected cost of presence reaches the budget.

    A plan is cut before it is run, so the cut is one for all replications.

    Args:
        slots: The calendar.
        world: Whose costs and hours are expected.
        programme: With the budget, or without.
    """
    if programme.budget_gbp is None:
        return slots
    hour_gbp = float(np.median(world.draws.officer_hour_gbp))
    fixed_gbp = float(np.median(world.draws.deployment_gbp))
    hours = [
        slot.phase.fixed_hours if slot.is_fixed else float(world.recent_hours.mean())
        for slot in slots
    ]
    costs = np.cumsum(
        [
            staff(slot) * each * hour_gbp + fixed_gbp
            for slot, each in zip(slots, hours, strict=True)
        ]
    )
    return slots[: int(np.searchsorted(costs, programme.budget_gbp, side="right"))]
