"""Lays out the report of a plan: its standing first, then its answers.

Owns what the page says, and in which order. Knows nothing of HTML or of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.planning.report.charts import (
    day_chart,
    proof_chart,
    relief_chart,
    tornado_chart,
)
from bench.planning.report.words import (
    carried_text,
    error_text,
    figure_text,
    standing,
    warnings,
    workers_text,
)

if TYPE_CHECKING:
    from markupsafe import Markup

    from bench.planning.plan import CapacityPlan
    from bench.planning.validation_records import LoadResult, Validation
    from sim.calibration import StageFit
    from sim.site import TargetConfig

__all__ = ["PlanPage", "compose_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    foretold: str
    measured: str
    error: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    name: str
    note: str
    cells: tuple[_Cell, ...]
    diagnosis: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    what: str
    value: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    what: str
    words: str
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage:
    """Everything on the page, in words and pictures."""

    kind: str
    tag: str
    title: str
    question: str
    facts: tuple[tuple[str, str], ...]
    footer: str
    standing: str
    is_proven: bool
    answers: tuple[_Answer, ...]
    warnings: tuple[str, ...]
    loads: tuple[_Load, ...]
    cameras: str
    proof: Markup | None
    tornado: Markup | None
    relief: Markup | None
    day: Markup | None
    failures: tuple[_Failure, ...]
    stages: tuple[tuple[str, ...], ...]


def compose_plan(
    plan: CapacityPlan, *, title: str, question: str, validation: Validation | None
) -> PlanPage:
    """Put a plan and its proof on a page."""
    asked = plan.question
    site, hardware = asked.site, asked.hardware
    first = standing(asked.calibration, validation)
    return PlanPage(
        kind="Capacity plan",
        tag="Synthetic",
        title=title,
        question=question,
        facts=(
            ("Cameras", f"{site.cameras:,} at {site.fps:g} fps"),
            ("Frame", f"{site.width_px} x {site.height_px}"),
            ("Busiest", f"{site.passages_per_min:g} people a minute and camera"),
            ("Watchlist", f"{site.watchlist:,}"),
            ("Node", f"{hardware.title or 'as given'}, {hardware.n_workers} workers"),
            ("Target", _target(asked.target)),
        ),
        footer="Every figure is computed by a model of synthetic crowds; intervals are "
        "the central 95 % of replications.",
        standing=first,
        is_proven=first.startswith("VALIDATED"),
        answers=_answers(plan),
        warnings=warnings(plan),
        loads=() if validation is None else tuple(map(_load, validation.loads)),
        cameras="" if validation is None else _cameras(validation),
        proof=(
            proof_chart(validation)
            if validation is not None and validation.judged
            else None
        ),
        tornado=(
            tornado_chart(plan.variations, plan.per_node) if plan.variations else None
        ),
        relief=relief_chart(plan.reliefs, plan.per_node) if plan.reliefs else None,
        day=None if plan.day is None else day_chart(plan.day),
        failures=tuple(
            _Failure(what=each.what, words=each.consequence, kept=each.is_kept)
            for each in plan.failures
        ),
        stages=tuple(
            (
                fit.stage,
                f"{1e3 * fit.base_s:.2f}",
                _costs(fit),
                f"{1e3 * fit.mean_s:.2f}",
                f"{1e3 * fit.mean_low_s:.2f} to {1e3 * fit.mean_high_s:.2f}",
                f"{fit.units.low:,.0f} to {fit.units.high:,.0f}",
                f"{fit.n:,}",
            )
            for fit in asked.calibration.stages
        ),
    )


def _costs(fit: StageFit) -> str:
    """Say what a stage costs beside its base."""
    parts = []
    if fit.per_unit_s > 0.0:
        parts.append(f"{1e6 * fit.per_unit_s:.3g} µs per {fit.unit}")
    if fit.once_s > 0.0:
        whom = "a frame looked at" if fit.unit == "byte" else "any face embedded"
        parts.append(f"{1e3 * fit.once_s:.2f} ms for {whom}")
    if fit.per_face_s > 0.0:
        parts.append(f"{1e3 * fit.per_face_s:.2f} ms per face embedded")
    if fit.rest > 0.0:
        parts.append(f"up to {100.0 * fit.rest:.0f} % more after a rest")
    return ", ".join(parts)


def _target(target: TargetConfig) -> str:
    return (
        f"p99 ≤ {target.glass_to_alert_p99_s:g} s, skipped ≤ "
        f"{100.0 * target.skipped_share:g} %"
    )


def _answers(plan: CapacityPlan) -> tuple[_Answer, ...]:
    site, hardware = plan.question.site, plan.question.hardware
    rows = [
        _Answer(
            what="Cameras a node carries",
            value=str(plan.per_node.median),
            words=f"{carried_text(plan)}, at the busiest hour",
        )
    ]
    if plan.nodes is not None:
        rows.append(
            _Answer(
                what="Nodes",
                value=f"{plan.nodes:,}",
                words=f"for {site.cameras:,} cameras, one spare among them (95 %: "
                f"{plan.nodes_low:,} to {plan.nodes_high:,})",
            )
        )
        rows.append(
            _Answer(
                what="Per camera",
                value=f"£{plan.price_per_camera_gbp:,.0f}",
                words=f"{plan.watts_per_camera:,.0f} W; prices are assumptions of the "
                f"profile '{hardware.title}'",
            )
        )
    if plan.reliefs:
        worst = plan.reliefs[0]
        rows.append(
            _Answer(
                what="Bottleneck",
                value=worst.stage,
                words=f"{100.0 * worst.share:.0f} % of a worker's time; without it a "
                f"node would carry {worst.cameras}",
            )
        )
    if plan.peak is not None:
        rows.append(
            _Answer(
                what="Busiest worker",
                value=f"{1e3 * plan.peak.p99_s:.0f} ms",
                words=f"p99 glass-to-alert, busy {100 * plan.peak.utilisation:.0f} %, "
                f"skipped {100 * plan.peak.skipped:.2f} %, {plan.peak.faces:.1f} faces "
                "in view",
            )
        )
    if plan.years is not None:
        rows.append(
            _Answer(
                what="Enough for",
                value=f"{plan.years:.1f} years",
                words=f"at {100 * site.growth_per_year:g} % more cameras a year, the "
                "spare kept",
            )
        )
    if plan.review is not None:
        rows.append(
            _Answer(
                what="Review",
                value=f"{plan.review.n_alerts:,} alerts",
                words=f"operators busy {100 * plan.review.utilisation:.0f} %, p95 wait "
                f"{plan.review.p95_wait_s:.0f} s",
            )
        )
    if plan.day is not None:
        rows.append(
            _Answer(
                what="Simulated whole",
                value=f"{plan.day.n_frames / 1e6:,.1f} million frames",
                words=f"{plan.day.n_passages.sum():,} passages, "
                f"{plan.day.n_searched.sum():,} of them searched",
            )
        )
    return tuple(rows)


def _load(load: LoadResult) -> _Load:
    replay = load.replay
    states = {True: "met", False: "missed", None: ""} if load.is_quiet else {}
    others = "" if load.others is None else f"others {load.others:.2f} cores"
    return _Load(
        name=f"{replay.n_cameras} cameras at {replay.fps:g} fps, N = "
        f"{replay.gallery_size:,}{workers_text(replay)}",
        note=f"{load.n_frames:,} frames, {others}, machine at "
        f"{100 * load.speed:.1f} % by its gauge, {100 * load.speed_in_load:.1f} % in "
        "the load" + ("" if load.is_quiet else ", disturbed"),
        cells=tuple(
            _Cell(
                foretold=figure_text(row, row.foretold),
                measured=figure_text(row, row.measured),
                error=error_text(row),
                state=states.get(row.is_met, ""),
            )
            for row in load.comparisons
        ),
        diagnosis=tuple(error_text(row) for row in load.diagnosis),
    )


def _cameras(validation: Validation) -> str:
    rungs = ", ".join(str(n) for n in validation.ladder)
    return (
        f"Cameras carried at p99 ≤ {validation.objective.p99_s:g} s and skipped ≤ "
        f"{100 * validation.objective.skipped:g} %: {validation.foretold_cameras} "
        f"foretold ({validation.foretold_low} to {validation.foretold_high}), "
        f"{validation.measured_cameras} measured on a ladder of {rungs}."
    )
