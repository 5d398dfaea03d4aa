"""Frames on the wire: what the matcher says of one, and back without loss.

Owns the two-way street between a `FrameResult` and JSON.
"""

from __future__ import annotations

from pydantic import Field

from matcher.records import (
    Alert,
    CameraId,
    FrameOutcome,
    FrameResult,
    Outcome,
    Probe,
    Stage,
    StageEvent,
    SubjectId,
    TrackId,
)
from matcher.service.wire.base import AnswerBody, Box, shown
from matcher.tracking import NO_TRACK

__all__ = [
    "AlertWire",
    "DetectionWire",
    "FrameResultWire",
    "OutcomeWire",
    "ProbeWire",
    "StageEventWire",
    "from_wire",
    "to_wire",
]


class OutcomeWire(AnswerBody):
    """How a frame ended."""

    camera_id: str
    frame_index: int
    capture_time_ns: int = Field(description="As it was posted.")
    received_ns: int = Field(description="When its last byte had arrived.")
    done_ns: int = Field(description="When its last stage ended, or it was skipped.")
    outcome: Outcome
    cause: str = Field(description="Why, if it was not processed; else empty.")
    n_faces: int


class DetectionWire(AnswerBody):
    """One face of a frame."""

    track_id: int | None = Field(description="The track it continues; null if none.")
    box_xyxy: Box = Field(description="Pixels of the frame.")


class StageEventWire(AnswerBody):
    """One stage's three stamps."""

    stage: Stage
    n_faces: int
    enqueued_ns: int
    started_ns: int
    ended_ns: int


class ProbeWire(AnswerBody):
    """One search of a track's template, whatever came of it."""

    track_id: int
    box_xyxy: Box
    quality: float
    n_shots: int
    subject_id: str = Field(description="First candidate.")
    comparison_score: float = Field(description="Cosine in [-1, 1].")
    decided_ns: int


class AlertWire(AnswerBody):
    """A candidate at or above the threshold, raised once per track."""

    alert_id: str = Field(description="Names the alert in `/v1/alerts`.")
    track_id: int
    subject_id: str
    comparison_score: float
    threshold: float
    box_xyxy: Box
    alert_time_ns: int


class FrameResultWire(AnswerBody):
    """Answer to `POST /v1/frames`."""

    model_config = shown(
        {
            "outcome": {
                "camera_id": "east",
                "frame_index": 12,
                "capture_time_ns": 81_234_000_000,
                "received_ns": 81_237_000_000,
                "done_ns": 81_246_000_000,
                "outcome": "processed",
                "cause": "",
                "n_faces": 1,
            },
            "detections": [{"track_id": 3, "box_xyxy": [410.5, 96.0, 452.5, 152.0]}],
            "alerts": [
                {
                    "alert_id": "0f3c9d0e5b7a4c1e8f2d6a9b3c4d5e6f",
                    "track_id": 3,
                    "subject_id": "p-17",
                    "comparison_score": 0.71,
                    "threshold": 0.64,
                    "box_xyxy": [410.5, 96.0, 452.5, 152.0],
                    "alert_time_ns": 81_245_900_000,
                }
            ],
            "events": None,
            "probes": None,
        }
    )

    outcome: OutcomeWire
    detections: tuple[DetectionWire, ...]
    alerts: tuple[AlertWire, ...]
    events: tuple[StageEventWire, ...] | None = Field(
        default=None, description="Null unless `detail=full` was asked for."
    )
    probes: tuple[ProbeWire, ...] | None = Field(
        default=None, description="Null unless `detail=full` was asked for."
    )


