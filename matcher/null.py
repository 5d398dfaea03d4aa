"""A system that does nothing, to measure the harness that drives it.

Owns acknowledgement. It converses through the engine's own threads and ends every
frame as it comes: what the harness still measures then is the harness.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from matcher.config import EngineConfig
from matcher.engine import converse, manners
from matcher.messages import SystemDescription
from matcher.records import FrameOutcome, FrameResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    from matcher.inbox import Waiting
    from matcher.messages import FromWorker, ToWorker

__all__ = ["NullSystem", "serve"]

_DESCRIPTION = SystemDescription(
    name="null",
    detector="none",
    embedder="none",
    index="none",
    gallery_size=0,
    threshold=1.0,
    threshold_origin="nothing is compared",
    threads=(),
    versions=(),
)


class NullSystem:
    """Ends every frame at once, as processed, without looking at it.

    Args:
        clock: Nanoseconds.
    """

    def __init__(self, *, clock: Callable[[], int]) -> None:
        self._clock = clock

    def handle(self, batch: Sequence[Waiting]) -> Sequence[FrameResult]:
        """Acknowledge frames."""
        return [self._acknowledge(waiting) for waiting in batch]

    def _acknowledge(self, waiting: Waiting) -> FrameResult:
        return FrameResult(
            outcome=FrameOutcome(
                camera_id=waiting.frame.camera_id,
                frame_index=waiting.frame.index,
                capture_time_ns=waiting.frame.capture_time_ns,
                received_ns=waiting.received_ns,
                done_ns=self._clock(),
                outcome=Outcome.PROCESSED,
                cause="",
                n_faces=0,
            ),
            events=(),
            boxes=(),
            probes=(),
            alerts=(),
        )


def serve(connection: Connection[FromWorker, ToWorker]) -> None:
    """Be a process that acknowledges frames in order of arrival."""
    clock = time.perf_counter_ns
    with manners(connection):
        converse(
            connection,
            NullSystem(clock=clock),
            system=_DESCRIPTION,
            config=EngineConfig(drop_policy="none"),
            clock=clock,
            # Nobody is enrolled, so nothing has to be done to change who is.
            change=lambda _: None,
        )
