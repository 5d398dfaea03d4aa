"""How to talk to a matcher over HTTP: calls, answers, and who turns one into the other.

Owns the interface behind which our own service and a vendor's look alike. Every part
is pure: a dialect makes calls and reads answers, somebody else carries them. Knows
nothing of sockets or of when a frame is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from matcher.records import CameraId, FrameOutcome, FrameResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from matcher.gallery import FailureToEnrol, Gallery
    from matcher.messages import SystemDescription

__all__ = [
    "Answer",
    "Call",
    "Conversation",
    "Dialect",
    "EnrolWay",
    "FrameFormat",
    "FrameLabel",
    "Identified",
    "Portrait",
    "Sought",
    "Standing",
    "unanswered",
    "unprocessed",
]

_Said = TypeVar("_Said")


class FrameFormat(StrEnum):
    """What a frame is posted as."""

    H264 = "h264"
    PNG = "png"
    JPEG = "jpeg"

    @property
    def media_type(self) -> str:
        """Its `Content-Type`."""
        return "video/h264" if self is FrameFormat.H264 else f"image/{self}"


class EnrolWay(StrEnum):
    """How the watchlist gets to the matcher."""

    PORTRAITS = "portraits"
    TEMPLATES = "templates"
    PRESENT = "present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request, without the host.

    Attributes:
        method: `"POST"`, …
        path: From the base URL on, with its query, quoted.
        headers: Of this call alone.
        body: As it is sent.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a call.

    Attributes:
        status: HTTP status; 0 if no answer came.
        body: Of the answer.
        sent_ns: When the call had been handed to the network, by the caller's clock.
        answered_ns: When the answer was complete, or given up.
        failure: Why no answer came; empty if one did.
    """

    status: int
    body: bytes
    sent_ns: int
    answered_ns: int
    failure: str = ""


# Yields calls, is sent their answers, and comes to something in the end: who carries
# the calls does not show.
Conversation: TypeAlias = "Generator[Call, Answer, _Said]"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLabel:
    """Which frame was posted.

    Attributes:
        camera_id, index: Of the frame in its stream.
        capture_time_ns: Planned capture time, by the harness's clock.
        width_px, height_px: Of its picture.
    """

    camera_id: CameraId
    index: int
    capture_time_ns: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """A picture file of one subject, who may have several."""

    subject_id: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sought:
    """The watchlist that a run needs the matcher to search.

    Attributes:
        name: Of the watchlist there, for this run alone.
        way: How it gets there.
        subject_ids: Everyone on it.
        portraits: One subject's after another's; empty unless the way is by them.
        gallery: Made here; None unless the way is by templates.
    """

    name: str
    way: EnrolWay
    subject_ids: tuple[str, ...]
    portraits: Sequence[Portrait] = ()
    gallery: Gallery | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a matcher stands once a run can begin.

    Attributes:
        system: By its own description.
        n_enrolled: Subjects on its watchlist.
        failures: Of the run's subjects, those who could not be enrolled.
        pid: Of its process on this machine; None if it runs elsewhere or hides it.
        clock_offset_ns: What to take from its stamps to get ours; 0 on one machine,
            None if it tells no stamps.
        previous: What the run's watchlist took the place of; None if nothing.
        notes: What a reader of the report should know.
        settings: Its own, as plain JSON values; empty if it tells none.
    """

    system: SystemDescription
    n_enrolled: int
    failures: tuple[FailureToEnrol, ...]
    pid: int | None
    clock_offset_ns: int | None
    previous: str | None
    notes: tuple[str, ...]
    settings: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """What came of one probe.

    Attributes:
        outcome: Whether it was searched.
        cause: Why, if it was not.
        subject_id: First candidate; empty if there is none.
        comparison_score: Its score; None likewise.
        alerted: The matcher says that it is that subject.
    """

    outcome: Outcome
    cause: str
    subject_id: str
    comparison_score: float | None
    alerted: bool


class Dialect(Protocol):
    """A matcher's way of putting things."""

    @property
    def name(self) -> str:
        """What a report calls it."""
        ...

    @property
    def tells_stages(self) -> bool:
        """Processed frames come with the stamps of every stage."""
        ...

    @property
    def tells_probes(self) -> bool:
        """Searches are told of whether or not they end in an alert."""
        ...

    def frame_call(
        self, label: FrameLabel, picture: bytes, media_type: str, *, unhurried: bool
    ) -> Call:
        """Post one frame."""
        ...

    def frame_result(self, label: FrameLabel, answer: Answer) -> FrameResult:
        """Read what became of it; whatever came back, the frame has an end."""
        ...

    def identify_call(self, picture: bytes, media_type: str) -> Call:
        """Post one probe.

        Raises:
            BenchError: If the dialect has no such call.
        """
        ...

    def identified(self, answer: Answer) -> Identified:
        """Read what came of it."""
        ...

    def clock_call(self) -> Call | None:
        """Ask for the clock that its stamps are of; None if it tells none."""
        ...

    def clock_reading(self, answer: Answer) -> int:
        """Read it, nanoseconds.

        Raises:
            SystemGoneError: If the answer is none.
        """
        ...

    def set_up(self, sought: Sought) -> Conversation[Standing]:
        """Have the run's watchlist searched, and every camera begin afresh.

        Raises:
            BenchError: If the matcher refuses, or lacks what the run needs.
        """
        ...

    def at(self, standing: Standing) -> Dialect:
        """Return it as it speaks to a matcher that stands so."""
        ...

    def begin(self) -> Conversation[None]:
        """Have every camera begin afresh, as before the first frame of a run."""
        ...

    def tear_down(self, sought: Sought, standing: Standing) -> Conversation[None]:
        """Leave the matcher as it was found, as far as it lets us."""
        ...


def unprocessed(
    label: FrameLabel, answer: Answer, outcome: Outcome, cause: str
) -> FrameResult:
    """End a frame that the matcher did not process, by the caller's stamps.

    Args:
        label: Which frame.
        answer: What came of its call.
        outcome: SKIPPED if the matcher would not, FAILED if it could not.
        cause: Its kind stands before a colon.
    """
    sent_ns = max(answer.sent_ns, label.capture_time_ns)
    return FrameResult(
        outcome=FrameOutcome(
            camera_id=label.camera_id,
            frame_index=label.index,
            capture_time_ns=label.capture_time_ns,
            received_ns=sent_ns,
            done_ns=max(answer.answered_ns, sent_ns),
            outcome=outcome,
            cause=cause,
            n_faces=0,
        ),
        events=(),
        boxes=(),
        probes=(),
        alerts=(),
    )


def unanswered(label: FrameLabel, answer: Answer) -> FrameResult | None:
    """End a frame whose call was not answered; None if it was."""
    if not answer.failure:
        return None
    return unprocessed(label, answer, Outcome.FAILED, answer.failure)
