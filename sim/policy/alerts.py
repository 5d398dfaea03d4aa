"""One alert: when it comes, who looks at it, how long everything takes, what follows.

Owns every random number of an alert, each at its own address (`draws.py`), so that
two policies meet the same crowd, and so that the compiled queue and its SimPy twin
tell one story. Knows nothing of queues.
"""

# ruff: noqa: FBT001, PLR0913, PLR0917, TC002 - numba binds compiled arguments by position

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim.operators import error_chance
from sim.policy.columns import Input
from sim.policy.draws import exponential, log_normal, uniform

__all__ = [
    "arrest_chance",
    "call_times",
    "draw_alerts",
    "is_arrested",
    "is_charged",
    "is_other_outcome",
    "is_passed_on",
    "review_time_s",
]

# Purposes of addressed draws. A normal number takes two.
(
    _GAP,
    _RECOGNISED,
    _REVIEW,
    _FIRST_LOOK,
    _SECOND_REVIEW,
    _SECOND_LOOK,
    _SAME_MISTAKE,
    _RESPONSE,
    _LINGER,
    _ENGAGEMENT,
    _ARRESTED,
    _CHARGED,
    _OTHER,
) = range(0, 26, 2)
# False alerts live at their own addresses, far from those of passages.
_FALSE = 1 << 32


@njit(cache=True, nogil=True)
def draw_alerts(
    key: np.uint64,
    replication: int,
    given: np.ndarray,
    times_s: np.ndarray,
    items: np.ndarray,
    is_true: np.ndarray,
) -> tuple[int, int]:
    """Walk the crowd past the cameras.

    Passages of people on the watchlist and false alerts are two Poisson streams, each
    run in units of its own mean: a higher rate adds people and moves nobody.

    Args:
        key: Of the deployment.
        replication: Row of the experiment.
        given: (inputs,) its row of `Input`.
        times_s: (capacity,) written: alert times, ascending.
        items: (capacity,) written: addresses of the alerts' draws.
        is_true: (capacity,) written.

    Returns:
        Mated passages and alerts; more alerts than capacity means that some had to
        be left out, and the caller must refuse.
    """
    duration_s = given[Input.DURATION_S]
    n_mated, n = 0, 0
    mated_s = _next(key, replication, 0, given[Input.MATED_RATE_HZ], 0.0)
    n_false = 0
    false_s = _next(key, replication, _FALSE, given[Input.FALSE_RATE_HZ], 0.0)
    while min(mated_s, false_s) <= duration_s and n < len(times_s):
        if mated_s <= false_s:
            chance = uniform(key, replication, n_mated, _RECOGNISED)
            if chance < given[Input.RECOGNITION]:
                times_s[n], items[n], is_true[n] = mated_s, n_mated, True
                n += 1
            n_mated += 1
            rate_hz = given[Input.MATED_RATE_HZ]
            mated_s = _next(key, replication, n_mated, rate_hz, mated_s)
        else:
            times_s[n], items[n], is_true[n] = false_s, _FALSE + n_false, False
            n += 1
            n_false += 1
            rate_hz = given[Input.FALSE_RATE_HZ]
            false_s = _next(key, replication, _FALSE + n_false, rate_hz, false_s)
    return n_mated, n


@njit(cache=True, nogil=True)
def _next(
    key: np.uint64, replication: int, item: int, rate_hz: float, now_s: float
) -> float:
    if rate_hz <= 0.0:
        return math.inf
    return now_s + exponential(key, replication, item, _GAP) / rate_hz


@njit(cache=True, nogil=True)
def review_time_s(
    key: np.uint64,
    replication: int,
    item: int,
    given: np.ndarray,
    alert_s: float,
    fatigue_per_h: float,
    is_second: bool,
) -> float:
    """Return how long one look takes, seconds; longer late in the shift."""
    purpose = _SECOND_REVIEW if is_second else _REVIEW
    fresh_s = log_normal(
        key,
        replication,
        item,
        purpose,
        given[Input.REVIEW_MEDIAN_S],
        given[Input.REVIEW_LOG_SD],
    )
    return fresh_s * (1.0 + fatigue_per_h * alert_s / 3600.0)


