"""How many cameras? Climb, bisect, then confirm on both sides of the answer.

Owns the search and the confidence of its answer. Knows nothing of what a trial is: it
is asked with a number of cameras and says whether every objective was shown to be met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Capacity", "Trial", "confidence", "search_capacity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of the search.

    Attributes:
        n_cameras: Asked.
        passed: Every objective was shown to be met in a valid run.
        why: What was not, in one sentence; empty if it passed.
    """

    n_cameras: int
    passed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The answer and everything that was tried for it.

    Attributes:
        n_cameras: The most at which every confirmation passed; 0 if one camera fails.
        at_least: The most at which half of all runs or more pass, with `confidence`.
        at_most: Likewise from above; None if the search ended before a failure.
        confidence: Of each bound, in [0, 1].
        trials: In order.
        bottleneck: Stage that is busiest at the answer; empty if none was told.
        memory_per_camera_bytes: From the probe before the search; None without one.
    """

    n_cameras: int
    at_least: int
    at_most: int | None
    confidence: float
    trials: tuple[Trial, ...]
    bottleneck: str = ""
    memory_per_camera_bytes: float | None = None


def confidence(confirmations: int) -> float:
    """Say how sure a bound is after so many runs that all ended alike.

    If fewer than half of all runs passed, all of `r` would pass with a chance below
    0.5**r.
    """
    return 1.0 - 0.5**confirmations


def search_capacity(
    trial: Callable[[int], Trial], *, at_most: int, confirmations: int
) -> Capacity:
    """Find the largest number of cameras that passes.

    Near the edge single runs pass or fail by chance, so the edge that bisection leaves
    is confirmed: the answer moves down while one of `confirmations` fresh runs fails,
    and up while all of them pass at one camera more. The bounds are where all runs
    ended alike: between them the machine is on the edge.

    Args:
        trial: Runs so many cameras, afresh each time.
        at_most: Where to stop climbing.
        confirmations: Runs that must end alike, at least 1.
    """
    trials: list[Trial] = []
    counts: dict[int, list[bool]] = {}

    def passes(n_cameras: int) -> bool:
        done = trial(n_cameras)
        trials.append(done)
        counts.setdefault(n_cameras, []).append(done.passed)
        return done.passed

    def always(n_cameras: int, *, passing: bool) -> bool:
        """Run on until all confirmations ended so, or one did not."""
        seen = counts.setdefault(n_cameras, [])
        while all(p == passing for p in seen) and len(seen) < confirmations:
            passes(n_cameras)
        return all(p == passing for p in seen)

    good, bad = _climb_and_bisect(passes, at_most=at_most)
    while good > 0 and not always(good, passing=True):
        good -= 1
    bad = good + 1
    while bad <= at_most and not always(bad, passing=False):
        # Some runs pass here: the edge is wide. It is the answer only if all do.
        if always(bad, passing=True):
            good = bad
        bad += 1
    return Capacity(
        n_cameras=good,
        at_least=good,
        at_most=bad - 1 if bad <= at_most else None,
        confidence=confidence(confirmations),
        trials=tuple(trials),
    )


def _climb_and_bisect(
    passes: Callable[[int], bool], *, at_most: int
) -> tuple[int, int]:
    """Return the edge of single runs: passed at the first, failed at the second."""
    good, bad = 0, 1
    while bad <= at_most and passes(bad):
        good, bad = bad, min(2 * bad, at_most) if bad < at_most else at_most + 1
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if passes(middle) else (good, middle)
    return good, bad
