"""Intervals of proportions."""

from __future__ import annotations

import math

__all__ = ["wilson"]

_Z95 = 1.959964


def wilson(k: int, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a proportion of `k` in `n`.

    Raises:
        ValueError: If `n` is 0 or `k` lies outside 0..n.

    Source:
        Wilson, JASA 22, 1927.
    """
    if not 0 <= k <= n or n == 0:
        message = f"a proportion needs 0 <= k <= n and n >= 1, got {k} of {n}"
        raise ValueError(message)
    z2 = _Z95**2
    middle = (k + z2 / 2) / (n + z2)
    half = _Z95 * math.sqrt(k * (n - k) / n + z2 / 4) / (n + z2)
    return max(0.0, middle - half), min(1.0, middle + half)
