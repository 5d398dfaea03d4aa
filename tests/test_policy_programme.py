"""A programme: calendar, common random numbers, error rates, what is told of it."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.evidence.evidence import load_deployments
from sim.policy.calendar import calendar
from sim.policy.calibration import CalibrationConfig
from sim.policy.columns import Outcome
from sim.policy.comparison import compare
from sim.policy.config import GroupsConfig, PhaseConfig, ProgrammeConfig
from sim.policy.discovery import discover
from sim.policy.error_rates import OperatingPoints, UntestedPointError
from sim.policy.groups import State, burdens, false_alerts_to_tell, recorded_ratio
from sim.policy.parameters import ParametersConfig
from sim.policy.programme import run_programme
from sim.policy.sensitivity import Quantity, influences, quantities
from sim.policy.world import build_world

PROGRAMME = ProgrammeConfig(weeks=6, replications=300, seed=3)
BASE = PhaseConfig()


@pytest.fixture(scope="module")
def world():
    return build_world(
        load_deployments(),
        calibration=CalibrationConfig(),
        programme=PROGRAMME,
        parameters=ParametersConfig(),
    )


def _tell_nobody(done, of):
    pass


def _run(world, *phases, points=None, workers=1, programme=PROGRAMME):
    return run_programme(
        world,
        name="policy",
        programme=programme,
        phases=phases,
        points=points,
        workers=workers,
        progress=_tell_nobody,
    )


def _changed(**changes):
    return PhaseConfig.model_validate({**BASE.model_dump(), **changes})


def _points(sizes, counts, *, reach=1.0):
    n = len(sizes)
    return OperatingPoints(
        source="a test",
        threshold=np.full(n, 0.64),
        watchlist_size=np.array(sizes, dtype=float),
        false_alerts=np.array(counts, dtype=float),
        non_mated=np.full(n, 1e6),
        true_alerts=np.zeros(n),
        mated=np.zeros(n),
        reach=reach,
    )


def test_result_does_not_depend_on_the_number_of_workers(world):
    """Threads share no randomness."""
    one, two = (_run(world, BASE, workers=n) for n in (1, 2))
    assert np.array_equal(one.weekly, two.weekly)


def test_policies_share_the_crowd(world):
    """Another threshold leaves everybody who passes where they were."""
    low, high = (_run(world, _changed(threshold=t)) for t in (0.60, 0.64))
    same = [Outcome.MATED, Outcome.FACES, Outcome.DEPLOYMENTS]
    assert np.array_equal(low.total()[:, same], high.total()[:, same])
    fewer = high.total()[:, Outcome.FALSE_ALERTS].mean()
    assert fewer < low.total()[:, Outcome.FALSE_ALERTS].mean()


def test_more_deployments_a_week_repeat_those_there_were(world):
    """The first four of ten are the four of four, so differences are paired."""
    four = _run(world, BASE)
    ten = _run(world, _changed(deployments_per_week=10, days_per_week=5))
    first = [row for row, slot in enumerate(ten.slots) if slot.place < 4]
    assert len(ten.slots) == 60
    assert [ten.sample.site[row] for row in first] == list(four.sample.site)
    gained = {each.measure: each for each in compare(four, ten)}["arrests"]
    assert gained.share_higher == 1.0
    assert gained.variance_ratio < 1.0


def test_a_policy_against_itself_changes_nothing(world):
    """Paired differences of equal policies are exactly zero."""
    result = _run(world, BASE)
    assert all(
        each.change.high == each.change.low == 0.0 for each in compare(result, result)
    )


def test_phases_follow_each_other_in_the_calendar():
    """From its first week on, a phase's threshold and cadence are in force."""
    later = _changed(
        from_week=2, threshold=0.7, deployments_per_week=10, days_per_week=5
    )
    slots = calendar(PROGRAMME, (BASE, later))
    assert [sum(s.week == week for s in slots) for week in range(6)] == [
        4,
        4,
        *[10] * 4,
    ]
    assert {s.phase.threshold for s in slots if s.week >= 2} == {0.7}


def test_watchlist_grows_month_by_month():
    """Growth compounds from the phase's first week."""
    slots = calendar(PROGRAMME, (_changed(watchlist_growth_per_month=0.1),))
    assert slots[0].watchlist_size == 15_500
    months = 35 / 30.4375
    assert slots[-1].watchlist_size == pytest.approx(15_500 * 1.1**months)


def test_budget_ends_the_programme(world):
    """Deployments stop where their expected cost is spent."""
    capped = PROGRAMME.model_copy(update={"budget_gbp": 40_000.0})
    short = _run(world, BASE, programme=capped)
    assert 0 < len(short.slots) < 24


def test_fixed_cameras_take_what_vans_cannot_make(world):
    """No vans: every deployment is a fixed camera's, of its own hours and places."""
    phase = _changed(vans=0, fixed_cameras=2, fixed_hours=8.0, sites=("Croydon",))
    result = _run(world, phase)
    assert all(slot.is_fixed for slot in result.slots)
    assert set(result.sample.site) == {"Croydon"}
    assert set(result.sample.hours) == {8.0}


