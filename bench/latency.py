"""Percentiles of latencies that are not independent, with honest intervals.

Owns the estimate of a percentile and of its 95 % interval from one run's series.
Knows nothing of what was slow.

Latencies in a queue come in clumps: a thousand of them say as much as perhaps a
hundred independent ones. The interval therefore counts the *effective* sample size
of the event "above the percentile", and takes order statistics by the binomial law
at that size.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom  # type: ignore[attr-defined]  # made at run time

from bench.errors import EmptyDenominatorError
from bench.records import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MIN_BEYOND",
    "effective_size",
    "latency_metrics",
    "percentile",
    "samples_needed",
]

# HOUSE_STYLE.md, section 9: quote a percentile only with ten samples beyond it.
MIN_BEYOND = 10

_LEVELS = (("p50", 0.50), ("p90", 0.90), ("p95", 0.95), ("p99", 0.99))


def latency_metrics(name: str, latencies_s: NDArray[np.float64]) -> dict[str, Metric]:
    """Summarise a series of latencies as `name.p50 .p90 .p95 .p99 .max`.

    Args:
        name: Prefix of the metrics.
        latencies_s: (n,) in order of time, warm-up removed; n may be 0.
    """
    n = len(latencies_s)
    metrics = {
        f"{name}.{label}": percentile(latencies_s, level=level)
        for label, level in _LEVELS
    }
    largest = float(np.max(latencies_s)) if n > 0 else None
    metrics[f"{name}.max"] = Metric(value=largest, n=n, unit="s")
    return metrics


def percentile(series: NDArray[np.float64], *, level: float, unit: str = "s") -> Metric:
    """Estimate one percentile with its 95 % interval.

    Args:
        series: (n,) in order of time; n may be 0.
        level: In (0, 1), e.g. 0.99.
        unit: Of the series.

    Returns:
        The smallest sample with at least `level` of all samples at or below it; None
        with fewer than ten samples beyond the level. `low` or `high` is None where
        the effective sample reaches no order statistic so far out.

    Source:
        Order-statistic interval: W. J. Conover, Practical Nonparametric Statistics,
        3rd ed. (1999), section 3.2. That in dependent series the binomial variance
        grows by the autocorrelation of the indicator: P. Heidelberger and
        P. A. W. Lewis, Quantile estimation in dependent sequences, Operations
        Research 32 (1984), section 1.
    """
    n = len(series)
    if n < samples_needed(level):
        return Metric(value=None, n=n, unit=unit)
    ordered = np.sort(series)
    value = float(ordered[_rank(n * level) - 1])
    n_effective = effective_size(series > value)
    below, above = (int(k) for k in binom.interval(0.95, n_effective, level))
    # `below` of n_effective samples lie under the percentile with 97.5 % certainty:
    # the order statistic of that rank bounds it. Ranks stretch from the effective
    # sample to the real one.
    low_rank = below * n // n_effective
    high_rank = -(-(above + 1) * n // n_effective)
    return Metric(
        value=value,
        low=float(ordered[low_rank - 1]) if low_rank >= 1 else None,
        high=float(ordered[high_rank - 1]) if high_rank <= n else None,
        n=n,
        unit=unit,
    )


def samples_needed(level: float) -> int:
    """Count the samples that leave ten beyond a percentile on its thinner side."""
    return _rank(MIN_BEYOND / min(level, 1.0 - level))


def effective_size(series: NDArray[np.bool_] | NDArray[np.float64]) -> int:
    """Count the independent samples that would say as much as this series.

    n / (1 + 2 sum of the autocorrelations), the sum ended by Geyer's initial positive
    sequence: pairs of neighbouring lags are added while their sum stays positive.
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
    # Zero padding to 2n keeps the transform's circular correlation from wrapping.
    spectrum = np.fft.rfft(centred, n=2 * n)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, n=2 * n)[:n]
    if covariance[0] <= 0.0:
        return n
    correlation = covariance / covariance[0]
    pairs = correlation[: n - n % 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs <= 0.0)
    end = int(negative[0]) if len(negative) > 0 else len(pairs)
    # The first pair holds lag 0 itself: 2 * sum - 1 is 1 + 2 * (lags from 1 on).
    inflation = max(1.0, 2.0 * float(pairs[:end].sum()) - 1.0)
    return max(1, math.floor(n / inflation))


def _rank(position: float) -> int:
    # 0.99 * 1000 is 990.0000000000001 in floating point, and no sample 991.
    return math.ceil(position - 1e-9)
