"""Forecasts of the record: order of time, calibration, scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.evidence.evidence import load_deployments
from sim.policy.calibration import CalibrationConfig, TooFewDeploymentsError
from sim.policy.families import BetaBinomial, NegativeBinomial
from sim.policy.hierarchy import Covariate, Levels, Spread, Walk
from sim.policy.laplace import fit
from sim.policy.retrodiction import NothingToPredictError, month_starts, retrodict
from sim.policy.scoring import crps, exact_coverage, interval, whole_coverage

CUT_OFF = np.datetime64("2025-01-01")


@pytest.fixture(scope="module")
def record():
    return load_deployments()


@pytest.fixture(scope="module")
def shipped(record):
    return retrodict(
        record,
        CalibrationConfig(),
        cut_off=CUT_OFF,
        origins=(CUT_OFF,),
        n_draws=4_000,
        seed=1,
    )


@pytest.mark.parametrize("name", ["alerts", "arrests"])
def test_intervals_of_the_shipped_record_cover_what_they_promise(shipped, name):
    """Issue 7, 1: 42 to 58 % of rows in 50 % intervals, 85 to 95 % in 90 %."""
    score = next(each for each in shipped.scores if each.name == name)
    half, most = score.exact
    assert 0.42 <= half.covered <= 0.58
    assert 0.85 <= most.covered <= 0.95


@pytest.mark.parametrize("name", ["alerts", "arrests"])
def test_forecasts_beat_both_naive_ones_by_a_tenth(shipped, name):
    """Issue 7, 1: the continuous ranked probability score is 10 % lower."""
    score = next(each for each in shipped.scores if each.name == name)
    assert all(each.gain >= 0.10 for each in score.baselines[:2])


def test_total_of_false_alerts_lies_in_its_interval(shipped):
    """Issue 7, 1, and the interval is no shrug: it ends below ten."""
    total = shipped.scores[1].total
    assert total.is_inside
    assert total.high < 10


def test_forecasts_do_not_look_at_what_they_foretell(record, shipped):
    """Changing every count after the cut-off changes no forecast."""
    is_late = record.date >= CUT_OFF
    columns = {name: getattr(record, name) for name in record.__slots__}
    for name in ("alerts", "true_alerts", "arrests"):
        columns[name] = np.where(is_late, 3 * columns[name] + 1, columns[name])
    columns["faces_seen"] = np.where(is_late, 1.0, columns["faces_seen"])
    spoiled = type(record)(**columns)
    again = retrodict(
        spoiled,
        CalibrationConfig(),
        cut_off=CUT_OFF,
        origins=(CUT_OFF,),
        n_draws=4_000,
        seed=1,
    )
    assert np.array_equal(again.counts.alerts, shipped.counts.alerts)
    assert np.array_equal(again.counts.arrests, shipped.counts.arrests)


def test_learning_anew_each_month_lowers_the_bias(record, shipped):
    """What was recorded in January tells February's level."""
    origins = month_starts(CUT_OFF, record.date[-1])
    monthly = retrodict(
        record,
        CalibrationConfig(),
        cut_off=CUT_OFF,
        origins=origins,
        n_draws=500,
        seed=1,
    )
    assert len(origins) == 3
    assert abs(monthly.scores[0].bias) < abs(shipped.scores[0].bias)


def test_cut_off_after_the_record_is_refused(record):
    """There is nothing to predict, and the message says where the record ends."""
    late = np.datetime64("2031-01-01")
    with pytest.raises(NothingToPredictError, match="ends on 2025-03-27"):
        retrodict(
            record,
            CalibrationConfig(),
            cut_off=late,
            origins=(late,),
            n_draws=50,
            seed=1,
        )


def test_cut_off_before_the_record_is_refused(record):
    """A handful of deployments teaches nothing."""
    early = np.datetime64("2023-12-10")
    with pytest.raises(TooFewDeploymentsError, match="choose a later cut-off"):
        retrodict(
            record,
            CalibrationConfig(),
            cut_off=early,
            origins=(early,),
            n_draws=50,
            seed=1,
        )


def test_crps_of_a_point_forecast_is_its_absolute_error():
    """A single number has no spread to be rewarded for."""
    score = crps(np.array([[3.0, 7.5]]), np.array([5, 7]))
    assert score.tolist() == [2.0, 0.5]


