"""What the worker process and whoever drives it say to each other.

Owns the records that travel through the pipe, all of them pickled whole. Knows
nothing of who is at the other end.

    driver                worker
      │  ◄──────────────── Ready | Refused      once the networks are warm
      │  ClockProbe ─────► ClockReading         any time
      │  EncodedFrame ───► Results              many frames, in batches
      │  Flush ──────────► Results, Flushed     all frames sent before have ended
      │  Stop ───────────► Results, Stopped     the worker then exits
      │  ◄──────────────── Crashed              at any time; the worker then exits
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from matcher.records import EncodedFrame, FrameResult

__all__ = [
    "ClockProbe",
    "ClockReading",
    "Crashed",
    "Flush",
    "Flushed",
    "FromWorker",
    "Ready",
    "Refused",
    "ResourceUse",
    "Results",
    "Stop",
    "Stopped",
    "SystemDescription",
    "ToWorker",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDescription:
    """What a result must name to be repeated.

    Attributes:
        name: `"matcher"` or `"null"`.
        detector, embedder: Registered name and SHA-256 of the model, `name@sha256`.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUse:
    """What the worker used between Ready and Stopped.

    Attributes:
        cpu_s: CPU time of all its threads.
        wall_s: Time between the two messages.
        peak_rss_bytes: Largest resident set of the process so far.
        n_frames: Frames received.
    """

    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    n_frames: int


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


ToWorker: TypeAlias = EncodedFrame | ClockProbe | Flush | Stop
FromWorker: TypeAlias = (
    Ready | Refused | Crashed | ClockReading | Results | Flushed | Stopped
)
