"""Charts of errors: scores, the trade between the two errors, groups.

Owns how comparison scores and error rates are drawn. Knows nothing of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bench.intervals.proportion import wilson_of_share
from bench.report.style import HEIGHT_PX, PALETTE, WIDTH_PX, figure, label, to_svg
from bench.report.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from matplotlib.axes import Axes

    from bench.accuracy.identification import DetCurve
    from bench.report.series import Scores

__all__ = ["MIN_GROUP_N", "GroupRate", "error_trade", "group_rates", "score_histogram"]

# With fewer passages even a rate of zero leaves an upper bound above 11 %
# (z² / (n + z²)): such a group is drawn grey and said to tell nothing.
MIN_GROUP_N = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRate:
    """One group's error rate.

    Attributes:
        grouping, group: For example `"sex"`, `"female"`.
        value, low, high: Rate with its 95 % interval, in [0, 1].
        n: Passages of the group.
    """

    grouping: str
    group: str
    value: float
    low: float
    high: float
    n: int

    @property
    def tells(self) -> bool:
        """Whether the group is large enough to say anything."""
        return self.n >= MIN_GROUP_N


def score_histogram(scores: Scores, *, threshold: float | None) -> Markup:
    """Draw the best scores of sought and of other people around the threshold."""
    everything = np.concatenate((scores.mated, scores.non_mated))
    edges = np.linspace(everything.min() - 0.01, everything.max() + 0.01, 37)
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        series = (
            # Filled against hatched: told apart without colour, and where they overlap.
            ("other people", scores.non_mated, PALETTE.others, "#f3d9cc", ""),
            ("sought people", scores.mated, PALETTE.sought, "none", "////"),
        )
        for name, values, colour, fill, hatch in series:
            axes.hist(
                values,
                bins=list(edges),
                histtype="stepfilled",
                facecolor=fill,
                edgecolor=colour,
                linewidth=1.2,
                hatch=hatch,
                label=f"{name}, {count(len(values))} passages",
            )
        if threshold is not None:
            axes.axvline(threshold, color=PALETTE.ink, linewidth=1.4)
            label(
                axes,
                f"threshold {threshold:.3f}",
                x=threshold,
                colour=PALETTE.ink,
                level=0.96,
            )
        axes.set_xlabel("best comparison score of the passage")
        axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_ylabel("passages")
        drawn.legend(loc="outside upper left", ncols=2, fontsize=10)
        return to_svg(
            drawn,
            name="scores",
            title="Comparison scores of sought and other people",
            description=f"{count(len(scores.mated))} passages of sought people, "
            f"{count(len(scores.non_mated))} of others.",
        )


def error_trade(curve: DetCurve, *, operating: tuple[float, float] | None) -> Markup:
    """Draw missed against falsely alerted people as the threshold moves (DET).

    Args:
        curve: With at least one passage of either kind.
        operating: FPIR and FNIR of the run itself, in [0, 1].
    """
    # On a log axis zero has no place: it is drawn at half a passage and said so.
    floor = 0.5 / curve.n_non_mated
    fpir = np.append(curve.fpir, 0.0)
    fnir = np.append(curve.fnir, 1.0)
    low, high = np.array([wilson_of_share(float(r), curve.n_mated) for r in fnir]).T
    with figure(width_px=WIDTH_PX, height_px=HEIGHT_PX) as drawn:
        axes = drawn.subplots()
        axes.fill_between(
            np.maximum(fpir, floor) * 100,
            low * 100,
            high * 100,
            step="post",
            color=PALETTE.sought,
            alpha=0.16,
            linewidth=0,
        )
        axes.step(
            np.maximum(fpir, floor) * 100,
            fnir * 100,
            where="post",
            color=PALETTE.sought,
            linewidth=1.8,
        )
        if operating is not None:
            x, y = max(operating[0], floor) * 100, operating[1] * 100
            axes.plot([x], [y], "o", color=PALETTE.others, markersize=7, clip_on=False)
            axes.annotate(
                "this run",
                (x, y),
                xytext=(8, 8),
                textcoords="offset points",
                color=PALETTE.others,
                fontsize=10,
            )
        axes.set_xscale("log")
        axes.set_xlim(floor * 90, 100)
        axes.set_ylim(-2, 102)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        axes.axvspan(floor * 90, 100 / curve.n_non_mated, color=PALETTE.wash, zorder=0)
        axes.set_xlabel("other people alerted on, FPIR, % (log scale)")
        axes.set_ylabel("sought people missed, FNIR, %")
        return to_svg(
            drawn,
            name="error-trade",
            title="Missed against falsely alerted people",
            description="Each step is one threshold; the shaded edge is below one "
            f"passage in {count(curve.n_non_mated)}.",
        )


def group_rates(
    rates: Sequence[GroupRate], *, overall: float | None, name: str, axis: str
) -> Markup:
    """Draw one error rate by group, as dots with their intervals.

    Args:
        rates: At least one, groups of one grouping side by side.
        overall: The rate over everyone, in [0, 1].
        name: Of the chart, unique on the page.
        axis: What the horizontal axis shows.
    """
    rows = _rows(rates)
    with figure(width_px=WIDTH_PX, height_px=62 + 20 * len(rows)) as drawn:
        axes = drawn.subplots()
        if overall is not None:
            axes.axvline(overall * 100, color=PALETTE.grey, linewidth=1, zorder=1)
        for place, row in enumerate(rows):
            if isinstance(row, GroupRate):
                _dot_and_interval(axes, row, place)
        axes.set_yticks(
            range(len(rows)), [r.group if isinstance(r, GroupRate) else r for r in rows]
        )
        for tick, row in zip(axes.get_yticklabels(), rows, strict=True):
            if not isinstance(row, GroupRate):
                tick.set(fontweight="bold", color=PALETTE.ink, fontsize=10)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        widest = max(rate.high for rate in rates) * 100
        axes.set_xlim(0, 100 if widest > 60 else widest * 1.05)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xlabel(axis)
        return to_svg(
            drawn,
            name=name,
            title=axis,
            description="; ".join(
                f"{r.grouping} {r.group}: {r.value:.1%} "
                f"({r.low:.1%} to {r.high:.1%}), n = {r.n}"
                for r in rates
            ),
        )


def _rows(rates: Sequence[GroupRate]) -> list[GroupRate | str]:
    """Put each grouping's name above its groups."""
    rows: list[GroupRate | str] = []
    for i, rate in enumerate(rates):
        if i == 0 or rate.grouping != rates[i - 1].grouping:
            rows.append(rate.grouping)
        rows.append(rate)
    return rows


def _dot_and_interval(axes: Axes, rate: GroupRate, place: float) -> None:
    colour = PALETTE.sought if rate.tells else PALETTE.grey
    ends = [rate.low * 100, rate.high * 100]
    axes.plot(ends, [place, place], color=colour, linewidth=2.2)
    axes.plot(
        [rate.value * 100],
        [place],
        "o",
        color=colour,
        markersize=6.5,
        markerfacecolor=colour if rate.tells else "white",
        clip_on=False,
    )
    axes.annotate(
        f"n = {count(rate.n)}" + ("" if rate.tells else ", cannot tell"),
        (1, place),
        xycoords=axes.get_yaxis_transform(),
        xytext=(11, 0),
        textcoords="offset points",
        va="center",
        fontsize=9.5,
        color=PALETTE.ink if rate.tells else PALETTE.muted,
    )