def test_crps_agrees_with_its_definition():
    """The mean absolute error less half the mean mutual distance."""
    rng = np.random.default_rng(1)
    draws = rng.poisson(4.0, (300, 1))
    error = np.abs(draws - 6).mean()
    spread = np.abs(draws - draws.T).mean() / 2.0
    assert crps(draws, np.array([6]))[0] == pytest.approx(error - spread)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_exact_coverage_of_a_right_forecast_is_its_level(level):
    """Small counts, where whole-number intervals cannot hold 50 %."""
    rng = np.random.default_rng(2)
    mean = rng.gamma(2.0, 1.0, 4_000)
    draws = rng.poisson(mean, (800, 4_000))
    found = exact_coverage(draws, rng.poisson(mean), level=level)
    assert found.covered == pytest.approx(level, abs=0.02)


def test_whole_coverage_states_what_its_intervals_hold():
    """Covered and stated agree for a right forecast, whatever the level."""
    rng = np.random.default_rng(3)
    mean = rng.gamma(2.0, 2.0, 1_500)
    draws = rng.poisson(mean, (600, 1_500))
    found = whole_coverage(draws, rng.poisson(mean), level=0.5)
    assert found.covered == pytest.approx(found.stated, abs=0.04)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.2, 30.0), st.sampled_from([0.5, 0.9]), st.integers(0, 99))
def test_interval_holds_near_its_level(mean, level, seed):
    """No neighbouring whole-number interval is nearer than half a step."""
    draws = np.random.default_rng(seed).poisson(mean, 3_000)
    low, high, held = interval(draws, level=level)
    assert low <= high
    largest = np.bincount(draws).max() / len(draws)
    assert abs(held - level) <= largest + 1e-9


def test_laplace_recovers_a_known_hierarchy():
    """Site effects, spread and over-dispersion of simulated counts come back."""
    rng = np.random.default_rng(5)
    n_sites, per_site = 40, 12
    truth = 0.5 * rng.standard_normal(n_sites)
    site = np.repeat(np.arange(n_sites), per_site)
    rate = np.exp(1.5 + truth[site]) * rng.gamma(8.0, 1.0 / 8.0, len(site))
    fitted = fit(
        NegativeBinomial(counts=rng.poisson(rate).astype(float)),
        (
            Covariate(name="intercept", values=np.ones(len(site)), mean=1.0, sd=2.0),
            Levels(
                name="site",
                names=tuple(str(i) for i in range(n_sites)),
                index=site,
                spread=Spread(name="site", median=0.3, log_sd=1.0),
            ),
        ),
        shape=Spread(name="shape", median=5.0, log_sd=1.0),
    )
    posterior = fitted.draw(400, rng=rng)
    effect = posterior.term("site").mean(axis=0)
    assert np.corrcoef(effect, truth)[0, 1] > 0.9
    low, high = np.quantile(posterior.spread("site"), [0.025, 0.975])
    assert low < 0.5 < high
    low, high = np.quantile(posterior.spread("shape"), [0.025, 0.975])
    assert low < 8.0 < high


@pytest.mark.parametrize(
    "family",
    [
        NegativeBinomial(counts=np.array([0.0, 3.0, 11.0])),
        BetaBinomial(
            counts=np.array([0.0, 3.0, 9.0]), trials=np.array([2.0, 7.0, 11.0])
        ),
    ],
    ids=["negative-binomial", "beta-binomial"],
)
def test_slopes_are_derivatives_of_the_likelihood(family):
    """Analytic slopes agree with finite differences."""
    eta, step = np.array([0.3, -0.7, 1.1]), 1e-5
    for row in range(3):
        nudge = np.zeros(3)
        nudge[row] = step
        above = family.log_likelihood(eta + nudge, 6.0)
        below = family.log_likelihood(eta - nudge, 6.0)
        slope = (above - below) / (2 * step)
        assert family.slope(eta, 6.0)[row] == pytest.approx(slope, rel=1e-4)
    assert bool(np.all(family.curvature(eta, 6.0) > 0.0))


def test_random_walk_penalises_steps_and_pins_its_start():
    """A constant walk costs only its distance from 0 at the first month."""
    walk = Walk(
        name="time",
        n_steps=6,
        index=np.zeros(1, dtype=np.int64),
        spread=Spread(name="step", median=0.1, log_sd=1.0),
    )
    precision = walk.precision(0.1)
    flat, stair = np.zeros(6), np.array([0.0, 0.1, 0.1, 0.1, 0.1, 0.1])
    assert float(flat @ precision @ flat) == 0.0
    assert float(stair @ precision @ stair) == pytest.approx(1.0)
