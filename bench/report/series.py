"""Columns behind the charts: what became of every frame, and where its time went.

Owns the turning of a run's records into arrays. Knows nothing of drawing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matcher.records import CameraId, Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bench.records import PassageOutcome, PlannedChange, RunRecord
    from matcher.records import FrameResult

__all__ = [
    "Frames",
    "Happening",
    "Queue",
    "Scores",
    "StageTime",
    "alert_points",
    "causes",
    "frames_of",
    "happenings_of",
    "outcomes_by_camera",
    "queue_of",
    "scores_of",
    "stage_times",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frames:
    """The processed frames of a run, in order of capture.

    Attributes:
        time_s: (n,) float64, planned capture time from the start of the run.
        latency_s: (n,) float64, from there to the decision.
    """

    time_s: NDArray[np.float64]
    latency_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """Where a frame's time goes, on average.

    Attributes:
        stage: Name of the stage; `"transport"` is the way to the matcher.
        waiting_s, service_s: Means over processed frames.
    """

    stage: str
    waiting_s: float
    service_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Best comparison score of every passage that was searched.

    Attributes:
        mated: (m,) float64, with the person's own reference.
        non_mated: (k,) float64, with anyone's.
    """

    mated: NDArray[np.float64]
    non_mated: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Queue:
    """How many frames were with the matcher, at every change.

    Attributes:
        time_s: (n,) float64, increasing, from the start of the run.
        n_frames: (n,) int64, received and not yet ended, from there on.
    """

    time_s: NDArray[np.float64]
    n_frames: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that the load did at one moment, beside sending frames.

    Attributes:
        time_s: From the start of the run.
        words: What, in a few words.
    """

    time_s: float
    words: str


def happenings_of(record: RunRecord) -> tuple[Happening, ...]:
    """List the changes of the watchlist, and cameras that fell silent or came back."""
    found = [
        Happening(time_s=change.offset_ns / 1e9, words=_change_words(change))
        for change in record.plan.changes
    ]
    load = record.scenario.get("load")
    losses = load.get("camera_loss", ()) if isinstance(load, Mapping) else ()
    for loss in losses:
        camera_id = loss["camera_id"]
        found.append(Happening(time_s=loss["from_s"], words=f"{camera_id} off"))
        found.append(Happening(time_s=loss["until_s"], words=f"{camera_id} back"))
    return tuple(sorted(found, key=lambda h: h.time_s))


def _change_words(change: PlannedChange) -> str:
    parts = [f"{len(change.enrol)} join"] * bool(change.enrol)
    parts += [f"{len(change.withdraw)} leave"] * bool(change.withdraw)
    return ", ".join(parts)


def queue_of(record: RunRecord) -> Queue:
    """Count the frames that were received and had not ended, over time."""
    start = start_ns(record)
    ends = [r.outcome for r in record.results]
    moments = np.array(
        [e.received_ns - start for e in ends] + [e.done_ns - start for e in ends],
        dtype=np.float64,
    )
    steps = np.repeat([1, -1], len(ends))
    # What ends in the nanosecond in which another comes has ended first.
    order = np.lexsort((steps, moments))
    return Queue(time_s=moments[order] / 1e9, n_frames=np.cumsum(steps[order]))


def start_ns(record: RunRecord) -> int:
    """Find the moment from which the plan's offsets count."""
    if len(record.plan) == 0:
        return 0
    return int(record.sent.planned_ns[0] - record.plan.offset_ns[0])


def frames_of(record: RunRecord) -> Frames:
    """Take capture time and latency of every processed frame."""
    start = start_ns(record)
    rows = sorted(
        (r.outcome.capture_time_ns - start, r.outcome.done_ns - start)
        for r in _processed(record.results)
    )
    stamps = np.array(rows, dtype=np.float64).reshape(-1, 2) / 1e9
    return Frames(time_s=stamps[:, 0], latency_s=stamps[:, 1] - stamps[:, 0])


