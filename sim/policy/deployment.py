"""One deployment, many times: passages, alerts, review, teams, outcomes.

Owns the compiled model of a deployment. Every random number is addressed
(`draws.py`), so that two policies meet the same crowd. `deployment_simpy.py` tells
the same story in SimPy, and a test holds the two together alert by alert. Knows
nothing of weeks or of evidence.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from lfr_errors import LfrError
from sim.officers import REACHED, dispatch
from sim.operators import error_chance, first_come
from sim.policy.columns import Input, Outcome
from sim.policy.draws import exponential, log_normal, uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.officers import OfficersConfig
    from sim.operators import OperatorsConfig

__all__ = ["CAPACITY", "TooManyAlertsError", "draw_alerts", "simulate"]

# Alerts of one deployment that the kernel has room for: far above any recorded (24).
CAPACITY = 4096

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


class TooManyAlertsError(LfrError, OverflowError):
    """A replication raised more alerts than the kernel has room for."""

    def __init__(self, *, n: int) -> None:
        self.n = n
        super().__init__(
            f"one deployment must raise at most {CAPACITY} alerts, got {n} or more; "
            "lower the footfall, the watchlist or the false-positive rate"
        )


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _next(
    key: np.uint64, replication: int, item: int, rate_hz: float, now_s: float
) -> float:
    if rate_hz <= 0.0:
        return math.inf
    return now_s + exponential(key, replication, item, _GAP) / rate_hz


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
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
        if is_true:
            is_mistaken = is_mistaken and not repeats
        else:
            is_mistaken = is_mistaken or repeats
    return is_mistaken != is_true


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def arrest_chance(given: np.ndarray, n_true_alerts: int) -> float:
    """Return the chance that an engagement on a true alert ends in arrest."""
    logit = (
        given[Input.ARREST_LOGIT]
        + given[Input.ARREST_SATURATION] * math.log(max(n_true_alerts, 1) / 7.0)
        + given[Input.ARREST_DEVIATION]
    )
    per_alert = 1.0 / (1.0 + math.exp(-logit))
    return min(1.0, per_alert / given[Input.ENGAGED_SHARE])


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def is_arrested(
    key: np.uint64, replication: int, item: int, given: np.ndarray, n_true_alerts: int
) -> bool:
    """Return whether this person would be arrested if reached."""
    drawn = uniform(key, replication, item, _ARRESTED)
    return drawn < arrest_chance(given, n_true_alerts)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _sort_by(times_s: np.ndarray, order: np.ndarray, n: int) -> None:
    """Sort `order` by time; insertion, since a handful of alerts is nearly sorted."""
    for i in range(1, n):
        moved = order[i]
        j = i
        while j > 0 and times_s[order[j - 1]] > times_s[moved]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = moved


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _review(
    key: np.uint64,
    replication: int,
    given: np.ndarray,
    times_s: np.ndarray,
    items: np.ndarray,
    is_true: np.ndarray,
    jobs: np.ndarray,
    n_jobs: int,
    ready_s: np.ndarray,
    n_servers: int,
    rules: tuple[float, float, float],
    is_second: bool,  # noqa: FBT001 - numba passes no keywords to itself cheaply
    result: np.ndarray,
) -> int:
    """Pass jobs through one station of reviewers; keep those let through.

    `jobs` (in order of `ready_s`) is overwritten by the survivors, in order of the
    end of their review, which is written to `ready_s`.
    """
    fatigue_per_h, backlog_odds_ratio, agreement = rules
    arrivals_s, services_s = np.empty(n_jobs), np.empty(n_jobs)
    starts_s = np.empty(n_jobs)
    for job in range(n_jobs):
        alert = jobs[job]
        arrivals_s[job] = ready_s[alert]
        services_s[job] = review_time_s(
            key,
            replication,
            items[alert],
            given,
            alert_s=times_s[alert],
            fatigue_per_h=fatigue_per_h,
            is_second=is_second,
        )
    first_come(arrivals_s, services_s, n_jobs, n_servers, starts_s)
    kept = 0
    for job in range(n_jobs):
        alert = jobs[job]
        wait_s = starts_s[job] - arrivals_s[job]
        result[Outcome.REVIEW_WAIT_S] += wait_s
        ready_s[alert] = starts_s[job] + services_s[job]
        if is_passed_on(
            key,
            replication,
            items[alert],
            given,
            is_true=is_true[alert],
            start_s=starts_s[job],
            is_backlog=wait_s > 0.0,
            fatigue_per_h=fatigue_per_h,
            backlog_odds_ratio=backlog_odds_ratio,
            agreement=agreement,
            is_second=is_second,
        ):
            jobs[kept] = alert
            kept += 1
        elif is_true[alert]:
            result[Outcome.TRUE_DISMISSED] += 1.0
        else:
            result[Outcome.FALSE_DISMISSED] += 1.0
    _sort_by(ready_s, jobs, kept)
    return kept


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _engage(
    key: np.uint64,
    replication: int,
    given: np.ndarray,
    times_s: np.ndarray,
    items: np.ndarray,
    is_true: np.ndarray,
    jobs: np.ndarray,
    n_jobs: int,
    ready_s: np.ndarray,
    n_teams: int,
    result: np.ndarray,
) -> None:
    """Send teams to the alerts that were let through, and count what follows."""
    n_true_alerts = int(result[Outcome.TRUE_ALERTS])
    calls_s, leaves_s = np.empty(n_jobs), np.empty(n_jobs)
    responses_s, engagements_s = np.empty(n_jobs), np.empty(n_jobs)
    starts_s, fates = np.empty(n_jobs), np.empty(n_jobs, dtype=np.int64)
    arrested = np.zeros(n_jobs, dtype=np.bool_)
    for job in range(n_jobs):
        alert = jobs[job]
        item = items[alert]
        if is_true[alert]:
            arrested[job] = is_arrested(key, replication, item, given, n_true_alerts)
        linger_s, responses_s[job], engagements_s[job] = call_times(
            key,
            replication,
            item,
            given,
            is_true=is_true[alert],
            is_arrest=arrested[job],
        )
        calls_s[job] = ready_s[alert]
        leaves_s[job] = times_s[alert] + linger_s
    dispatch(
        calls_s, leaves_s, responses_s, engagements_s, n_jobs, n_teams, starts_s, fates
    )
    for job in range(n_jobs):
        alert = jobs[job]
        if not np.isnan(starts_s[job]):
            result[Outcome.TEAM_BUSY_S] += responses_s[job]
        if fates[job] != REACHED:
            lost = Outcome.TRUE_LOST if is_true[alert] else Outcome.FALSE_LOST
            result[lost] += 1.0
            continue
        result[Outcome.TEAM_BUSY_S] += engagements_s[job]
        if not is_true[alert]:
            result[Outcome.FALSE_ENGAGED] += 1.0
            continue
        result[Outcome.TRUE_ENGAGED] += 1.0
        item = items[alert]
        if arrested[job]:
            result[Outcome.ARRESTS] += 1.0
            if uniform(key, replication, item, _CHARGED) < given[Input.CHARGED]:
                result[Outcome.CHARGED] += 1.0
        elif uniform(key, replication, item, _OTHER) < given[Input.OTHER_OUTCOME]:
            result[Outcome.OTHER_OUTCOME] += 1.0
        else:
            result[Outcome.NO_ACTION] += 1.0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]  # numba has no types
def _simulate(
    key: np.uint64,
    inputs: np.ndarray,
    n_reviewers: int,
    n_second_reviewers: int,
    n_teams: int,
    rules: tuple[float, float, float],
    results: np.ndarray,
) -> int:
    times_s, ready_s = np.empty(CAPACITY), np.empty(CAPACITY)
    items = np.empty(CAPACITY, dtype=np.int64)
    jobs = np.empty(CAPACITY, dtype=np.int64)
    is_true = np.empty(CAPACITY, dtype=np.bool_)
    most = 0
    for replication in range(len(inputs)):
        given, result = inputs[replication], results[replication]
        n_mated, n = draw_alerts(key, replication, given, times_s, items, is_true)
        most = max(most, n)
        result[Outcome.MATED] += n_mated
        for alert in range(n):
            kind = Outcome.TRUE_ALERTS if is_true[alert] else Outcome.FALSE_ALERTS
            result[kind] += 1.0
            jobs[alert] = alert
            ready_s[alert] = times_s[alert]
        kept = _review(
            key,
            replication,
            given,
            times_s,
            items,
            is_true,
            jobs,
            n,
            ready_s,
            n_reviewers,
            rules,
            False,
            result,
        )
        if n_second_reviewers > 0:
            kept = _review(
                key,
                replication,
                given,
                times_s,
                items,
                is_true,
                jobs,
                kept,
                ready_s,
                n_second_reviewers,
                rules,
                True,
                result,
            )
        _engage(
            key,
            replication,
            given,
            times_s,
            items,
            is_true,
            jobs,
            kept,
            ready_s,
            n_teams,
            result,
        )
    return most


def simulate(
    key: int,
    inputs: NDArray[np.float64],
    *,
    operators: OperatorsConfig,
    officers: OfficersConfig,
) -> NDArray[np.float64]:
    """Run one deployment in every replication.

    Args:
        key: 64-bit address of the deployment (`draws.stream_key`).
        inputs: (replications, len(Input)).
        operators: Who reviews.
        officers: Who engages.

    Returns:
        (replications, len(Outcome)); the programme's own columns stay 0.

    Raises:
        TooManyAlertsError: If a replication overflows the kernel.
    """
    results = np.zeros((len(inputs), len(Outcome)))
    rules = (
        operators.fatigue_per_h,
        operators.backlog_odds_ratio,
        operators.agreement,
    )
    most = _simulate(
        np.uint64(key),
        np.ascontiguousarray(inputs),
        operators.n_reviewers,
        operators.n_second_reviewers,
        officers.n_teams,
        rules,
        results,
    )
    if most >= CAPACITY:
        raise TooManyAlertsError(n=int(most))
    return results
