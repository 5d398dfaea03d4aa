"""The charts of a plan: proof, sensitivity, bottleneck, day.

Owns what is drawn. Knows nothing of the page around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from bench.policy.report.draw import Basis, marked_svg
from bench.report.style import PALETTE, figure
from sim.fleet import quantile_s
from sim.records import FrameEnd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from bench.planning.plan import Relief
    from bench.planning.validation_records import Validation
    from sim.capacity import Carried, Variation
    from sim.fleet import Day

__all__ = ["day_chart", "proof_chart", "relief_chart", "tornado_chart"]

_WIDTH_PX = 900.0
_MARKS = {"p50": "o", "p95": "s", "p99": "^"}


def proof_chart(validation: Validation) -> Markup:
    """Draw foretold against measured latencies, with the limits as bands."""
    with figure(width_px=_WIDTH_PX, height_px=420.0) as drawn:
        axes = drawn.add_subplot()
        points = [
            (row.figure, 1e3 * row.measured, 1e3 * row.foretold, row)
            for load in validation.loads
            for row in load.comparisons
            if row.figure in _MARKS and load.is_quiet
        ]
        ends = np.array(
            [min(p[1] for p in points) * 0.7, max(p[1] for p in points) * 1.4]
        )
        for share, colour in ((0.25, PALETTE.wash), (0.10, PALETTE.hairline)):
            axes.fill_between(
                ends, ends * (1 - share), ends * (1 + share), color=colour, linewidth=0
            )
        axes.plot(ends, ends, color=PALETTE.grey, linewidth=1.0)
        for name, mark in _MARKS.items():
            mine = [p for p in points if p[0] == name]
            axes.errorbar(
                [p[1] for p in mine],
                [p[2] for p in mine],
                yerr=np.array(
                    [
                        [p[2] - 1e3 * p[3].low for p in mine],
                        [1e3 * p[3].high - p[2] for p in mine],
                    ]
                ).clip(0.0),
                fmt=mark,
                color=PALETTE.sought,
                ecolor=PALETTE.grey,
                elinewidth=1.0,
                markersize=6,
                label=name,
            )
        axes.set(xscale="log", yscale="log", xlabel="measured, ms")
        axes.set_ylabel("foretold, ms")
        axes.set_xlim(*ends)
        axes.set_ylim(*ends)
        ticks = [t for t in (10, 20, 50, 100, 200, 500) if ends[0] <= t <= ends[1]]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(FixedLocator(ticks))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_locator(NullLocator())
        axes.legend(loc="upper left")
        return marked_svg(
            drawn,
            name="proof",
            title="Foretold against measured glass-to-alert",
            description="One point per load and percentile, with the model's 95 %; "
            "bands at 10 and 25 %.",
            basis=Basis.SYNTHETIC,
        )


def tornado_chart(variations: Sequence[Variation], per_node: Carried) -> Markup:
    """Draw what halving and doubling each setting does to the cameras of a node."""
    with figure(width_px=_WIDTH_PX, height_px=70.0 + 46.0 * len(variations)) as drawn:
        axes = drawn.add_subplot()
        for place, row in enumerate(reversed(variations)):
            for value, text, colour in (
                (row.low, row.low_text, PALETTE.sought),
                (row.high, row.high_text, PALETTE.others),
            ):
                axes.barh(
                    place,
                    value - per_node.median,
                    left=per_node.median,
                    height=0.55,
                    color=colour,
                )
                is_right = value >= per_node.median
                axes.annotate(
                    f"{text}: {value}",
                    (value, place),
                    xytext=(5 if is_right else -5, 0),
                    textcoords="offset points",
                    ha="left" if is_right else "right",
                    va="center",
                    fontsize=10,
                )
        axes.axvline(per_node.median, color=PALETTE.ink, linewidth=1.0)
        axes.set_yticks(
            range(len(variations)), [row.name for row in reversed(variations)]
        )
        axes.grid(visible=False)
        widest = max(
            (abs(v - per_node.median) for r in variations for v in (r.low, r.high)),
            default=1,
        )
        reach = 1.5 * max(widest, 1)
        axes.set_xlim(per_node.median - reach, per_node.median + reach)
        axes.set_xlabel("cameras a node carries")
        return marked_svg(
            drawn,
            name="tornado",
            title="What moves the number of cameras",
            description="Cameras a node carries when one setting is lowered or raised.",
            basis=Basis.SYNTHETIC,
        )


def relief_chart(reliefs: Sequence[Relief], per_node: Carried) -> Markup:
    """Draw what a node would carry without each of the costliest stages."""
    with figure(
        width_px=_WIDTH_PX, height_px=70.0 + 46.0 * (len(reliefs) + 1)
    ) as drawn:
        axes = drawn.add_subplot()
        names = ["as it is", *(f"without {each.stage}" for each in reliefs)]
        values = [per_node.median, *(each.cameras for each in reliefs)]
        colours = [PALETTE.grey, *([PALETTE.sought] * len(reliefs))]
        axes.barh(range(len(names)), values, height=0.55, color=colours)
        for place, value in enumerate(values):
            axes.annotate(
                str(value), (value, place), xytext=(5, 0), va="center",
                textcoords="offset points", fontsize=10,
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.grid(visible=False)
        axes.set_xlim(0, max(values) * 1.15)
        axes.set_xlabel("cameras a node carries")
        return marked_svg(
            drawn,
            name="relief",
            title="The bottleneck, and what removing it buys",
            description="Cameras a node carries if one stage cost nothing.",
            basis=Basis.SYNTHETIC,
        )


def day_chart(day: Day) -> Markup:
    """Draw utilisation, skipped share and p99 over the hours."""
    hours = day.begin_s / 3600.0 + 0.25
    frames = np.maximum(day.ends.sum(axis=1), 1)
    skipped = 100.0 * day.ends[:, FrameEnd.SKIPPED] / frames
    p99_ms = [1e3 * quantile_s(row, 0.99) for row in day.latency]
    series = (
        ("workers busy, %", 100.0 * day.utilisation, PALETTE.service),
        ("p99, ms", np.array(p99_ms), PALETTE.others),
        ("skipped, %", skipped, PALETTE.bad),
    )
    with figure(width_px=_WIDTH_PX, height_px=330.0) as drawn:
        for place, (name, values, colour) in enumerate(series, 1):
            axes = drawn.add_subplot(3, 1, place)
            axes.step(hours, values, where="mid", color=colour, linewidth=1.6)
            axes.set_ylabel(name, fontsize=9)
            axes.set_ylim(0, max(float(np.nanmax(values)) * 1.15, 0.01))
            axes.set_xlim(0, day.begin_s[-1] / 3600.0 + 0.5)
            if place < len(series):
                axes.tick_params(labelbottom=False)
        axes.set_xlabel("hour")
        return marked_svg(
            drawn,
            name="day",
            title="The whole site over its hours",
            description="Utilisation, 99th percentile and skipped frames.",
            basis=Basis.SYNTHETIC,
        )
