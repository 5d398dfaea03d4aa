"""A matcher that knows the truth: it proves the measuring, not the matching.

Owns what a faultless matcher would say of each frame. Whatever error rate is measured
on it is an error of the harness: FNIR, FPIR and FTA must be zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from bench.accuracy.association import MIN_VISIBILITY
from matcher.messages import SystemDescription
from matcher.records import (
    Alert,
    FrameOutcome,
    FrameResult,
    Outcome,
    Probe,
    Stage,
    StageEvent,
    SubjectId,
    TrackId,
)
from synthetic_crowds.records import NO_PASSAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from matcher.inbox import Waiting
    from matcher.messages import GalleryChange
    from synthetic_crowds.records import Clip, Crowd

__all__ = ["ORACLE", "Oracle"]

Box: TypeAlias = tuple[float, float, float, float]

_THRESHOLD = 0.5
_NOBODY = SubjectId("nobody")

ORACLE = SystemDescription(
    name="oracle",
    detector="truth",
    embedder="truth",
    index="truth",
    gallery_size=0,
    threshold=_THRESHOLD,
    threshold_origin="the truth scores 1, everyone else 0",
    threads=(),
    versions=(),
)


class Oracle:
    """Finds every visible face, and alerts once per passage of a sought person.

    Args:
        crowd: What is true of every frame.
        clock: Nanoseconds.
        held_back: Of the watchlist, who joins later.
    """

    def __init__(
        self,
        crowd: Crowd,
        *,
        clock: Callable[[], int],
        held_back: Collection[str] = (),
    ) -> None:
        self._clips = {str(clip.camera_id): clip for clip in crowd.clips}
        everyone = frozenset(str(s.person_id) for s in crowd.watchlist.subjects)
        self._sought = everyone - frozenset(held_back)
        self._alerted: set[str] = set()
        self._clock = clock

    def handle(self, batch: Sequence[Waiting]) -> Sequence[FrameResult]:
        """Say what is true of frames."""
        return [self._tell(waiting) for waiting in batch]

    def carry_out(self, change: GalleryChange) -> None:
        """Change who is sought; a frame under way sees the one or the other."""
        self._sought = (self._sought | set(change.enrol)) - set(change.withdraw)

    def _tell(self, waiting: Waiting) -> FrameResult:
        frame = waiting.frame
        began_ns = self._clock()
        faces = self._faces(self._clips[str(frame.camera_id)], frame.index)
        sought = self._sought
        done_ns = self._clock()
        probes = tuple(
            Probe(
                camera_id=frame.camera_id,
                track_id=track_id,
                frame_index=frame.index,
                capture_time_ns=frame.capture_time_ns,
                box_xyxy=box,
                quality=1.0,
                n_shots=1,
                subject_id=person if person in sought else _NOBODY,
                comparison_score=1.0 if person in sought else 0.0,
                decided_ns=done_ns,
            )
            for track_id, _, person, box in faces
        )
        alerts = []
        for probe, (_, passage_id, _, _) in zip(probes, faces, strict=True):
            if probe.subject_id != _NOBODY and passage_id not in self._alerted:
                self._alerted.add(passage_id)
                alerts.append(_alert(probe))
        return FrameResult(
            outcome=FrameOutcome(
                camera_id=frame.camera_id,
                frame_index=frame.index,
                capture_time_ns=frame.capture_time_ns,
                received_ns=waiting.received_ns,
                done_ns=done_ns,
                outcome=Outcome.PROCESSED,
                cause="",
                n_faces=len(faces),
            ),
            events=tuple(
                StageEvent(
                    camera_id=frame.camera_id,
                    frame_index=frame.index,
                    stage=stage,
                    n_faces=len(faces),
                    enqueued_ns=waiting.received_ns,
                    started_ns=began_ns,
                    ended_ns=done_ns,
                )
                for stage in Stage
            ),
            boxes=tuple((track_id, *box) for track_id, _, _, box in faces),
            probes=probes,
            alerts=tuple(alerts),
        )

    def _faces(
        self, clip: Clip, index: int
    ) -> list[tuple[TrackId, str, SubjectId, Box]]:
        """List the visible faces in the zone: track, passage, person, box."""
        truth = clip.faces
        first, end = np.searchsorted(truth.frame_index, (index, index + 1))
        rows = np.arange(first, end)[truth.visibility[first:end] >= MIN_VISIBILITY]
        time_s = index / clip.fps
        found: list[tuple[TrackId, str, SubjectId, Box]] = []
        for row in rows:
            number = int(truth.passage_index[row])
            if number == NO_PASSAGE:
                continue
            passage = clip.passages[number]
            if passage.t_in_s - 1e-6 <= time_s <= passage.t_out_s + 1e-6:
                x1, y1, x2, y2 = (float(v) for v in truth.box_xyxy[row])
                person = SubjectId(str(passage.person_id))
                box = (x1, y1, x2, y2)
                found.append((TrackId(number), passage.passage_id, person, box))
        return found


def _alert(probe: Probe) -> Alert:
    return Alert(
        camera_id=probe.camera_id,
        track_id=probe.track_id,
        frame_index=probe.frame_index,
        subject_id=probe.subject_id,
        comparison_score=probe.comparison_score,
        threshold=_THRESHOLD,
        box_xyxy=probe.box_xyxy,
        capture_time_ns=probe.capture_time_ns,
        alert_time_ns=probe.decided_ns,
    )
