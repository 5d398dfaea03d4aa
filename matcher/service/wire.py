"""What travels over HTTP, both ways, as JSON: the contract of `docs/service.md`.

Owns names, shapes and limits of every body, and the way from a `FrameResult` to the
wire and back without loss. Knows nothing of HTTP, of storage or of matching. Clients
written in Python import this module and nothing else of the service.

All times that end in `_ns` are nanoseconds of the service's monotonic clock
(`GET /v1/clock`), except `unix_ns`, which counts from 1970.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from matcher.messages import SystemDescription
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
from matcher.tracking import NO_TRACK

__all__ = [
    "CAMERA_PATTERN",
    "SUBJECT_PATTERN",
    "WATCHLIST_PATTERN",
    "ActiveWatchlistWire",
    "AlertWire",
    "CameraName",
    "CandidateWire",
    "ClockWire",
    "DecisionRequest",
    "DetectionWire",
    "EnrolmentRequest",
    "EnrolmentWire",
    "FailureWire",
    "FrameResultWire",
    "IdentificationWire",
    "OutcomeWire",
    "ProbeWire",
    "Problem",
    "StageEventWire",
    "StoredAlertWire",
    "StoredAlertsWire",
    "SubjectEnrolment",
    "SubjectName",
    "SubjectsWire",
    "SwapRequest",
    "SystemWire",
    "WatchlistName",
    "WatchlistRequest",
    "WatchlistWire",
    "WatchlistsWire",
    "WithdrawalRequest",
    "WithdrawalWire",
    "from_wire",
    "to_wire",
]

WATCHLIST_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
CAMERA_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$"
SUBJECT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"

WatchlistName = Annotated[str, StringConstraints(pattern=WATCHLIST_PATTERN)]
CameraName = Annotated[str, StringConstraints(pattern=CAMERA_PATTERN)]
SubjectName = Annotated[str, StringConstraints(pattern=SUBJECT_PATTERN)]

Box = tuple[float, float, float, float]


class _Answer(BaseModel):
    """What the service says; unknown keys of a newer service are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Request(BaseModel):
    """What the service is told; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Problem(_Answer):
    """Why a request was refused (RFC 9457, `application/problem+json`)."""

    type: str = Field(default="about:blank", description="Always `about:blank`.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="For programs: what was wrong, one word.")
    detail: str = Field(
        description="For people: what was required, what arrived, and the remedy."
    )


class OutcomeWire(_Answer):
    """How a frame ended."""

    camera_id: str
    frame_index: int
    capture_time_ns: int = Field(description="As it was posted.")
    received_ns: int = Field(description="When its last byte had arrived.")
    done_ns: int = Field(description="When its last stage ended, or it was skipped.")
    outcome: Outcome
    cause: str = Field(description="Why, if it was not processed; else empty.")
    n_faces: int


class DetectionWire(_Answer):
    """One face of a frame."""

    track_id: int | None = Field(description="The track it continues; null if none.")
    box_xyxy: Box = Field(description="Pixels of the frame.")


class StageEventWire(_Answer):
    """One stage's three stamps."""

    stage: Stage
    n_faces: int
    enqueued_ns: int
    started_ns: int
    ended_ns: int


class ProbeWire(_Answer):
    """One search of a track's template, whatever came of it."""

    track_id: int
    box_xyxy: Box
    quality: float
    n_shots: int
    subject_id: str = Field(description="First candidate.")
    comparison_score: float = Field(description="Cosine in [-1, 1].")
    decided_ns: int


class AlertWire(_Answer):
    """A candidate at or above the threshold, raised once per track."""

    alert_id: str = Field(description="Names the alert in `/v1/alerts`.")
    track_id: int
    subject_id: str
    comparison_score: float
    threshold: float
    box_xyxy: Box
    alert_time_ns: int


class FrameResultWire(_Answer):
    """Answer to `POST /v1/frames`."""

    outcome: OutcomeWire
    detections: tuple[DetectionWire, ...]
    alerts: tuple[AlertWire, ...]
    events: tuple[StageEventWire, ...] | None = Field(
        default=None, description="Null unless `detail=full` was asked for."
    )
    probes: tuple[ProbeWire, ...] | None = Field(
        default=None, description="Null unless `detail=full` was asked for."
    )


class CandidateWire(_Answer):
    """One of the watchlist, at its rank."""

    rank: int = Field(description="From 1.")
    subject_id: str
    comparison_score: float
    above_threshold: bool = Field(description="At or above it, to be exact.")


class IdentificationWire(_Answer):
    """Answer to `POST /v1/identify`."""

    candidates: tuple[CandidateWire, ...] = Field(description="Best first.")
    above_threshold: bool = Field(description="Whether the first candidate is.")
    threshold: float
    box_xyxy: Box = Field(description="Of the face that was searched, the largest.")
    n_faces: int
    watchlist: str
    watchlist_version: int


class WatchlistWire(_Answer):
    """A watchlist without its subjects."""

    name: str
    version: int = Field(description="Grows by one with every change.")
    n_subjects: int
    is_active: bool