@njit(cache=True, nogil=True)
def is_passed_on(
    key: np.uint64,
    replication: int,
    item: int,
    given: np.ndarray,
    is_true: bool,
    start_s: float,
    is_backlog: bool,
    fatigue_per_h: float,
    backlog_odds_ratio: float,
    agreement: float,
    is_second: bool,
) -> bool:
    """Return whether a reviewer lets an alert go to the officers.

    A second reviewer repeats the first one's mistake with chance `agreement`, and
    else makes one of his own. He sees only what the first let pass, so the mistake to
    repeat is a false alert accepted.
    """
    mistake = given[Input.TRUE_DISMISSED] if is_true else given[Input.FALSE_ACCEPTED]
    chance = error_chance(
        mistake,
        hours=start_s / 3600.0,
        fatigue_per_h=fatigue_per_h,
        is_backlog=is_backlog,
        backlog_odds_ratio=backlog_odds_ratio,
    )
    purpose = _SECOND_LOOK if is_second else _FIRST_LOOK
    is_mistaken = uniform(key, replication, item, purpose) < chance
    if is_second:
        repeats = uniform(key, replication, item, _SAME_MISTAKE) < agreement
        # Of a true alert the first made no mistake, or the second would not see it.
        is_mistaken = (
            (is_mistaken and not repeats) if is_true else (is_mistaken or repeats)
        )
    return is_mistaken != is_true


@njit(cache=True, nogil=True)
def arrest_chance(given: np.ndarray, n_true_alerts: int) -> float:
    """Return the chance that an engagement on a true alert ends in arrest."""
    logit = (
        given[Input.ARREST_LOGIT]
        + given[Input.ARREST_SATURATION] * math.log(max(n_true_alerts, 1) / 7.0)
        + given[Input.ARREST_DEVIATION]
    )
    per_alert = 1.0 / (1.0 + math.exp(-logit))
    return float(min(1.0, per_alert / given[Input.ENGAGED_SHARE]))


@njit(cache=True, nogil=True)
def call_times(
    key: np.uint64,
    replication: int,
    item: int,
    given: np.ndarray,
    is_true: bool,
    is_arrest: bool,
) -> tuple[float, float, float]:
    """Return how long a person lingers, a team walks, and the two talk; seconds."""
    linger_s = log_normal(
        key,
        replication,
        item,
        _LINGER,
        given[Input.LINGER_MEDIAN_S],
        given[Input.LINGER_LOG_SD],
    )
    response_s = log_normal(
        key,
        replication,
        item,
        _RESPONSE,
        given[Input.RESPONSE_MEDIAN_S],
        given[Input.RESPONSE_LOG_SD],
    )
    median_s = given[Input.ENGAGEMENT_FALSE_S]
    if is_true:
        median_s = given[Input.ENGAGEMENT_TRUE_S]
    if is_arrest:
        median_s = given[Input.ENGAGEMENT_ARREST_S]
    engagement_s = log_normal(
        key,
        replication,
        item,
        _ENGAGEMENT,
        median_s,
        given[Input.ENGAGEMENT_LOG_SD],
    )
    return linger_s, response_s, engagement_s


@njit(cache=True, nogil=True)
def is_arrested(
    key: np.uint64, replication: int, item: int, given: np.ndarray, n_true_alerts: int
) -> bool:
    """Return whether this person would be arrested if reached."""
    drawn = uniform(key, replication, item, _ARRESTED)
    return bool(drawn < arrest_chance(given, n_true_alerts))


@njit(cache=True, nogil=True)
def is_charged(key: np.uint64, replication: int, item: int, given: np.ndarray) -> bool:
    """Return whether this person would be charged or cautioned if arrested."""
    drawn = uniform(key, replication, item, _CHARGED)
    return bool(drawn < given[Input.CHARGED])


@njit(cache=True, nogil=True)
def is_other_outcome(
    key: np.uint64, replication: int, item: int, given: np.ndarray
) -> bool:
    """Return whether something but arrest would follow if this person was stopped."""
    drawn = uniform(key, replication, item, _OTHER)
    return bool(drawn < given[Input.OTHER_OUTCOME])
