"""One frame from packet to result: decode, then process, skip or fail.

Owns the decoders, and the rule that every frame has exactly one outcome. Knows nothing
of pipes or threads.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from matcher.assembly import assemble
from matcher.inbox import Waiting
from matcher.ingest import CameraDecoder, UndecodableError
from matcher.records import FrameOutcome, FrameResult, Outcome, Stage, StageEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from matcher.identification import Look
    from matcher.messages import CameraMemory
    from matcher.pipeline import Pipeline
    from matcher.records import CameraId, EncodedFrame, Frame

__all__ = ["Decoder", "Handler", "Worker", "run_unhurried", "unhurried"]


class Decoder(Protocol):
    """One camera's way from packets to pictures."""

    def advance(self, encoded: EncodedFrame) -> object:
        """Take one packet, as every packet has to be taken.

        Raises:
            UndecodableError: If no picture can come of it.
        """
        ...

    def convert(self, encoded: EncodedFrame, picture: Any) -> Frame:  # noqa: ANN401
        """Turn what came of it into a frame, for somebody will look at it.

        Raises:
            UndecodableError: If that cannot be.
        """
        ...


class Handler(Protocol):
    """Whatever brings frames to their end."""

    def handle(self, batch: Sequence[Waiting]) -> Sequence[FrameResult]:
        """Bring frames, no two of one camera, to their ends, in order."""
        ...


class Worker:
    """Decodes, and then processes or skips, the frames of any number of cameras.

    Args:
        pipeline: The stages after decoding.
        clock: Nanoseconds.
        make_decoder: One for each camera.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        clock: Callable[[], int],
        make_decoder: Callable[[], Decoder] = CameraDecoder,
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._make_decoder = make_decoder
        self._decoders: dict[CameraId, Decoder] = {}

    def resume(
        self, memories: Iterable[CameraMemory], frames: Iterable[EncodedFrame]
    ) -> None:
        """Take the place of a worker that died.

        Args:
            memories: What it is known to have reached, camera by camera.
            frames: Of each camera, those since its last key frame: decoded, not
                looked at.
        """
        for memory in memories:
            self._pipeline.recall(memory)
        for frame in frames:
            # It had its outcome already; only the decoder has to see it again.
            with suppress(UndecodableError):
                self._decoder_of(frame.camera_id).advance(frame)

    def memory_of(self, camera_id: CameraId) -> CameraMemory:
        """Say what a successor would have to know of a camera."""
        return self._pipeline.memory_of(camera_id)

    def restart(self, camera_id: CameraId) -> None:
        """Begin a camera anew, under track numbers never used before."""
        self._decoders.pop(camera_id, None)
        self._pipeline.restart(camera_id)

    def forget(self, camera_id: CameraId) -> None:
        """Know nothing of a camera, as if it had never sent a frame."""
        self._decoders.pop(camera_id, None)
        self._pipeline.forget(camera_id)

    def handle(self, batch: Sequence[Waiting]) -> Sequence[FrameResult]:
        """Bring frames to their ends; a bad packet is a failed frame, no error.

        Args:
            batch: No two of one camera; those processed are embedded together.
        """
        looks: list[Look] = []
        ends: list[FrameResult | StageEvent] = []
        for waiting in batch:
            decoded = self._decode(waiting)
            if isinstance(decoded, FrameResult):
                ends.append(decoded)
            else:
                event, look = decoded
                ends.append(event)
                looks.append(look)
        identified = iter(self._pipeline.identify(looks))
        results = []
        for end in ends:
            if isinstance(end, FrameResult):
                results.append(end)
            else:
                result = next(identified)
                results.append(replace(result, events=(end, *result.events)))
        return results

    def _decode(self, waiting: Waiting) -> FrameResult | tuple[StageEvent, Look]:
        """Decode a frame and look at it, unless it fails or is overtaken."""
        encoded = waiting.frame
        decoder = self._decoder_of(encoded.camera_id)
        started_ns = self._clock()
        frame: Frame | None = None
        try:
            picture = decoder.advance(encoded)
            if cause := _why_skipped(waiting):
                return self._ended(waiting, started_ns, Outcome.SKIPPED, cause)
            if self._pipeline.is_due(encoded):
                frame = decoder.convert(encoded, picture)
        except UndecodableError as error:
            return self._ended(waiting, started_ns, Outcome.FAILED, str(error))
        if frame is not None:
            event = self._decoded(waiting, started_ns)
            return event, self._pipeline.look(frame, received_ns=waiting.received_ns)
        # Nobody looks at it, so it is not even converted.
        event = self._decoded(waiting, started_ns)
        return event, self._pipeline.coast(encoded, received_ns=waiting.received_ns)

    def _decoder_of(self, camera_id: CameraId) -> Decoder:
        decoder = self._decoders.get(camera_id)
        if decoder is None:
            decoder = self._decoders[camera_id] = self._make_decoder()
        return decoder

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


def _why_skipped(waiting: Waiting) -> str:
    """Say why a frame is only decoded; nothing if it is to be processed."""
    if waiting.unwanted:
        return waiting.unwanted
    if waiting.overtaken_by > 0:
        return f"overtaken: {waiting.overtaken_by} newer frames of the camera wait"
    return ""


def unhurried(
    frames: Iterable[EncodedFrame], handler: Handler, *, clock: Callable[[], int]
) -> Iterator[FrameResult]:
    """Handle every frame in the order given, in this process, skipping none."""
    for arrival, frame in enumerate(frames):
        waiting = Waiting(
            frame=frame, received_ns=clock(), arrival=arrival, overtaken_by=0
        )
        yield from handler.handle((waiting,))


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
