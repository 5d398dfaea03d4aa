"""One deployment, many times: passages, alerts, review, teams, outcomes.

Owns the compiled queues of a deployment. `deployment_simpy.py` tells the same story
in SimPy, and a test holds the two together alert by alert. Knows nothing of weeks or
of evidence.
"""

# ruff: noqa: FBT001, FBT003, PLR0913, PLR0917 - numba binds arguments by position

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from lfr_errors import LfrError
from sim.officers import REACHED, dispatch
from sim.operators import first_come
from sim.policy.alerts import (
    call_times,
    draw_alerts,
    is_arrested,
    is_charged,
    is_other_outcome,
    is_passed_on,
    review_time_s,
)
from sim.policy.columns import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.officers import OfficersConfig
    from sim.operators import OperatorsConfig

__all__ = ["CAPACITY", "TooManyAlertsError", "simulate"]

# Alerts of one deployment that the kernel has room for: far above any recorded (24).
CAPACITY = 4096


class TooManyAlertsError(LfrError, OverflowError):
    """A replication raised more alerts than the kernel has room for."""

    def __init__(self, *, n: int) -> None:
        self.n = n
        super().__init__(
            f"one deployment must raise at most {CAPACITY} alerts, got {n} or more; "
            "lower the footfall, the watchlist or the false-positive rate"
        )


@njit(cache=True, nogil=True)
def _sort_by(times_s: np.ndarray, order: np.ndarray, n: int) -> None:
    """Sort `order` by time; insertion, since a handful of alerts is nearly sorted."""
    for i in range(1, n):
        moved = order[i]
        j = i
        while j > 0 and times_s[order[j - 1]] > times_s[moved]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = moved


@njit(cache=True, nogil=True)
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
    is_second: bool,
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


@njit(cache=True, nogil=True)
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
            if is_charged(key, replication, item, given):
                result[Outcome.CHARGED] += 1.0
        elif is_other_outcome(key, replication, item, given):
            result[Outcome.OTHER_OUTCOME] += 1.0
        else:
            result[Outcome.NO_ACTION] += 1.0


@njit(cache=True, nogil=True)
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
