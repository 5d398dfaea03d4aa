"""Draws DET curves by condition and by group for the model card.

Owns what is compared with what. The curves are those of `bench`; thresholds belong to
a street's watchlist, so a curve runs over scores less their street's own threshold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.accuracy.fairness import GROUPINGS
from bench.report.style import PALETTE, figure
from training.results import CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from bench.records import PassageOutcome
    from training.results import StreetResult

__all__ = ["draw_det"]

_LINES = (
    PALETTE.sought,
    PALETTE.others,
    PALETTE.good,
    PALETTE.waiting,
    PALETTE.grey,
    PALETTE.ink,
    PALETTE.bad,
)


def _above_threshold(streets: Sequence[StreetResult]) -> list[PassageOutcome]:
    """Shift scores so that 0 is each street's threshold at its first point."""
    shifted = []
    for street in streets:
        zero = street.points[0].threshold
        for passage in street.passages:
            best, mate = passage.best_score, passage.mate_score
            shifted.append(
                replace(
                    passage,
                    best_score=None if best is None else best - zero,
                    mate_score=None if mate is None else mate - zero,
                )
            )
    return shifted


def _curve(axes: Axes, passages: Sequence[PassageOutcome], name: str, ink: str) -> None:
    """Draw one curve; a group without ten passages of either kind has none."""
    mated = np.array([_or_low(p.mate_score) for p in passages if p.mated])
    others = np.array([_or_low(p.best_score) for p in passages if not p.mated])
    if min(len(mated), len(others)) < 10:
        return
    thresholds = np.unique(np.concatenate([mated, others]))
    fnir = np.searchsorted(np.sort(mated), thresholds) / len(mated)
    fpir = 1.0 - np.searchsorted(np.sort(others), thresholds) / len(others)
    seen = fpir > 0.0
    label = f"{name} ({len(mated)} mated, {len(others)} not)"
    axes.step(fpir[seen], fnir[seen], where="post", color=ink, label=label, lw=1.3)


def _or_low(score: float | None) -> float:
    return -2.0 if score is None else score


def draw_det(streets: Sequence[StreetResult], path: Path) -> None:
    """Write the chart.

    Args:
        streets: At least one.
        path: The PNG file to write.
    """
    passages = _above_threshold(streets)
    weather = {
        weather: [
            p
            for street, shifted in _by_street(streets, passages)
            if street.weather == weather
            for p in shifted
        ]
        for weather in sorted({street.weather for street in streets})
    }
    panels = {
        "largest face": {
            name: list(filter(belongs, passages))
            for name, belongs in CONDITIONS.items()
        },
        "light": weather,
        **{
            kind: {
                name: [p for p in passages if group_of(p) == name]
                for name in sorted({group_of(p) for p in passages})
            }
            for kind, group_of in GROUPINGS.items()
        },
    }
    with figure(width_px=1100, height_px=900) as chart:
        for axes, (title, groups) in zip(
            chart.subplots(3, 2).flat, panels.items(), strict=True
        ):
            for ink, (name, members) in zip(_LINES, groups.items(), strict=False):
                _curve(axes, members, name, ink)
            axes.set(xscale="log", yscale="log", xlim=(1e-3, 1.0), ylim=(3e-3, 1.0))
            axes.set_xlabel("FPIR")
            axes.set_ylabel("FNIR")
            axes.set_title(f"by {title}; synthetic people", fontsize=9)
            axes.legend(fontsize=6, loc="lower left")
        chart.savefig(path, dpi=110)


def _by_street(
    streets: Sequence[StreetResult], passages: Sequence[PassageOutcome]
) -> list[tuple[StreetResult, Sequence[PassageOutcome]]]:
    first = np.cumsum([0, *(len(s.passages) for s in streets)])
    return [
        (street, passages[a:b])
        for street, a, b in zip(streets, first[:-1], first[1:], strict=True)
    ]
