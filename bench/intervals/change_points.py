"""Where a series of figures steps: change points, each with the chance of being none.

Owns the search for steps in the level. Knows nothing of what the figures are of.

Ranks stand for values, so that one wild run is no step; a step is believed only if
shuffled series hardly ever show one as large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["ChangePoint", "change_points"]

# Fewer runs on one side are an outlier, not a level.
_LEAST = 4
_SHUFFLES = 999
_LEVEL = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """A step in the level of a series.

    Attributes:
        position: First value of the new level, from 0.
        before, after: Medians of the stretches on either side.
        p_value: Chance of a step as large in a series without one.
    """

    position: int
    before: float
    after: float
    p_value: float


def change_points(
    values: Sequence[float], *, rng: np.random.Generator
) -> tuple[ChangePoint, ...]:
    """Find the steps of a series by binary segmentation, in order.

    Args:
        values: In order of time.
        rng: Shuffles.

    Source:
        A. N. Pettitt, A non-parametric approach to the change-point problem, Applied
        Statistics 28 (1979) 126-135, with p by permutation and applied again to
        either side.
    """
    series = np.asarray(values, dtype=np.float64)
    steps = sorted(_steps(series, 0, rng=rng))
    edges = [0, *(position for position, _ in steps), len(series)]
    return tuple(
        ChangePoint(
            position=position,
            before=float(np.median(series[edges[k] : position])),
            after=float(np.median(series[position : edges[k + 2]])),
            p_value=p_value,
        )
        for k, (position, p_value) in enumerate(steps)
    )


def _steps(
    series: NDArray[np.float64], start: int, *, rng: np.random.Generator
) -> Iterator[tuple[int, float]]:
    if len(series) < 2 * _LEAST:
        return
    centred = rankdata(series) - (len(series) + 1) / 2.0
    size, position = _largest(centred)
    shuffled = rng.permuted(np.tile(centred, (_SHUFFLES, 1)), axis=1)
    sums = np.abs(np.cumsum(shuffled, axis=1))[:, _LEAST - 1 : -_LEAST]
    p_value = (1 + int((sums.max(axis=1) >= size).sum())) / (_SHUFFLES + 1)
    if p_value > _LEVEL:
        return
    yield start + position, p_value
    yield from _steps(series[:position], start, rng=rng)
    yield from _steps(series[position:], start + position, rng=rng)


def _largest(centred: NDArray[np.float64]) -> tuple[float, int]:
    """Find where the sum of ranks up to there is furthest from what chance gives."""
    sums = np.abs(np.cumsum(centred))[_LEAST - 1 : -_LEAST]
    best = int(sums.argmax())
    return float(sums[best]), best + _LEAST
