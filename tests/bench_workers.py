"""Workers for processes of their own; they import little, to start soon."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from matcher.messages import (
    ClockProbe,
    ClockReading,
    Flush,
    Flushed,
    Ready,
    Results,
    SystemDescription,
)
from matcher.records import (
    EncodedFrame,
    FrameOutcome,
    FrameResult,
    Outcome,
    Stage,
    StageEvent,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

SYSTEM = SystemDescription(
    name="double",
    detector="double@0",
    embedder="double@0",
    index="double",
    gallery_size=3,
    threshold=0.5,
    threshold_origin="given",
    threads=(),
    versions=(),
)


def serve_until_killed(connection: Connection) -> None:
    """Say ready, then wait for the end of the pipe."""
    connection.send(Ready(system=SYSTEM))
    try:
        connection.recv()
    except EOFError:
        return


def serve_frames(connection: Connection) -> None:
    """Process every frame at once, until the other end hangs up."""
    connection.send(Ready(system=SYSTEM))
    while True:
        try:
            message = connection.recv()
        except EOFError:
            return
        now_ns = time.perf_counter_ns()
        match message:
            case ClockProbe(sent_ns=sent_ns):
                connection.send(ClockReading(sent_ns=sent_ns, read_ns=now_ns))
            case EncodedFrame():
                connection.send(Results(frames=(_processed(message, now_ns),)))
            case Flush(token=token):
                connection.send(Flushed(token=token))


def _processed(frame: EncodedFrame, now_ns: int) -> FrameResult:
    return FrameResult(
        outcome=FrameOutcome(
            camera_id=frame.camera_id,
            frame_index=frame.index,
            capture_time_ns=frame.capture_time_ns,
            received_ns=now_ns,
            done_ns=now_ns,
            outcome=Outcome.PROCESSED,
            cause="",
            n_faces=0,
        ),
        events=tuple(
            StageEvent(
                camera_id=frame.camera_id,
                frame_index=frame.index,
                stage=stage,
                n_faces=0,
                enqueued_ns=now_ns,
                started_ns=now_ns,
                ended_ns=now_ns,
            )
            for stage in Stage
        ),
        boxes=(),
        probes=(),
        alerts=(),
    )
