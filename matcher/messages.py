"""What the matcher's processes and whoever drives them say to each other.

Owns the records that travel through the pipe, all of them pickled whole. Knows
nothing of who is at the other end.

    driver                supervisor
      │  ◄──────────────── Ready | Refused      once the networks are warm
      │  ClockProbe ─────► ClockReading         any time
      │  EncodedFrame ───► Results              many frames, in batches
      │  GalleryChange ──► Changed              one for each worker, once in effect
      │  Flush ──────────► Results, Flushed     all frames sent before have ended,
      │                                         all changes are in effect
      │  Stop ───────────► Results, Stopped     the matcher then exits
      │  ◄──────────────── Crashed              at any time; the matcher then exits

    driver                intake (`matcher.streams.intake`), beside all of the above
      │  ReportStreams ──► StreamReport         what became of the cameras' streams
      │  ◄──────────────── StreamReport         whenever a rehearsal arrives

    supervisor            worker
      │  ◄──────────────── Ready | Refused      once its networks are warm
      │  Routed ─────────► Parcel               Results, packed for the driver
      │  GalleryChange ──► Changed              at once, whatever frames wait
      │  Stop ───────────► Parcel, Stopped      the worker then exits
      │  ◄──────────────── Crashed              at any time; the worker then exits
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from matcher.records import CameraId, EncodedFrame, FrameResult, SubjectId

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from matcher.streams.records import SourceCounts

__all__ = [
    "CameraMemory",
    "Changed",
    "ClockProbe",
    "ClockReading",
    "Crashed",
    "Flush",
    "Flushed",
    "FromWorker",
    "GalleryChange",
    "Parcel",
    "Ready",
    "Refused",
    "ReportStreams",
    "ResourceUse",
    "Results",
    "Routed",
    "Stop",
    "Stopped",
    "StreamReport",
    "SystemDescription",
    "ToWorker",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDescription:
    """What a result must name to be repeated.

    Attributes:
        name: `"matcher"` or `"null"`.
        detector, embedder, refiner: Registered name and SHA-256 of the model,
            `name@sha256`; of the refiner `none` where landmarks stay as detected.
        index: Registered name.
        gallery_size: Enrolled templates, N.
        threshold: Least comparison score of an alert, cosine in [-1, 1].
        threshold_origin: One sentence: given, or how it was calibrated.
        threads: Library or pool → threads it may use.
        versions: Library → version.
        n_cohort: Calibration passages behind the threshold; None if it was given.
    """

    name: str
    detector: str
    embedder: str
    index: str
    gallery_size: int
    threshold: float
    threshold_origin: str
    threads: tuple[tuple[str, int], ...]
    versions: tuple[tuple[str, str], ...]
    n_cohort: int | None = None
    refiner: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUse:
    """What the worker used between Ready and Stopped.

    Attributes:
        cpu_s: CPU time of all its threads.
        wall_s: Time between the two messages.
        peak_rss_bytes: Largest resident set of the process so far; of several, the
            sum, in which pages that they share count more than once.
        n_frames: Frames received.
        n_restarts: Workers replaced because their process had died.
    """

    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    n_frames: int
    n_restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The networks are warm and frames may come."""

    system: SystemDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The worker cannot start on this input; it exits after saying so.

    Attributes:
        sentence: What was required, what arrived, where, and the remedy.
    """

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The worker hit a fault of its own and exits.

    Attributes:
        sentence: The exception, in one line.
        traceback: Its traceback, for the log.
    """

    sentence: str
    traceback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockProbe:
    """Ask the worker to read its clock.

    Attributes:
        sent_ns: The sender's clock.
    """

    sent_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """The worker's clock, read on receiving a probe.

    Attributes:
        sent_ns: As in the probe.
        read_ns: The worker's clock.
    """

    sent_ns: int
    read_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What became of some frames, in the order in which they ended."""

    frames: tuple[FrameResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GalleryChange:
    """Let subjects join and leave the gallery while frames are handled.

    Attributes:
        number: Returned with the signs of its effect.
        enrol: Who joins.
        templates: (m, d) float32, unit length, one each.
        withdraw: Who leaves.
    """

    number: int
    enrol: tuple[SubjectId, ...]
    templates: NDArray[np.float32]
    withdraw: tuple[SubjectId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a change in one worker.

    Attributes:
        number: As in the change.
        worker: Which worker, from 0.
        in_effect_ns: Every search that begins later is of the new gallery.
        refusal: Why the gallery stays as it was; empty if it changed.
    """

    number: int
    worker: int
    in_effect_ns: int
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """Ask for a sign once every frame sent before has ended.

    Attributes:
        token: Returned with the sign.
    """

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flushed:
    """Every frame sent before the flush of this token has ended."""

    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End after the frames that are already here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The last message of a worker that was asked to stop."""

    use: ResourceUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A frame on its way from the supervisor to the worker of its camera.

    Attributes:
        frame: As it came.
        received_ns: When the matcher received it.
    """

    frame: EncodedFrame
    received_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraMemory:
    """What must outlive a worker, so that its successor repeats no track or alert.

    Attributes:
        camera_id: Of which camera.
        next_track_id: Of the next track to be born.
        alerted: Subjects who have alerted there, and when last: the alert's capture
            time, or that of the newest frame while the track that alerted lives.
    """

    camera_id: CameraId
    next_track_id: int
    alerted: tuple[tuple[SubjectId, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Results on their way through the supervisor, which reads the label alone.

    Attributes:
        ended: Camera and index of every frame in it.
        memories: Of the cameras of those frames, after them.
        payload: A pickled `Results`, passed on unread.
    """

    ended: tuple[tuple[CameraId, int], ...]
    memories: tuple[CameraMemory, ...]
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStreams:
    """Ask what has become of the cameras' streams so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReport:
    """What has become of the cameras' streams so far.

    Attributes:
        rehearsed: The camera of which a rehearsal has just arrived; None if this
            answers a question.
        counts: Of each camera; empty if nobody asked.
    """

    rehearsed: CameraId | None
    counts: tuple[SourceCounts, ...]


ToWorker: TypeAlias = (
    EncodedFrame | Routed | ClockProbe | GalleryChange | Flush | Stop | ReportStreams
)
FromWorker: TypeAlias = (
    Ready
    | Refused
    | Crashed
    | ClockReading
    | Changed
    | Results
    | Parcel
    | Flushed
    | Stopped
    | StreamReport
)
