"""Many cameras at once: one thread each, one place to hand their frames to.

Owns that all of them start and stop together. Knows nothing of what a camera does nor
of who takes its frames: the matcher's process (`matcher.streams.intake`) and the
service both do.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from matcher.errors import StreamError
from matcher.streams.source import CameraSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matcher.records import CameraId, EncodedFrame
    from matcher.streams.config import StreamConfig
    from matcher.streams.records import SourceCounts

__all__ = ["CameraRoom", "distinct", "open_cameras"]


class CameraRoom:
    """The cameras that are being read.

    Args:
        sources: One a camera; not yet started.
    """

    def __init__(self, sources: Sequence[CameraSource]) -> None:
        self._sources = tuple(sources)

    @property
    def counts(self) -> tuple[SourceCounts, ...]:
        """What has become of each camera's stream so far."""
        return tuple(source.counts for source in self._sources)

    def start(self) -> None:
        """Begin to read all of them."""
        for source in self._sources:
            source.start()

    def stop(self, *, patience_s: float) -> None:
        """Read none of them any more; a thread may outlive the patience, unheeded."""
        for source in self._sources:
            source.end()
        ends_s = time.monotonic() + patience_s
        for source in self._sources:
            source.join(max(0.0, ends_s - time.monotonic()))


def distinct(streams: Sequence[StreamConfig]) -> Sequence[StreamConfig]:
    """Return cameras as they are given.

    Raises:
        StreamError: If two have one name.
    """
    names = [stream.camera_id for stream in streams]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        message = (
            f"cameras must have names of their own, got '{repeated[0]}' more than "
            "once; rename one of them"
        )
        raise StreamError(message)
    return streams


@contextmanager
def open_cameras(
    streams: Sequence[StreamConfig],
    *,
    deliver: Callable[[EncodedFrame, int], bool],
    clock: Callable[[], int],
    rehearsed: Callable[[CameraId], None] = lambda _camera_id: None,
    patience_s: float = 10.0,
) -> Iterator[CameraRoom]:
    """Read cameras until the block ends.

    Args:
        streams: One a camera.
        deliver: Takes a frame and when it was received, nanoseconds, and returns
            whether it was taken; called on the cameras' threads, several at a time.
            A camera whose frame was not taken sends none before its next key frame.
        clock: Nanoseconds.
        rehearsed: Told of every rehearsal that arrives.
        patience_s: How long to wait for their threads afterwards; one that waits for
            a silent camera looks up only when its own patience ends.

    Raises:
        StreamError: If two cameras have one name.
    """
    room = CameraRoom(
        [
            CameraSource(stream, deliver=deliver, clock=clock, rehearsed=rehearsed)
            for stream in distinct(streams)
        ]
    )
    room.start()
    try:
        yield room
    finally:
        room.stop(patience_s=patience_s)