def alert_points(record: RunRecord) -> tuple[tuple[float, float], ...]:
    """Take capture time and latency of every alert, seconds."""
    start = start_ns(record)
    captured_ns = {
        (r.outcome.camera_id, r.outcome.frame_index): r.outcome.capture_time_ns - start
        for r in record.results
    }
    return tuple(
        (captured_ns[key] / 1e9, alert.latency_s)
        for alert in record.alerts
        if (key := (CameraId(alert.camera_id), alert.frame_index)) in captured_ns
    )


def stage_times(
    results: Sequence[FrameResult], *, in_real_time: bool, over_network: bool
) -> tuple[StageTime, ...]:
    """Average the waiting and the service of each stage over processed frames.

    Args:
        results: The matcher's word on every frame.
        in_real_time: Frames came when they were planned; else waiting says only how
            far ahead they were sent, and is left out.
        over_network: Frames end with the arrival of their answer, which takes its time.
    """
    processed = _processed(results)
    if not processed:
        return ()
    n = len(processed)
    waited_ns = dict.fromkeys(Stage, 0)
    served_ns = dict.fromkeys(Stage, 0)
    for result in processed:
        for event in result.events:
            waited_ns[event.stage] += event.started_ns - event.enqueued_ns
            served_ns[event.stage] += event.ended_ns - event.started_ns
    stages = tuple(
        StageTime(
            stage=stage.value,
            waiting_s=waited_ns[stage] / n / 1e9 if in_real_time else 0.0,
            service_s=served_ns[stage] / n / 1e9,
        )
        for stage in Stage
    )
    if not in_real_time:
        return stages
    ends = [r.outcome for r in processed]
    transport_ns = sum(end.received_ns - end.capture_time_ns for end in ends) / n
    return (
        StageTime(stage="transport", waiting_s=transport_ns / 1e9, service_s=0.0),
        *stages,
        *(_way_back(processed) if over_network else ()),
    )


def _way_back(processed: Sequence[FrameResult]) -> tuple[StageTime, ...]:
    back_ns = [r.outcome.done_ns - r.events[-1].ended_ns for r in processed if r.events]
    if not back_ns:
        return ()
    mean_s = sum(back_ns) / len(back_ns) / 1e9
    return (StageTime(stage="answer", waiting_s=mean_s, service_s=0.0),)


def outcomes_by_camera(record: RunRecord) -> dict[str, dict[str, int]]:
    """Count sent frames by camera and outcome; those without one are `unanswered`."""
    counts = {
        camera_id: {"processed": 0, "skipped": 0, "failed": 0, "unanswered": 0}
        for camera_id in record.plan.camera_ids
    }
    was_sent = record.sent.sent_ns >= 0
    offered = np.bincount(record.plan.camera[was_sent], minlength=len(counts))
    for result in record.results:
        counts[result.outcome.camera_id][result.outcome.outcome.value] += 1
    for total, row in zip(offered, counts.values(), strict=True):
        row["unanswered"] = int(total) - sum(row.values())
    return counts


def causes(results: Iterable[FrameResult]) -> tuple[tuple[str, int], ...]:
    """Count why frames were not processed, most frequent cause first.

    The kind of a cause stands before its colon; what follows differs by frame.
    """
    counts = Counter(
        result.outcome.cause.partition(":")[0]
        for result in results
        if result.outcome.outcome is not Outcome.PROCESSED
    )
    return tuple(counts.most_common())


def scores_of(passages: Iterable[PassageOutcome]) -> Scores:
    """Take the scores that decide: the mate's if enrolled, else the best of all."""
    everyone = tuple(passages)
    return Scores(
        mated=_scores(p.mate_score for p in everyone if p.mated),
        non_mated=_scores(p.best_score for p in everyone if not p.mated),
    )


def _scores(scores: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([s for s in scores if s is not None], dtype=np.float64)


def _processed(results: Sequence[FrameResult]) -> tuple[FrameResult, ...]:
    return tuple(r for r in results if r.outcome.outcome is Outcome.PROCESSED)
