"""Charts of the record: what was foretold of each deployment, and what happened.

Owns how forecasts stand beside recorded counts. Knows nothing of programmes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.policy.report.draw import Basis, marked_svg
from bench.report.style import HEIGHT_PX, PALETTE, WIDTH_PX, figure

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from sim.policy.groups import Ratio
    from sim.policy.retrodiction import Retrodiction, Total

__all__ = ["forecast_chart", "share_chart", "total_chart"]

_WIDE_PX = 2 * WIDTH_PX + 40


def forecast_chart(
    retrodiction: Retrodiction,
    draws: NDArray[np.int64],
    observed: NDArray[np.int64],
    *,
    name: str,
    title: str,
) -> Markup:
    """Draw the predictive interval of each deployment, and the recorded count."""
    quantiles = np.quantile(draws, [0.05, 0.25, 0.75, 0.95], axis=0)
    at = np.arange(len(observed))
    inside = (observed >= quantiles[0]) & (observed <= quantiles[3])
    with figure(width_px=_WIDE_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        axes.vlines(
            at,
            quantiles[0],
            quantiles[3],
            color=PALETTE.sought,
            alpha=0.3,
            lw=5,
            label="foretold, 90 %",
        )
        axes.vlines(
            at,
            quantiles[1],
            quantiles[2],
            color=PALETTE.sought,
            alpha=0.65,
            lw=5,
            label="foretold, 50 %",
        )
        for rows, colour, text in (
            (inside, PALETTE.ink, "recorded"),
            (~inside, PALETTE.bad, "recorded, outside 90 %"),
        ):
            if rows.any():
                axes.plot(at[rows], observed[rows], "o", color=colour, ms=4, label=text)
        step = max(len(at) // 8, 1)
        dates = retrodiction.rows.date
        axes.set_xticks(at[::step], [str(day) for day in dates[::step]], fontsize=9)
        axes.set_ylabel(title.lower())
        axes.set_xlabel("deployments in order of date", loc="left")
        axes.set_ylim(0, None)
        drawn.legend(loc="outside upper left", ncols=4, fontsize=10)
        return marked_svg(
            drawn,
            name=name,
            title=title,
            description="One bar a deployment, one dot for what was recorded.",
            basis=Basis.BOTH,
        )


def total_chart(totals: tuple[tuple[str, Total], ...]) -> Markup:
    """Draw the total of each count: foretold, and recorded."""
    with figure(width_px=_WIDE_PX, height_px=190) as drawn:
        axes = drawn.subplots()
        for row, (_, total) in enumerate(totals):
            # Each row on its own scale: the median foretold is 1.
            scale = max(total.median, 1.0)
            ends = [total.low / scale, total.high / scale]
            axes.plot(ends, [row, row], color=PALETTE.sought, lw=6, alpha=0.4)
            colour = PALETTE.ink if total.is_inside else PALETTE.bad
            axes.plot(total.observed / scale, row, "o", color=colour, ms=6)
            axes.annotate(
                f"{total.observed} recorded, {total.low} to {total.high} foretold",
                (1.0, row - 0.34),
                xycoords=axes.get_yaxis_transform(),
                ha="right",
                fontsize=9,
                color=PALETTE.muted,
            )
        axes.axvline(1.0, color=PALETTE.grey, lw=1.0)
        axes.set_yticks(range(len(totals)), [name for name, _ in totals])
        axes.set_ylim(len(totals) - 0.5, -0.7)
        axes.grid(axis="x")
        axes.set_xlim(0, None)
        axes.set_xlabel("against the median foretold", loc="left")
        return marked_svg(
            drawn,
            name="totals",
            title="Totals",
            description="90 % interval of each total, and the recorded one.",
            basis=Basis.BOTH,
        )


def share_chart(ratio: Ratio) -> Markup:
    """Draw a group's share of recorded false alerts beside its share of the crowd."""
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        rows = (
            (ratio.share_low, ratio.share_high, ratio.share, PALETTE.ink),
            (ratio.crowd_low, ratio.crowd_high, None, PALETTE.grey),
        )
        for row, (low, high, middle, colour) in enumerate(rows):
            axes.plot(
                [100 * low, 100 * high], [row, row], color=colour, lw=6, alpha=0.45
            )
            if middle is not None:
                axes.plot(100 * middle, row, "o", color=colour, ms=7)
        axes.set_yticks(
            range(2),
            [
                f"of {ratio.of} false alerts,\n{ratio.count} were {ratio.group}",
                "of the crowd\n(assumed range)",
            ],
        )
        axes.set_ylim(1.6, -0.6)
        axes.set_xlim(0, 100)
        axes.grid(axis="x")
        axes.set_xlabel(f"share of {ratio.group} people, %", loc="left")
        return marked_svg(
            drawn,
            name="recorded-share",
            title=f"Share of {ratio.group} people among recorded false alerts",
            description="The recorded share with its exact 95 % interval.",
            basis=Basis.ASSUMED_CROWD,
        )
