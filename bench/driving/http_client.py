"""The process that posts frames: what comes through the pipe goes out as HTTP.

Owns the frames under way, and the order of each camera's. It is a part of the harness,
in a process of its own so that no answer being read makes the driver late. Knows
nothing of when frames are due.

Open, a frame is posted when it comes, whatever became of those before: only its bytes
follow theirs. A camera with too many under way posts no more until one has ended; what
it could not post is skipped, with that cause. In order, a camera's next frame waits for
the answer to its last.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.dialects.dialect import Answer, Call, FrameLabel, unprocessed
from bench.driving.http_exchange import Sending, fetch, open_session
from bench.driving.picture_store import PictureStore
from bench.errors import SystemGoneError
from matcher.messages import (
    ClockProbe,
    ClockReading,
    Crashed,
    Flush,
    Flushed,
    Ready,
    ResourceUse,
    Results,
    Stop,
    Stopped,
)
from matcher.records import EncodedFrame, Outcome

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from multiprocessing.connection import Connection
    from pathlib import Path

    import aiohttp

    from bench.dialects.dialect import Dialect
    from matcher.messages import FromWorker, SystemDescription, ToWorker
    from matcher.records import FrameResult

__all__ = ["MAX_UNDER_WAY", "ClientSpec", "serve_http"]

# Of one camera: a second and a half at 10 frames a second. Who is further behind
# is not waiting for answers any more, but for a way out.
MAX_UNDER_WAY = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """All that the process has to know.

    Attributes:
        url: Of the matcher.
        headers: Of every call; a token may be among them.
        dialect: How to say it.
        system: What the matcher is.
        media_type: Of what is posted.
        sizes: Of each camera's pictures, width and height in pixels.
        store: Folder with the pictures; None to post the packets as they come.
        timeout_s: Longest wait for an answer.
        in_order: A camera's frame waits for the answer to the last.
        unhurried: Capture times are no times of this clock.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    dialect: Dialect
    system: SystemDescription
    media_type: str
    sizes: dict[str, tuple[int, int]]
    store: Path | None
    timeout_s: float
    in_order: bool
    unhurried: bool


def serve_http(connection: Connection[FromWorker, ToWorker], spec: ClientSpec) -> None:
    """Post frames until told to stop, or until nobody is left to tell.

    Args:
        connection: To the driver.
        spec: What to post where.
    """
    asyncio.run(_Client(connection, spec).run())


