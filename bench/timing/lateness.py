"""Why frames were late: what took most of the time of each that missed the limit.

Owns the four causes and the rule by which a late frame has one. Knows nothing of
limits or of frames that were lost.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from bench.records import Metric
from bench.timing.frames import NEVER, PlanRows
from matcher.records import Outcome

if TYPE_CHECKING:
    from bench.records import ArrivalPlan
    from bench.timing.frames import FrameTable
    from matcher.records import FrameResult

__all__ = ["LateBy", "late_metrics"]


class LateBy(StrEnum):
    """Where a late frame spent most of its time."""

    SENDING = "sending"
    TRANSPORT = "transport"
    WAITING = "waiting"
    SERVICE = "service"


def late_metrics(
    results: tuple[FrameResult, ...],
    plan: ArrivalPlan,
    frames: FrameTable,
    *,
    deadline_s: float,
) -> dict[str, Metric]:
    """Count processed frames that were done late by what kept them longest.

    `frames.late_by.sending` were handed over late, `.transport` were long on their way
    to the matcher, `.waiting` stood in its queues, `.service` were being worked on.

    Args:
        results: With the three stamps of every stage.
        plan: Finds the row of a frame.
        frames: When each was due, sent and done.
        deadline_s: Later than this after the planned capture is late.
    """
    rows = PlanRows(plan)
    limit_ns = round(deadline_s * 1e9)
    late: Counter[LateBy] = Counter()
    n = 0
    for result in results:
        said = result.outcome
        row = rows.row(said.camera_id, said.frame_index)
        if row == NEVER or said.outcome is not Outcome.PROCESSED:
            continue
        if not frames.counted[row]:
            continue
        n += 1
        planned_ns = int(frames.planned_ns[row])
        if said.done_ns - planned_ns > limit_ns:
            sent_ns = int(frames.sent_ns[row])
            late[_longest(result, planned_ns=planned_ns, sent_ns=sent_ns)] += 1
    return {
        f"frames.late_by.{cause}": Metric(value=late[cause], n=n, unit="frames")
        for cause in LateBy
    }


def _longest(result: FrameResult, *, planned_ns: int, sent_ns: int) -> LateBy:
    said = result.outcome
    service_ns = sum(e.ended_ns - e.started_ns for e in result.events)
    spent_ns = {
        LateBy.SENDING: sent_ns - planned_ns,
        # A frame may be received before the hand-over of it has returned.
        LateBy.TRANSPORT: max(0, said.received_ns - sent_ns),
        LateBy.WAITING: said.done_ns - said.received_ns - service_ns,
        LateBy.SERVICE: service_ns,
    }
    return max(spent_ns, key=lambda cause: spent_ns[cause])
