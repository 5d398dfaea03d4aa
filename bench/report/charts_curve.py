"""Charts of a curve: errors with their unhurried floor, latency and skips, over load.

Owns how the points of a curve are drawn. Knows nothing of runs or of the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import NullLocator

from bench.report.style import HEIGHT_PX, PALETTE, WIDTH_PX, figure, to_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from matplotlib.axes import Axes

    from bench.records import Metric
    from bench.search.curve import CurvePoint, Growth

__all__ = ["error_curve", "induced_curve", "latency_curve", "skip_curve"]

_LOOKS = {
    "p50": (PALETTE.service, "-"),
    "p95": (PALETTE.waiting, "--"),
    "p99": (PALETTE.bad, ":"),
}


def error_curve(
    points: Sequence[CurvePoint],
    *,
    rate: str,
    axis: str,
    title: str,
    growth: Growth | None = None,
) -> Markup:
    """Draw one error rate under load, above the rate of the same frames unhurried.

    Args:
        points: In order of load.
        rate: `"fnir"` or `"fpir"`.
        axis: What the horizontal axis counts.
        title: What the vertical axis shows.
        growth: If fitted, a line in proportion is drawn beside the points.
    """
    x = [point.x for point in points]
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        floor = [point.floor[rate] for point in points]
        _line(axes, x, floor, colour=PALETTE.grey, look="--", label="unhurried")
        loaded = [point.figures[rate] for point in points]
        _line(axes, x, loaded, colour=PALETTE.sought, look="-", label="in real time")
        last = floor[-1].value
        if growth is not None and last is not None:
            share = np.array(x) / x[-1]
            axes.plot(
                x,
                last * share * 100,
                color=PALETTE.others,
                linestyle=":",
                label="in proportion",
            )
        _scale(axes, x)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel(axis)
        axes.set_ylabel(title)
        drawn.legend(loc="outside upper left", ncols=3, fontsize=10)
        return to_svg(
            drawn,
            name=f"curve-{rate}",
            title=title,
            description="; ".join(
                f"{point.x}: {_told(point.figures[rate])}, "
                f"unhurried {_told(point.floor[rate])}"
                for point in points
            ),
        )


def induced_curve(points: Sequence[CurvePoint], *, axis: str) -> Markup:
    """Draw what load alone adds to the misses: in real time less unhurried."""
    x = [point.x for point in points]
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        axes.axhline(0.0, color=PALETTE.grey, linewidth=1)
        added = [point.induced["fnir"] for point in points]
        _line(axes, x, added, colour=PALETTE.others, look="-", label="added by load")
        _scale(axes, x)
        axes.set_xlabel(axis)
        axes.set_ylabel("misses added by load, points of FNIR")
        return to_svg(
            drawn,
            name="curve-induced",
            title="Misses added by load",
            description="; ".join(
                f"{point.x}: {_told(point.induced['fnir'])}" for point in points
            ),
        )


def latency_curve(points: Sequence[CurvePoint], *, axis: str) -> Markup:
    """Draw the percentiles of glass-to-alert latency over load."""
    x = [point.x for point in points]
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        for level, (colour, look) in _LOOKS.items():
            told = [point.figures[f"glass_to_alert_s.{level}"] for point in points]
            _line(axes, x, told, colour=colour, look=look, label=level, scale=1e3)
        _scale(axes, x)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel(axis)
        axes.set_ylabel("glass-to-alert latency, ms")
        drawn.legend(loc="outside upper left", ncols=3, fontsize=10)
        return to_svg(
            drawn,
            name="curve-latency",
            title="Glass-to-alert latency over load",
            description="; ".join(
                f"{point.x}: p95 {_told(point.figures['glass_to_alert_s.p95'])}"
                for point in points
            ),
        )


def skip_curve(points: Sequence[CurvePoint], *, axis: str) -> Markup:
    """Draw the share of frames skipped and how busy the matcher was."""
    x = [point.x for point in points]
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        busy = [point.figures["utilisation"] for point in points]
        _line(axes, x, busy, colour=PALETTE.grey, look="--", label="matcher busy")
        skipped = [point.figures["frames.skipped_share"] for point in points]
        _line(axes, x, skipped, colour=PALETTE.others, look="-", label="frames skipped")
        _scale(axes, x)
        axes.set_ylim(0.0, 105.0)
        axes.set_xlabel(axis)
        axes.set_ylabel("% of frames, % of the time")
        drawn.legend(loc="outside upper left", ncols=2, fontsize=10)
        return to_svg(
            drawn,
            name="curve-skips",
            title="Frames skipped over load",
            description="; ".join(
                f"{point.x}: {_told(point.figures['frames.skipped_share'])} skipped"
                for point in points
            ),
        )


def _line(
    axes: Axes,
    x: Sequence[int],
    metrics: Sequence[Metric],
    *,
    colour: str,
    look: str,
    label: str,
    scale: float = 100.0,
) -> None:
    """Draw a series with its intervals; where there is no value there is a gap."""
    value, low, high = (
        np.array([_number(getattr(m, part)) for m in metrics]) * scale
        for part in ("value", "low", "high")
    )
    axes.plot(x, value, look, color=colour, marker="o", markersize=5, label=label)
    axes.vlines(x, low, high, color=colour, linewidth=1.4, alpha=0.6)


def _scale(axes: Axes, x: Sequence[int]) -> None:
    """Space the loads by their ratio, and name each."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(list(x), [f"{value:,}" for value in x])


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _told(metric: Metric) -> str:
    return "not quotable" if metric.value is None else f"{metric.value:.3g}"
