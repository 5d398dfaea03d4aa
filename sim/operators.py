"""Operators: people who look at an alert and let it pass or not.

Owns their number, their pace, their mistakes, and how tiredness and a backlog bear on
both; and the queue before them. Knows nothing of officers on the street.
"""

# ruff: noqa: FBT001 - numba binds compiled arguments by position

from __future__ import annotations

import math

import numpy as np
from numba import njit
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["OperatorsConfig", "error_chance", "first_come"]


class OperatorsConfig(BaseModel):
    """The people who review alerts in one deployment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_reviewers: int = Field(
        default=1, ge=1, le=16, description="Operators who take the first look."
    )
    n_second_reviewers: int = Field(
        default=0,
        ge=0,
        le=16,
        description="Operators who look again at what the first let pass; 0 means "
        "that one person decides.",
    )
    agreement: float = Field(
        default=0.3,
        ge=0.0,
        le=1.0,
        description="Chance that the second looks at the same picture and repeats the "
        "first one's mistake; assumption.",
    )
    fatigue_per_h: float = Field(
        default=0.03,
        ge=0.0,
        le=1.0,
        description="Share by which review time and odds of a mistake grow per hour "
        "of shift; assumption.",
    )
    backlog_odds_ratio: float = Field(
        default=1.5,
        ge=1.0,
        le=20.0,
        description="Factor on the odds of a mistake when alerts are waiting; "
        "assumption.",
    )


@njit(cache=True, nogil=True)
def first_come(
    arrivals_s: np.ndarray,
    services_s: np.ndarray,
    n_jobs: int,
    n_servers: int,
    starts_s: np.ndarray,
) -> None:
    """Serve jobs in order of arrival by the first server that is free.

    Args:
        arrivals_s: (capacity,) ascending in its first `n_jobs`, seconds.
        services_s: (capacity,) seconds.
        n_jobs: How many of them are jobs.
        n_servers: 1 or more.
        starts_s: (capacity,) written: when each service begins.
    """
    free_s = np.zeros(n_servers)
    for job in range(n_jobs):
        server = 0
        for other in range(1, n_servers):
            if free_s[other] < free_s[server]:
                server = other
        starts_s[job] = max(arrivals_s[job], free_s[server])
        free_s[server] = starts_s[job] + services_s[job]


@njit(cache=True, nogil=True)
def error_chance(
    base: float,
    hours: float,
    fatigue_per_h: float,
    is_backlog: bool,
    backlog_odds_ratio: float,
) -> float:
    """Return the chance of a mistake, raised on the scale of odds.

    Args:
        base: Chance when fresh and unhurried, in [0, 1).
        hours: Of shift behind the operator.
        fatigue_per_h: Growth of the odds per hour.
        is_backlog: The alert had to wait.
        backlog_odds_ratio: Factor on the odds if so.
    """
    if base <= 0.0:
        return 0.0
    if base >= 1.0:
        return 1.0
    odds = math.log(base / (1.0 - base)) + math.log1p(fatigue_per_h * hours)
    if is_backlog:
        odds += math.log(backlog_odds_ratio)
    return 1.0 / (1.0 + math.exp(-odds))
