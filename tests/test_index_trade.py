"""Claims about the measurement behind `harness indexes`."""

from itertools import count

import numpy as np
import pytest

from bench.galleries.index_trade import CANDIDATES, measure_trades
from bench.galleries.template_world import fit_world
from matcher.calibration import Cohort
from matcher.fusion import unit_length
from matcher.registry import INDEXES


def _cohort(n_passages=400, each=4, d=16):
    """People far apart, templates of one near each other."""
    rng = np.random.default_rng(1)
    people = rng.normal(size=(n_passages, d)).repeat(each, axis=0)
    templates = people + 0.1 * rng.normal(size=people.shape)
    return Cohort(
        templates=unit_length(templates.astype(np.float32)),
        passages=np.arange(n_passages).repeat(each),
        n_passages=n_passages,
        embedder_sha256="",
        settings="{}",
    )


def test_drawn_templates_are_spread_like_the_cohort():
    """Unit length, the cohort's covariance, and probes that find their own."""
    cohort = _cohort()
    world, rng = fit_world(cohort), np.random.default_rng(2)
    people = world.people(4000, rng=rng)
    probes = world.probes_of(people, scatter=1.0, rng=rng)
    first = cohort.templates[::4]

    assert np.allclose(np.linalg.norm(people, axis=1), 1.0, atol=1e-5)
    assert np.allclose(np.cov(people.T), np.cov(first.T), atol=0.02)
    assert np.median((people * probes).sum(axis=1)) > 0.95


def test_every_candidate_is_measured_against_exact_search():
    """Exact search comes first and misses nothing; the rest is held against it."""
    ticks = count(step=1000)
    trades = list(
        measure_trades(
            fit_world(_cohort()),
            n=3000,
            n_probes=64,
            rounds=3,
            rng=np.random.default_rng(3),
            clock=lambda: next(ticks),
        )
    )

    assert [trade.name for trade in trades] == list(CANDIDATES)
    assert {config.name for config in CANDIDATES.values()} <= set(INDEXES.names())
    assert (trades[0].recall, trades[0].extra_fnir) == (1.0, 0.0)
    assert all(0.5 < trade.recall <= 1.0 for trade in trades)
    # Each search reads the clock twice, 1 us apart.
    assert trades[0].single_s == pytest.approx(1e-6)
    assert trades[0].batch_s == pytest.approx(1e-6 / 32)
    assert trades[0].bytes_per_template == pytest.approx(4 * 16, rel=0.05)
    assert trades[1].bytes_per_template < trades[0].bytes_per_template
