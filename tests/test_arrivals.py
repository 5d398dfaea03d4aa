"""Arrival processes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.arrivals import Phase, instants, periodic, phases, poisson


@given(
    rate_hz=st.floats(1.0, 60.0),
    jitter_share=st.floats(0.0, 0.99),
    seed=st.integers(0, 2**32),
)
def test_lateness_never_accumulates_nor_reorders(rate_hz, jitter_share, seed):
    """Every arrival lies within its own jitter of its own tick."""
    jitter_s = jitter_share / rate_hz
    rng = np.random.default_rng(seed)
    source = periodic(rate_hz, phase_s=0.01, jitter_s=jitter_s, rng=rng)
    arrivals_s = instants(source, n=200)
    late_s = arrivals_s - (0.01 + np.arange(200) / rate_hz)
    assert np.all(np.diff(arrivals_s) > 0.0)
    assert late_s.min() >= -1e-9
    assert late_s.max() <= jitter_s + 1e-9


def test_poisson_arrivals_are_as_many_as_their_rate():
    """Counts per second have the rate as mean and as variance."""
    rng = np.random.default_rng(3)
    arrivals_s = instants(poisson(20.0, rng=rng), n=20_000)
    counts = np.bincount(arrivals_s.astype(int))[:-1]
    assert counts.mean() == pytest.approx(20.0, rel=0.03)
    assert counts.var() == pytest.approx(20.0, rel=0.15)


@pytest.mark.parametrize(
    ("kind", "expected_s"),
    [(Phase.ALIGNED, [0.0, 0.0]), (Phase.STAGGERED, [0.0, 0.1])],
    ids=str,
)
def test_phases_are_where_the_kind_says(kind, expected_s):
    """Aligned cameras begin together, staggered ones share their period out."""
    chosen = phases(kind, np.array([0.2, 0.2]), rng=np.random.default_rng(0))
    assert chosen.tolist() == expected_s


def test_random_phases_stay_within_each_period():
    """A phase is below the period of its own source."""
    periods_s = np.array([0.04, 0.1, 1.0])
    chosen = phases(Phase.RANDOM, periods_s, rng=np.random.default_rng(5))
    assert np.all((chosen >= 0.0) & (chosen < periods_s))
    assert len(set(chosen)) == 3


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_must_be_a_positive_number(rate_hz):
    """A bad rate is refused at once, not when the first arrival is asked for."""
    with pytest.raises(ValueError, match="positive"):
        poisson(rate_hz, rng=np.random.default_rng(0))


def test_jitter_of_a_whole_period_is_refused():
    """Arrivals must not overtake each other."""
    with pytest.raises(ValueError, match="one period"):
        periodic(10.0, phase_s=0.0, jitter_s=0.1, rng=np.random.default_rng(0))
