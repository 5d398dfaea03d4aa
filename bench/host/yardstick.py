"""How fast the machine is just now.

Owns one fixed piece of work, timed: the detector on a blank frame, on one core. A
shared machine drifts by some per cent from minute to minute; measured beside a load,
this tells drift of the machine from error of a model. It never looks at the load's
own results. Knows nothing of loads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.assembly import make_detector

if TYPE_CHECKING:
    from collections.abc import Callable

    from matcher.config import MatcherConfig

__all__ = ["Yardstick"]

_WARM_UPS, _ROUNDS = 10, 80


class Yardstick:
    """A detector that is kept to be timed.

    Args:
        matcher: Names the detector.
        clock: Nanoseconds.
    """

    def __init__(self, matcher: MatcherConfig, *, clock: Callable[[], int]) -> None:
        width_px = matcher.detector.detection_width_px
        self._detector = make_detector(matcher.detector)
        self._blank = np.zeros((width_px * 9 // 16, width_px, 3), np.uint8)
        self._clock = clock

    def measure_s(self) -> float:
        """Time the work many times; return the median, seconds."""
        took_ns = []
        for turn in range(_WARM_UPS + _ROUNDS):
            begun_ns = self._clock()
            self._detector.detect(self._blank)
            if turn >= _WARM_UPS:
                took_ns.append(self._clock() - begun_ns)
        return float(np.median(took_ns)) * 1e-9
