"""Figures in words: units, intervals, denominators, and what is missing.

Owns how a number is written. A missing value becomes a sentence, never `NaN`; a
rate of zero is written with its upper bound. Knows nothing of HTML.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.timing.latency import samples_needed

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.records import Metric, ObjectiveResult

__all__ = [
    "FigureText",
    "count",
    "figure_text",
    "grouping_title",
    "limit_text",
    "metric_title",
    "number",
]

# Between a number and its unit no line may break.
_NBSP = "\N{NO-BREAK SPACE}"

_TITLES = {
    "alerts.false": "False alerts",
    "alerts.in_time": "Alerts raised in time",
    "alerts.true": "True alerts",
    "alerts.outside_passages": "Alerts outside any passage",
    "alert_goodput_hz": "Alerts in time a second",
    "alert_latency_s": "Glass-to-alert latency of the alerts alone",
    "cameras": "Cameras",
    "fnir": "Sought people missed (FNIR)",
    "fpir": "Other people alerted on (FPIR)",
    "frames.failed": "Frames failed",
    "frames.failed_share": "Share of frames failed",
    "frames.offered": "Frames offered",
    "frames.processed": "Frames processed",
    "frames.skipped": "Frames skipped",
    "frames.skipped_share": "Share of frames skipped",
    "frames.late_by": "Frames late, most of it in",
    "frames.lost_to": "Frames not processed",
    "frames.unaccounted": "Frames without an outcome",
    "frames.late_share": "Share of processed frames that were late",
    "fte": "Watchlist pictures that gave no template (FTE)",
    "passage_latency_s": "Mean latency of people's frames",
    "passage_skipped": "Share of people's frames not processed",
    "fta": "Passages never searched (FTA)",
    "glass_to_alert_s": "Glass-to-alert latency",
    "clock.round_trip_s": "Round trip of the clock check",
    "goodput_hz": "Frames completed in time",
    "identified": "Sought people among the candidates, any score",
    "harness.cpu_share": "Processor time of the harness, of one core",
    "harness.rss_bytes": "Memory of the harness",
    "headroom": "Headroom of the harness",
    "matcher.cpu_share": "Processor time of the matcher, of one core",
    "matcher.cpu_wait_share": "Time the matcher waited for a processor",
    "matcher.rss_bytes": "Memory of the matcher",
    "offered_hz": "Frames offered a second",
    "passages.excluded": "Passages not watched from end to end",
    "passages.mated": "Passages of sought people",
    "passages.non_mated": "Passages of other people",
    "passages.straddling": "Passages during which the person joined or left",
    "per_frame.missed": "Frames of a passage without its face found",
    "per_search.fnir": "Searches of sought people that did not name them",
    "per_search.fpir": "Searches of other people that named somebody",
    "schedule_delay_s": "Lateness of the sender",
    "service_s": "Service time",
    "target_fpir": "FPIR that the threshold was set for",
    "threshold": "Threshold of the comparison score",
    "throughput_fps": "Frames completed a second",
    "tpir": "Sought people alerted on (TPIR)",
    "utilisation": "Utilisation",
    "waiting_s": "Waiting time",
    "watchlist.changes": "Changes of the watchlist that came into effect",
    "watchlist.fte": "Watchlist pictures that gave no template",
    "watchlist.joined": "People who joined the watchlist",
    "watchlist.left": "People who left the watchlist",
    "watchlist.size": "Watchlist size",
    "watchlist.size_at_end": "Watchlist size at the end",
    "watchlist_change_s": "Time until a change of the watchlist is in effect",
}
_GROUPINGS = {
    "age": "age",
    "ancestry": "ancestry",
    "sex": "sex",
    "tone": "Monk skin tone",
}
# Shares that are no k/n: their n counts what they were averaged over.
_NO_COUNTS = ("utilisation",)
# Of one quantity to another, not parts of a whole: percent would mislead.
_RATIOS = ("headroom",)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureText:
    """One metric, ready to be read.

    Attributes:
        value: The estimate with its unit, or why there is none.
        interval: Its 95 % interval; empty where there is none.
        basis: The denominator, e.g. `"19 of 24"`; empty where there is none.
        is_missing: There is no value.
    """

    value: str
    interval: str
    basis: str
    is_missing: bool


def grouping_title(grouping: str) -> str:
    """Name a grouping for people, e.g. `"Monk skin tone"` for `"tone"`."""
    return _GROUPINGS.get(grouping, grouping.replace("_", " "))


def count(value: float) -> str:
    """Write a count with thousands apart, e.g. `"1,200"`."""
    return f"{value:,.0f}"


def number(value: float, unit: str) -> str:
    """Write a value with its unit: seconds as ms where short, shares as percent."""
    if not math.isfinite(value):
        return "unbounded"
    if unit in _WRITERS:
        return _WRITERS[unit](value)
    digits = count(value) if value == round(value) else f"{value:,.3g}"
    return f"{digits} {unit}"


def figure_text(name: str, metric: Metric | None) -> FigureText:
    """Put one metric into words.

    Args:
        name: Its name in the metrics map; tells a percentile from a rate.
        metric: The metric; None if the run has none of that name.
    """
    if metric is None or metric.value is None or not math.isfinite(metric.value):
        reason = _why_missing(name, metric)
        return FigureText(value=reason, interval="", basis="", is_missing=True)
    value, unit = metric.value, "times" if name in _RATIOS else metric.unit
    cases = None if name.startswith(_NO_COUNTS) else _cases(metric)
    interval = _interval(metric)
    basis = "" if metric.n is None else f"n = {count(metric.n)}"
    if cases is not None and metric.n is not None:
        basis = f"{count(cases)} of {count(metric.n)}"
        if cases == 0 and metric.high is not None:
            # Nothing seen is no proof of nothing: the bound is the result.
            interval = f"at most {number(metric.high, unit)}"
    return FigureText(
        value=number(value, unit), interval=interval, basis=basis, is_missing=False
    )


def limit_text(objective: ObjectiveResult, unit: str) -> str:
    """Write what an objective allows, e.g. `"at most 1.00 s"`."""
    bound = "at most" if objective.at_most else "at least"
    return f"{bound} {number(objective.limit, unit)}"


def metric_title(name: str) -> str:
    """Name a metric for people; unknown ones keep the name that scripts use."""
    if name in _TITLES:
        return _TITLES[name]
    head, _, tail = name.partition(".")
    if (stem := name.rpartition(".")[0]) in _TITLES:
        head, tail = stem, name.rpartition(".")[2]
    title = _TITLES.get(head)
    if title is None:
        return name
    if tail == "clustered":
        return f"{title}, interval over people"
    if tail == "face_60px":
        return f"{title}, face ≥ 60 px and not occluded"
    if grouping := re.fullmatch(r"by_(\w+?)\.(.+)", tail):
        by = grouping_title(grouping[1])
        return f"{title}, {by}: {grouping[2]}"
    return f"{title}, {_tail_words(tail)}"


def _tail_words(tail: str) -> str:
    *stages, last = tail.split(".")
    if percent := _percent(last):
        last = "median" if percent == 50 else f"{percent:g}th percentile"
    elif last == "max":
        last = "longest"
    return ", ".join((*stages, last)).replace("_", " ")


def _seconds(value: float) -> str:
    if abs(value) < 0.0995:
        return f"{value * 1e3:.1f}{_NBSP}ms"
    if abs(value) < 0.9995:
        return f"{value * 1e3:.0f}{_NBSP}ms"
    return f"{value:.2f}{_NBSP}s"


def _share(value: float) -> str:
    if 0 < abs(value) < 0.001:
        return f"{value * 100:.3f}{_NBSP}%"
    text = f"{value * 100:.1f}"
    return f"{text.removesuffix('.0')}{_NBSP}%"


def _interval(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return _one_sided(metric)
    low, high = number(metric.low, metric.unit), number(metric.high, metric.unit)
    # "76 to 91 %" reads better than "76 % to 91 %".
    head, _, low_unit = low.rpartition(_NBSP)
    return f"{head if high.endswith(_NBSP + low_unit) else low} to {high}"


def _one_sided(metric: Metric) -> str:
    # Too few independent samples can leave a percentile open on one side.
    if metric.low is not None:
        return f"{number(metric.low, metric.unit)} or more"
    return "" if metric.high is None else f"up to {number(metric.high, metric.unit)}"


def _cases(metric: Metric) -> int | None:
    """Find k of a proportion k/n; None if the value is no such thing."""
    if metric.unit != "1" or metric.n is None or metric.value is None:
        return None
    cases = metric.value * metric.n
    return round(cases) if math.isclose(cases, round(cases), abs_tol=1e-6) else None


def _percent(last: str) -> float | None:
    found = re.fullmatch(r"p(\d{2,4})", last)
    if found is None:
        return None
    digits = found[1]
    return float(f"{digits[:2]}.{digits[2:]}")


def _why_missing(name: str, metric: Metric | None) -> str:
    if metric is None:
        return "not measured"
    if metric.n is None:
        return "no value"
    percent = _percent(name.rpartition(".")[2])
    if metric.n == 0:
        return "not quotable: there was no case"
    if percent is None:
        return f"not quotable from n = {count(metric.n)}"
    needed = samples_needed(percent / 100)
    return f"not quotable from n = {count(metric.n)}: needs {count(needed)}"


_WRITERS: dict[str, Callable[[float], str]] = {
    "1": _share,
    "Hz": lambda value: f"{value:,.1f} a second",
    "bytes": lambda value: f"{value / 2**20:,.0f}{_NBSP}MiB",
    "cosine": lambda value: f"{value:.3f}",
    "s": _seconds,
    "times": lambda value: f"{value:,.1f} times",
}