class WatchlistsWire(_Answer):
    """Answer to `GET /v1/watchlists`."""

    watchlists: tuple[WatchlistWire, ...]


class SubjectsWire(_Answer):
    """Answer to `GET /v1/watchlists/{name}/subjects`: one page, in enrolment order."""

    subject_ids: tuple[str, ...]
    next_after: str | None = Field(
        description="Ask again with `after` set to this; null on the last page."
    )


class ActiveWatchlistWire(_Answer):
    """The watchlist that is searched, and the threshold that goes with it."""

    name: str
    version: int
    n_subjects: int
    index: str
    threshold: float
    threshold_origin: str
    n_cohort: int | None
    previous: str | None = Field(
        default=None, description="After a swap: which one was active before."
    )


class WatchlistRequest(_Request):
    """Body of `POST /v1/watchlists`."""

    name: WatchlistName


class SwapRequest(_Request):
    """Body of `PUT /v1/active-watchlist`; without a threshold, one is calibrated."""

    name: WatchlistName
    threshold: float | None = Field(
        default=None,
        ge=-1.0,
        le=1.0,
        description="Least comparison score of an alert; absent, as the service's "
        "settings say.",
    )
    target_fpir: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        description="Calibrate for this FPIR in place of the settings'.",
    )


class SubjectEnrolment(_Request):
    """One subject of a batch, by pictures or a template: exactly one of three keys."""

    subject_id: SubjectName
    images_base64: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=10,
        description="JPEG or PNG files; of several the mean template is taken.",
    )
    template: tuple[float, ...] | None = Field(
        default=None, max_length=4096, description="Unit length, float32 values."
    )
    template_f32_base64: str | None = Field(
        default=None,
        max_length=21848,
        description="The same as little-endian float32 bytes; a quarter of the size.",
    )


class EnrolmentRequest(_Request):
    """Body of `POST /v1/watchlists/{name}/subjects`."""

    subjects: tuple[SubjectEnrolment, ...] = Field(min_length=1, max_length=100_000)
    embedder_sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Of the embedder that made the templates; required with any.",
    )


class FailureWire(_Answer):
    """A subject who could not be enrolled, and why."""

    subject_id: str
    cause: str


class EnrolmentWire(_Answer):
    """Answer to an enrolment: one change, whole or not at all."""

    name: str
    version: int
    n_subjects: int
    n_enrolled: int
    failures: tuple[FailureWire, ...] = Field(
        description="Pictures without a face; the other subjects are enrolled."
    )


class WithdrawalRequest(_Request):
    """Body of `POST /v1/watchlists/{name}/withdrawals`: all or nobody."""

    subject_ids: tuple[SubjectName, ...] = Field(min_length=1, max_length=100_000)


class WithdrawalWire(_Answer):
    """Answer to a withdrawal."""

    name: str
    version: int
    n_subjects: int
    n_withdrawn: int


class DecisionRequest(_Request):
    """Body of `POST /v1/alerts/{alert_id}/decision`: what a person made of it."""

    decision: Literal["confirmed", "dismissed"]
    reviewer: SubjectName = Field(description="Who decided.")
    note: str = Field(default="", max_length=500)


class StoredAlertWire(_Answer):
    """An alert as it is kept, until its time is over."""

    alert_id: str
    number: int = Field(description="Grows; the event id of the alert stream.")
    unix_ns: int = Field(description="When it was raised.")
    delete_after_unix_ns: int
    camera_id: str
    frame_index: int
    track_id: int
    subject_id: str
    comparison_score: float
    threshold: float
    box_xyxy: Box
    capture_time_ns: int
    watchlist: str
    watchlist_version: int
    decision: Literal["confirmed", "dismissed"] | None
    reviewer: str | None


class StoredAlertsWire(_Answer):
    """Answer to `GET /v1/alerts`: one page, oldest first."""

    alerts: tuple[StoredAlertWire, ...]
    next_after: int | None


class ClockWire(_Answer):
    """Answer to `GET /v1/clock`."""

    monotonic_ns: int = Field(description="What every stamp of the service is of.")
    unix_ns: int


class SystemWire(_Answer):
    """Answer to `GET /v1/system`: what a result must name to be repeated."""

    name: str
    detector: str
    embedder: str
    index: str
    gallery_size: int = Field(description="0 while no watchlist is active.")
    threshold: float
    threshold_origin: str
    threads: dict[str, int]
    versions: dict[str, str]
    n_cohort: int | None
    embedder_sha256: str
    template_dimension: int
    settings: dict[str, object] = Field(description="The matcher's, resolved.")
    hostname: str
    boot_id: str = Field(description="Equal to ours: the same machine and clock.")
    pid: int
    measuring: bool = Field(description="Whether `detail=full` is answered.")

    def description(self) -> SystemDescription:
        """Return it as the record that a run keeps."""
        return SystemDescription(
            name=self.name,
            detector=self.detector,
            embedder=self.embedder,
            index=self.index,
            gallery_size=self.gallery_size,
            threshold=self.threshold,
            threshold_origin=self.threshold_origin,
            threads=tuple(self.threads.items()),
            versions=tuple(self.versions.items()),
            n_cohort=self.n_cohort,
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
