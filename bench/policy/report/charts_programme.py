"""Charts of a programme: funnel, months, A against B, assumptions, grid, groups.

Owns how computed results are drawn. Knows nothing of the record's forecasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.policy.report.draw import Basis, marked_svg
from bench.policy.report.figures import label_of, number_text
from bench.report.style import HEIGHT_PX, PALETTE, WIDTH_PX, figure
from sim.policy.columns import Outcome

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

    from bench.policy.records import InfluenceResult, PolicyResult
    from sim.policy.comparison import Difference
    from sim.policy.groups import GroupBurden
    from sim.policy.measures import Estimate
    from sim.policy.sweep import Cell

__all__ = ["burden_chart", "change_chart", "fan", "funnel", "grid_chart", "tornado"]

_WIDE_PX = 2 * WIDTH_PX + 40
# From the crowd to the court; what goes wrong stands below, in its own colour.
_FUNNEL = (
    ("faces", True),
    ("mated", True),
    ("true_alerts", True),
    ("arrests", True),
    ("charged", True),
    ("no_action", False),
    ("false_alerts", False),
    ("false_engaged", False),
)
_CHANGED = (
    "arrests",
    "charged",
    "no_action",
    "false_alerts",
    "false_engaged",
    "faces",
    "officer_hours",
    "cost_gbp",
    "faces_per_arrest",
    "officer_hours_per_arrest",
)


def funnel(result: PolicyResult) -> Markup:
    """Draw how many people reach each stage, on a logarithmic scale."""
    known = {each.measure: each for each in result.estimates}
    rows = [(known[name], good) for name, good in _FUNNEL if name in known]
    with figure(width_px=_WIDE_PX, height_px=300) as drawn:
        axes = drawn.subplots()
        for row, (value, good) in enumerate(rows):
            colour = PALETTE.sought if good else PALETTE.others
            low, middle = max(value.low, 0.5), max(value.median, 0.5)
            axes.barh(row, middle, left=0.4, color=colour, alpha=0.25, height=0.62)
            axes.plot([low, max(value.high, 0.5)], [row, row], color=colour, lw=3)
            axes.plot(middle, row, "o", color=colour, ms=6)
            axes.annotate(
                f"{number_text(value.median)}  ({number_text(value.low)} to "
                f"{number_text(value.high)})",
                (1.01, row),
                xycoords=axes.get_yaxis_transform(),
                va="center",
                fontsize=10,
            )
        axes.set_xscale("log")
        axes.set_xlim(0.4, None)
        axes.set_yticks(
            range(len(rows)), [label_of(value.measure) for value, _ in rows]
        )
        axes.invert_yaxis()
        axes.grid(axis="x")
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("number over the whole programme (logarithmic)")
        return marked_svg(
            drawn,
            name="funnel",
            title="From faces to charges",
            description="Medians and 90 % intervals of each stage.",
            basis=Basis.SYNTHETIC,
        )


def fan(result: PolicyResult, outcome: Outcome, *, name: str, title: str) -> Markup:
    """Draw one outcome a month: what was recorded, then what the model expects."""
    programme = result.programme
    days = np.arange(programme.weekly.shape[1]) * np.timedelta64(7, "D")
    month_of_week = (programme.first_date + days).astype("datetime64[M]")
    months = np.unique(month_of_week)
    by_month = np.stack(
        [
            programme.weekly[:, month_of_week == month, outcome].sum(axis=1)
            for month in months
        ]
    )
    quantiles = np.quantile(by_month, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1)
    at = months.astype(np.int64)
    seen = (
        result.recorded_arrests if outcome is Outcome.ARRESTS else result.recorded_false
    )
    recorded = result.recorded_months.astype(np.int64)
    shown = recorded >= at[0] - 12
    known_until = np.datetime64(result.job.programme.known_until, "M").astype(np.int64)
    with figure(width_px=_WIDE_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        for low, high, alpha in ((0, 4, 0.18), (1, 3, 0.32)):
            axes.fill_between(
                at,
                quantiles[low],
                quantiles[high],
                color=PALETTE.sought,
                alpha=alpha,
                lw=0,
                label=f"model, {'90' if low == 0 else '50'} % of replications",
            )
        axes.plot(at, quantiles[2], color=PALETTE.sought, lw=1.8, label="model, median")
        for is_past, fill, text in (
            (True, PALETTE.ink, "recorded, learnt from"),
            (False, "white", "recorded later, not looked at"),
        ):
            rows = shown & ((recorded < known_until) == is_past)
            if rows.any():
                axes.plot(
                    recorded[rows],
                    seen[rows],
                    "o",
                    color=PALETTE.ink,
                    mfc=fill,
                    ms=5,
                    label=text,
                )
        first = int(min(recorded[shown].min(), at[0])) if shown.any() else int(at[0])
        ticks = np.arange(first, int(at[-1]) + 1, 3)
        axes.set_xticks(ticks, [str(np.datetime64(int(t), "M")) for t in ticks])
        axes.set_ylim(0, None)
        axes.set_ylabel("a month")
        axes.set_xlabel("month", loc="left")
        drawn.legend(loc="outside upper left", ncols=3, fontsize=10)
        return marked_svg(
            drawn,
            name=name,
            title=title,
            description="Monthly totals with 50 % and 90 % bands.",
            basis=Basis.BOTH,
        )


def change_chart(differences: tuple[Difference, ...], *, against: str) -> Markup:
    """Draw paired changes as percentages of the policy compared with."""
    known = {each.measure: each for each in differences}
    rows = [
        known[name] for name in _CHANGED if name in known and known[name].base.mean > 0
    ]
    with figure(width_px=_WIDE_PX, height_px=60 + 26 * len(rows)) as drawn:
        axes = drawn.subplots()
        for row, each in enumerate(rows):
            scale = 100.0 / each.base.mean
            low, high = each.change.low * scale, each.change.high * scale
            axes.plot([low, high], [row, row], color=PALETTE.sought, lw=3, alpha=0.5)
            axes.plot(each.change.mean * scale, row, "o", color=PALETTE.sought, ms=6)
        axes.axvline(0.0, color=PALETTE.ink, lw=1.2)
        axes.set_yticks(range(len(rows)), [label_of(each.measure) for each in rows])
        axes.invert_yaxis()
        axes.grid(axis="x")
        axes.set_xlabel(f"change against {against}, % of its mean")
        return marked_svg(
            drawn,
            name="changes",
            title="This policy against another",
            description="Mean paired changes with 90 % intervals.",
            basis=Basis.SYNTHETIC,
        )


def tornado(result: InfluenceResult) -> Markup:
    """Draw how far the result moves when one assumption does."""
    rows = result.influences[:6]
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        for row, each in enumerate(rows):
            axes.barh(
                row,
                each.high - each.low,
                left=each.low,
                color=PALETTE.sought,
                alpha=0.55,
                height=0.6,
            )
            axes.annotate(
                f"{100 * each.first_order:.0f} %",
                (1.01, row),
                xycoords=axes.get_yaxis_transform(),
                va="center",
                fontsize=10,
                color=PALETTE.muted,
            )
        labels = [_broken(each.name) for each in rows]
        axes.set_yticks(range(len(rows)), labels, fontsize=9)
        axes.invert_yaxis()
        axes.grid(axis="x")
        axes.set_xlabel(
            f"mean {label_of(result.measure).lower()}", fontsize=10, loc="left"
        )
        return marked_svg(
            drawn,
            name=f"tornado-{result.measure.replace('_', '-')}",
            title=f"What moves {label_of(result.measure).lower()}",
            description="Mean result in the lowest and highest tenth of each input.",
            basis=Basis.SYNTHETIC,
        )


def _broken(text: str) -> str:
    """Break a long name into two lines near its middle."""
    if len(text) < 26:
        return text
    spaces = [place for place, sign in enumerate(text) if sign == " "]
    middle = min(spaces, key=lambda place: abs(place - len(text) / 2))
    return text[:middle] + "\n" + text[middle + 1 :]


def burden_chart(groups: tuple[GroupBurden, ...]) -> Markup:
    """Draw wrongful stops per million faces of each group."""
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        for row, each in enumerate(groups):
            _range(axes, row, each.stopped_per_million)
        axes.set_yticks(range(len(groups)), [each.group for each in groups])
        axes.invert_yaxis()
        axes.grid(axis="x")
        axes.set_xlim(0, None)
        axes.set_xlabel("stopped per million faces of the group", loc="left")
        return marked_svg(
            drawn,
            name="burden",
            title="Stops on false alerts by group",
            description="Means and 90 % intervals by group.",
            basis=Basis.SYNTHETIC,
        )


def _range(axes: Axes, row: int, value: Estimate) -> None:
    axes.plot(
        [value.low, value.high], [row, row], color=PALETTE.others, lw=3, alpha=0.5
    )
    axes.plot(value.mean, row, "o", color=PALETTE.others, ms=6)


def grid_chart(cells: tuple[Cell, ...]) -> Markup:
    """Draw arrests against wrongful stops for every policy of the grid."""
    thresholds = sorted({cell.threshold for cell in cells})
    colours = (PALETTE.bad, PALETTE.waiting, PALETTE.sought, PALETTE.good, PALETTE.ink)
    marks = ("o", "s", "^", "D", "v")
    sizes = sorted({cell.watchlist_size for cell in cells})
    with figure(width_px=_WIDE_PX, height_px=320) as drawn:
        axes = drawn.subplots()
        for cell in cells:
            stopped = _mean(cell, "false_engaged")
            arrests = _mean(cell, "arrests")
            axes.plot(
                max(stopped, 0.05),
                arrests,
                marks[sizes.index(cell.watchlist_size) % len(marks)],
                color=colours[thresholds.index(cell.threshold) % len(colours)],
                ms=8,
                alpha=0.85,
            )
            axes.annotate(
                f"{cell.deployments_per_week}/week",
                (max(stopped, 0.05), arrests),
                xytext=(6, 4),
                textcoords="offset points",
                fontsize=8,
                color=PALETTE.muted,
            )
        for place, threshold in enumerate(thresholds):
            axes.plot(
                [], [], "o", color=colours[place % 5], label=f"threshold {threshold:g}"
            )
        for place, size in enumerate(sizes):
            mark = marks[place % len(marks)]
            text = f"watchlist {number_text(size)}"
            axes.plot([], [], mark, color=PALETTE.grey, label=text)
        axes.set_xscale("log")
        axes.set_ylim(0, None)
        axes.set_xlabel("people stopped on a false alert (mean, logarithmic)")
        axes.set_ylabel("arrests (mean)")
        drawn.legend(loc="outside upper left", ncols=3, fontsize=10)
        return marked_svg(
            drawn,
            name="grid",
            title="Arrests against wrongful stops",
            description="One mark for each policy of the grid.",
            basis=Basis.SYNTHETIC,
        )


def _mean(cell: Cell, measure: str) -> float:
    return next(each.mean for each in cell.estimates if each.measure == measure)
