"""What a simulated series says, and how surely.

Owns the removal of the warm-up, batch means, independent replications, and paired
differences under common random numbers. Knows nothing of what the series is of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Interval",
    "batch_means",
    "mser5",
    "paired_difference",
    "replications",
    "steady",
]

_BATCH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its two-sided interval.

    Attributes:
        mean: The estimate.
        low, high: The interval.
        level: Its confidence, e.g. 0.95.
        n: Batches or replications behind it.
    """

    mean: float
    low: float
    high: float
    level: float
    n: int

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return (self.high - self.low) / 2.0

    def holds(self, value: float) -> bool:
        """Whether a value lies inside."""
        return self.low <= value <= self.high


def replications(values: NDArray[np.float64], *, level: float = 0.95) -> Interval:
    """Estimate a mean from independent replications by Student's t.

    Args:
        values: (r,) one figure per replication, r at least 2.
        level: Confidence.

    Raises:
        ValueError: If there are fewer than two replications.
    """
    n = len(values)
    if n < 2:
        message = f"an interval needs two replications or more, got {n}"
        raise ValueError(message)
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(n)
    reach = float(stats.t.ppf(0.5 + level / 2.0, n - 1)) * error
    return Interval(mean=mean, low=mean - reach, high=mean + reach, level=level, n=n)


def batch_means(
    series: NDArray[np.float64], *, n_batches: int = 20, level: float = 0.95
) -> Interval:
    """Estimate the mean of one dependent series from means of long batches.

    Args:
        series: (n,) in order of time, warm-up removed, n at least 2.
        n_batches: Fewer and longer batches are less dependent; as many as there are
            values if those are fewer.
        level: Confidence.

    Raises:
        ValueError: If there are fewer than two values.

    Source:
        B. Schmeiser, Batch size effects in the analysis of simulation output,
        Operations Research 30 (1982): 10 to 30 batches serve.
    """
    batches = np.array_split(series, min(n_batches, len(series)))
    if len(batches) < 2:
        message = f"batch means need two values or more, got {len(series)}"
        raise ValueError(message)
    found = replications(np.array([batch.mean() for batch in batches]), level=level)
    mean = float(np.mean(series))
    return Interval(
        mean=mean,
        low=mean - found.half_width,
        high=mean + found.half_width,
        level=level,
        n=len(batches),
    )


def mser5(series: NDArray[np.float64]) -> int:
    """Say how many values at the start of a series belong to its warm-up.

    The truncation that leaves the smallest standard error of the mean, over batches
    of five; never more than half of the series.

    Args:
        series: (n,) in order of time.

    Returns:
        The number of values to leave out, 0 if the series is shorter than ten.

    Source:
        K. P. White, M. J. Cobb and S. C. Spratt, A comparison of five steady-state
        truncation heuristics for simulation, WSC 2000, equation 4.
    """
    n_batches = len(series) // _BATCH
    if n_batches < 2:
        return 0
    means = series[: n_batches * _BATCH].reshape(n_batches, _BATCH).mean(axis=1)
    # Sums over the tails, so that every truncation costs the same.
    left = np.arange(n_batches, 0, -1)
    total = np.cumsum(means[::-1])[::-1]
    squares = np.cumsum((means**2)[::-1])[::-1]
    scatter = np.maximum(squares - total**2 / left, 0.0)
    score = scatter / left.astype(np.float64) ** 2
    best = int(np.argmin(score[: n_batches // 2 + 1]))
    return best * _BATCH


def steady(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a series without its warm-up."""
    return series[mser5(series) :]


def paired_difference(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], *, level: float = 0.95
) -> Interval:
    """Estimate a mean difference of two systems that shared their random numbers.

    Args:
        ours: (r,) one figure per replication.
        theirs: (r,) the same, row by row of the same draws.
        level: Confidence.

    Raises:
        ValueError: If the rows do not match.
    """
    if ours.shape != theirs.shape:
        message = (
            "paired replications must match row by row, got "
            f"{ours.shape} and {theirs.shape}"
        )
        raise ValueError(message)
    return replications(ours - theirs, level=level)
