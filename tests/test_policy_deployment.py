"""One deployment: queues, conservation, and the SimPy twin."""

from __future__ import annotations

import numpy as np
import pytest

from sim.officers import LOST_TOO_LATE, LOST_WAITING, REACHED, OfficersConfig, dispatch
from sim.operators import OperatorsConfig, error_chance, first_come
from sim.policy.columns import Input, Outcome
from sim.policy.deployment import TooManyAlertsError, simulate
from sim.policy.deployment_simpy import simulate_one
from sim.policy.draws import stream_key, uniform

USUAL = {
    "DURATION_S": 20_000.0,
    "RECOGNITION": 0.8,
    "ARREST_LOGIT": 0.0,
    "ARREST_SATURATION": -0.2,
    "ENGAGED_SHARE": 0.95,
    "TRUE_DISMISSED": 0.02,
    "FALSE_ACCEPTED": 0.6,
    "REVIEW_MEDIAN_S": 20.0,
    "REVIEW_LOG_SD": 0.5,
    "RESPONSE_MEDIAN_S": 45.0,
    "RESPONSE_LOG_SD": 0.5,
    "LINGER_MEDIAN_S": 300.0,
    "LINGER_LOG_SD": 0.5,
    "ENGAGEMENT_FALSE_S": 180.0,
    "ENGAGEMENT_TRUE_S": 720.0,
    "ENGAGEMENT_ARREST_S": 2_400.0,
    "ENGAGEMENT_LOG_SD": 0.5,
    "CHARGED": 0.77,
    "OTHER_OUTCOME": 0.3,
}
ONE = OperatorsConfig()
TWO = OperatorsConfig(n_second_reviewers=1)
USUAL_OFFICERS = OfficersConfig()


def _inputs(n, *, mated, false_alerts, **changes):
    inputs = np.zeros((n, len(Input)))
    for name, value in {**USUAL, **changes}.items():
        inputs[:, Input[name]] = value
    inputs[:, Input.MATED_RATE_HZ] = mated / USUAL["DURATION_S"]
    inputs[:, Input.FALSE_RATE_HZ] = false_alerts / USUAL["DURATION_S"]
    return inputs


@pytest.mark.parametrize(
    ("operators", "officers", "mated", "false_alerts"),
    [
        (ONE, OfficersConfig(), 13.0, 0.5),
        (ONE, OfficersConfig(n_teams=2), 60.0, 40.0),
        (
            OperatorsConfig(n_reviewers=2, n_second_reviewers=1),
            OfficersConfig(n_teams=3),
            500.0,
            400.0,
        ),
    ],
    ids=["usual", "busy", "overloaded"],
)
def test_kernel_and_simpy_agree_alert_by_alert(
    operators, officers, mated, false_alerts
):
    """Two tellings of one deployment share every draw and every count."""
    inputs = _inputs(12, mated=mated, false_alerts=false_alerts)
    fast = simulate(7, inputs, operators=operators, officers=officers)
    for replication in range(len(inputs)):
        slow = simulate_one(
            7, inputs, replication, operators=operators, officers=officers
        )
        assert np.allclose(fast[replication], slow, rtol=0.0, atol=1e-6)


def test_every_alert_has_one_end():
    """Alerts are dismissed, lost or engaged; engagements end in one outcome."""
    inputs = _inputs(300, mated=60.0, false_alerts=30.0)
    out = simulate(3, inputs, operators=TWO, officers=OfficersConfig(n_teams=2))
    column = out.T
    true_ends = column[[3, 5, 7]].sum(axis=0)
    false_ends = column[[4, 6, 8]].sum(axis=0)
    outcomes = column[[9, 10, 11]].sum(axis=0)
    assert np.array_equal(column[Outcome.TRUE_ALERTS], true_ends)
    assert np.array_equal(column[Outcome.FALSE_ALERTS], false_ends)
    assert np.array_equal(column[Outcome.TRUE_ENGAGED], outcomes)
    assert bool(np.all(column[Outcome.CHARGED] <= column[Outcome.ARRESTS]))
    assert bool(np.all(column[Outcome.TRUE_ALERTS] <= column[Outcome.MATED]))


def test_counts_have_the_expected_means():
    """Passages, alerts and engagements at light load agree with arithmetic."""
    inputs = _inputs(6_000, mated=10.0, false_alerts=2.0, LINGER_MEDIAN_S=1e6)
    out = simulate(1, inputs, operators=ONE, officers=OfficersConfig(n_teams=30))
    mean = out.mean(axis=0)
    error = 4.0 * out.std(axis=0) / np.sqrt(len(out))
    assert abs(mean[Outcome.MATED] - 10.0) < error[Outcome.MATED]
    assert abs(mean[Outcome.TRUE_ALERTS] - 8.0) < error[Outcome.TRUE_ALERTS]
    assert abs(mean[Outcome.FALSE_ALERTS] - 2.0) < error[Outcome.FALSE_ALERTS]
    assert mean[Outcome.TRUE_LOST] == 0.0