@dataclass(slots=True)
class _Lane:
    """One camera's frames under way."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    n_under_way: int = 0


class _Client:
    def __init__(
        self, connection: Connection[FromWorker, ToWorker], spec: ClientSpec
    ) -> None:
        self._connection = connection
        self._spec = spec
        self._clock = time.perf_counter_ns
        self._pictures = (
            None if spec.store is None else PictureStore(spec.store, list(spec.sizes))
        )
        self._lanes: dict[str, _Lane] = {name: _Lane() for name in spec.sizes}
        self._tasks: set[asyncio.Task[None]] = set()
        self._flushes: list[Flush] = []
        self._n_frames = 0
        self._n_under_way = 0

    async def run(self) -> None:
        """Listen to the pipe until its end, or a stop."""
        loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = loop.create_future()
        self._began_ns = self._clock()
        async with open_session(self._spec.headers, clock=self._clock) as session:
            self._session: aiohttp.ClientSession = session
            self._say(Ready(system=self._spec.system))
            loop.add_reader(self._connection.fileno(), self._listen)
            await self._over
            loop.remove_reader(self._connection.fileno())
            for task in self._tasks:
                task.cancel()

    def _listen(self) -> None:
        try:
            while not self._over.done() and self._connection.poll():
                self._take(self._connection.recv())
        except (EOFError, OSError):
            self._end()

    def _take(self, message: ToWorker) -> None:
        match message:
            case EncodedFrame():
                self._begin(message)
            case ClockProbe():
                self._start(self._read_clock(message))
            case Flush():
                self._flushes.append(message)
                self._start(self._flush_if_idle())
            case _ if isinstance(message, Stop):
                self._say(Stopped(use=self._use()))
                self._end()

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            lines = traceback.format_exception(error)
            self._crash(f"{type(error).__name__}: {error}", "".join(lines))

    def _begin(self, frame: EncodedFrame) -> None:
        self._n_frames += 1
        lane = self._lanes[str(frame.camera_id)]
        if not self._spec.in_order and lane.n_under_way >= MAX_UNDER_WAY:
            now_ns = self._clock()
            never = Answer(status=0, body=b"", sent_ns=now_ns, answered_ns=now_ns)
            cause = f"not posted: {lane.n_under_way} frames of the camera under way"
            label = self._label(frame)
            self._report(unprocessed(label, never, Outcome.SKIPPED, cause))
            return
        lane.n_under_way += 1
        self._n_under_way += 1
        self._start(self._post(frame, lane))

    async def _post(self, frame: EncodedFrame, lane: _Lane) -> None:
        spec, label = self._spec, self._label(frame)
        picture = frame.packet
        if self._pictures is not None:
            picture = self._pictures.picture(str(frame.camera_id), frame.index)
        call = spec.dialect.frame_call(
            label, picture, spec.media_type, unhurried=spec.unhurried
        )
        sending = Sending()
        async with lane.turn:
            posted = asyncio.ensure_future(self._fetch(call, sending))
            if spec.in_order:
                await posted
            await sending.written.wait()
        answer = await posted
        lane.n_under_way -= 1
        self._n_under_way -= 1
        self._report(spec.dialect.frame_result(label, answer))
        await self._flush_if_idle()

    async def _fetch(self, call: Call, sending: Sending) -> Answer:
        return await fetch(
            self._session,
            self._spec.url,
            call,
            timeout_s=self._spec.timeout_s,
            clock=self._clock,
            sending=sending,
        )

    def _label(self, frame: EncodedFrame) -> FrameLabel:
        width_px, height_px = self._spec.sizes[str(frame.camera_id)]
        return FrameLabel(
            camera_id=frame.camera_id,
            index=frame.index,
            capture_time_ns=frame.capture_time_ns,
            width_px=width_px,
            height_px=height_px,
        )

    async def _read_clock(self, probe: ClockProbe) -> None:
        call = self._spec.dialect.clock_call()
        if call is None:
            read_ns = self._clock()
        else:
            answer = await self._fetch(call, Sending())
            try:
                read_ns = self._spec.dialect.clock_reading(answer)
            except SystemGoneError as error:
                self._crash(error.reason, "")
                return
        self._say(ClockReading(sent_ns=probe.sent_ns, read_ns=read_ns))

    async def _flush_if_idle(self) -> None:
        """Give the sign once all frames have ended, if the matcher is still there."""
        if self._n_under_way > 0 or not self._flushes:
            return
        flushes, self._flushes = self._flushes, []
        # Whatever it says of its root, it says something.
        answer = await self._fetch(Call(method="GET", path="/"), Sending())
        if answer.failure:
            self._crash(f"nobody answers at {self._spec.url}: {answer.failure}", "")
            return
        for flush in flushes:
            self._say(Flushed(token=flush.token))

    def _report(self, result: FrameResult) -> None:
        self._say(Results(frames=(result,)))

    def _crash(self, sentence: str, lines: str) -> None:
        self._say(Crashed(sentence=sentence, traceback=lines))
        self._end()

    def _say(self, message: FromWorker) -> None:
        try:
            self._connection.send(message)
        except OSError:
            self._end()

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    def _use(self) -> ResourceUse:
        return ResourceUse(
            cpu_s=time.process_time(),
            wall_s=(self._clock() - self._began_ns) / 1e9,
            peak_rss_bytes=0,
            n_frames=self._n_frames,
        )
