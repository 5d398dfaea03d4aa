"""Scores predictive distributions of counts against what happened.

Owns coverage, the continuous ranked probability score and the naive forecasts.
Knows nothing of how a forecast was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Coverage", "crps", "exact_coverage", "interval", "whole_coverage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often intervals held what happened.

    Attributes:
        level: What the intervals promise.
        stated: Mean probability that the intervals really hold.
        covered: Share of rows inside.
        n: Rows.
    """

    level: float
    stated: float
    covered: float
    n: int


def crps(
    draws: NDArray[np.float64] | NDArray[np.int64], observed: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the continuous ranked probability score of each row, (n,), in counts.

    It is the mean absolute error of the draws less half their mean mutual distance;
    for a point forecast it is the absolute error. Lower is better.

    Args:
        draws: (draws, n) of the predictive distribution.
        observed: (n,) what happened.

    Source:
        Gneiting and Raftery, Strictly proper scoring rules, JASA 102(477), 2007,
        eq. 21.
    """
    ordered = np.sort(draws.astype(np.float64), axis=0)
    n = len(ordered)
    weights = (2.0 * np.arange(1, n + 1) - n - 1.0)[:, None]
    spread = (weights * ordered).sum(axis=0) / n**2
    error: NDArray[np.float64] = np.abs(ordered - observed).mean(axis=0)
    score: NDArray[np.float64] = error - spread
    return score


def exact_coverage(
    draws: NDArray[np.int64], observed: NDArray[np.int64], *, level: float
) -> Coverage:
    """Return the coverage of central intervals that hold exactly `level`.

    No interval of whole numbers holds 50 % of a small count exactly: those that hold
    at least 50 % hold some 60 %, and would cover too much even if the forecast were
    right. An interval that takes in part of its end points holds its level exactly;
    a row counts by the part of its own probability that lies inside.

    Args:
        draws: (draws, n) of the predictive distribution.
        observed: (n,) what happened.
        level: In (0, 1).

    Source:
        Czado, Gneiting and Held, Predictive model assessment for count data,
        Biometrics 65(4), 2009, section 2.1 (non-randomised PIT).
    """
    below = (draws < observed).mean(axis=0)
    upto = (draws <= observed).mean(axis=0)
    tail = (1.0 - level) / 2.0
    inside = np.minimum(upto, 1.0 - tail) - np.maximum(below, tail)
    width = upto - below
    # A count that no draw reached has no probability of its own: in or out.
    is_point = width <= 0.0
    inside_point = (upto >= tail) & (upto <= 1.0 - tail)
    part = np.where(
        is_point,
        inside_point.astype(np.float64),
        np.clip(inside, 0.0, None) / np.where(is_point, 1.0, width),
    )
    return Coverage(
        level=level, stated=level, covered=float(part.mean()), n=len(observed)
    )


def interval(draws: NDArray[np.int64], *, level: float) -> tuple[int, int, float]:
    """Return the central interval of whole numbers that holds nearest to `level`.

    Args:
        draws: (draws,) of one predictive distribution.
        level: In (0, 1).

    Returns:
        Its first and last number, and the probability that it holds.
    """
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail], method="inverted_cdf")
    candidates = [
        (first, last)
        for first in (int(low), int(low) + 1)
        for last in (int(high) - 1, int(high))
        if first <= last
    ]
    if not candidates:
        candidates = [(int(low), int(high))]

    def misfit(ends: tuple[int, int]) -> tuple[float, float]:
        held = np.mean((draws >= ends[0]) & (draws <= ends[1]))
        lopsided = abs(np.mean(draws < ends[0]) - np.mean(draws > ends[1]))
        return abs(float(held) - level), float(lopsided)

    first, last = min(candidates, key=misfit)
    return first, last, float(np.mean((draws >= first) & (draws <= last)))


def whole_coverage(
    draws: NDArray[np.int64], observed: NDArray[np.int64], *, level: float
) -> Coverage:
    """Return the coverage of intervals of whole numbers nearest to `level`.

    Args:
        draws: (draws, n) of the predictive distribution.
        observed: (n,) what happened.
        level: In (0, 1).
    """
    intervals = [interval(column, level=level) for column in draws.T]
    inside = [
        low <= seen <= high
        for (low, high, _), seen in zip(intervals, observed, strict=True)
    ]
    return Coverage(
        level=level,
        stated=float(np.mean([held for _, _, held in intervals])),
        covered=float(np.mean(inside)),
        n=len(observed),
    )