def to_wire(
    result: FrameResult, *, alert_ids: tuple[str, ...], full: bool
) -> FrameResultWire:
    """Put what the matcher says of a frame on the wire.

    Args:
        result: Of one frame.
        alert_ids: Names of its alerts, in order.
        full: With stage events and probes.
    """
    outcome = result.outcome
    return FrameResultWire(
        outcome=OutcomeWire(
            camera_id=outcome.camera_id,
            frame_index=outcome.frame_index,
            capture_time_ns=outcome.capture_time_ns,
            received_ns=outcome.received_ns,
            done_ns=outcome.done_ns,
            outcome=outcome.outcome,
            cause=outcome.cause,
            n_faces=outcome.n_faces,
        ),
        detections=tuple(
            DetectionWire(
                track_id=None if track_id == NO_TRACK else track_id,
                box_xyxy=(a, b, c, d),
            )
            for track_id, a, b, c, d in result.boxes
        ),
        alerts=tuple(
            AlertWire(
                alert_id=alert_id,
                track_id=alert.track_id,
                subject_id=alert.subject_id,
                comparison_score=alert.comparison_score,
                threshold=alert.threshold,
                box_xyxy=alert.box_xyxy,
                alert_time_ns=alert.alert_time_ns,
            )
            for alert_id, alert in zip(alert_ids, result.alerts, strict=True)
        ),
        events=tuple(_event(event) for event in result.events) if full else None,
        probes=tuple(_probe(probe) for probe in result.probes) if full else None,
    )


def _event(event: StageEvent) -> StageEventWire:
    return StageEventWire(
        stage=event.stage,
        n_faces=event.n_faces,
        enqueued_ns=event.enqueued_ns,
        started_ns=event.started_ns,
        ended_ns=event.ended_ns,
    )


def _probe(probe: Probe) -> ProbeWire:
    return ProbeWire(
        track_id=probe.track_id,
        box_xyxy=probe.box_xyxy,
        quality=probe.quality,
        n_shots=probe.n_shots,
        subject_id=probe.subject_id,
        comparison_score=probe.comparison_score,
        decided_ns=probe.decided_ns,
    )


def from_wire(wire: FrameResultWire) -> FrameResult:
    """Take a frame's result off the wire, as the matcher had made it.

    What `detail=full` would have added is empty where it was not asked for.
    """
    camera_id, index = CameraId(wire.outcome.camera_id), wire.outcome.frame_index
    capture_time_ns = wire.outcome.capture_time_ns
    return FrameResult(
        outcome=FrameOutcome(
            camera_id=camera_id,
            frame_index=index,
            capture_time_ns=capture_time_ns,
            received_ns=wire.outcome.received_ns,
            done_ns=wire.outcome.done_ns,
            outcome=wire.outcome.outcome,
            cause=wire.outcome.cause,
            n_faces=wire.outcome.n_faces,
        ),
        events=tuple(
            StageEvent(
                camera_id=camera_id,
                frame_index=index,
                stage=event.stage,
                n_faces=event.n_faces,
                enqueued_ns=event.enqueued_ns,
                started_ns=event.started_ns,
                ended_ns=event.ended_ns,
            )
            for event in wire.events or ()
        ),
        boxes=tuple(
            (NO_TRACK if d.track_id is None else d.track_id, *d.box_xyxy)
            for d in wire.detections
        ),
        probes=tuple(
            Probe(
                camera_id=camera_id,
                track_id=TrackId(probe.track_id),
                frame_index=index,
                capture_time_ns=capture_time_ns,
                box_xyxy=probe.box_xyxy,
                quality=probe.quality,
                n_shots=probe.n_shots,
                subject_id=SubjectId(probe.subject_id),
                comparison_score=probe.comparison_score,
                decided_ns=probe.decided_ns,
            )
            for probe in wire.probes or ()
        ),
        alerts=tuple(
            Alert(
                camera_id=camera_id,
                track_id=TrackId(alert.track_id),
                frame_index=index,
                subject_id=SubjectId(alert.subject_id),
                comparison_score=alert.comparison_score,
                threshold=alert.threshold,
                box_xyxy=alert.box_xyxy,
                capture_time_ns=capture_time_ns,
                alert_time_ns=alert.alert_time_ns,
            )
            for alert in wire.alerts
        ),
    )
