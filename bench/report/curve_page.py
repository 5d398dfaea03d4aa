"""The page of a curve: its charts with captions, and every point in a table.

Owns the order and the words. Part of the shell: it writes one file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from bench.report.charts_curve import (
    error_curve,
    induced_curve,
    latency_curve,
    skip_curve,
)
from bench.report.view import Chart
from bench.report.words import figure_text
from bench.search.curve import OverWhat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.search.curve import CurvePoint, Growth

__all__ = ["growth_sentence", "write_curve_page"]

_AXES = {
    OverWhat.CAMERAS: "cameras, log scale",
    OverWhat.WATCHLIST: "subjects on the watchlist, log scale",
}
_COLUMNS = (
    ("fnir", "Missed (FNIR)"),
    ("fpir", "Falsely alerted (FPIR)"),
    ("frames.skipped_share", "Frames skipped"),
    ("glass_to_alert_s.p50", "Median latency"),
    ("glass_to_alert_s.p95", "p95"),
    ("glass_to_alert_s.p99", "p99"),
)


def write_curve_page(
    path: Path,
    points: Sequence[CurvePoint],
    growth: Growth | None,
    *,
    over: OverWhat,
    title: str,
) -> None:
    """Write one self-contained HTML page.

    Args:
        path: Where to.
        points: In order of load.
        growth: How FPIR grows, over watchlists.
        over: What the curve is over.
        title: Of the scenario.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bench.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css, _, _ = environment.loader.get_source(environment, "report.css")  # type: ignore[union-attr]  # set above
    html = environment.get_template("curve.html").render(
        css=Markup(css),  # noqa: S704 - our own style sheet
        title=title,
        over=over.value,
        sentence=growth_sentence(growth) if over is OverWhat.WATCHLIST else "",
        charts=_charts(points, growth, over=over),
        columns=[name for _, name in _COLUMNS],
        rows=[
            (
                f"{point.x:,}",
                point.status,
                [_cell(name, point) for name, _ in _COLUMNS],
            )
            for point in points
        ],
    )
    path.write_text(html, encoding="utf-8")


def growth_sentence(growth: Growth | None) -> str:
    """Say whether false alerts grow in proportion to the watchlist."""
    if growth is None:
        return (
            "Too few false alerts to say how they grow with the watchlist: raise "
            "crowd.footfall_per_min or matcher.decision.target_fpir."
        )
    fitted = (
        f"FPIR grows as N to the power of {growth.exponent:.2f} (95 %: "
        f"{growth.low:.2f} to {growth.high:.2f}, {growth.n_errors} false alerts at the "
        "longest list)"
    )
    if growth.is_proportional:
        return f"{fitted}: proportion to N is not refuted."
    return f"{fitted}: not in proportion to N."


def _charts(
    points: Sequence[CurvePoint], growth: Growth | None, *, over: OverWhat
) -> tuple[Chart, ...]:
    axis = _AXES[over]
    return (
        Chart(
            svg=error_curve(
                points, rate="fnir", axis=axis, title="sought people missed, FNIR, %"
            ),
            caption="Sought people missed, in real time and with all the time in the "
            "world. Other cameras see other people: compare the lines, not the loads.",
        ),
        Chart(
            svg=induced_curve(points, axis=axis),
            caption="What load alone costs: the difference of the two, passage by "
            "passage of the same people. Upright lines are 95 % intervals over people.",
        ),
        Chart(
            svg=error_curve(
                points,
                rate="fpir",
                axis=axis,
                title="other people alerted on, FPIR, %",
                growth=growth,
            ),
            caption="Other people alerted on. Upright lines are 95 % intervals.",
        ),
        Chart(
            svg=latency_curve(points, axis=axis),
            caption="From planned capture to decision. A percentile is missing where "
            "too few frames stand behind it.",
        ),
        Chart(
            svg=skip_curve(points, axis=axis),
            caption="Frames that the matcher had no time for, and how much of the time "
            "it was at work.",
        ),
    )


def _cell(name: str, point: CurvePoint) -> str:
    text = figure_text(name, point.figures[name])
    if text.is_missing or not text.interval:
        return text.value
    return f"{text.value} ({text.interval})"
