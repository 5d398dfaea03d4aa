"""Our own service's dialect, as `docs/service.md` states it.

Owns which call asks for what, and what a frame's refusal means. Shapes of bodies are
`matcher.service.wire`'s. Knows nothing of sockets.

A frame is over when its answer has arrived: whoever watches a service sees an alert
then, and not when it was decided. What lies between is the way back, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from bench.dialects.dialect import (
    Answer,
    Call,
    Conversation,
    FrameLabel,
    Identified,
    unanswered,
    unprocessed,
)
from bench.dialects.native_set_up import begin, set_up, tear_down
from bench.errors import SystemGoneError
from matcher.records import Outcome
from matcher.service.wire import (
    ClockWire,
    FrameResultWire,
    IdentificationWire,
    Problem,
    from_wire,
)

if TYPE_CHECKING:
    from bench.dialects.dialect import Sought, Standing
    from matcher.config import MatcherConfig
    from matcher.records import FrameResult, StageEvent

__all__ = ["NativeDialect"]

_Body = TypeVar("_Body", bound=BaseModel)

# By the contract these are no errors: the service keeps to its limits.
_SKIPPED = {503: "service full", 410: "too old"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeDialect:
    """Speaks to `harness serve`, and to whatever keeps the same contract.

    Attributes:
        matcher: The scenario's settings, to be compared with the service's.
        boot_id: Of this machine: where the service's is equal, so is its clock.
        clock_offset_ns: What to take from the service's stamps to get ours.
    """

    matcher: MatcherConfig
    boot_id: str
    clock_offset_ns: int = 0
    name: str = "native"
    tells_stages: bool = True
    tells_probes: bool = True

    def frame_call(
        self, label: FrameLabel, picture: bytes, media_type: str, *, unhurried: bool
    ) -> Call:
        """Post one frame, and ask for everything that is known of it."""
        query = {
            "camera_id": label.camera_id,
            "frame_index": label.index,
            "capture_time_ns": label.capture_time_ns + self.clock_offset_ns,
            "detail": "full",
        }
        if unhurried:
            query["unhurried"] = "true"
        return Call(
            method="POST",
            path=f"/v1/frames?{urlencode(query)}",
            headers=(("Content-Type", media_type),),
            body=picture,
        )

    def frame_result(self, label: FrameLabel, answer: Answer) -> FrameResult:
        """Read what became of a frame; refusals are outcomes too."""
        lost = unanswered(label, answer)
        if lost is not None:
            return lost
        if answer.status != 200:
            return _refused(label, answer)
        said = _read(FrameResultWire, answer)
        if said is None:
            cause = "unreadable answer: not what the contract says"
            return unprocessed(label, answer, Outcome.FAILED, cause)
        return self._heard(label, from_wire(said), answer)

    def identify_call(self, picture: bytes, media_type: str) -> Call:
        """Post one probe."""
        return Call(
            method="POST",
            path="/v1/identify?k=1",
            headers=(("Content-Type", media_type),),
            body=picture,
        )

    def identified(self, answer: Answer) -> Identified:
        """Read what came of it."""
        said = None
        if answer.status == 200:
            said = _read(IdentificationWire, answer)
        if said is None:
            outcome = Outcome.SKIPPED if answer.status in _SKIPPED else Outcome.FAILED
            return Identified(
                outcome=outcome,
                cause=answer.failure if answer.failure else _cause(answer),
                subject_id="",
                comparison_score=None,
                alerted=False,
            )
        best = said.candidates[0] if said.candidates else None
        return Identified(
            outcome=Outcome.PROCESSED,
            cause="",
            subject_id="" if best is None else best.subject_id,
            comparison_score=None if best is None else best.comparison_score,
            alerted=said.above_threshold,
        )

    def clock_call(self) -> Call | None:
        """Ask for the service's monotonic clock."""
        return Call(method="GET", path="/v1/clock")

    def clock_reading(self, answer: Answer) -> int:
        """Read it, on our scale.

        Raises:
            SystemGoneError: If the answer is none.
        """
        said = _read(ClockWire, answer) if answer.status == 200 else None
        if said is None:
            reason = answer.failure if answer.failure else _cause(answer)
            raise SystemGoneError(reason=f"its clock could not be read ({reason})")
        return said.monotonic_ns - self.clock_offset_ns

    def set_up(self, sought: Sought) -> Conversation[Standing]:
        """Have the run's watchlist searched, and every camera begin afresh."""
        return set_up(sought, matcher=self.matcher, boot_id=self.boot_id)

    def at(self, standing: Standing) -> NativeDialect:
        """Return it with the service's clock brought to ours."""
        offset_ns = standing.clock_offset_ns
        return replace(self, clock_offset_ns=0 if offset_ns is None else offset_ns)

    def begin(self) -> Conversation[None]:
        """Have the service forget all cameras."""
        return begin()

    def tear_down(self, sought: Sought, standing: Standing) -> Conversation[None]:
        """Put back the watchlist that was searched before, and remove the run's."""
        return tear_down(sought, standing)

    def _heard(
        self, label: FrameLabel, result: FrameResult, answer: Answer
    ) -> FrameResult:
        """Bring the service's stamps to our clock; the frame ends with its answer."""
        offset_ns = self.clock_offset_ns

        def ours(stamp_ns: int) -> int:
            if offset_ns == 0:
                return stamp_ns
            # Known to half a round trip only: never before it was there, or after.
            moved_ns = stamp_ns - offset_ns
            return min(max(moved_ns, label.capture_time_ns), answer.answered_ns)

        def moved(event: StageEvent) -> StageEvent:
            return replace(
                event,
                enqueued_ns=ours(event.enqueued_ns),
                started_ns=ours(event.started_ns),
                ended_ns=ours(event.ended_ns),
            )

        said = result.outcome
        capture_time_ns = label.capture_time_ns
        return replace(
            result,
            outcome=replace(
                said,
                capture_time_ns=capture_time_ns,
                received_ns=ours(said.received_ns),
                done_ns=answer.answered_ns,
            ),
            events=tuple(moved(event) for event in result.events),
            probes=tuple(
                replace(
                    probe,
                    capture_time_ns=capture_time_ns,
                    decided_ns=ours(probe.decided_ns),
                )
                for probe in result.probes
            ),
            alerts=tuple(
                replace(
                    alert,
                    capture_time_ns=capture_time_ns,
                    alert_time_ns=answer.answered_ns,
                )
                for alert in result.alerts
            ),
        )


def _refused(label: FrameLabel, answer: Answer) -> FrameResult:
    outcome = Outcome.SKIPPED if answer.status in _SKIPPED else Outcome.FAILED
    return unprocessed(label, answer, outcome, _cause(answer))


def _cause(answer: Answer) -> str:
    """Say why an answer is a refusal; its kind, before the colon, is counted."""
    problem = _read(Problem, answer)
    code = "unknown" if problem is None else problem.code
    detail = "" if problem is None else problem.detail
    if code == "draining":
        return f"service draining: {detail}"
    if code == "undecodable_image":
        return f"undecodable image: {detail}"
    kind = _SKIPPED.get(answer.status, f"refused {answer.status} {code}")
    return f"{kind}: {detail}"


def _read(kind: type[_Body], answer: Answer) -> _Body | None:
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError:
        return None
