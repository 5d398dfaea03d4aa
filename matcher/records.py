"""What crosses the borders of `matcher`: frames in; probes, alerts and stamps out.

Owns shapes, units and names. Knows nothing of truth, load or scenarios: no record
here can say whether an alert was right.

All times are nanoseconds of one monotonic clock, shared by every process of the
machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.picture import Picture

__all__ = [
    "Alert",
    "BestShot",
    "CameraId",
    "CandidateLists",
    "Detections",
    "Embeddings",
    "EncodedFrame",
    "Frame",
    "FrameOutcome",
    "FrameResult",
    "Outcome",
    "Probe",
    "Stage",
    "StageEvent",
    "SubjectId",
    "TrackId",
]

CameraId = NewType("CameraId", str)
SubjectId = NewType("SubjectId", str)
TrackId = NewType("TrackId", int)


def _check(record: object, shapes: dict[str, tuple[tuple[int, ...], type]]) -> None:
    """Refuse arrays of another shape or type than documented; freeze the rest."""
    for name, (shape, dtype) in shapes.items():
        array = getattr(record, name)
        if array.shape != shape or array.dtype != dtype:
            message = (
                f"{type(record).__name__}.{name} must be {shape} "
                f"{np.dtype(dtype).name}, got {array.shape} {array.dtype.name}"
            )
            raise ValueError(message)
        array.setflags(write=False)


class Stage(StrEnum):
    """The stages of the pipeline, in order."""

    DECODE = "decode"
    DETECT = "detect"
    TRACK = "track"
    ALIGN = "align"
    EMBED = "embed"
    SEARCH = "search"
    DECIDE = "decide"


class Outcome(StrEnum):
    """What became of a frame; every frame that arrives has exactly one."""

    PROCESSED = "processed"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedFrame:
    """One camera's frame as it comes off the wire.

    Attributes:
        camera_id: Which camera.
        index: Of the frame in its stream, from 0.
        capture_time_ns: Planned capture time.
        packet: One H.264 access unit, Annex B.
    """

    camera_id: CameraId
    index: int
    capture_time_ns: int
    packet: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One decoded frame.

    Attributes:
        camera_id: Which camera.
        index: Of the frame in its stream, from 0.
        capture_time_ns: Planned capture time.
        picture: What it shows.
    """

    camera_id: CameraId
    index: int
    capture_time_ns: int
    picture: Picture

    @property
    def image_bgr(self) -> NDArray[np.uint8]:
        """The whole picture, converted when first asked for: (h, w, 3) uint8."""
        return self.picture.image_bgr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detections:
    """The faces found in one frame, n rows, best score first.

    Attributes:
        boxes_xyxy: (n, 4) float32, pixels of the frame.
        landmarks: (n, 5, 2) float32, pixels: the subject's right eye, left eye,
            nose tip, right and left mouth corner.
        scores: (n,) float32 in [0, 1], the detector's own.
    """

    boxes_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check shapes and freeze.

        Raises:
            ValueError: If an array has another shape or type than documented.
        """
        n = len(self.scores)
        _check(
            self,
            {
                "boxes_xyxy": ((n, 4), np.float32),
                "landmarks": ((n, 5, 2), np.float32),
                "scores": ((n,), np.float32),
            },
        )

    def __len__(self) -> int:
        return len(self.scores)

    def magnified(self, scale: float) -> Detections:
        """Carry faces found in a view to the picture that it was shrunk from."""
        if scale == 1.0:
            return self
        factor = np.float32(scale)
        return Detections(
            boxes_xyxy=self.boxes_xyxy * factor,
            landmarks=self.landmarks * factor,
            scores=self.scores,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BestShot:
    """A face worth embedding: an aligned chip of one track, with its quality.

    Attributes:
        track_id: Of which track of its camera.
        frame_index: Of the frame it was cut from.
        box_xyxy: (4,) float32, pixels of that frame.
        chip_bgr: (c, c, 3) uint8, aligned; c is the embedder's chip size.
        quality: In [0, 1]; higher embeds better.
    """

    track_id: TrackId
    frame_index: int
    box_xyxy: NDArray[np.float32]
    chip_bgr: NDArray[np.uint8]
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embeddings:
    """Templates of n faces.

    Attributes:
        vectors: (n, d) float32, unit length.
    """

    vectors: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check shape and freeze.

        Raises:
            ValueError: If `vectors` is not two-dimensional float32.
        """
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float32:
            message = (
                f"Embeddings.vectors must be (n, d) float32, got "
                f"{self.vectors.shape} {self.vectors.dtype.name}"
            )
            raise ValueError(message)
        self.vectors.setflags(write=False)

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CandidateLists:
    """Ranked returns of n searches.

    Attributes:
        rows: (n, k) int64, positions in the gallery, best first.
        scores: (n, k) float32, comparison scores: cosine in [-1, 1].
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check shapes and freeze.

        Raises:
            ValueError: If the two arrays differ in shape, or in type from the above.
        """
        shape = (len(self.rows), self.rows.shape[-1])
        _check(self, {"rows": (shape, np.int64), "scores": (shape, np.float32)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One search of a track's fused template against the gallery.

    Attributes:
        camera_id, track_id, frame_index: Where the newest face in it comes from.
        capture_time_ns: Planned capture time of that frame.
        box_xyxy: Of that face, pixels.
        quality: Of that face, in [0, 1].
        n_shots: Faces fused so far.
        subject_id: First candidate.
        comparison_score: Its score.
        decided_ns: When the decision on this probe was complete.
        runners_up: Further candidates, best first; as many as the settings ask for.
    """

    camera_id: CameraId
    track_id: TrackId
    frame_index: int
    capture_time_ns: int
    box_xyxy: tuple[float, float, float, float]
    quality: float
    n_shots: int
    subject_id: SubjectId
    comparison_score: float
    decided_ns: int
    runners_up: tuple[SubjectId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A candidate at or above the threshold, raised once per person a track follows.

    Attributes:
        camera_id, track_id, frame_index: Which face raised it.
        subject_id: Whom it claims to have seen.
        comparison_score, threshold: Cosine, in [-1, 1].
        box_xyxy: Of the face, pixels.
        capture_time_ns: Planned capture time of the frame.
        alert_time_ns: When the alert was raised.
    """

    camera_id: CameraId
    track_id: TrackId
    frame_index: int
    subject_id: SubjectId
    comparison_score: float
    threshold: float
    box_xyxy: tuple[float, float, float, float]
    capture_time_ns: int
    alert_time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEvent:
    """One stage's work on one frame: three stamps tell waiting from service.

    Attributes:
        camera_id, frame_index: Which frame.
        stage: Which stage.
        n_faces: Faces the stage worked on; 0 where it works on the frame.
        enqueued_ns, started_ns, ended_ns: Work was ready, begun, done.
    """

    camera_id: CameraId
    frame_index: int
    stage: Stage
    n_faces: int
    enqueued_ns: int
    started_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameOutcome:
    """The end of one frame.

    Attributes:
        camera_id, frame_index: Which frame.
        capture_time_ns: Planned capture time.
        received_ns: When the matcher received it.
        done_ns: When its last stage ended, or it was skipped or failed.
        outcome: What became of it.
        cause: Why, if it was not processed; else empty.
        n_faces: Faces detected; 0 where none were searched for.
    """

    camera_id: CameraId
    frame_index: int
    capture_time_ns: int
    received_ns: int
    done_ns: int
    outcome: Outcome
    cause: str
    n_faces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameResult:
    """All that the matcher says about one frame.

    Attributes:
        outcome: How it ended.
        events: Its stages, in order.
        boxes: Detected boxes with their track, `(track_id, x1, y1, x2, y2)`; on a
            frame that was not searched for faces, those of trusted tracks where they
            are predicted to be.
        probes: Searches made on it.
        alerts: Alerts it raised.
    """

    outcome: FrameOutcome
    events: tuple[StageEvent, ...]
    boxes: tuple[tuple[int, float, float, float, float], ...]
    probes: tuple[Probe, ...]
    alerts: tuple[Alert, ...]
