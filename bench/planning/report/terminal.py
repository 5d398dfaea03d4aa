"""Calibration, validation and plan in a terminal: tables.

Owns what fits a screen. Knows nothing of pages, and prints nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from bench.planning.report.words import (
    carried_text,
    error_text,
    figure_text,
    warnings,
    workers_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.planning.calibration import Driven
    from bench.planning.plan import CapacityPlan
    from bench.planning.validation_records import Validation
    from sim.calibration import Calibration

__all__ = ["calibration_table", "plan_table", "validation_table"]


def calibration_table(calibration: Calibration, driven: Sequence[Driven]) -> Table:
    """Return the fitted service times."""
    disturbed = sum(not each.is_quiet for each in driven)
    table = Table(
        title="Service times, one worker",
        caption=f"{len(driven)} loads, {disturbed} of them disturbed; speed "
        f"differs by {100.0 * calibration.drift:.1f} % between a load and its "
        "gauge.",
    )
    for heading in ("stage", "base", "per unit", "once", "per face", "rest",
                    "mean, 95 %", "valid", "n"):  # fmt: skip
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for fit in calibration.stages:
        table.add_row(
            fit.stage,
            f"{1e3 * fit.base_s:.3f} ms",
            f"{1e6 * fit.per_unit_s:.3g} us/{fit.unit}",
            f"{1e3 * fit.once_s:.2f} ms",
            f"{1e3 * fit.per_face_s:.2f} ms",
            f"{100.0 * fit.rest:.0f} %",
            f"{1e3 * fit.mean_s:.2f} ({1e3 * fit.mean_low_s:.2f} to "
            f"{1e3 * fit.mean_high_s:.2f}) ms",
            f"{fit.units.low:,.0f} to {fit.units.high:,.0f}",
            f"{fit.n:,}",
        )
    return table


def validation_table(validation: Validation) -> Table:
    """Return predicted beside measured, load by load."""
    at_own = validation.judged_at_own_speed
    table = Table(
        title="Held-out loads: foretold | measured | error",
        caption=f"Had the machine's speed in each load been known beforehand: "
        f"{sum(at_own)} of {len(at_own)} figures of all loads within their limits.",
    )
    for heading in ("load", "mean", "p50", "p95", "p99", "skipped", "busy"):
        table.add_column(heading, justify="left" if heading == "load" else "right")
    for load in validation.loads:
        replay = load.replay
        note = "" if load.is_quiet else " (disturbed)"
        size = f"N {replay.gallery_size:,}{workers_text(replay)}{note}"
        cells = [f"{replay.n_cameras} x {replay.fps:g} fps, {size}"]
        for row in load.comparisons:
            mark = " MISSED" if row.is_met is False and load.is_quiet else ""
            cells.append(
                f"{figure_text(row, row.foretold)} | "
                f"{figure_text(row, row.measured)} | {error_text(row)}{mark}"
            )
        table.add_row(*cells)
    return table


def plan_table(plan: CapacityPlan, *, title: str) -> Table:
    """Return the plan's main answers."""
    table = Table(title=f"{title} (synthetic)", show_header=False)
    table.add_column("what")
    table.add_column("answer")
    site, hardware = plan.question.site, plan.question.hardware
    table.add_row("cameras a node carries", carried_text(plan))
    nodes = (
        "no node carries a camera"
        if plan.nodes is None
        else (
            f"{plan.nodes} with one spare (95 %: {plan.nodes_low} to "
            f"{plan.nodes_high}), "
            f"for {site.cameras:,} cameras"
        )
    )
    table.add_row("nodes", nodes)
    if plan.peak is not None:
        table.add_row(
            "busiest worker",
            f"busy {100.0 * plan.peak.utilisation:.0f} %, p99 "
            f"{1e3 * plan.peak.p99_s:.0f} ms, skipped {100 * plan.peak.skipped:.2f} %",
        )
    for relief in plan.reliefs:
        table.add_row(
            f"without {relief.stage} ({100.0 * relief.share:.0f} % of the work)",
            f"{relief.cameras} cameras a node",
        )
    if plan.price_per_camera_gbp is not None:
        table.add_row(
            "per camera",
            f"£{plan.price_per_camera_gbp:,.0f} of {hardware.title or 'nodes'}, "
            f"{plan.watts_per_camera:,.0f} W",
        )
    if plan.years is not None:
        table.add_row("enough for", f"{plan.years:.1f} years at the stated growth")
    if plan.day is not None:
        table.add_row("simulated whole", f"{plan.day.n_frames:,} frames")
    if plan.review is not None:
        table.add_row(
            "review",
            f"{plan.review.n_alerts:,} alerts, operators busy "
            f"{100.0 * plan.review.utilisation:.0f} %, p95 wait "
            f"{plan.review.p95_wait_s:.0f} s",
        )
    for failure in plan.failures:
        mark = "kept" if failure.is_kept else "BROKEN"
        table.add_row(f"if {failure.what}", f"{mark}: {failure.consequence}")
    for warning in warnings(plan):
        table.add_row("note", warning)
    return table
