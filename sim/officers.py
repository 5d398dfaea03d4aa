"""Officers: teams who walk up to a person before that person is gone.

Owns their number, and the queue that people leave when they walk on. Knows nothing of
who reviewed the alert, or why.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LOST_TOO_LATE", "LOST_WAITING", "REACHED", "OfficersConfig", "dispatch"]

# What became of a call for a team.
REACHED, LOST_WAITING, LOST_TOO_LATE = 0, 1, 2


class OfficersConfig(BaseModel):
    """The teams of one deployment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_teams: int = Field(
        default=5, ge=1, le=32, description="Engagement teams at the zone."
    )
    officers_per_team: int = Field(default=2, ge=1, le=8, description="Officers each.")


@njit(cache=True, nogil=True)
def dispatch(
    calls_s: np.ndarray,
    leaves_s: np.ndarray,
    responses_s: np.ndarray,
    engagements_s: np.ndarray,
    n_calls: int,
    n_teams: int,
    starts_s: np.ndarray,
    fates: np.ndarray,
) -> None:
    """Send teams to calls in order; a person who walks on is lost.

    A team that is sent and comes too late has spent its response time. A team never
    sets off after a person who has already gone.

    Args:
        calls_s: (capacity,) ascending in its first `n_calls`, seconds.
        leaves_s: (capacity,) when the person is out of reach, seconds.
        responses_s: (capacity,) from setting off to reaching the place, seconds.
        engagements_s: (capacity,) time with the person and after, seconds.
        n_calls: How many of them are calls.
        n_teams: 1 or more.
        starts_s: (capacity,) written: when a team sets off; NaN if none did.
        fates: (capacity,) written: `REACHED`, `LOST_WAITING` or `LOST_TOO_LATE`.
    """
    free_s = np.zeros(n_teams)
    for call in range(n_calls):
        team = 0
        for other in range(1, n_teams):
            if free_s[other] < free_s[team]:
                team = other
        start_s = max(calls_s[call], free_s[team])
        if start_s >= leaves_s[call]:
            starts_s[call] = np.nan
            fates[call] = LOST_WAITING
            continue
        starts_s[call] = start_s
        there_s = start_s + responses_s[call]
        if there_s > leaves_s[call]:
            fates[call] = LOST_TOO_LATE
            free_s[team] = there_s
        else:
            fates[call] = REACHED
            free_s[team] = there_s + engagements_s[call]
