"""Errors over load, and whether false alerts grow in proportion to the watchlist."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bench.intervals.proportion import proportion
from bench.records import Metric
from bench.report.curve_page import growth_sentence, write_curve_page
from bench.search.curve import OverWhat, fit_growth, point_of

SIZES = (125, 250, 500, 1000)


def alerted(rng, *, exponent, at_most=0.2, n=1500):
    """Draw who is alerted on at each size: nested, as a longer list holds a shorter."""
    luck = rng.random(n)
    rates = at_most * (np.array(SIZES) / SIZES[-1]) ** exponent
    chance = 1.0 - np.exp(-rates)
    return np.array([luck < c for c in chance])


def test_growth_in_proportion_is_recognised():
    """In 40 worlds of independent chances the interval holds 1 as often as promised."""
    rng = np.random.default_rng(1)
    people = [str(k) for k in range(1500)]
    fits = [
        fit_growth(SIZES, alerted(rng, exponent=1.0), people, rng=rng, n_resamples=60)
        for _ in range(40)
    ]
    assert np.mean([f.exponent for f in fits]) == pytest.approx(1.0, abs=0.03)
    assert sum(f.is_proportional for f in fits) >= 34


def test_growth_out_of_proportion_is_refuted():
    """False alerts that hardly grow: a few people look like everyone."""
    rng = np.random.default_rng(2)
    people = [str(k) for k in range(1500)]
    found = fit_growth(SIZES, alerted(rng, exponent=0.4), people, rng=rng)
    assert found.exponent == pytest.approx(0.4, abs=0.1)
    assert not found.is_proportional
    assert "not in proportion" in growth_sentence(found)


def test_no_false_alerts_say_nothing_of_growth():
    """Nothing seen is no proof of anything."""
    none = np.zeros((4, 50), dtype=bool)
    people = [str(k) for k in range(50)]
    found = fit_growth(SIZES, none, people, rng=np.random.default_rng(3))
    assert found is None
    assert "Too few false alerts" in growth_sentence(found)


def points():
    """Make a curve through saturation; at one point p99 cannot be quoted."""
    made = []
    for k, x in enumerate((1, 2, 4, 8)):
        figures = {
            "fnir": proportion(10 + 15 * k, 60),
            "fpir": proportion(k, 300),
            "frames.skipped_share": proportion(100 * k, 900),
            "glass_to_alert_s.p50": Metric(value=0.02 * 2**k, n=900, unit="s"),
            "glass_to_alert_s.p95": Metric(
                value=0.05 * 2**k, low=0.04 * 2**k, high=0.07 * 2**k, n=900, unit="s"
            ),
        }
        floor = {"fnir": proportion(10, 60), "fpir": proportion(2, 300)}
        added = {"fnir": Metric(value=0.25 * k, low=0.2 * k, high=0.3 * k, n=60)}
        made.append(point_of(x, "VALID", figures, floor, induced=added))
    return tuple(made)


def test_the_page_shows_every_point_and_says_synthetic(tmp_path):
    """Five charts, each labelled; a figure that is missing is said to be."""
    path = tmp_path / "curve.html"
    write_curve_page(path, points(), None, over=OverWhat.CAMERAS, title="Tiny <world>")
    html = path.read_text(encoding="utf-8")
    assert html.count("synthetic people</text>") == 5
    assert "Tiny &lt;world&gt;" in html
    assert not re.search(r"[\s,\"]nan\b", html, flags=re.IGNORECASE)
    assert "not quotable" in html
