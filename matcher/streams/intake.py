"""A matcher that fetches its frames itself: cameras on one side, reports on the other.

Owns the process between a driver that only gives orders and a matcher
(`matcher.engine.serve`) that only knows pipes: it reads the cameras, hands their frames
on, and passes every other message through. Part of the shell. Knows nothing of what was
planned: frames bear their numbers and capture times themselves.

    driver                intake                     matcher
      │  ◄── Ready, Results, Flushed, … ──────────────  │
      │  ClockProbe, Flush, Stop ──────────────────────►│
      │  ◄── Rehearsed, StreamReport                    │
      │            cameras ══ MPEG-TS ══► EncodedFrame ►│
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from matcher.engine import manners
from matcher.engine import serve as serve_matcher
from matcher.messages import ReportStreams, Stop, StreamReport
from matcher.null import serve as serve_null_system
from matcher.streams.room import open_cameras

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from matcher.config import MatcherConfig
    from matcher.messages import FromWorker, ToWorker
    from matcher.records import CameraId, EncodedFrame
    from matcher.streams.config import StreamConfig
    from matcher.streams.room import CameraRoom

__all__ = ["mediate", "serve", "serve_null"]

_GRACE_S = 10.0
# The threads end with the process; those that read look up with the next frame.
_PATIENCE_S = 0.5


def serve(
    connection: Connection[FromWorker, ToWorker],
    config: MatcherConfig,
    gallery_path: Path,
    streams: Sequence[StreamConfig],
) -> None:
    """Be a matcher with cameras of its own, from start to end.

    Args:
        connection: To the driver.
        config: The matcher's settings.
        gallery_path: As written by `matcher.gallery.save`.
        streams: The cameras.
    """

    def matcher(theirs: Connection[FromWorker, ToWorker]) -> None:
        serve_matcher(theirs, config, gallery_path)

    with manners(connection):
        mediate(connection, matcher, streams)


def serve_null(
    connection: Connection[FromWorker, ToWorker], streams: Sequence[StreamConfig]
) -> None:
    """Be a system that does nothing with the frames that it fetches."""
    with manners(connection):
        mediate(connection, serve_null_system, streams)


def mediate(
    driver: Connection[FromWorker, ToWorker],
    matcher: Callable[[Connection[FromWorker, ToWorker]], None],
    streams: Sequence[StreamConfig],
) -> None:
    """Start a matcher, feed it with cameras, and pass on what is said.

    Args:
        driver: Gives orders; its hanging up ends everything.
        matcher: What the matcher's process does with its end of a pipe.
        streams: The cameras.
    """
    # Forked before the first thread: nothing can be left locked in the copy.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=True)

    def be_matcher() -> None:
        # Held here, they would stay open after their rightful holder has died.
        ours.close()
        driver.close()
        matcher(theirs)

    process = context.Process(target=be_matcher, name="matcher")
    process.start()
    theirs.close()
    desk = _Desk(driver, ours)
    with open_cameras(
        streams,
        deliver=desk.deliver,
        clock=time.perf_counter_ns,
        rehearsed=desk.rehearsed,
        patience_s=_PATIENCE_S,
    ) as room:
        threading.Thread(target=desk.obey, args=(room,), daemon=True).start()
        desk.report()
    process.join(_GRACE_S)
    if process.exitcode is None:
        process.terminate()
        process.join()


class _Desk:
    """Two pipes and the ways between them; each end is written by one at a time."""

    def __init__(
        self,
        driver: Connection[FromWorker, ToWorker],
        matcher: Connection[ToWorker, FromWorker],
    ) -> None:
        self._driver = driver
        self._matcher = matcher
        self._fileno = matcher.fileno()
        self._to_driver = threading.Lock()
        self._to_matcher = threading.Lock()

    def deliver(self, frame: EncodedFrame, _received_ns: int) -> bool:
        """Hand a camera's frame to the matcher, whose inbox always has room."""
        try:
            with self._to_matcher:
                self._matcher.send(frame)
        except OSError:
            return False
        return True

    def rehearsed(self, camera_id: CameraId) -> None:
        """Tell the driver that a camera's frames arrive."""
        with suppress(OSError), self._to_driver:
            self._driver.send(StreamReport(rehearsed=camera_id, counts=()))

    def obey(self, room: CameraRoom) -> None:
        """Pass the driver's orders on, until it stops or hangs up."""
        with suppress(EOFError, OSError):
            while True:
                order = self._driver.recv()
                if isinstance(order, ReportStreams):
                    with self._to_driver:
                        self._driver.send(
                            StreamReport(rehearsed=None, counts=room.counts)
                        )
                    continue
                with self._to_matcher:
                    self._matcher.send(order)
                if isinstance(order, Stop):
                    return
        # Nobody listens any more. Both ends of the pipe hear it shut, ours and the
        # matcher's; merely closed here, it would stay open for the thread that reads.
        with suppress(OSError), socket.socket(fileno=os.dup(self._fileno)) as pipe:
            pipe.shutdown(socket.SHUT_RDWR)

    def report(self) -> None:
        """Pass what the matcher says on, unread, until it has said its last."""
        with suppress(EOFError, OSError):
            while True:
                said = self._matcher.recv_bytes()
                with self._to_driver:
                    self._driver.send_bytes(said)
