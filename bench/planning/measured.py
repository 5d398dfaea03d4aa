"""One load that was driven for real, and what its frames take by some fit.

Owns the design of the fits: what each stage's time is made of, frame by frame. Fits
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.records import StageIndex
from sim.service import REST_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.planning.observed import Observed
    from bench.planning.replay import Replay, Scene

    # Four costs, as `sim.service.Column` names them, and the share of coldness.
    StageCosts = tuple[NDArray[np.float64], float]

__all__ = [
    "OF_EMBEDDED",
    "OF_SEARCHED",
    "Column",
    "Measured",
    "added_up",
    "column_of",
    "fitted_s_of",
    "slowness",
    "took_and_fitted",
]

# Stages whose work is of faces embedded, and of frames searched.
OF_EMBEDDED = (StageIndex.EMBED, StageIndex.SEARCH, StageIndex.DECIDE)
OF_SEARCHED = (StageIndex.DETECT, StageIndex.TRACK)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One load that was driven for real.

    Attributes:
        replay, scene: The load.
        observed: What became of its frames.
    """

    replay: Replay
    scene: Scene
    observed: Observed

    @property
    def worked_on(self) -> NDArray[np.bool_]:
        """Frames that a worker decoded."""
        return np.isfinite(self.observed.stage_s[:, StageIndex.DECODE])

    @property
    def cold(self) -> NDArray[np.float64]:
        """How cold the detector was at each frame's start, from 0 to 1."""
        seen = self.observed
        cold = np.ones(len(seen.end))
        rows = np.flatnonzero(self.worked_on)
        workers = self.scene.worker[self.scene.frames.camera]
        looked_s = np.full(self.replay.n_workers, -np.inf)
        for row in rows[np.argsort(seen.start_s[rows])].tolist():
            worker = workers[row]
            cold[row] = 1.0 - REST_S / (seen.start_s[row] - looked_s[worker] + REST_S)
            if seen.is_searched[row]:
                took_s = seen.stage_s[row, : StageIndex.DETECT + 1].sum()
                looked_s[worker] = seen.start_s[row] + took_s
        return cold


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """What one stage did in one load.

    Attributes:
        rows: (m,) frames that it worked on.
        took_s: (m,) float64.
        design: (m, 4) float64, what `base`, `per_unit`, `once` and `per_face` weigh.
        cold: (m,) float64.
    """

    rows: NDArray[np.int64]
    took_s: NDArray[np.float64]
    design: NDArray[np.float64]
    cold: NDArray[np.float64]


def column_of(run: Measured, stage: StageIndex, cold: NDArray[np.float64]) -> Column:
    """Lay out what a stage did in a load, and what its costs weigh, frame by frame."""
    seen = run.observed
    took_s = seen.stage_s[:, stage]
    rows = np.flatnonzero(np.isfinite(took_s))
    units, per_face = np.zeros(len(took_s)), seen.n_embedded.astype(np.float64)
    once = per_face > 0.0
    if stage is StageIndex.DECODE:
        units = run.scene.frames.packet_bytes
    elif stage not in OF_EMBEDDED:
        units = seen.n_faces.astype(np.float64)
    if stage is StageIndex.DECODE or stage in OF_SEARCHED:
        once, per_face = seen.is_searched, np.zeros(len(took_s))
    design = np.stack([np.ones(len(took_s)), units, once, per_face], axis=1)
    return Column(rows=rows, took_s=took_s[rows], design=design[rows], cold=cold[rows])


def fitted_s_of(column: Column, costs: StageCosts) -> NDArray[np.float64]:
    """Say what each frame takes at a stage by some costs, seconds."""
    per_frame, rest = costs
    found: NDArray[np.float64] = (column.design @ per_frame) * (
        1.0 + rest * column.cold
    )
    return found


def added_up(
    n: int, columns: Sequence[Column], costs: Sequence[StageCosts]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up all stages of a load's `n` frames: as measured, and as fitted."""
    took_s, fitted_s = np.zeros(n), np.zeros(n)
    for column, mine in zip(columns, costs, strict=True):
        took_s[column.rows] += column.took_s
        fitted_s[column.rows] += fitted_s_of(column, mine)
    return took_s, fitted_s


def slowness(
    run: Measured,
    costs_s: NDArray[np.float64],
    rest: NDArray[np.float64],
    *,
    of: NDArray[np.bool_],
) -> float:
    """Say how much longer some frames took than a calibration says they do.

    Args:
        run: A load that was driven.
        costs_s: As `sim.service.ServiceTables` has them, for its gallery.
        rest: Likewise.
        of: (n,) bool, the frames.
    """
    took_s, fitted_s = took_and_fitted(run, costs_s, rest)
    return float(took_s[of].sum() / fitted_s[of].sum())


def took_and_fitted(
    run: Measured, costs_s: NDArray[np.float64], rest: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up each frame's stages, as measured and as a calibration has them."""
    cold = run.cold
    return added_up(
        len(run.observed.end),
        [column_of(run, stage, cold) for stage in StageIndex],
        [(costs_s[stage], float(rest[stage])) for stage in StageIndex],
    )
