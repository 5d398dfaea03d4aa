"""What a matcher did with a replayed load, as columns beside the simulator's own.

Owns the step from results to one row per planned frame, in seconds from the start of
the load, so that measured and simulated frames can be laid side by side. Knows
nothing of fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.planning.replay import Part
from bench.timing.frames import PlanRows
from matcher.records import Outcome, Stage
from sim.records import FrameEnd, StageIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.planning.replay import Scene
    from bench.records import SentFrames
    from matcher.records import FrameResult

__all__ = ["Observed", "observe", "speed_change"]

# No detector looks at a picture in so little; a frame that is only predicted takes some
# microseconds.
_NO_SEARCH_S = 1e-4
_STAGE = {stage.value: k for k, stage in enumerate(Stage)}
_END = {
    Outcome.PROCESSED: FrameEnd.PROCESSED,
    Outcome.SKIPPED: FrameEnd.SKIPPED,
    Outcome.FAILED: FrameEnd.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observed:
    """Measured frames, n rows in the order of the plan; NaN where nothing came.

    Attributes:
        end: (n,) int8, a `FrameEnd`; -1 if the matcher never spoke of it.
        planned_s: (n,) float64, by the driver's clock, from the start of the load.
        received_s, start_s, done_s: (n,) float64, likewise.
        stage_s: (n, 7) float64, time in each stage.
        is_searched: (n,) bool, whether faces were looked for.
        n_faces, n_embedded: (n,) int64, faces found and embedded.
    """

    end: NDArray[np.int8]
    planned_s: NDArray[np.float64]
    received_s: NDArray[np.float64]
    start_s: NDArray[np.float64]
    done_s: NDArray[np.float64]
    stage_s: NDArray[np.float64]
    is_searched: NDArray[np.bool_]
    n_faces: NDArray[np.int64]
    n_embedded: NDArray[np.int64]


def observe(scene: Scene, sent: SentFrames, results: Sequence[FrameResult]) -> Observed:
    """Put results in the order of the plan."""
    n = len(scene.plan)
    rows = PlanRows(scene.plan)
    begin_ns = int(sent.planned_ns[0] - scene.plan.offset_ns[0])
    end = np.full(n, -1, np.int8)
    times = np.full((n, 3), np.nan)
    stage_s = np.full((n, len(_STAGE)), np.nan)
    n_faces, n_embedded = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for result in results:
        said = result.outcome
        row = rows.row(said.camera_id, said.frame_index)
        end[row] = _END[said.outcome]
        n_faces[row] = said.n_faces
        started_ns = result.events[0].started_ns if result.events else said.done_ns
        times[row] = (
            (said.received_ns - begin_ns) * 1e-9,
            (started_ns - begin_ns) * 1e-9,
            (said.done_ns - begin_ns) * 1e-9,
        )
        for event in result.events:
            stage_s[row, _STAGE[event.stage]] = (
                event.ended_ns - event.started_ns
            ) * 1e-9
            if event.stage is Stage.EMBED:
                n_embedded[row] = event.n_faces
    return Observed(
        end=end,
        planned_s=np.asarray((sent.planned_ns - begin_ns) * 1e-9, np.float64),
        received_s=times[:, 0],
        start_s=times[:, 1],
        done_s=times[:, 2],
        stage_s=stage_s,
        # False where there is no time at all.
        is_searched=stage_s[:, StageIndex.DETECT] > _NO_SEARCH_S,
        n_faces=n_faces,
        n_embedded=n_embedded,
    )


def speed_change(scene: Scene, observed: Observed) -> float:
    """Say how much longer detection took the gauge in a load's later half.

    Detection, because it costs the same whatever is in the picture: the halves need not
    have skipped the same frames. No frame of the load is looked at.

    Returns:
        A share of what it took in the earlier half; 0 without a gauge.
    """
    is_gauge = observed.is_searched & (scene.part == Part.GAUGE)
    if not is_gauge.any():
        return 0.0
    capture_s = scene.frames.capture_s
    is_late = capture_s >= (capture_s.min() + capture_s.max()) / 2.0
    detect_s = observed.stage_s[:, StageIndex.DETECT]
    later_s = detect_s[is_gauge & is_late].mean()
    return float(later_s / detect_s[is_gauge & ~is_late].mean()) - 1.0
