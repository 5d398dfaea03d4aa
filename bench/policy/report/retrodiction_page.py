"""Lays out the report of a retrodiction: scores, targets, every deployment.

Owns what is said of the forecasts, and the targets that they are held to. Knows
nothing of HTML or of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.policy.report.charts_record import forecast_chart, total_chart
from bench.policy.report.draw import Basis
from bench.policy.report.view import ChartView

if TYPE_CHECKING:
    from sim.policy.retrodiction import Retrodiction, Score

__all__ = ["RetrodictionPage", "compose_retrodiction", "is_met"]

# What the forecasts are held to: coverage of exact-level intervals, and the gain in
# CRPS over both literal baselines; for false alerts, that the total is inside.
_COVERED = {0.5: (0.42, 0.58), 0.9: (0.85, 0.95)}
_GAIN = 0.10
_TITLES = {"alerts": "Alerts", "false_alerts": "False alerts", "arrests": "Arrests"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Baseline:
    name: str
    crps: str
    gain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Score:
    title: str
    n: int
    met: bool
    words: str
    crps: str
    baselines: tuple[_Baseline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrodictionPage:
    """Everything on the page, in words and pictures."""

    kind: str
    tag: str
    title: str
    question: str
    facts: tuple[tuple[str, str], ...]
    footer: str
    summary: tuple[str, ...]
    notes: tuple[str, ...]
    scores: tuple[_Score, ...]
    charts: tuple[ChartView, ...]
    reading: tuple[str, ...]


def is_met(score: Score) -> bool:
    """Return whether a kind of count was foretold well enough.

    False alerts are too few for intervals of single deployments: nine in ten have
    none. For them the total counts.
    """
    if score.name == "false_alerts":
        return score.total.is_inside
    covered = all(
        _COVERED[each.level][0] <= each.covered <= _COVERED[each.level][1]
        for each in score.exact
    )
    return covered and all(each.gain >= _GAIN for each in score.baselines[:2])


def compose_retrodiction(result: Retrodiction, *, record: str) -> RetrodictionPage:
    """Put forecasts and scores into words and pictures.

    Args:
        result: Forecasts and scores.
        record: Name of the record that was scored.
    """
    totals = tuple((_TITLES[score.name], score.total) for score in result.scores)
    rolling = len(result.origins) > 1
    charts = [
        ChartView(
            title=f"{_TITLES[score.name]} of each deployment",
            svg=forecast_chart(
                result,
                getattr(result.counts, score.name),
                getattr(result.rows, score.name),
                name=f"forecast-{score.name.replace('_', '-')}",
                title=_TITLES[score.name],
            ),
            caption="Bars hold 50 % and 90 % of the forecast, dots were recorded.",
            basis=Basis.BOTH.value,
            basis_class="both",
        )
        for score in result.scores
        if score.name != "false_alerts"
    ]
    charts.append(
        ChartView(
            title="Totals",
            svg=total_chart(totals),
            caption="Each total against its own median forecast; lines hold 90 %.",
            basis=Basis.BOTH.value,
            basis_class="both",
        )
    )
    when = "on the first of each month" if rolling else f"on {result.cut_off}, once"
    return RetrodictionPage(
        kind="Retrodiction",
        tag="Recorded deployments",
        title="The past, foretold from the past",
        question="How well does the model retell recorded deployments that it has not "
        "seen, from what was known before them?",
        facts=(
            ("Record", record),
            ("Cut-off", str(result.cut_off)),
            ("Learnt from", f"{result.n_learnt} deployments"),
            ("Foretold", f"{len(result.rows)}, to {result.rows.date[-1]}"),
            ("Learnt anew", when),
        ),
        footer="Recorded figures are the force's own, forecasts are the model's.",
        summary=_summary(result),
        notes=_notes(result),
        scores=tuple(_score(score) for score in result.scores),
        charts=tuple(charts),
        reading=_READING,
    )


_READING = (
    (
        "Coverage: how many recorded counts lie inside the forecast's interval. "
        "A good forecast covers as much as it promises: more means that it is "
        "too unsure, less that it is too sure."
    ),
    (
        "No interval of whole numbers holds exactly 50 % of a small count. "
        "Exact-level intervals take in part of their end points, and are the "
        "fair test (Czado, Gneiting and Held, 2009); whole-number intervals are "
        "given beside them, with the probability that they really hold."
    ),
    (
        "CRPS rewards forecasts that are both sure and right. The naive "
        "forecasts are one number each, as their names say. The harder ones put "
        "a Poisson distribution around that number."
    ),
    (
        "Used for a forecast: date, place, duration, watchlist size and "
        "threshold of the deployment, and all counts before the cut-off. Not "
        "used: faces seen, or any count on or after it."
    ),
)


def _summary(result: Retrodiction) -> tuple[str, ...]:
    told = []
    for score in result.scores:
        total = score.total
        place = "inside" if total.is_inside else "outside"
        told.append(
            f"{_TITLES[score.name]}: {total.observed} recorded, {total.low} to "
            f"{total.high} foretold ({place})."
        )
    return tuple(told)


def _notes(result: Retrodiction) -> tuple[str, ...]:
    odd = [
        f"{day}, {place}: {remark}"
        for day, place, remark in zip(
            result.rows.date, result.rows.location, result.rows.remark, strict=True
        )
        if remark
    ]
    if not odd:
        return ()
    return (f"Rows that do not add up as printed: {'; '.join(odd)}.",)


def _score(score: Score) -> _Score:
    half, most = score.exact
    whole = ", ".join(
        f"{100 * each.covered:.0f} % where {100 * each.stated:.0f} % was stated"
        for each in score.whole
    )
    error = np.sqrt([c.level * (1 - c.level) / c.n for c in score.exact])
    if score.name == "false_alerts":
        words = (
            f"{score.total.observed} in {score.n} deployments, {score.total.low} to "
            f"{score.total.high} foretold. Too few for intervals of single deployments."
        )
    else:
        words = (
            f"50 % intervals cover {100 * half.covered:.1f} % (chance alone: "
            f"±{100 * error[0]:.0f}), 90 % intervals {100 * most.covered:.1f} % "
            f"(±{100 * error[1]:.0f}). Whole-number intervals: {whole}. Bias "
            f"{score.bias:+.2f} a deployment, where {score.observed_mean:.1f} were "
            "recorded. Targets (42 to 58 %, 85 to 95 %, CRPS 10 % better than both "
            f"naive forecasts): {'met' if is_met(score) else 'missed'}."
        )
    return _Score(
        title=_TITLES[score.name],
        n=score.n,
        met=is_met(score),
        words=words,
        crps=f"{score.crps:.3f}",
        baselines=tuple(
            _Baseline(
                name=each.name,
                crps=f"{each.crps:.3f}",
                gain=f"{100 * each.gain:+.1f} %",
            )
            for each in score.baselines
        ),
    )
