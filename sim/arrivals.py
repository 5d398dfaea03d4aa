"""When work arrives: the one description that real and virtual time share.

Owns arrival processes as endless generators of intervals in seconds. The simulator
waits them out virtually, the load driver really. Knows nothing of what arrives.
"""

from __future__ import annotations

import math
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Phase", "instants", "periodic", "phases", "poisson"]


class Phase(StrEnum):
    """How the clocks of several cameras stand to each other."""

    ALIGNED = "aligned"
    STAGGERED = "staggered"
    RANDOM = "random"


def phases(
    kind: Phase, periods_s: NDArray[np.float64], *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Choose when each periodic source makes its first arrival.

    `RANDOM` draws one number per source, the others none: a stream that must stay
    in step across kinds has to be derived per concern.

    Args:
        kind: Aligned is the worst case for a queue, staggered the best.
        periods_s: (n,) seconds between two arrivals of each source.
        rng: Source of the random phases.

    Returns:
        (n,) seconds, each in [0, its period).
    """
    n = len(periods_s)
    if kind is Phase.ALIGNED:
        return np.zeros(n)
    if kind is Phase.STAGGERED:
        return np.arange(n) / max(n, 1) * periods_s
    return rng.random(n) * periods_s


def periodic(
    rate_hz: float, *, phase_s: float, jitter_s: float, rng: np.random.Generator
) -> Iterator[float]:
    """Yield the intervals of a source that ticks, each tick a little late.

    The k-th arrival comes at `phase_s + k / rate_hz + u`, u uniform in
    [0, jitter_s): lateness belongs to one arrival and never accumulates, as with a
    camera whose sensor keeps time and whose network does not.

    Args:
        rate_hz: Ticks per second, above 0.
        phase_s: First tick, seconds, 0 or more.
        jitter_s: Largest lateness, seconds; below one period, or arrivals would
            overtake each other.
        rng: Source of the lateness.

    Yields:
        Seconds from one arrival (at first: from the start) to the next.

    Raises:
        ValueError: If a rate, phase or jitter lies outside its range.
    """
    _require_rate(rate_hz)
    if phase_s < 0.0 or not 0.0 <= jitter_s < 1.0 / rate_hz:
        message = (
            "phase_s must be 0 or more and jitter_s in [0, one period of "
            f"{1.0 / rate_hz:g} s), got {phase_s:g} and {jitter_s:g}"
        )
        raise ValueError(message)
    return _ticks(rate_hz, phase_s, jitter_s, rng)


def poisson(rate_hz: float, *, rng: np.random.Generator) -> Iterator[float]:
    """Yield the intervals of a Poisson process: exponential and independent.

    Args:
        rate_hz: Mean arrivals per second, above 0.
        rng: Source of the intervals.

    Yields:
        Seconds from one arrival (at first: from the start) to the next.

    Raises:
        ValueError: If the rate is not a positive number.
    """
    _require_rate(rate_hz)
    return _exponentials(rate_hz, rng)


def instants(intervals: Iterator[float], *, n: int) -> NDArray[np.float64]:
    """Add up the first `n` intervals to instants, seconds from the start, (n,)."""
    return np.cumsum(np.fromiter(islice(intervals, n), np.float64, count=n))


# A generator function checks nothing until it is first asked; the functions above
# check at once and hand out these.
def _ticks(
    rate_hz: float, phase_s: float, jitter_s: float, rng: np.random.Generator
) -> Iterator[float]:
    previous_s = 0.0
    tick = 0
    while True:
        late_s = jitter_s * rng.random() if jitter_s > 0.0 else 0.0
        instant_s = phase_s + tick / rate_hz + late_s
        yield instant_s - previous_s
        previous_s = instant_s
        tick += 1


def _exponentials(rate_hz: float, rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield rng.exponential(1.0 / rate_hz)


def _require_rate(rate_hz: float) -> None:
    if not (math.isfinite(rate_hz) and rate_hz > 0.0):
        message = f"rate_hz must be a positive number, got {rate_hz:g}"
        raise ValueError(message)
