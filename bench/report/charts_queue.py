"""Charts of what waited and what was lost: the queue over time, frames by cause.

Owns how they are drawn. Knows nothing of stages or of the page.
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
    mark_happenings,
    to_svg,
)
from bench.report.words import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from bench.report.series import Happening, Queue

__all__ = ["losses", "queue_over_time"]

# More steps than this would not show at the chart's width.
_MAX_STEPS = 160


def queue_over_time(queue: Queue, happenings: Sequence[Happening] = ()) -> Markup:
    """Draw how many frames were with the matcher, waiting or in work.

    Args:
        queue: With at least one change.
        happenings: Changes of the watchlist, cameras that come and go.
    """
    end_s = float(queue.time_s[-1])
    edges = np.linspace(0.0, end_s, min(_MAX_STEPS, max(2, int(end_s * 5))) + 1)
    # The queue between two changes is what the earlier one left.
    first = np.searchsorted(queue.time_s, edges[:-1], side="right")
    last = np.searchsorted(queue.time_s, edges[1:], side="right")
    before = np.concatenate(([0], queue.n_frames))
    most = np.array([before[a : b + 1].max() for a, b in zip(first, last, strict=True)])
    # Frame-seconds up to each change, and so between any two edges.
    held = np.concatenate(
        ([0.0], np.cumsum(before[:-1] * np.diff(queue.time_s, prepend=0.0)))
    )
    at = np.concatenate(([0.0], queue.time_s))
    mean = np.diff(np.interp(edges, at, held)) / np.diff(edges)
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        axes.stairs(
            most, edges, fill=True, color=PALETTE.waiting, alpha=0.45, label="most"
        )
        axes.stairs(mean, edges, color=PALETTE.sought, linewidth=1.8, label="mean")
        drawn.legend(loc="outside upper left", ncols=2, fontsize=10)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_ylim(0, max(1.0, float(most.max())) * 1.08)
        axes.set_xlim(0, end_s)
        mark_happenings(axes, happenings)
        axes.set_xlabel("seconds into the run")
        axes.set_ylabel("frames with the matcher")
        return to_svg(
            drawn,
            name="queue",
            title="Frames with the matcher over the run",
            description=f"At most {count(float(most.max()))} frames were waiting or in "
            f"work at a time, {mean.mean():.2f} on average, within {end_s:.0f} s.",
        )


def losses(by_cause: Mapping[str, int], *, n_offered: int) -> Markup:
    """Draw why frames were not processed, or not in time.

    Args:
        by_cause: Frames by cause, at least one cause.
        n_offered: All frames offered.
    """
    names = list(by_cause)
    shares = np.array([by_cause[name] / n_offered * 100 for name in names])
    with figure(width_px=WIDTH_PX, height_px=96 + 30 * len(names)) as drawn:
        axes = drawn.subplots()
        axes.barh(
            names,
            shares,
            color=PALETTE.waiting,
            hatch="//",
            edgecolor="white",
            linewidth=0,
            height=0.6,
        )
        annotate_bars(
            axes,
            {
                name: (share, f"{count(by_cause[name])} frames, {share:.1f} %")
                for name, share in zip(names, shares.tolist(), strict=True)
            },
        )
        lay_bars_down(axes)
        axes.set_xlim(0, float(shares.max()) * 1.6)
        axes.set_xlabel("% of frames offered")
        return to_svg(
            drawn,
            name="losses",
            title="Frames not processed, or late, by cause",
            description="; ".join(f"{name}: {by_cause[name]}" for name in names),
        )
