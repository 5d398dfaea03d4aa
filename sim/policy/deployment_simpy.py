"""The same deployment told as SimPy processes, one alert at a time.

Owns a slow, readable twin of the compiled queue: operators and teams are resources,
people who walk on are timeouts. It shares the crowd and every draw with
`deployment.py`, so the two must agree exactly; it exists to prove that, and to trace.
Knows nothing of weeks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import simpy

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
from sim.policy.deployment import CAPACITY

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from sim.officers import OfficersConfig
    from sim.operators import OperatorsConfig

__all__ = ["simulate_one"]


@dataclass(slots=True, kw_only=True)
class _Street:
    """What the processes of one deployment share."""

    env: simpy.Environment
    key: np.uint64
    replication: int
    given: NDArray[np.float64]
    operators: OperatorsConfig
    first: simpy.Resource
    second: simpy.Resource | None
    teams: simpy.Resource
    n_true_alerts: int = 0
    result: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros(len(Outcome), dtype=np.float64)
    )


def simulate_one(
    key: int,
    inputs: NDArray[np.float64],
    replication: int,
    *,
    operators: OperatorsConfig,
    officers: OfficersConfig,
) -> NDArray[np.float64]:
    """Run one replication of one deployment, (len(Outcome),).

    Args:
        key: 64-bit address of the deployment.
        inputs: (replications, len(Input)).
        replication: Row of `inputs`.
        operators: Who reviews.
        officers: Who engages.
    """
    given = inputs[replication]
    times_s, items = np.empty(CAPACITY), np.empty(CAPACITY, dtype=np.int64)
    is_true = np.empty(CAPACITY, dtype=np.bool_)
    n_mated, n = draw_alerts(
        np.uint64(key), replication, given, times_s, items, is_true
    )
    env = simpy.Environment()
    n_second = operators.n_second_reviewers
    street = _Street(
        env=env,
        key=np.uint64(key),
        replication=replication,
        given=given,
        operators=operators,
        first=simpy.Resource(env, operators.n_reviewers),
        second=simpy.Resource(env, n_second) if n_second else None,
        teams=simpy.Resource(env, officers.n_teams),
        n_true_alerts=int(is_true[:n].sum()),
    )
    street.result[Outcome.MATED] = n_mated
    street.result[Outcome.TRUE_ALERTS] = street.n_true_alerts
    street.result[Outcome.FALSE_ALERTS] = n - street.n_true_alerts
    for alert in range(n):
        env.process(
            _alert(
                env,
                street,
                at_s=float(times_s[alert]),
                item=int(items[alert]),
                is_true=bool(is_true[alert]),
            )
        )
    env.run()
    return street.result


def _alert(
    env: simpy.Environment, street: _Street, *, at_s: float, item: int, is_true: bool
) -> Generator[simpy.Event, object, None]:
    yield env.timeout(at_s)
    for station, is_second in ((street.first, False), (street.second, True)):
        if station is None:
            continue
        is_kept = yield from _look(
            env,
            street,
            station,
            at_s=at_s,
            item=item,
            is_true=is_true,
            is_second=is_second,
        )
        if not is_kept:
            dismissed = Outcome.TRUE_DISMISSED if is_true else Outcome.FALSE_DISMISSED
            street.result[dismissed] += 1
            return
    yield from _engage(env, street, at_s=at_s, item=item, is_true=is_true)


def _look(
    env: simpy.Environment,
    street: _Street,
    station: simpy.Resource,
    *,
    at_s: float,
    item: int,
    is_true: bool,
    is_second: bool,
) -> Generator[simpy.Event, object, bool]:
    rules = street.operators
    arrived_s = env.now
    with station.request() as request:
        yield request
        start_s = env.now
        street.result[Outcome.REVIEW_WAIT_S] += start_s - arrived_s
        yield env.timeout(
            review_time_s(
                street.key,
                street.replication,
                item,
                street.given,
                alert_s=at_s,
                fatigue_per_h=rules.fatigue_per_h,
                is_second=is_second,
            )
        )
    return bool(
        is_passed_on(
            street.key,
            street.replication,
            item,
            street.given,
            is_true=is_true,
            start_s=start_s,
            is_backlog=start_s > arrived_s,
            fatigue_per_h=rules.fatigue_per_h,
            backlog_odds_ratio=rules.backlog_odds_ratio,
            agreement=rules.agreement,
            is_second=is_second,
        )
    )


def _engage(
    env: simpy.Environment, street: _Street, *, at_s: float, item: int, is_true: bool
) -> Generator[simpy.Event, object, None]:
    result, where = street.result, (street.key, street.replication, item)
    is_arrest = is_true and bool(
        is_arrested(*where, street.given, street.n_true_alerts)
    )
    linger_s, response_s, engagement_s = call_times(
        *where, street.given, is_true=is_true, is_arrest=is_arrest
    )
    leaves_s = at_s + linger_s
    lost = Outcome.TRUE_LOST if is_true else Outcome.FALSE_LOST
    with street.teams.request() as request:
        patience = env.timeout(max(leaves_s - env.now, 0.0))
        yield request | patience
        if not request.triggered or env.now >= leaves_s:
            result[lost] += 1
            return
        result[Outcome.TEAM_BUSY_S] += response_s
        there_s = env.now + response_s
        yield env.timeout(response_s)
        if there_s > leaves_s:
            result[lost] += 1
            return
        result[Outcome.TEAM_BUSY_S] += engagement_s
        yield env.timeout(engagement_s)
    if not is_true:
        result[Outcome.FALSE_ENGAGED] += 1
        return
    result[Outcome.TRUE_ENGAGED] += 1
    given = street.given
    if is_arrest:
        result[Outcome.ARRESTS] += 1
        result[Outcome.CHARGED] += is_charged(*where, given)
    elif is_other_outcome(*where, given):
        result[Outcome.OTHER_OUTCOME] += 1
    else:
        result[Outcome.NO_ACTION] += 1
