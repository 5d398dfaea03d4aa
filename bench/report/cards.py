"""The headline figures, each with its denominator, its interval and its objective.

Owns which figures lead. Knows nothing of sentences, charts, pictures or HTML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.intervals.proportion import proportion
from bench.report.view import Bar, Card
from bench.report.words import count, figure_text, limit_text, number
from bench.running.folder import instrument_of

if TYPE_CHECKING:
    from bench.records import Metric, ObjectiveResult, RunRecord

__all__ = ["accuracy_cards", "speed_cards"]


def accuracy_cards(record: RunRecord) -> tuple[Card, ...]:
    """Make the cards on right and wrong."""
    return (
        _rate_card(record, "tpir", title="Sought people alerted on", note="TPIR"),
        _rate_card(record, "fpir", title="Other people alerted on", note="FPIR"),
        _rate_card(
            record,
            "tpir.face_60px",
            title="Sought people alerted on, seen well",
            note="TPIR, face ≥ 60 px and not occluded",
        ),
        _false_alert_card(record),
    )


def speed_cards(record: RunRecord) -> tuple[Card, ...]:
    """Make the cards on time and load; an unhurried run has no latencies to show."""
    if instrument_of(record).unhurried:
        return (
            _unhurried_card(record),
            _watchlist_card(record),
            _bottleneck_card(record),
        )
    return (
        *(
            _plain_card(record, f"glass_to_alert_s.{level}", title=title)
            for level, title in (
                ("p50", "Glass to alert, median"),
                ("p90", "90 in 100 frames within"),
                ("p99", "99 in 100 frames within"),
                ("max", "Slowest frame"),
            )
        ),
        _rate_card(
            record, "frames.skipped_share", title="Frames skipped", note="over budget"
        ),
        _throughput_card(record),
        _watchlist_card(record),
        _bottleneck_card(record),
    )


def _rate_card(record: RunRecord, name: str, *, title: str, note: str) -> Card:
    metric = record.metrics.get(name)
    text = figure_text(name, metric)
    limit = _limit(record, name)
    return Card(
        title=title,
        value=text.value,
        interval=text.interval,
        basis=text.basis,
        note=note if limit is None else f"{note}; objective {limit}",
        bar=None if metric is None else _bar(metric, _objective(record, name)),
        is_missing=text.is_missing,
    )


def _false_alert_card(record: RunRecord) -> Card:
    n_wrong = sum(not alert.correct for alert in record.alerts)
    share = proportion(n_wrong, len(record.alerts))
    text = figure_text("alerts.false_share", share)
    return Card(
        title="False alerts",
        value="none raised" if text.is_missing else text.basis,
        interval="" if text.is_missing else f"{text.interval} of alerts",
        basis="",
        note=_threshold_note(record),
        bar=None,
        is_missing=text.is_missing,
    )


def _plain_card(record: RunRecord, name: str, *, title: str) -> Card:
    text = figure_text(name, record.metrics.get(name))
    limit = _limit(record, name)
    return Card(
        title=title,
        value=text.value,
        interval=text.interval,
        basis=text.basis,
        note="" if limit is None else f"objective {limit}",
        bar=None,
        is_missing=text.is_missing,
    )


def _throughput_card(record: RunRecord) -> Card:
    name = "throughput_fps"
    text = figure_text(name, record.metrics.get(name))
    # Throughput means nothing without what was offered (HOUSE_STYLE.md, 9).
    offered = _value(record, "offered_hz")
    return Card(
        title="Throughput",
        value=text.value.replace(" a second", " frames/s"),
        interval=text.interval,
        basis="" if offered is None else f"of {offered:,.1f} offered",
        note="goodput "
        + figure_text("goodput_hz", record.metrics.get("goodput_hz")).value,
        bar=None,
        is_missing=text.is_missing,
    )


def _unhurried_card(record: RunRecord) -> Card:
    text = figure_text("throughput_fps", record.metrics.get("throughput_fps"))
    return Card(
        title="Throughput, unhurried",
        value=text.value.replace(" a second", " frames/s"),
        interval="",
        basis="as fast as the matcher took them",
        note="no real time: latency and skipping mean nothing here",
        bar=None,
        is_missing=text.is_missing,
    )


def _watchlist_card(record: RunRecord) -> Card:
    text = figure_text("watchlist.size", record.metrics.get("watchlist.size"))
    n_failed = _value(record, "watchlist.fte")
    at_end = _value(record, "watchlist.size_at_end")
    every = "every one enrolled"
    return Card(
        title="Watchlist",
        value=text.value,
        interval="",
        basis=(f"{count(n_failed)} failed to enrol" if n_failed else every)
        + ("" if at_end is None else f", {count(at_end)} at the end"),
        note=_threshold_note(record),
        bar=None,
        is_missing=text.is_missing,
    )


def _bottleneck_card(record: RunRecord) -> Card:
    shares = {
        name.removeprefix("utilisation."): metric.value
        for name, metric in record.metrics.items()
        if name.startswith("utilisation.") and metric.value is not None
    }
    total = figure_text("utilisation", record.metrics.get("utilisation"))
    busiest = max(shares, key=lambda name: shares[name], default=None)
    return Card(
        title="Matcher busy",
        value=total.value,
        interval="",
        basis="" if total.is_missing else "of the run, all stages together",
        note=""
        if busiest is None
        else f"most of it in {busiest}, {number(shares[busiest], '1')}",
        bar=None,
        is_missing=total.is_missing,
    )


def _bar(metric: Metric, objective: ObjectiveResult | None) -> Bar | None:
    if metric.value is None or metric.low is None or metric.high is None:
        return None
    limit = None if objective is None else objective.limit
    # Small rates would vanish on a scale to 100 %.
    reach = max(metric.high, 0.0 if limit is None else limit)
    end = next(e for e in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if reach <= e or e == 1.0)
    low, value, high = (100 * x / end for x in (metric.low, metric.value, metric.high))
    alt = f"{number(metric.value, '1')}, 95 % interval {number(metric.low, '1')} to "
    alt += number(metric.high, "1")
    return Bar(
        value=value,
        low=low,
        high=high,
        limit=None if limit is None else 100 * limit / end,
        end=number(end, "1"),
        alt=alt if limit is None else f"{alt}, objective {number(limit, '1')}",
    )


def _objective(record: RunRecord, name: str) -> ObjectiveResult | None:
    return next((o for o in record.objectives if o.metric == name), None)


def _limit(record: RunRecord, name: str) -> str | None:
    objective, metric = _objective(record, name), record.metrics.get(name)
    if objective is None or metric is None:
        return None
    return limit_text(objective, metric.unit)


def _threshold_note(record: RunRecord) -> str:
    threshold = _value(record, "threshold")
    target = _value(record, "target_fpir")
    if threshold is None:
        return ""
    note = f"threshold {threshold:.3f}"
    return note if target is None else f"{note}, set for FPIR {number(target, '1')}"


def _value(record: RunRecord, name: str) -> float | None:
    metric = record.metrics.get(name)
    return None if metric is None else metric.value
