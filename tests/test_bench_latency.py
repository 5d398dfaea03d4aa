"""Percentiles with intervals that respect autocorrelation; proportions with theirs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bench.errors import EmptyDenominatorError
from bench.latency import effective_size, latency_metrics, percentile, samples_needed
from bench.proportion import cases_needed, proportion, wilson_interval


def mm1_sojourns(n, *, load, rng):
    """Simulate the sojourn times of an M/M/1 queue with unit service rate."""
    gaps, services = rng.exponential(1.0 / load, n), rng.exponential(1.0, n)
    sojourns = np.empty(n)
    waiting = 0.0
    for k in range(n):
        sojourns[k] = waiting + services[k]
        waiting = max(0.0, sojourns[k] - gaps[k])
    return sojourns


def test_queue_latencies_are_covered_though_they_are_not_independent():
    """At 80 % load the interval holds the true p90; the independent one does not."""
    rng = np.random.default_rng(20)
    true_p90 = -np.log(0.1) / 0.2  # sojourns of M/M/1 are exponential, rate mu - lambda
    covered = naive = 0
    for _ in range(60):
        sojourns = mm1_sojourns(4000, load=0.8, rng=rng)[500:]
        found = percentile(sojourns, level=0.9)
        low, high = stats.binom.interval(0.95, len(sojourns), 0.9)
        ordered = np.sort(sojourns)
        naive += ordered[int(low) - 1] <= true_p90 <= ordered[int(high)]
        low_s = -np.inf if found.low is None else found.low
        high_s = np.inf if found.high is None else found.high
        covered += low_s <= true_p90 <= high_s
    assert covered >= 50
    assert naive <= 30


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
