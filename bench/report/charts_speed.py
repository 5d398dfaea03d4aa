"""Charts of time: latencies, where they come from, and what was left undone.

Owns how measured times are drawn. Knows nothing of faces or of the page.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bench.report.style import PALETTE, figure, label, to_svg
from bench.report.words import count, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

    from bench.report.series import Frames, StageTime

__all__ = [
    "frame_outcomes",
    "latency_histogram",
    "latency_series",
    "stages",
    "utilisation",
]

WIDTH_PX = 440.0
HEIGHT_PX = 270.0
# A series is drawn in at most this many steps: more would not show at its width.
_MAX_STEPS = 120
# Beyond this spread a linear axis would squeeze the bulk into a corner.
_LOG_SPREAD = 12.0


def latency_histogram(
    latency_s: NDArray[np.float64], percentiles_s: Mapping[str, float]
) -> Markup:
    """Draw the distribution of glass-to-alert latency with its percentiles.

    Args:
        latency_s: (n,) float64, seconds, n at least 1.
        percentiles_s: Quotable ones by label, e.g. `"p99"`.
    """
    latency_ms = latency_s * 1e3
    low, high = float(latency_ms.min()), float(latency_ms.max())
    is_log = low > 0 and high / float(np.median(latency_ms)) > _LOG_SPREAD
    edges = (
        np.geomspace(low, high * 1.001, 41)
        if is_log
        else np.linspace(0.0, high * 1.02 + 1e-9, 41)
    )
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        axes.hist(latency_ms, bins=list(edges), color=PALETTE.sought, alpha=0.82)
        if is_log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        for i, (name, value_s) in enumerate(percentiles_s.items()):
            x = value_s * 1e3
            axes.axvline(x, color=PALETTE.ink, linewidth=1.0, linestyle=(0, (3, 2)))
            label(
                axes,
                f"{name} {number(value_s, 's')}",
                x=x,
                colour=PALETTE.ink,
                level=0.95 - 0.09 * i,
            )
        axes.set_xlabel("glass-to-alert latency, ms" + (" (log scale)" * is_log))
        axes.set_ylabel("frames")
        axes.margins(x=0.02)
        # The label of the last percentile needs room on its right.
        if not is_log:
            axes.set_xlim(0, edges[-1] * 1.22)
        quoted = ", ".join(f"{k} {number(v, 's')}" for k, v in percentiles_s.items())
        return to_svg(
            drawn,
            name="latency-histogram",
            title="Histogram of glass-to-alert latency",
            description=f"{count(len(latency_ms))} frames; {quoted}.",
        )


def latency_series(
    frames: Frames, *, alerts: Sequence[tuple[float, float]], warm_up_s: float
) -> Markup:
    """Draw latency over the run: the median and the slowest frame of each step.

    Args:
        frames: At least one.
        alerts: Capture time and latency of each alert, seconds.
        warm_up_s: Start of the run that no figure counts.
    """
    end_s = float(frames.time_s.max())
    step_s = max(1.0, math.ceil(end_s / _MAX_STEPS))
    step = (frames.time_s // step_s).astype(np.int64)
    steps = np.unique(step)
    groups = [frames.latency_s[step == i] * 1e3 for i in steps]
    time_s = (steps + 0.5) * step_s
    slowest = np.array([g.max() for g in groups])
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        axes.fill_between(
            time_s, slowest, color=PALETTE.sought, alpha=0.13, linewidth=0
        )
        axes.plot(
            time_s,
            slowest,
            color=PALETTE.sought,
            alpha=0.55,
            linewidth=1.0,
            label="slowest frame",
        )
        axes.plot(
            time_s,
            [float(np.median(g)) for g in groups],
            color=PALETTE.sought,
            linewidth=1.8,
            label="median frame",
        )
        if alerts:
            at_s, latency_s = np.array(alerts).T
            axes.plot(
                at_s,
                latency_s * 1e3,
                "D",
                color=PALETTE.others,
                markersize=4,
                label="alert",
            )
        if 0 < warm_up_s < end_s:
            axes.axvspan(0, warm_up_s, color=PALETTE.wash, zorder=0)
            axes.annotate(
                "warm-up",
                (0, 1),
                xycoords=axes.get_xaxis_transform(),
                fontsize=8.5,
                color=PALETTE.muted,
                xytext=(2, -3),
                textcoords="offset points",
                va="top",
            )
        axes.set_xlabel("seconds into the run")
        axes.set_ylabel(f"latency, ms, per {step_s:g} s")
        axes.set_ylim(0, float(slowest.max()) * 1.3)
        axes.margins(x=0.01)
        axes.legend(ncols=3, loc="upper right", fontsize=10, columnspacing=1.2)
        return to_svg(
            drawn,
            name="latency-series",
            title="Glass-to-alert latency over the run",
            description=f"From 0 to {end_s:.0f} s; the slowest frame took "
            f"{number(float(slowest.max()) / 1e3, 's')}.",
        )


def stages(times: Sequence[StageTime]) -> Markup:
    """Draw waiting and service of each stage, mean per processed frame."""
    names = [t.stage for t in times]
    waiting = np.array([t.waiting_s * 1e3 for t in times])
    service = np.array([t.service_s * 1e3 for t in times])
    total = waiting + service
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX + 10) as drawn:
        axes = drawn.subplots()
        axes.barh(names, waiting, color=PALETTE.waiting, height=0.62, label="waiting")
        axes.barh(
            names,
            service,
            left=waiting,
            color=PALETTE.service,
            height=0.62,
            label="service",
        )
        for name, end in zip(names, total, strict=True):
            axes.annotate(
                f"{end:.1f}" if end >= 0.05 else "< 0.1",
                (end, name),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=10,
            )
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xlim(0, float(total.max()) * 1.14)
        axes.set_xlabel("ms per processed frame, mean")
        axes.legend(loc="lower right", fontsize=10)
        return to_svg(
            drawn,
            name="stages",
            title="Waiting and service by stage",
            description="; ".join(
                f"{t.stage}: waits {number(t.waiting_s, 's')}, "
                f"serves {number(t.service_s, 's')}"
                for t in times
            ),
        )


def utilisation(shares: Mapping[str, float]) -> Markup:
    """Draw how busy each stage was, as a share of the run."""
    names = list(shares)
    values = np.array([shares[name] * 100 for name in names])
    with figure(width_px=WIDTH_PX, height_px=70 + 25 * len(names)) as drawn:
        axes = drawn.subplots()
        axes.barh(names, values, color=PALETTE.service, height=0.6)
        for name, value in zip(names, values, strict=True):
            axes.annotate(
                f"{value:.1f} %",
                (value, name),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=10,
            )
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xlim(0, max(100.0, float(values.max()) * 1.1))
        axes.set_xlabel("busy, % of the run")
        return to_svg(
            drawn,
            name="utilisation",
            title="Utilisation by stage",
            description="; ".join(f"{k}: {number(v, '1')}" for k, v in shares.items()),
        )


def frame_outcomes(by_camera: Mapping[str, Mapping[str, int]]) -> Markup:
    """Draw what became of the frames of each camera."""
    looks = {
        "processed": (PALETTE.service, ""),
        "skipped": (PALETTE.waiting, "//"),
        "failed": (PALETTE.bad, "xx"),
        "unanswered": (PALETTE.grey, ".."),
    }
    cameras = list(by_camera)
    left = np.zeros(len(cameras))
    with figure(width_px=WIDTH_PX, height_px=84 + 27 * len(cameras)) as drawn:
        axes = drawn.subplots()
        for outcome, (colour, hatch) in looks.items():
            n = np.array([by_camera[camera][outcome] for camera in cameras])
            # Shapes tell them apart as well as colours; absent outcomes stay listed.
            axes.barh(
                cameras,
                n,
                left=left,
                color=colour,
                hatch=hatch,
                edgecolor="white",
                linewidth=0,
                height=0.6,
                label=f"{outcome} {count(n.sum())}",
            )
            left = left + n
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_xlabel("frames offered")
        drawn.legend(
            loc="outside upper left",
            ncols=4,
            fontsize=9.5,
            columnspacing=1.0,
            handletextpad=0.5,
        )
        return to_svg(
            drawn,
            name="frame-outcomes",
            title="Frames by outcome",
            description="; ".join(
                f"{camera}: " + ", ".join(f"{v} {k}" for k, v in row.items())
                for camera, row in by_camera.items()
            ),
        )
