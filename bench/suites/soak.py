"""Does memory grow? The engine at full load for half an hour, watched all the while.

    python -m bench.suites.soak [MINUTES] [CAMERAS]

A frame always waits, so more frames pass than cameras would send; nothing depends on
the clock, so other work on the machine only makes it slower. What counts is memory that
no other process shares: libraries are shared out among all that have mapped them, so
their part would change with whatever else runs. The slope of memory over time, after
the first third, is given with an interval that allows for its slow waves: the samples
are cut into ten stretches, and each stretch's mean counts once.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from itertools import count

import numpy as np
import psutil
from rich.console import Console
from scipy import stats

from bench.driving.target import Ledger
from bench.suites.five_in_view import FPS, five_in_view, gallery_of
from bench.suites.stream_rates import engine
from matcher.config import MatcherConfig

__all__ = ["Slope", "slope_of"]

_MINUTES, _CAMERAS = 30.0, 6
_IN_FLIGHT = 24
_SAMPLE_S = 5.0
_STRETCHES = 10
_SETTLED = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """How memory changes with time.

    Attributes:
        per_hour: Bytes an hour.
        low, high: 95 % interval.
    """

    per_hour: float
    low: float
    high: float


class _Forgetful(Ledger):
    """Counts results and keeps none: the one who watches must not grow either."""

    def __init__(self):
        super().__init__()
        self._n_done = 0

    @property
    def n_in_flight(self):
        """Frames issued that have not ended."""
        return self._n_issued - self._n_done

    def report(self, results):
        """Count what came back."""
        with self._news:
            self._n_done += len(results)
            self._news.notify_all()


def slope_of(times_s, sizes_bytes):
    """Fit a line to the means of ten stretches.

    Args:
        times_s: Ascending, one a sample.
        sizes_bytes: One a sample.
    """
    times = [part.mean() for part in np.array_split(np.asarray(times_s), _STRETCHES)]
    sizes = [
        part.mean() for part in np.array_split(np.asarray(sizes_bytes), _STRETCHES)
    ]
    line = stats.linregress(times, sizes)
    reach = stats.t.ppf(0.975, _STRETCHES - 2) * line.stderr
    return Slope(
        per_hour=3600 * line.slope,
        low=3600 * (line.slope - reach),
        high=3600 * (line.slope + reach),
    )


def _private_of_tree(pid):
    tree = psutil.Process(pid)
    return sum(
        process.memory_full_info().uss
        for process in (tree, *tree.children(recursive=True))
    )


def main(minutes, cameras):
    """Soak and print."""
    console = Console(width=110)
    clips, config = five_in_view(), MatcherConfig()
    calm = config.model_copy(update={"engine": config.engine.unhurried()})
    times, sizes = [], []
    with engine(calm, gallery_of(clips, config), ledger=_Forgetful()) as link:
        begun_s = next_s = time.monotonic()
        for index in count():
            for camera in range(cameras):
                link.ledger.wait_for_room(_IN_FLIGHT)
                link.issue(clips.frame(camera, index, round(index * 1e9 / FPS)))
            now_s = time.monotonic()
            if now_s >= next_s:
                times.append(now_s - begun_s)
                sizes.append(_private_of_tree(link.pid))
                next_s = now_s + _SAMPLE_S
            if now_s - begun_s >= 60 * minutes:
                break
        link.flush()
    settled = int(len(times) * _SETTLED)
    stretches = [np.median(part) for part in np.array_split(sizes, _STRETCHES)]
    slope = slope_of(times[settled:], sizes[settled:])
    console.print(
        f"{cameras} cameras, {cameras * (index + 1):,} frames in {minutes:g} minutes: "
        f"{sizes[0] / 1e6:.0f} MB at the start, {sizes[settled] / 1e6:.0f} MB after a "
        f"third, {sizes[-1] / 1e6:.0f} MB at the end, {max(sizes) / 1e6:.0f} MB at most"
    )
    console.print(
        f"medians of {_STRETCHES} stretches: "
        f"{', '.join(f'{size / 1e6:.0f}' for size in stretches)} MB"
    )
    console.print(
        f"slope after the first third: {slope.per_hour / 1e6:+.1f} MB an hour, 95 % "
        f"interval {slope.low / 1e6:+.1f} to {slope.high / 1e6:+.1f}"
    )


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        float(given[0]) if given else _MINUTES,
        int(given[1]) if len(given) > 1 else _CAMERAS,
    )
