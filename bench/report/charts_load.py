"""Charts of load: where a frame's time goes, how busy stages are, what was left undone.

Owns how stages and frame counts are drawn. Knows nothing of faces or of the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bench.report.style import (
    HEIGHT_PX,
    PALETTE,
    WIDTH_PX,
    annotate_bars,
    figure,
    lay_bars_down,
    to_svg,
)
from bench.report.words import count, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from bench.report.series import StageTime

__all__ = ["frame_outcomes", "stages", "utilisation"]


def stages(times: Sequence[StageTime]) -> Markup:
    """Draw waiting and service of each stage as a waterfall, mean per frame.

    Each stage begins where the one before it ends: the right end is the latency.
    """
    names = [t.stage for t in times]
    waiting = np.array([t.waiting_s * 1e3 for t in times])
    service = np.array([t.service_s * 1e3 for t in times])
    ends = np.cumsum(waiting + service)
    begins = ends - waiting - service
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX + 10) as drawn:
        axes = drawn.subplots()
        if waiting.any():
            axes.barh(
                names,
                waiting,
                left=begins,
                color=PALETTE.waiting,
                hatch="//",
                edgecolor="white",
                linewidth=0,
                height=0.62,
                label="waiting",
            )
        axes.barh(
            names,
            service,
            left=begins + waiting,
            color=PALETTE.service,
            height=0.62,
            label="service",
        )
        took = (waiting + service).tolist()
        annotate_bars(
            axes,
            {
                name: (end, f"{ms:.1f}" if ms >= 0.05 else "< 0.1")
                for name, end, ms in zip(names, ends.tolist(), took, strict=True)
            },
        )
        lay_bars_down(axes)
        axes.set_xlim(0, float(ends[-1]) * 1.14)
        axes.set_xlabel("ms since capture, mean of the processed frames")
        axes.legend(loc="lower left", fontsize=10)
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
        annotate_bars(
            axes,
            {
                name: (value, f"{value:.1f} %")
                for name, value in zip(names, values.tolist(), strict=True)
            },
        )
        lay_bars_down(axes)
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
        lay_bars_down(axes)
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
