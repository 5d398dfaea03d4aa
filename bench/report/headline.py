"""The top of the page: what happened, the verdict, and the figures that matter.

Owns which figures lead and the sentences around them. Knows nothing of charts,
pictures or HTML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.proportion import proportion
from bench.records import Status
from bench.report.view import (
    Bar,
    Card,
    FigureRow,
    ObjectiveRow,
    ReasonRow,
    VerdictBanner,
)
from bench.report.words import count, figure_text, limit_text, metric_title, number

if TYPE_CHECKING:
    from bench.records import Metric, ObjectiveResult, RunRecord, Verdict

__all__ = [
    "accuracy_cards",
    "figure_rows",
    "objective_rows",
    "speed_cards",
    "summary",
    "verdict_banner",
]

_MEANINGS = {
    Status.VALID: "The measurement is sound: its figures may be quoted.",
    Status.INVALID: "The measurement is not sound: its figures must not be quoted.",
    Status.INCONCLUSIVE: (
        "The measurement is sound, but too small to settle every objective."
    ),
}
_OUTCOMES = {True: "met", False: "missed", None: "cannot tell"}


def verdict_banner(
    verdict: Verdict, objectives: tuple[ObjectiveResult, ...]
) -> VerdictBanner:
    """Put the verdict into words."""
    met = sum(o.met is True for o in objectives)
    missed = sum(o.met is False for o in objectives)
    open_ = len(objectives) - met - missed
    parts = [f"{met} of {len(objectives)} objectives met"]
    parts += [f"{missed} missed"] * (missed > 0)
    parts += [f"{open_} cannot be told"] * (open_ > 0)
    return VerdictBanner(
        status=verdict.status.value,
        meaning=_MEANINGS[verdict.status],
        objectives=", ".join(parts) if objectives else "",
        reasons=tuple(
            ReasonRow(
                code=r.code, status=r.status.value, message=r.message, cure=r.cure
            )
            for r in verdict.reasons
        ),
    )


def objective_rows(record: RunRecord) -> tuple[ObjectiveRow, ...]:
    """List the objectives with what was measured."""
    rows = []
    for objective in record.objectives:
        metric = record.metrics.get(objective.metric)
        text = figure_text(objective.metric, metric)
        unit = "1" if metric is None else metric.unit
        rows.append(
            ObjectiveRow(
                title=metric_title(objective.metric),
                code=objective.metric,
                limit=limit_text(objective, unit),
                value=text.value,
                interval=text.interval,
                basis=text.basis,
                outcome=_OUTCOMES[objective.met],
            )
        )
    return tuple(rows)


def summary(record: RunRecord) -> tuple[str, ...]:
    """Say in a few sentences what happened."""
    return tuple(
        sentence
        for sentence in (
            _what_passed(record),
            _what_was_raised(record),
            _how_fast(record),
        )
        if sentence
    )


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
    """Make the cards on time and load."""
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


def figure_rows(record: RunRecord) -> tuple[FigureRow, ...]:
    """List every metric of the run."""
    rows = []
    for name, metric in record.metrics.items():
        text = figure_text(name, metric)
        rows.append(
            FigureRow(
                code=name,
                title=metric_title(name),
                value=text.value,
                interval=text.interval,
                basis=text.basis,
            )
        )
    return tuple(rows)


def _what_passed(record: RunRecord) -> str:
    n_cameras = len(record.plan.camera_ids)
    cameras = f"{count(n_cameras)} camera" + "s" * (n_cameras != 1)
    n_mated, n_others = (
        _value(record, f"passages.{kind}") for kind in ("mated", "non_mated")
    )
    if n_mated is None or n_others is None or n_mated + n_others == 0:
        return f"{cameras} watched, and nobody's passage was complete."
    size = _value(record, "watchlist.size")
    watchlist = "a watchlist" + ("" if size is None else f" of {count(size)} people")
    return (
        f"{cameras} watched {count(n_mated + n_others)} passages of synthetic "
        f"people, {count(n_mated)} of them by people on {watchlist}."
    )


def _what_was_raised(record: RunRecord) -> str:
    n, n_right = len(record.alerts), sum(alert.correct for alert in record.alerts)
    if n == 0:
        return "The matcher raised no alert."
    alerts = f"{count(n)} alert" + "s" * (n != 1)
    if n_right in (0, n):
        which = "right" if n_right == n else "wrong"
        every = "it" if n == 1 else "every one of them"
        return (
            f"In all the matcher raised {alerts}, and {every} named the {which} person."
        )
    return (
        f"In all the matcher raised {alerts}: {count(n_right)} named the right person, "
        f"{count(n - n_right)} the wrong one."
    )


def _how_fast(record: RunRecord) -> str:
    half, most = (
        _value(record, f"glass_to_alert_s.{level}") for level in ("p50", "p99")
    )
    sentences = []
    if half is not None:
        within = (
            f"Half of all frames were decided within {number(half, 's')} of capture"
        )
        tail = "" if most is None else f", 99 in 100 within {number(most, 's')}"
        sentences.append(f"{within}{tail}.")
    skipped, offered = (
        _value(record, f"frames.{name}") for name in ("skipped", "offered")
    )
    if skipped is not None and offered is not None and offered > 0:
        how_many = "Not one" if skipped == 0 else count(skipped)
        sentences.append(f"{how_many} of {count(offered)} frames had to be skipped.")
    return " ".join(sentences)


def _rate_card(record: RunRecord, name: str, *, title: str, note: str) -> Card:
    metric = record.metrics.get(name)
    text = figure_text(name, metric)
    return Card(
        title=title,
        value=text.value,
        interval=text.interval,
        basis=text.basis,
        note=note,
        bar=None if metric is None else _bar(metric, _limit(record, name)),
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
        note="" if limit is None else f"objective: at most {number(limit, 's')}",
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


def _watchlist_card(record: RunRecord) -> Card:
    text = figure_text("watchlist.size", record.metrics.get("watchlist.size"))
    return Card(
        title="Watchlist",
        value=text.value,
        interval="",
        basis="enrolled",
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


def _bar(metric: Metric, limit: float | None) -> Bar | None:
    if metric.value is None or metric.low is None or metric.high is None:
        return None
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


def _limit(record: RunRecord, name: str) -> float | None:
    return next((o.limit for o in record.objectives if o.metric == name), None)


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
