"""Percentiles with intervals that respect autocorrelation; proportions with theirs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.errors import EmptyDenominatorError
from bench.intervals.dependence import dependent_share, effective_size
from bench.intervals.proportion import cases_needed, proportion, wilson_interval
from bench.timing.latency import latency_metrics, percentile, samples_needed


def mm1_sojourns(n, *, load, rng):
    """Draw sojourn times of an M/M/1 queue in equilibrium, service rate 1.

    Lindley's recursion, unrolled: a wait is the walk above its running minimum.
    """
    gaps, services = rng.exponential(1.0 / load, n), rng.exponential(1.0, n)
    first_wait = rng.exponential(1.0 / (1.0 - load)) if rng.random() < load else 0.0
    walk = np.concatenate(([0.0], np.cumsum(services[:-1] - gaps[:-1])))
    waits = walk - np.minimum(np.minimum.accumulate(walk), -first_wait)
    return waits + services


def independent_interval(series, *, level):
    """Bound a percentile as MLPerf's early stopping does: every sample counts."""
    ordered = np.sort(series)
    below, above = stats.binom.interval(0.95, len(series), level)
    return ordered[int(below) - 1], ordered[int(above)]


def covers(low, high, truth):
    """A bound that is missing may lie anywhere."""
    return (low is None or low <= truth) and (high is None or truth <= high)


def test_p99_of_a_queue_is_covered_as_often_as_promised():
    """400 runs of M/M/1 at 80 % load: 93 to 97 %; the independent rule fails it."""
    rng = np.random.default_rng(20)
    # Sojourn times of M/M/1 are exponential with rate mu - lambda.
    truth = -np.log(0.01) / 0.2
    ours = theirs = closed = 0
    for _ in range(400):
        sojourns = mm1_sojourns(50_000, load=0.8, rng=rng)
        found = percentile(sojourns, level=0.99)
        ours += covers(found.low, found.high, truth)
        closed += found.low is not None and found.high is not None
        theirs += covers(*independent_interval(sojourns, level=0.99), truth)
    assert 0.93 <= ours / 400 <= 0.97
    assert theirs / 400 < 0.5
    # An interval that is open on one side covers cheaply: nearly all are closed.
    assert closed / 400 > 0.9


@pytest.mark.parametrize(
    ("n", "load", "level"),
    [(3000, 0.8, 0.99), (3000, 0.5, 0.99), (3000, 0.01, 0.99), (20_000, 0.8, 0.95)],
    ids=["short run", "half load", "hardly a queue", "p95"],
)
def test_other_loads_and_lengths_are_covered_too(n, load, level):
    """200 runs each; two standard errors of 95 % are 3 % there."""
    rng = np.random.default_rng(21)
    truth = -np.log(1.0 - level) / (1.0 - load)
    covered = 0
    for _ in range(200):
        found = percentile(mm1_sojourns(n, load=load, rng=rng), level=level)
        covered += covers(found.low, found.high, truth)
    assert covered / 200 >= 0.92


def test_independent_samples_count_in_full():
    """Without autocorrelation nearly every sample is an effective one."""
    noise = np.random.default_rng(1).exponential(1.0, 5000)
    assert effective_size(noise) > 4000


def test_repeated_samples_do_not_count():
    """Every value ten times over says no more than once."""
    noise = np.repeat(np.random.default_rng(1).exponential(1.0, 500), 10)
    assert 350 < effective_size(noise) < 700


@pytest.mark.parametrize(
    ("series", "size"),
    [(np.ones(50), 50), (np.tile([0.0, 1.0], 25), 50), (np.ones(1), 1)],
    ids=["constant", "alternating", "single"],
)
def test_effective_size_stays_within_the_series(series, size):
    """A series is never credited with more samples than it has."""
    assert effective_size(series) == size


def test_an_empty_series_has_no_effective_size():
    """Nothing is not one."""
    with pytest.raises(EmptyDenominatorError):
        effective_size(np.empty(0))


def test_a_burst_of_skips_counts_as_one():
    """Twenty in a row say less of the rate than twenty here and there."""
    burst, spread = np.zeros((2, 1000), dtype=bool)
    burst[400:420] = True
    spread[np.random.default_rng(6).choice(1000, 20, replace=False)] = True
    in_a_row, here_and_there = dependent_share(burst), dependent_share(spread)
    assert in_a_row.value == here_and_there.value == 0.02
    assert here_and_there.high < 0.035
    assert in_a_row.high > 0.07


def test_percentile_needs_ten_samples_beyond_it():
    """p99 may be quoted from 1,000 samples on, p50 from 20."""
    series = np.random.default_rng(2).random(1000)
    assert samples_needed(0.99) == 1000
    assert samples_needed(0.5) == 20
    assert percentile(series[:999], level=0.99).value is None
    quoted = percentile(series, level=0.99)
    assert quoted.value == np.sort(series)[989]
    assert quoted.low < quoted.value < quoted.high


def test_percentiles_without_samples_have_no_value():
    """Absence is told with its n, and is no zero."""
    metrics = latency_metrics("wait_s", np.empty(0))
    assert {(metric.value, metric.n) for metric in metrics.values()} == {(None, 0)}


@pytest.mark.parametrize("k", [0, 1, 7, 50])
def test_wilson_agrees_with_scipy(k):
    """The same interval by another hand."""
    theirs = stats.binomtest(k, 50).proportion_ci(0.95, method="wilson")
    assert wilson_interval(k, 50) == pytest.approx((theirs.low, theirs.high))


def test_no_events_give_an_upper_bound_not_zero():
    """0 of 100 false alerts still allows for 3.7 %."""
    rate = proportion(0, 100)
    assert (rate.value, rate.low) == (0.0, 0.0)
    assert rate.high == pytest.approx(0.0370, abs=1e-4)


def test_no_cases_give_no_rate():
    """An empty denominator never becomes 0."""
    assert proportion(0, 0).value is None
    with pytest.raises(EmptyDenominatorError):
        wilson_interval(0, 0)


def test_cases_needed_are_just_enough():
    """One case fewer and the interval still holds the limit."""
    n = cases_needed(0.02, 0.05)
    assert proportion(round(0.02 * n), n).high < 0.05
    assert cases_needed(0.05, 0.05) is None