def test_higher_rate_adds_passages_and_moves_nobody():
    """Common random numbers: twice the false alerts leave the true ones alone."""
    few = _inputs(200, mated=10.0, false_alerts=1.0, FALSE_ACCEPTED=0.0)
    many = _inputs(200, mated=10.0, false_alerts=2.0, FALSE_ACCEPTED=0.0)
    fresh = OperatorsConfig(n_reviewers=16, backlog_odds_ratio=1.0)
    left, right = (
        simulate(5, each, operators=fresh, officers=OfficersConfig())
        for each in (few, many)
    )
    same = [Outcome.MATED, Outcome.TRUE_ALERTS, Outcome.ARRESTS, Outcome.CHARGED]
    assert np.array_equal(left[:, same], right[:, same])
    more = right[:, Outcome.FALSE_ALERTS] - left[:, Outcome.FALSE_ALERTS]
    assert bool(np.all(more >= 0.0))


def test_second_reviewer_stops_fewer_wrongly_and_costs_true_alerts():
    """Both must agree: fewer false alerts pass, and fewer true ones."""
    inputs = _inputs(2_000, mated=20.0, false_alerts=10.0, TRUE_DISMISSED=0.1)
    one, two = (
        simulate(9, inputs, operators=each, officers=USUAL_OFFICERS).mean(axis=0)
        for each in (ONE, TWO)
    )
    assert two[Outcome.FALSE_ENGAGED] < one[Outcome.FALSE_ENGAGED]
    assert two[Outcome.TRUE_DISMISSED] > one[Outcome.TRUE_DISMISSED]


def test_fewer_teams_lose_more_people():
    """People walk on while every team is busy."""
    inputs = _inputs(500, mated=60.0, false_alerts=0.0)
    lost = [
        simulate(2, inputs, operators=ONE, officers=OfficersConfig(n_teams=n))[
            :, Outcome.TRUE_LOST
        ].mean()
        for n in (1, 3, 8)
    ]
    assert lost[0] > lost[1] > lost[2]


def test_first_come_first_served_by_whoever_is_free():
    """Two servers, four jobs: the third waits for the shorter of the first two."""
    starts = np.empty(4)
    arrivals, services = np.array([0.0, 1.0, 2.0, 3.0]), np.array([9.0, 3.0, 1.0, 1.0])
    first_come(arrivals, services, 4, 2, starts)
    assert starts.tolist() == [0.0, 1.0, 4.0, 5.0]


def test_dispatch_loses_those_who_walk_on():
    """One team: the second caller is gone before it is free, the third in transit."""
    starts, fates = np.empty(3), np.empty(3, dtype=np.int64)
    calls = np.array([0.0, 1.0, 200.0])
    leaves = np.array([50.0, 60.0, 205.0])
    dispatch(calls, leaves, np.full(3, 10.0), np.full(3, 100.0), 3, 1, starts, fates)
    assert fates.tolist() == [REACHED, LOST_WAITING, LOST_TOO_LATE]
    assert np.isnan(starts[1])


def test_mistakes_grow_with_fatigue_and_backlog():
    """On the scale of odds, so that a chance stays a chance."""
    fresh = error_chance(0.3, 0.0, 0.05, False, 2.0)
    tired = error_chance(0.3, 6.0, 0.05, False, 2.0)
    rushed = error_chance(0.3, 6.0, 0.05, True, 2.0)
    assert fresh == pytest.approx(0.3)
    assert 0.3 < tired < rushed < 1.0
    assert error_chance(0.0, 6.0, 0.05, True, 2.0) == 0.0


def test_more_alerts_than_room_are_refused():
    """The kernel never drops an alert silently."""
    inputs = _inputs(1, mated=10.0, false_alerts=6_000.0)
    with pytest.raises(TooManyAlertsError, match="at most 4096"):
        simulate(1, inputs, operators=ONE, officers=USUAL_OFFICERS)


def test_addressed_draws_are_uniform_and_independent_of_order():
    """The same address gives the same number; neighbours do not resemble it."""
    key = np.uint64(stream_key(1, 2, 3))
    draws = np.array([uniform(key, r, i, 0) for r in range(60) for i in range(60)])
    assert uniform(key, 5, 7, 0) == uniform(key, 5, 7, 0)
    assert abs(draws.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(draws))
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.06
    assert stream_key(1, 2, 3) != stream_key(1, 3, 2)
