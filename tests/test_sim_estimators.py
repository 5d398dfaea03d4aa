"""Estimators of simulated series."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from sim.estimators import batch_means, mser5, paired_difference, replications, steady


def _autoregressive(n, rng, memory=0.9):
    return lfilter([1.0], [1.0, -memory], rng.standard_normal(n))


def test_warm_up_is_found_where_it_ends():
    """A series that starts far off loses its start and little more."""
    rng = np.random.default_rng(1)
    series = rng.standard_normal(4_000)
    series[:400] += np.linspace(20.0, 0.0, 400)
    assert 300 <= mser5(series) <= 500
    assert abs(steady(series).mean()) < 0.06


def test_a_steady_series_keeps_nearly_everything():
    """Nothing is thrown away without cause."""
    cut = [mser5(np.random.default_rng(s).standard_normal(2_000)) for s in range(20)]
    assert np.median(cut) < 200


def test_a_short_series_is_left_alone():
    """Two batches are needed to see a trend."""
    assert mser5(np.arange(9.0)) == 0


def test_batch_means_cover_as_often_as_they_promise():
    """95 % intervals of a dependent series hold its mean in 90 to 98 of 100 cases."""
    rng = np.random.default_rng(2)
    held = [
        batch_means(_autoregressive(20_000, rng)[2_000:]).holds(0.0) for _ in range(300)
    ]
    assert 0.90 <= np.mean(held) <= 0.98


def test_independence_would_have_promised_too_much():
    """The same series, taken for independent, is far too sure: the rule that fails."""
    rng = np.random.default_rng(3)
    held = [
        replications(_autoregressive(4_000, rng)[400:]).holds(0.0) for _ in range(200)
    ]
    assert np.mean(held) < 0.6


def test_common_random_numbers_tell_systems_apart():
    """A small change is lost between independent runs and plain between paired ones."""
    rng = np.random.default_rng(4)
    weather = rng.standard_normal(40)
    ours, theirs = weather + 0.1, weather + rng.normal(0.0, 0.02, 40)
    paired = paired_difference(ours, theirs)
    apart = paired_difference(ours, rng.permutation(theirs))
    assert paired.low > 0.0
    assert apart.holds(0.0)
    assert paired.half_width < apart.half_width / 10.0


def test_one_replication_has_no_interval():
    """A single figure says nothing of its own error."""
    with pytest.raises(ValueError, match="two replications"):
        replications(np.array([1.0]))
    with pytest.raises(ValueError, match="row by row"):
        paired_difference(np.zeros(3), np.zeros(4))
