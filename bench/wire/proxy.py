"""An imperfect network in user space: a process between cameras and matcher.

Owns the forwarding of TCP streams and UDP datagrams, each camera's with its own fate.
In a process of its own, so that the driver's clock does not suffer. Knows nothing of
frames. Part of the shell.

Linux's netem does the same in the kernel, with finer timing, where a network namespace
may be set up; this needs no rights at all.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import SystemStartError
from bench.wire.impairment import Impairment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from bench.wire.settings import WireConfig

__all__ = ["Proxy", "ProxyCounts", "Route", "open_proxy"]

_START_S = 30.0
_ANSWER_S = 5.0
# A piece of a stream is forwarded as it comes; several segments travel in one.
_PIECE_BYTES = 16 * 1024
# What may be under way before the sender is held up, as by a window that is full.
_WINDOW_PIECES = 1024
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One camera's way through the proxy.

    Attributes:
        camera_id: Which camera.
        is_tcp: A stream, fetched from `port` when somebody connects; else datagrams,
            sent on to `port`.
        port: On this machine.
        config: What befalls them.
        seed: Of that camera's luck.
    """

    camera_id: str
    is_tcp: bool
    port: int
    config: WireConfig
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyCounts:
    """What has befallen one camera's packets; of TCP, pieces of its stream.

    Attributes:
        camera_id: Which camera.
        n_packets: Entered.
        n_lost: Never came out.
        n_resent: Came late, since they were lost at first.
        n_overtaking: Came out ahead of earlier ones.
        n_resets: Connections cut.
    """

    camera_id: str
    n_packets: int
    n_lost: int
    n_resent: int
    n_overtaking: int
    n_resets: int


class Proxy:
    """The proxy's process, as its owner sees it.

    Attributes:
        ports: Where each route is entered, in their order.
        pid: Of the process.
    """

    def __init__(
        self, pipe: Connection[Any, Any], ports: tuple[int, ...], *, pid: int | None
    ) -> None:
        self.ports = ports
        self.pid = pid
        self._pipe = pipe

    def begin(self, start_ns: int) -> None:
        """Say when the run begins: outages count from there.

        Args:
            start_ns: Of `time.perf_counter_ns`.
        """
        self._pipe.send(("begin", start_ns))

    def counts(self) -> tuple[ProxyCounts, ...]:
        """Ask what has befallen each route's packets so far; empty if it is gone."""
        try:
            self._pipe.send(("counts", 0))
            if self._pipe.poll(_ANSWER_S):
                found: tuple[ProxyCounts, ...] = self._pipe.recv()
                return found
        except (EOFError, OSError):
            pass
        return ()


