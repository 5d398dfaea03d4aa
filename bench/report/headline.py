"""What happened, in sentences; the verdict; objectives and metrics as rows.

Owns the words about a run as a whole. Knows nothing of charts, pictures or HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.accuracy.disparity import MARGIN, Disparity, Likeness, disparities
from bench.records import Status
from bench.report.view import (
    DisparityRow,
    FigureRow,
    ObjectiveRow,
    ReasonRow,
    VerdictBanner,
)
from bench.report.words import (
    count,
    figure_text,
    grouping_title,
    limit_text,
    metric_title,
    number,
)
from bench.running.folder import instrument_of
from bench.running.metrics import counted_passages

if TYPE_CHECKING:
    from bench.records import ObjectiveResult, RunRecord, Verdict

__all__ = [
    "disparity_rows",
    "figure_rows",
    "objective_rows",
    "origin_warning",
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


def disparity_rows(record: RunRecord) -> tuple[DisparityRow, ...]:
    """Say of every group whether it was treated like everyone else."""
    counted = counted_passages(
        record.passages, record.plan, record.sent, instrument_of(record)
    )
    return tuple(
        DisparityRow(
            rate=found.rate.upper(),
            group=f"{grouping_title(found.grouping)}: {found.group}",
            ratio=f"{found.ratio:.2f}",
            interval=f"{found.low:.2f} to {found.high:.2f}",
            basis=f"{count(found.n_group)} against {count(found.n_others)} passages",
            answer=_answer(found),
            tells=found.likeness is not Likeness.CANNOT_TELL,
        )
        for found in disparities(counted)
    )


def _answer(found: Disparity) -> str:
    match found.likeness:
        case Likeness.EQUAL:
            return f"equal within a factor of {MARGIN:g}"
        case Likeness.UNEQUAL:
            return "unequal"
        case Likeness.CANNOT_TELL:
            if found.n_more is None:
                return "cannot tell, at the edge of the margin"
            return f"cannot tell: needs {count(found.n_more)} more passages"


def summary(record: RunRecord) -> tuple[str, ...]:
    """Say in a few sentences what happened."""
    if instrument_of(record).is_null:
        what = [_what_was_sent(record)]
    else:
        what = [_what_passed(record), _what_was_raised(record)]
    return tuple(sentence for sentence in (*what, _how_fast(record)) if sentence)


def origin_warning(record: RunRecord) -> str:
    """Warn of pictures that do not say that they are synthetic; empty if all do."""
    told = record.provenance.get("pictures")
    if not isinstance(told, Mapping) or not told["unstamped"]:
        return ""
    total = int(told["clips"]) + int(told["portraits"])
    return (
        f"{count(int(told['unstamped']))} of {count(total)} clips and portraits do not "
        "say that they are synthetic, and were let in by --allow-unstamped: what this "
        "report says of synthetic people does not hold for them."
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


def _cameras(record: RunRecord) -> str:
    n_cameras = len(record.plan.camera_ids)
    return f"{count(n_cameras)} camera" + "s" * (n_cameras != 1)


def _what_was_sent(record: RunRecord) -> str:
    n_sent = int((record.sent.sent_ns >= 0).sum())
    return (
        f"For {_sent_s(record):.0f} seconds {_cameras(record)} sent {count(n_sent)} "
        "frames to a system that does nothing: what was measured is the harness."
    )


def _what_passed(record: RunRecord) -> str:
    cameras = _cameras(record)
    n_mated, n_others = (
        _value(record, f"passages.{kind}") for kind in ("mated", "non_mated")
    )
    if n_mated is None or n_others is None or n_mated + n_others == 0:
        return _no_passage(record, cameras)
    n = count(n_mated + n_others) + " passage" + "s" * (n_mated + n_others != 1)
    size = _value(record, "watchlist.size")
    watchlist = "a watchlist" + ("" if size is None else f" of {count(size)} people")
    return (
        f"In {_sent_s(record):.0f} seconds {cameras} watched {n} of synthetic "
        f"people, {count(n_mated)} of them by people on {watchlist}."
    )


def _no_passage(record: RunRecord, cameras: str) -> str:
    n_cut = _value(record, "passages.excluded")
    watched = f"In {_sent_s(record):.0f} seconds {cameras} watched"
    if n_cut is None or n_cut == 0:
        return f"{watched} and nobody passed."
    return f"{watched}, and none of {count(n_cut)} passages was seen from end to end."


def _sent_s(record: RunRecord) -> float:
    """Measure how long frames were sent, seconds of the plan."""
    offset_ns = record.plan.offset_ns[record.sent.sent_ns >= 0]
    return float(offset_ns.max()) / 1e9 if len(offset_ns) > 0 else 0.0


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
    in_real_time = not instrument_of(record).unhurried
    if in_real_time and skipped is not None and offered is not None and offered > 0:
        how_many = "Not one" if skipped == 0 else count(skipped)
        sentences.append(f"{how_many} of {count(offered)} frames had to be skipped.")
    return " ".join(sentences)


def _value(record: RunRecord, name: str) -> float | None:
    metric = record.metrics.get(name)
    return None if metric is None else metric.value
