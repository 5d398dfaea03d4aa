"""A proportion k/n with its interval, and how many cases would settle a question.

Owns the one interval that every rate of this project carries. Knows nothing of what
is counted.
"""

from __future__ import annotations

import math

from bench.errors import EmptyDenominatorError
from bench.records import Metric

__all__ = [
    "Z95",
    "cases_needed",
    "proportion",
    "wilson_interval",
    "wilson_of_share",
]

# The 97.5 % point of the standard normal distribution.
Z95 = 1.959963984540054


def wilson_interval(k: int, n: int) -> tuple[float, float]:
    """Bound a proportion with 95 % confidence.

    Args:
        k: Cases that count, from 0 to n.
        n: All cases, at least 1.

    Returns:
        Lower and upper bound in [0, 1]. With k = 0 the upper bound is z² / (n + z²),
        about 3.84 / n: absence of events is no proof of a rate of zero.

    Raises:
        EmptyDenominatorError: If n is 0.
        ValueError: If k lies outside 0 to n.

    Source:
        E. B. Wilson, Probable inference, the law of succession, and statistical
        inference, JASA 22 (1927) 209-212.
    """
    if n == 0:
        raise EmptyDenominatorError(what="a proportion")
    if not 0 <= k <= n:
        message = f"k must lie between 0 and n={n}, got {k}"
        raise ValueError(message)
    return wilson_of_share(k / n, n)


def wilson_of_share(share: float, n: int) -> tuple[float, float]:
    """Bound a proportion that was measured as a share; `n` may be an effective size."""
    z2 = Z95 * Z95
    centre = share + z2 / (2 * n)
    spread = Z95 * math.sqrt(share * (1.0 - share) / n + z2 / (4 * n * n))
    scale = 1.0 + z2 / n
    # The bounds at k = 0 and k = n are 0 and 1 exactly; rounding may miss by 1e-17.
    low = 0.0 if share == 0.0 else max(0.0, (centre - spread) / scale)
    high = 1.0 if share == 1.0 else min(1.0, (centre + spread) / scale)
    return low, high


def proportion(k: int, n: int) -> Metric:
    """Report k/n with its 95 % Wilson interval; without cases, no value."""
    if n == 0:
        return Metric(value=None, n=0)
    low, high = wilson_interval(k, n)
    return Metric(value=k / n, low=low, high=high, n=n)


def cases_needed(share: float, limit: float, *, most: int = 10_000_000) -> int | None:
    """Count the cases from which a proportion's interval would clear a limit.

    Assumes that the measured share stays as it is: a forecast for the reader of an
    inconclusive verdict, no promise.

    Args:
        share: As measured, in [0, 1].
        limit: To be cleared, in [0, 1].
        most: Where to give up.

    Returns:
        The smallest n whose interval around `share` excludes `limit`; None if more
        than `most` would be needed, as when the two coincide.
    """

    def clears(n: int) -> bool:
        low, high = wilson_of_share(share, n)
        return not low <= limit <= high

    if not clears(most):
        return None
    low, high = 0, most  # `high` clears, `low` does not: bisect between them.
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if clears(middle) else (middle, high)
    return high
