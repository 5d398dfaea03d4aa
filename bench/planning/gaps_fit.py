"""From measured frames to the gaps between them.

Owns the times that are service in all but name: from a frame's end to the next one's
start while frames wait, from an arrival to an idle worker's start, and a frame's way.
Other waiting is never read. Knows nothing of stages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.planning.calibration_fit import N_QUANTILES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.planning.measured import Measured

__all__ = ["fit_gaps"]

_SENDING_S = 2e-3


def fit_gaps(runs: Sequence[Measured]) -> NDArray[np.float64]:
    """Take quantiles of turnaround, wake-up, and way to an idle and a busy worker.

    Returns:
        (4, N_QUANTILES) float64, seconds, in the order of `sim.service.Gap`.
    """
    turnaround, wake, way_idle, way_busy = [], [], [], []
    for run in runs:
        seen = run.observed
        rows = np.flatnonzero(np.isfinite(seen.start_s))
        rows = rows[np.argsort(seen.start_s[rows])]
        before, after = rows[:-1], rows[1:]
        waited = seen.received_s[after] <= seen.done_s[before]
        turnaround.append((seen.start_s[after] - seen.done_s[before])[waited])
        gap_s = float(np.median(turnaround[-1])) if waited.any() else 0.0
        free_s = seen.done_s + gap_s
        # A frame that comes while results are being sent off neither waits nor wakes.
        idle = seen.received_s[after] > seen.done_s[before] + _SENDING_S
        wake.append((seen.start_s[after] - seen.received_s[after])[idle])
        came = np.isfinite(seen.received_s)
        planned_s, way_s = (
            seen.planned_s[came],
            (seen.received_s - seen.planned_s)[came],
        )
        last = np.searchsorted(seen.start_s[rows], planned_s, side="right") - 1
        busy = (last >= 0) & (planned_s < free_s[rows[np.maximum(last, 0)]])
        way_idle.append(way_s[~busy])
        way_busy.append(way_s[busy])
    levels = np.linspace(0.0, 1.0, N_QUANTILES)
    pooled = [np.concatenate(each) for each in (turnaround, wake, way_idle, way_busy)]
    # A worker that never rested has not shown how it wakes.
    known = np.concatenate([each for each in pooled if len(each)])
    return np.stack(
        [np.quantile(each if len(each) else known, levels) for each in pooled]
    )