@contextmanager
def open_proxy(routes: Sequence[Route]) -> Iterator[Proxy]:
    """Run a proxy until the block ends.

    Raises:
        SystemStartError: If it does not come up.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=True)
    process = context.Process(
        target=_serve, args=(theirs, tuple(routes)), name="network", daemon=True
    )
    process.start()
    theirs.close()
    try:
        if not ours.poll(_START_S):
            raise SystemStartError(reason="the network's proxy stays silent")
        yield Proxy(ours, ours.recv(), pid=process.pid)
    except EOFError as error:
        raise SystemStartError(reason="the network's proxy has ended") from error
    finally:
        ours.close()
        process.join(_ANSWER_S)
        if process.exitcode is None:
            process.kill()
            process.join()


def _serve(pipe: Connection[Any, Any], routes: tuple[Route, ...]) -> None:
    """Be the proxy until the other end of the pipe is closed."""
    # Ctrl-C reaches the whole group; the owner decides when the proxy ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_forward(pipe, routes))


async def _forward(pipe: Connection[Any, Any], routes: tuple[Route, ...]) -> None:
    loop = asyncio.get_running_loop()
    ways = [_Way(route) for route in routes]
    for way in ways:
        await way.open()
    ended = asyncio.Event()

    def hear() -> None:
        try:
            word, start_ns = pipe.recv()
        except (EOFError, OSError):
            loop.remove_reader(pipe.fileno())
            ended.set()
            return
        if word == "begin":
            for way in ways:
                way.begin(start_ns)
        else:
            pipe.send(tuple(way.counts for way in ways))

    loop.add_reader(pipe.fileno(), hear)
    pipe.send(tuple(way.port for way in ways))
    await ended.wait()
    for way in ways:
        way.close()


class _Way:
    """One route: its socket, its fate, its counts."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._fate = Impairment(
            route.config,
            rng=np.random.default_rng(route.seed),
            is_reliable=route.is_tcp,
        )
        self._start_ns: int | None = None
        self._closers: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._n_packets = self._n_lost = self._n_late = 0
        self._n_overtaking = self._n_resets = 0
        self.port = 0

    @property
    def counts(self) -> ProxyCounts:
        return ProxyCounts(
            camera_id=self._route.camera_id,
            n_packets=self._n_packets,
            n_lost=self._n_lost,
            n_resent=self._n_late,
            n_overtaking=self._n_overtaking,
            n_resets=self._n_resets,
        )

    async def open(self) -> None:
        """Take what comes, at a port of its own."""
        if self._route.is_tcp:
            server = await asyncio.start_server(self._join, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            self._closers.append(server.close)
            return
        inlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        inlet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        inlet.bind(("127.0.0.1", 0))
        self.port = inlet.getsockname()[1]
        outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outlet.settimeout(0.0)
        outlet.connect(("127.0.0.1", self._route.port))
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._pass, outlet), sock=inlet
        )
        self._closers.append(outlet.close)

    def begin(self, start_ns: int) -> None:
        """Count the run's time from here; cut connections when it is time to."""
        self._start_ns = start_ns
        loop = asyncio.get_running_loop()
        for outage in self._route.config.outages:
            if outage.resets and self._route.is_tcp:
                loop.call_later(max(0.0, outage.from_s - self._now_s()), self._cut)

    def close(self) -> None:
        """Take nothing any more."""
        for task in self._tasks:
            task.cancel()
        for close in self._closers:
            close()

    def _now_s(self) -> float:
        """Time of the run; before it begins, none of its outages."""
        if self._start_ns is None:
            return -1e9 + time.perf_counter_ns() / _NS % 1e9
        return (time.perf_counter_ns() - self._start_ns) / _NS

    def _pass(self, data: bytes, outlet: socket.socket) -> None:
        """Let a datagram meet its fate."""
        self._n_packets += 1
        now_s = self._now_s()
        fate = self._fate.fate(now_s=now_s, n_bytes=len(data))
        if fate.is_lost:
            self._n_lost += 1
            return
        self._n_overtaking += fate.overtakes

        def leave() -> None:
            # Nobody there, or no room: lost, as on any network.
            with suppress(OSError):
                outlet.send(data)

        if fate.leaves_s <= now_s:
            leave()
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(fate.leaves_s - now_s, leave)

    def _is_cut(self) -> bool:
        now_s = self._now_s()
        return any(
            o.resets and o.from_s <= now_s < o.until_s
            for o in self._route.config.outages
        )

    def _cut(self) -> None:
        for writer in tuple(self._writers):
            self._n_resets += 1
            writer.transport.abort()

    async def _join(
        self, _asking: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Fetch the camera's stream for somebody who has connected."""
        if self._is_cut():
            self._n_resets += 1
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            camera, upstream = await asyncio.open_connection(
                "127.0.0.1", self._route.port
            )
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_WINDOW_PIECES)
        sending = asyncio.create_task(self._see_off(pieces, writer))
        self._tasks.add(sending)
        try:
            while not sending.done() and (piece := await camera.read(_PIECE_BYTES)):
                self._n_packets += 1
                fate = self._fate.fate(now_s=self._now_s(), n_bytes=len(piece))
                self._n_late += fate.is_late
                await pieces.put((fate.leaves_s, piece))
        except OSError:
            pass
        finally:
            upstream.close()
            sending.cancel()
            self._tasks.discard(sending)
            self._writers.discard(writer)
            writer.close()

    async def _see_off(
        self,
        pieces: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
    ) -> None:
        try:
            while True:
                leaves_s, piece = await pieces.get()
                left_s = leaves_s - self._now_s()
                if left_s > 0.0:
                    await asyncio.sleep(left_s)
                writer.write(piece)
                await writer.drain()
        except OSError:
            # The receiver has left; whoever waits for room in the queue may go on.
            with suppress(asyncio.QueueEmpty):
                pieces.get_nowait()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(
        self, take: Callable[[bytes, socket.socket], None], outlet: socket.socket
    ) -> None:
        self._take = take
        self._outlet = outlet

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """Take one datagram."""
        self._take(data, self._outlet)
