"""Figures in words: units, bounds, denominators, missing values."""

from __future__ import annotations

import pytest

from bench.records import Metric, ObjectiveResult
from bench.report.words import figure_text, limit_text, metric_title, number


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0214, "s", "21.4\u00a0ms"),
        (0.4321, "s", "432\u00a0ms"),
        (0.09951, "s", "100\u00a0ms"),
        (0.99951, "s", "1.00\u00a0s"),
        (1.5, "s", "1.50\u00a0s"),
        (0.957, "1", "95.7\u00a0%"),
        (1.0, "1", "100\u00a0%"),
        (0.0004, "1", "0.040\u00a0%"),
        (0.0, "1", "0\u00a0%"),
        (1200, "frames", "1,200 frames"),
        (19.94, "Hz", "19.9 a second"),
        (0.4567, "cosine", "0.457"),
        (float("inf"), "s", "unbounded"),
    ],
)
def test_numbers_carry_their_unit(value, unit, text):
    """Seconds below one are ms, shares are percent, counts have thousands."""
    assert number(value, unit) == text


def test_zero_of_many_is_written_with_its_upper_bound():
    """Nothing seen is no proof of nothing."""
    text = figure_text("fpir", Metric(value=0.0, low=0.0, high=0.041, n=89))
    assert (text.basis, text.interval) == ("0 of 89", "at most 4.1\u00a0%")


def test_proportion_is_written_as_k_of_n():
    """A rate never stands without its denominator."""
    text = figure_text("tpir", Metric(value=19 / 24, low=0.595, high=0.908, n=24))
    assert (text.value, text.basis) == ("79.2\u00a0%", "19 of 24")
    assert text.interval == "59.5 to 90.8\u00a0%"


def test_share_that_counts_nothing_is_no_k_of_n():
    """Utilisation is an average: its n is not a denominator."""
    assert figure_text("utilisation.detect", Metric(value=0.5, n=4)).basis == "n = 4"


@pytest.mark.parametrize(
    ("name", "metric", "reason"),
    [
        (
            "glass_to_alert_s.p99",
            Metric(value=None, n=24, unit="s"),
            "not quotable from n = 24: needs 1,000",
        ),
        (
            "waiting_s.decode.p50",
            Metric(value=None, n=3, unit="s"),
            "not quotable from n = 3: needs 20",
        ),
        ("tpir", Metric(value=None, n=0), "not quotable: there was no case"),
        ("tpir", None, "not measured"),
        ("headroom", Metric(value=float("nan")), "no value"),
    ],
)
def test_missing_value_is_said_in_words(name, metric, reason):
    """A reader learns why there is no value and what would give one."""
    text = figure_text(name, metric)
    assert text.is_missing
    assert text.value == reason


@pytest.mark.parametrize(
    ("low", "high", "interval"),
    [
        (None, None, ""),
        (0.02, None, "20.0\u00a0ms or more"),
        (None, 0.9, "up to 900\u00a0ms"),
    ],
)
def test_interval_may_be_open_on_one_side(low, high, interval):
    """A bound that the sample does not give is not made up."""
    metric = Metric(value=0.05, low=low, high=high, n=30, unit="s")
    assert figure_text("glass_to_alert_s.p50", metric).interval == interval


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("tpir", "Sought people alerted on (TPIR)"),
        ("glass_to_alert_s.p50", "Glass-to-alert latency, median"),
        ("waiting_s.detect.p99", "Waiting time, detect, 99th percentile"),
        (
            "fpir.by_tone.7-10",
            "Other people alerted on (FPIR), Monk skin tone: 7-10",
        ),
        ("something.new", "something.new"),
    ],
)
def test_metrics_have_names_for_people(name, title):
    """An unknown metric keeps the name that scripts use."""
    assert metric_title(name) == title


def test_limit_says_which_side_is_allowed():
    """An objective's bound is read without knowing its metric."""
    objective = ObjectiveResult(
        metric="tpir", limit=0.8, at_most=False, value=None, met=None
    )
    assert limit_text(objective, "1") == "at least 80\u00a0%"
