"""The columns of the two tables that the deployment kernel reads and writes.

Owns their order. Numba reads the members as whole numbers.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Input", "Outcome"]


class Input(IntEnum):
    """What one replication of one deployment is told; one column each."""

    DURATION_S = 0
    # Passages of people on the watchlist, per second, whether recognised or not.
    MATED_RATE_HZ = 1
    # Chance that such a passage raises an alert.
    RECOGNITION = 2
    FALSE_RATE_HZ = 3
    # Log odds that an engaged, rightly recognised person is arrested, at the usual
    # number of true alerts; how it falls with more; this deployment's own deviation.
    ARREST_LOGIT = 4
    ARREST_SATURATION = 5
    ARREST_DEVIATION = 6
    # Arrests are recorded per true alert, and happen per engagement.
    ENGAGED_SHARE = 7
    TRUE_DISMISSED = 8
    FALSE_ACCEPTED = 9
    REVIEW_MEDIAN_S = 10
    REVIEW_LOG_SD = 11
    RESPONSE_MEDIAN_S = 12
    RESPONSE_LOG_SD = 13
    LINGER_MEDIAN_S = 14
    LINGER_LOG_SD = 15
    ENGAGEMENT_FALSE_S = 16
    ENGAGEMENT_TRUE_S = 17
    ENGAGEMENT_ARREST_S = 18
    ENGAGEMENT_LOG_SD = 19
    CHARGED = 20
    OTHER_OUTCOME = 21


class Outcome(IntEnum):
    """What became of one replication; one column each."""

    MATED = 0
    TRUE_ALERTS = 1
    FALSE_ALERTS = 2
    TRUE_DISMISSED = 3
    FALSE_DISMISSED = 4
    TRUE_LOST = 5
    FALSE_LOST = 6
    TRUE_ENGAGED = 7
    FALSE_ENGAGED = 8
    ARRESTS = 9
    OTHER_OUTCOME = 10
    NO_ACTION = 11
    CHARGED = 12
    REVIEW_WAIT_S = 13
    TEAM_BUSY_S = 14
    # Written by the programme, not by the kernel.
    DEPLOYMENTS = 15
    FACES = 16
    OFFICER_HOURS = 17
    COST_GBP = 18
    UNDER_18_ALERTS = 19
