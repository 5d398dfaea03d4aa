"""A figure over time as a picture: values, intervals, levels and their steps.

Owns how a series is drawn. Knows nothing of databases.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bench.report.style import PALETTE, figure, to_svg
from bench.report.words import metric_title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from bench.intervals.change_points import ChangePoint
    from bench.regression.history import HistoryPoint

__all__ = ["history_chart"]


def history_chart(
    points: Sequence[HistoryPoint], changes: Sequence[ChangePoint], *, metric: str
) -> Markup:
    """Draw a figure's history as SVG.

    Args:
        points: At least one, in order of time.
        changes: Steps of the level.
        metric: Name of the figure.
    """
    values = np.array([p.value for p in points])
    low = np.array([p.value if p.low is None else p.low for p in points])
    high = np.array([p.value if p.high is None else p.high for p in points])
    order = np.arange(len(points))
    edges = [0, *(c.position for c in changes), len(points)]
    with figure(width_px=900, height_px=320) as drawn:
        axes = drawn.subplots()
        axes.vlines(order, low, high, color=PALETTE.grey, linewidth=1.2)
        axes.plot(order, values, "o", color=PALETTE.sought, markersize=5, label="run")
        for first, end in pairwise(edges):
            level = float(np.median(values[first:end]))
            axes.plot([first - 0.4, end - 0.6], [level, level], color=PALETTE.ink)
        for change in changes:
            axes.axvline(change.position - 0.5, color=PALETTE.others, linestyle="--")
            axes.annotate(
                f"{change.before:.4g} to {change.after:.4g} (p = {change.p_value:.3f})",
                (change.position - 0.5, 0.97),
                xycoords=axes.get_xaxis_transform(),
                xytext=(5, 0),
                textcoords="offset points",
                color=PALETTE.others,
                fontsize=10,
                va="top",
            )
        axes.set_ylim(bottom=min(0.0, float(low.min())))
        shown = order[:: max(1, len(points) // 10)]
        axes.set_xticks(shown, [points[k].began[5:16].replace("T", " ") for k in shown])
        axes.tick_params(axis="x", labelrotation=30, labelsize=9)
        axes.set_ylabel(metric_title(metric))
        return to_svg(
            drawn,
            name="history",
            title=f"{metric_title(metric)} over {len(points)} runs",
            description="; ".join(
                f"step at run {c.position + 1} from {c.before:.4g} to {c.after:.4g}"
                for c in changes
            ),
        )
