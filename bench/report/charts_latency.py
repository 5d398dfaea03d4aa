"""Charts of latency: how it spreads, how it runs, how soon people are alerted on.

Owns how measured latencies are drawn. Knows nothing of stages or of the page.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.report.style import (
    HEIGHT_PX,
    PALETTE,
    WIDTH_PX,
    figure,
    label,
    mark_happenings,
    to_svg,
)
from bench.report.words import count, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

    from bench.report.series import Frames, Happening

__all__ = ["alert_delays", "latency_histogram", "latency_series"]

_ALERT_MARK: dict[str, Any] = {"color": PALETTE.others, "markersize": 4}
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
        axes.set_xlabel(f"glass-to-alert latency, ms{' (log scale)' if is_log else ''}")
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
    frames: Frames,
    *,
    alerts: Sequence[tuple[float, float]],
    warm_up_s: float,
    happenings: Sequence[Happening] = (),
) -> Markup:
    """Draw latency over the run: the median and the slowest frame of each step.

    Args:
        frames: At least one.
        alerts: Capture time and latency of each alert, seconds.
        warm_up_s: Start of the run that no figure counts.
        happenings: Changes of the watchlist, cameras that come and go.
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
        at_s, alert_s = np.array(alerts).reshape(-1, 2).T
        if alerts:
            axes.plot(at_s, alert_s * 1e3, "D", label="alert", **_ALERT_MARK)
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
        mark_happenings(axes, happenings)
        axes.set_xlabel("seconds into the run")
        axes.set_ylabel(f"latency, ms, per {step_s:g} s")
        highest_ms = float(np.concatenate((slowest, alert_s * 1e3)).max())
        axes.set_ylim(0, highest_ms * 1.08)
        axes.margins(x=0.01)
        drawn.legend(ncols=3, loc="outside upper left", fontsize=10)
        return to_svg(
            drawn,
            name="latency-series",
            title="Glass-to-alert latency over the run",
            description=f"From 0 to {end_s:.0f} s; the slowest frame took "
            f"{number(float(slowest.max()) / 1e3, 's')}."
            + "".join(f" At {h.time_s:.0f} s: {h.words}." for h in happenings),
        )


def alert_delays(delays_s: NDArray[np.float64], *, n_mated: int) -> Markup:
    """Draw how soon after entering the zone sought people were alerted on.

    Args:
        delays_s: (k,) float64, of the passages with a true alert, k at least 1.
        n_mated: All passages of sought people: the curve ends at k of them.
    """
    ordered = np.sort(delays_s)
    end_s = float(ordered[-1]) * 1.1
    share = np.arange(1, len(ordered) + 1) / n_mated * 100
    median_s = float(np.median(ordered))
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        axes.step(
            np.concatenate(([0.0], ordered, [end_s])),
            np.concatenate(([0.0], share, share[-1:])),
            where="post",
            color=PALETTE.sought,
            linewidth=1.8,
        )
        axes.axhline(float(share[-1]), color=PALETTE.grey, linewidth=1, zorder=1)
        axes.annotate(
            f"{count(len(ordered))} of {count(n_mated)} in the end",
            (0, float(share[-1])),
            xytext=(2, -11),
            textcoords="offset points",
            fontsize=10,
            color=PALETTE.muted,
        )
        axes.set_xlim(0, end_s)
        axes.set_ylim(0, 104)
        axes.set_xlabel("seconds since the person entered the zone")
        axes.set_ylabel("sought people alerted on, %")
        return to_svg(
            drawn,
            name="alert-delays",
            title="Time from entering the zone to the alert",
            description=f"{count(len(ordered))} of {count(n_mated)} passages, half of "
            f"those within {number(median_s, 's')}.",
        )
