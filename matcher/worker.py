"""One frame from packet to result: decode, then process, skip or fail.

Owns the decoders, and the rule that every frame has exactly one outcome. Knows nothing
of pipes or threads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from matcher.assembly import assemble
from matcher.inbox import Waiting
from matcher.ingest import CameraDecoder, UndecodableError
from matcher.records import FrameOutcome, FrameResult, Outcome, Stage, StageEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from matcher.pipeline import Pipeline
    from matcher.records import CameraId, EncodedFrame

__all__ = ["Handler", "Worker", "run_unhurried", "unhurried"]


class Handler(Protocol):
    """Whatever brings frames to their end."""

    def handle(self, waiting: Waiting) -> FrameResult:
        """Bring one frame to its end."""
        ...


class Worker:
    """Decodes, and then processes or skips, the frames of any number of cameras.

    Args:
        pipeline: The stages after decoding.
        clock: Nanoseconds.
    """

    def __init__(self, pipeline: Pipeline, *, clock: Callable[[], int]) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._decoders: dict[CameraId, CameraDecoder] = {}

    def handle(self, waiting: Waiting) -> FrameResult:
        """Bring one frame to its end; a bad packet is a failed frame, no error."""
        encoded = waiting.frame
        decoder = self._decoders.get(encoded.camera_id)
        if decoder is None:
            decoder = self._decoders[encoded.camera_id] = CameraDecoder()
        started_ns = self._clock()
        try:
            frame = decoder.decode(encoded)
        except UndecodableError as error:
            return self._ended(waiting, started_ns, Outcome.FAILED, str(error))
        if waiting.overtaken_by > 0:
            cause = f"overtaken: {waiting.overtaken_by} newer frames of the camera wait"
            return self._ended(waiting, started_ns, Outcome.SKIPPED, cause)
        decoded = self._decoded(waiting, started_ns)
        result = self._pipeline.process(frame, received_ns=waiting.received_ns)
        return replace(result, events=(decoded, *result.events))

    def _decoded(self, waiting: Waiting, started_ns: int) -> StageEvent:
        return StageEvent(
            camera_id=waiting.frame.camera_id,
            frame_index=waiting.frame.index,
            stage=Stage.DECODE,
            n_faces=0,
            enqueued_ns=waiting.received_ns,
            started_ns=started_ns,
            ended_ns=self._clock(),
        )

    def _ended(
        self, waiting: Waiting, started_ns: int, outcome: Outcome, cause: str
    ) -> FrameResult:
        decoded = self._decoded(waiting, started_ns)
        return FrameResult(
            outcome=FrameOutcome(
                camera_id=waiting.frame.camera_id,
                frame_index=waiting.frame.index,
                capture_time_ns=waiting.frame.capture_time_ns,
                received_ns=waiting.received_ns,
                done_ns=decoded.ended_ns,
                outcome=outcome,
                cause=cause,
                n_faces=0,
            ),
            events=(decoded,),
            boxes=(),
            probes=(),
            alerts=(),
        )


def unhurried(
    frames: Iterable[EncodedFrame], handler: Handler, *, clock: Callable[[], int]
) -> Iterator[FrameResult]:
    """Handle every frame in the order given, in this process, skipping none."""
    for arrival, frame in enumerate(frames):
        waiting = Waiting(
            frame=frame, received_ns=clock(), arrival=arrival, overtaken_by=0
        )
        yield handler.handle(waiting)


def run_unhurried(
    frames: Iterable[EncodedFrame],
    *,
    config: MatcherConfig,
    gallery: Gallery,
    clock: Callable[[], int],
) -> Iterator[FrameResult]:
    """Assemble a matcher and let it handle every frame, in this process.

    Args:
        frames: Of any cameras, each camera's in order of capture.
        config: Settings; those of the engine do not act.
        gallery: The enrolled.
        clock: Nanoseconds.
    """
    pipeline = assemble(config, gallery, clock=clock).pipeline
    return unhurried(frames, Worker(pipeline, clock=clock), clock=clock)
