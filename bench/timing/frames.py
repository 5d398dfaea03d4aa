"""One row per planned frame: when it was due, sent and done, and what became of it.

Owns the join of the arrival plan with the matcher's word on each frame; every figure
about frames is read off these columns. Knows nothing of faces or truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.load.workload import NS_PER_S
from matcher.records import Outcome, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.records import ArrivalPlan, SentFrames
    from matcher.records import FrameResult

__all__ = ["NEVER", "OUTCOMES", "FrameTable", "PlanRows", "tabulate"]

OUTCOMES = tuple(Outcome)

# In `outcome`: the matcher never spoke of this frame. In a time: it never came.
NEVER = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameTable:
    """The plan's frames with their ends, n rows in order of planned time.

    Attributes:
        planned_ns: (n,) int64, planned capture.
        sent_ns: (n,) int64; -1 if never sent.
        received_ns, done_ns: (n,) int64, by the matcher's stamps; -1 if never.
        outcome: (n,) int8, position in `OUTCOMES`; -1 if the matcher never said.
        n_outcomes: (n,) int32, how often it said; anything but 1 is a broken log.
        n_stages: (n,) int32, how many of the stages it logged for the frame.
        n_faces: (n,) int32.
        counted: (n,) bool, sent and past the warm-up.
        n_strangers: Results for frames that were never sent.
        n_backwards: Results whose stamps run backwards: from capture over receipt
            and stages to the end, a clock that works only moves on.
    """

    planned_ns: NDArray[np.int64]
    sent_ns: NDArray[np.int64]
    received_ns: NDArray[np.int64]
    done_ns: NDArray[np.int64]
    outcome: NDArray[np.int8]
    n_outcomes: NDArray[np.int32]
    n_stages: NDArray[np.int32]
    n_faces: NDArray[np.int32]
    counted: NDArray[np.bool_]
    n_strangers: int
    n_backwards: int

    @property
    def sent(self) -> NDArray[np.bool_]:
        """Rows that were sent."""
        return np.not_equal(self.sent_ns, NEVER)

    def ended(self, outcome: Outcome) -> NDArray[np.bool_]:
        """Rows that were sent and ended so, warm-up included."""
        is_so = np.equal(self.outcome, OUTCOMES.index(outcome))
        return np.logical_and(self.sent, is_so)


class PlanRows:
    """Finds the plan's row of a camera's frame."""

    __slots__ = ("_cameras", "_plan", "_rows")

    def __init__(self, plan: ArrivalPlan) -> None:
        self._plan = plan
        self._cameras = {name: k for k, name in enumerate(plan.camera_ids)}
        n_frames = 1 + int(plan.frame_index.max(initial=-1))
        self._rows = np.full((len(plan.camera_ids), n_frames), NEVER, dtype=np.int64)
        self._rows[plan.camera, plan.frame_index] = np.arange(len(plan))

    def row(self, camera_id: str, frame_index: int) -> int:
        """Return the row, or -1 if the plan has no such frame."""
        camera = self._cameras.get(camera_id)
        if camera is None or not 0 <= frame_index < self._rows.shape[1]:
            return NEVER
        return int(self._rows[camera, frame_index])

    def rows(
        self, camera_id: str, frame_indices: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Return the rows of those frames that the plan has, in order."""
        found = (self.row(camera_id, int(index)) for index in frame_indices)
        return np.array([row for row in found if row != NEVER], dtype=np.int64)


def tabulate(
    plan: ArrivalPlan,
    sent: SentFrames,
    results: tuple[FrameResult, ...],
    *,
    warm_up_s: float,
) -> FrameTable:
    """Join the plan with what the driver did and what the matcher said.

    Args:
        plan: What was to be sent.
        sent: What was sent.
        results: The matcher's results, in any order.
        warm_up_s: Frames planned earlier than this do not count.
    """
    n = len(plan)
    rows = PlanRows(plan)
    received_ns = np.full(n, NEVER, dtype=np.int64)
    done_ns = np.full(n, NEVER, dtype=np.int64)
    outcome = np.full(n, NEVER, dtype=np.int8)
    n_outcomes = np.zeros(n, dtype=np.int32)
    n_stages = np.zeros(n, dtype=np.int32)
    n_faces = np.zeros(n, dtype=np.int32)
    n_strangers = n_backwards = 0
    for result in results:
        said = result.outcome
        row = rows.row(said.camera_id, said.frame_index)
        if row == NEVER or sent.sent_ns[row] == NEVER:
            n_strangers += 1
            continue
        n_backwards += not _moves_on(result)
        received_ns[row] = said.received_ns
        done_ns[row] = said.done_ns
        outcome[row] = OUTCOMES.index(said.outcome)
        n_outcomes[row] += 1
        n_stages[row] += len({event.stage for event in result.events} & set(Stage))
        n_faces[row] = said.n_faces
    past_warm_up = plan.offset_ns >= round(warm_up_s * NS_PER_S)
    return FrameTable(
        planned_ns=sent.planned_ns,
        sent_ns=sent.sent_ns,
        received_ns=received_ns,
        done_ns=done_ns,
        outcome=outcome,
        n_outcomes=n_outcomes,
        n_stages=n_stages,
        n_faces=n_faces,
        counted=past_warm_up & (sent.sent_ns != NEVER),
        n_strangers=n_strangers,
        n_backwards=n_backwards,
    )


def _moves_on(result: FrameResult) -> bool:
    """Say whether every stamp of a frame is at or after the ones before it."""
    said = result.outcome
    if not said.capture_time_ns <= said.received_ns <= said.done_ns:
        return False
    return all(
        said.received_ns <= e.enqueued_ns <= e.started_ns <= e.ended_ns <= said.done_ns
        for e in result.events
    )
