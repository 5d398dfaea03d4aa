"""What workers cost each other: how much slower one is while others are at work.

Owns that fit. Frames of one worker never overlap, so whoever is at work when a frame is
taken is another worker; frames that were taken alone, in the same load or its gauge,
are the yardstick. Knows nothing of what a frame should take in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.planning.measured import took_and_fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.planning.measured import Measured
    from sim.calibration import Calibration

__all__ = ["fit_slowdown", "n_at_work"]

# Fewer frames with so many at work say nothing of them.
_FEWEST = 50


def fit_slowdown(
    calibration: Calibration, runs: Sequence[Measured]
) -> tuple[float, ...]:
    """Fit the factor on service with 0, 1, 2 ... workers at work, never falling.

    Args:
        calibration: Service times of one worker.
        runs: Loads of several workers; none leaves it at one worker, 1.0.
    """
    most = max((run.replay.n_workers for run in runs), default=1)
    took_s, fitted_s = np.zeros(most + 1), np.zeros(most + 1)
    frames = np.zeros(most + 1, np.int64)
    for run in runs:
        tables = calibration.tables(gallery_size=run.replay.gallery_size)
        took, fitted = took_and_fitted(run, tables.costs_s, tables.rest)
        active = np.minimum(n_at_work(run), most)
        alone = active == 1
        if np.count_nonzero(alone) < _FEWEST:
            continue
        fitted *= took[alone].sum() / fitted[alone].sum()
        took_s += np.bincount(active, took, minlength=most + 1)
        fitted_s += np.bincount(active, fitted, minlength=most + 1)
        frames += np.bincount(active, run.worked_on, minlength=most + 1).astype(int)
    factors = [1.0, 1.0]
    for n in range(2, most + 1):
        found = took_s[n] / fitted_s[n] if frames[n] >= _FEWEST else 1.0
        factors.append(max(float(found), factors[-1]))
    return tuple(factors)


def n_at_work(run: Measured) -> NDArray[np.int64]:
    """Count workers at work when each frame is taken, its own included; 0 if none was.

    Returns:
        (n,) int64.
    """
    seen = run.observed
    rows = np.flatnonzero(run.worked_on)
    begun = np.searchsorted(np.sort(seen.start_s[rows]), seen.start_s[rows], "right")
    done = np.searchsorted(np.sort(seen.done_s[rows]), seen.start_s[rows], "right")
    active = np.zeros(len(seen.end), np.int64)
    active[rows] = begun - done
    return active
