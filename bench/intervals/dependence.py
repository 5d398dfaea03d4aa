"""How much a series says whose samples depend on each other.

Owns the effective sample size, and the share of a series with an interval that
respects it. Knows nothing of what the series is of.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import EmptyDenominatorError
from bench.intervals.proportion import wilson_of_share
from bench.records import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["dependent_share", "effective_size"]


def dependent_share(events: NDArray[np.bool_]) -> Metric:
    """Report the share of a series in which something happened.

    Frames are skipped in runs, when the queue is full: a hundred skips in one burst
    are one event, not a hundred. The Wilson interval is therefore that of the
    effective sample size; `n` stays the denominator.

    Args:
        events: (n,) in order of time; n may be 0.
    """
    n = len(events)
    if n == 0:
        return Metric(value=None, n=0)
    share = float(events.sum()) / n
    low, high = wilson_of_share(share, effective_size(events))
    return Metric(value=share, low=low, high=high, n=n)


def effective_size(series: NDArray[np.bool_] | NDArray[np.float64]) -> int:
    """Count the independent samples that would say as much as this series.

    n / (1 + 2 sum of the autocorrelations), the sum ended by Geyer's initial monotone
    sequence: pairs of neighbouring lags are added while their sum stays positive, each
    at most the one before it, since noise far out must not add up.
    Never more than n: a series that alternates is not credited with more.

    Args:
        series: (n,) in order of time, n at least 1.

    Returns:
        From 1 to n; n for a constant series, which has no autocorrelation to show.

    Raises:
        EmptyDenominatorError: If the series is empty.

    Source:
        C. J. Geyer, Practical Markov chain Monte Carlo, Statistical Science 7 (1992),
        section 3.3.
    """
    n = len(series)
    if n == 0:
        raise EmptyDenominatorError(what="an effective sample size")
    centred = series.astype(np.float64) - float(np.mean(series))
    # Padding to 2n or more keeps the transform's circular correlation from wrapping.
    n_padded = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, n=n_padded)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, n=n_padded)[:n]
    if covariance[0] <= 0.0:
        return n
    correlation = covariance / covariance[0]
    pairs = correlation[: n - n % 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs <= 0.0)
    end = int(negative[0]) if len(negative) > 0 else len(pairs)
    monotone = np.minimum.accumulate(pairs[:end])
    # The first pair holds lag 0 itself: 2 * sum - 1 is 1 + 2 * (lags from 1 on).
    inflation = max(1.0, 2.0 * float(monotone.sum()) - 1.0)
    return max(1, math.floor(n / inflation))