def test_recognition_is_a_lever_that_leaves_recorded_counts_alone():
    """Half the recognition means twice the passages, and the same alerts."""
    totals = []
    for rate in (0.4, 0.8):
        world = build_world(
            load_deployments(),
            calibration=CalibrationConfig(),
            programme=PROGRAMME,
            parameters=ParametersConfig(recognition=(rate,)),
        )
        totals.append(_run(world, BASE).total().mean(axis=0))
    assert totals[0][Outcome.MATED] == pytest.approx(
        2 * totals[1][Outcome.MATED], rel=0.03
    )
    assert totals[0][Outcome.TRUE_ALERTS] == pytest.approx(
        totals[1][Outcome.TRUE_ALERTS], rel=0.03
    )


def test_false_alerts_scale_with_the_watchlist_as_tested(world):
    """Two tested sizes say how; the third lies on the line between them."""
    points = _points([1_000, 16_000], [40, 160])
    rng = np.random.default_rng(1)
    rate = points.fpir(threshold=0.64, watchlist_size=4_000, n=4_000, rng=rng)
    assert float(np.median(rate)) == pytest.approx(80e-6, rel=0.05)
    tested = _run(world, _changed(watchlist_size=4_000), points=points)
    assert tested.total()[:, Outcome.FALSE_ALERTS].mean() > 0.0


@pytest.mark.parametrize(
    ("sizes", "reach", "asked"),
    [([1_000, 10_000], 1.0, 15_500), ([15_000], 9.0, 15_500)],
    ids=["outside the tested sizes", "one size tells no scaling"],
)
def test_untested_watchlist_is_refused(sizes, reach, asked):
    """Nothing is assumed of how false positives scale."""
    points = _points(sizes, [50] * len(sizes), reach=reach)
    with pytest.raises(UntestedPointError, match="change the policy or test there"):
        points.fpir(
            threshold=0.64, watchlist_size=asked, n=10, rng=np.random.default_rng(1)
        )


def test_false_alerts_are_shared_out_completely(world):
    """Groups add up to the whole, in every replication's mean."""
    result = _run(world, _changed(threshold=0.60))
    told = burdens(result, GroupsConfig(), rng=np.random.default_rng(1))
    total = result.total()[:, Outcome.FALSE_ALERTS].mean()
    assert sum(each.false_alerts.mean for each in told) == pytest.approx(total)


@pytest.mark.parametrize(
    ("count", "of", "state"),
    [
        (8, 10, State.DIFFERENT),
        (2, 10, State.CANNOT_TELL),
        (1_330, 10_000, State.ALIKE),
    ],
)
def test_three_states_of_a_recorded_count(count, of, state):
    """Different, alike, or the evidence cannot tell."""
    sure = GroupsConfig(crowd_concentration=1e5)
    found = recorded_ratio(
        sure, group="Black", count=count, of=of, rng=np.random.default_rng(1)
    )
    assert found.state is state
    assert found.share_low < count / of < found.share_high


def test_smaller_ratios_take_more_evidence():
    """And a ratio next to 1 is out of reach."""
    needed = [false_alerts_to_tell(0.133, ratio) for ratio in (5.0, 2.0, 1.5)]
    assert needed == sorted(needed)
    assert false_alerts_to_tell(0.133, 1.01) is None
    assert false_alerts_to_tell(0.133, 0.2) is not None


def test_influence_finds_what_a_result_is_made_of():
    """First-order indices of a sum with known shares of variance."""
    rng = np.random.default_rng(4)
    inputs = tuple(
        Quantity(name=name, values=rng.standard_normal(20_000)) for name in "abc"
    )
    result = 3.0 * inputs[1].values + 1.0 * inputs[0].values
    ranked = influences(inputs, result)
    assert [each.name for each in ranked] == ["b", "a", "c"]
    assert ranked[0].first_order == pytest.approx(0.9, abs=0.03)
    assert ranked[2].first_order < 0.01


def test_world_names_every_uncertain_input(world):
    """No input of the model is left out of the ranking, and names are unique."""
    inputs = quantities(world, threshold=0.64)
    names = [each.name for each in inputs]
    assert len(set(names)) == len(names) == 25
    assert all(len(each.values) == world.n for each in inputs)


def test_discovery_finds_the_corner_where_failures_lie():
    """Failures when a is high and b is low; c has nothing to do with it."""
    rng = np.random.default_rng(6)
    inputs = tuple(Quantity(name=name, values=rng.random(4_000)) for name in "abc")
    fails = (inputs[0].values > 0.7) & (inputs[1].values < 0.4)
    box = discover(inputs, fails, max_bounds=3)
    assert {bound.name for bound in box.bounds} == {"a", "b"}
    assert box.coverage > 0.85
    assert box.density > 0.85
