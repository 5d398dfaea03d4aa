"""A camera's sockets: a TCP port that whoever listens connects to, or UDP datagrams.

Owns that sending never blocks: what the kernel does not take at once waits in bounded
room, and one thread of the station sees it off. Knows nothing of what the bytes are.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Line", "Pump", "TcpLine", "UdpLine"]

# Some seconds of a camera: a receiver that lags by more is not going to catch up.
_MOST_PENDING_BYTES = 8 * 1024 * 1024
# Source: seven transport packets of 188 bytes fit into an Ethernet frame, as
# SMPTE 2022-2 and every camera have it.
_DATAGRAM_BYTES = 7 * 188
_NS = 1_000_000_000


class Line(Protocol):
    """One camera's way out."""

    def send(self, data: bytes) -> str:
        """Take bytes, or say in words why not."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether everything taken has left."""
        ...


class Pump:
    """The thread that sees off what could not leave at once.

    Args:
        clock: Nanoseconds.
    """

    def __init__(self, *, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.selector = selectors.DefaultSelector()
        self.lock = threading.RLock()
        self._due: dict[object, tuple[int, Callable[[], None]]] = {}
        self._bell, self._ear = socket.socketpair()
        self._ear.settimeout(0.0)
        self.selector.register(self._ear, selectors.EVENT_READ, self._hear)
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Let the thread look at what has changed."""
        self._bell.send(b"!")

    def call_at(self, owner: object, due_ns: int, call: Callable[[], None]) -> None:
        """Call a function at a time; each owner has one such call at most."""
        self._due[owner] = (due_ns, call)
        self.wake()

    def close(self) -> None:
        """End the thread."""
        with self.lock:
            self._is_over = True
        self.wake()
        self._thread.join()
        self.selector.close()
        self._bell.close()
        self._ear.close()

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            self._ear.recv(4096)

    def _run(self) -> None:
        while True:
            with self.lock:
                if self._is_over:
                    return
                now_ns = self.clock()
                for owner, (due_ns, call) in list(self._due.items()):
                    if due_ns <= now_ns:
                        del self._due[owner]
                        call()
                next_ns = min((due for due, _ in self._due.values()), default=None)
            timeout_s = (
                None if next_ns is None else max(0.0, (next_ns - self.clock()) / _NS)
            )
            for key, _ in self.selector.select(timeout_s):
                with self.lock:
                    key.data()


class TcpLine:
    """A port on which one receiver at a time is served.

    Args:
        pump: Sees off what waits.
    """

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.0)
        self._peer: socket.socket | None = None
        self._pending: deque[memoryview] = deque()
        self._n_pending = 0
        with pump.lock:
            pump.selector.register(self._listener, selectors.EVENT_READ, self._welcome)
        pump.wake()

    @property
    def port(self) -> int:
        """Where to connect."""
        return int(self._listener.getsockname()[1])

    @property
    def is_idle(self) -> bool:
        """Whether everything taken has left, or nobody is there to take it."""
        return not self._pending

    def send(self, data: bytes) -> str:
        """Take bytes, or say in words why not."""
        with self._pump.lock:
            if self._peer is None:
                return "nobody is connected to the camera"
            if self._n_pending > _MOST_PENDING_BYTES:
                return "the receiver does not read"
            self._pending.append(memoryview(data))
            self._n_pending += len(data)
            if len(self._pending) == 1 and not self._flush():
                self._listen(selectors.EVENT_READ | selectors.EVENT_WRITE)
                self._pump.wake()
        return ""

    def close(self) -> None:
        """Serve nobody any more."""
        with self._pump.lock:
            self._part()
            self._pump.selector.unregister(self._listener)
            self._listener.close()

    def _welcome(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            # Gone again, or the port has been closed meanwhile.
            return
        self._part()
        peer.settimeout(0.0)
        # A frame's last segment must not wait for the acknowledgement of the others.
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer = peer
        self._pump.selector.register(peer, selectors.EVENT_READ, self._go_on)

    def _go_on(self) -> None:
        peer = self._peer
        if peer is None:
            return
        try:
            if not peer.recv(4096):
                self._part()
                return
        except BlockingIOError:
            pass
        except OSError:
            self._part()
            return
        if self._flush():
            self._listen(selectors.EVENT_READ)

    def _flush(self) -> bool:
        """Send what the kernel takes; say whether nothing is left."""
        while self._pending and self._peer is not None:
            data = self._pending[0]
            try:
                n_sent = self._peer.send(data)
            except BlockingIOError:
                return False
            except OSError:
                self._part()
                return True
            self._n_pending -= n_sent
            if n_sent < len(data):
                self._pending[0] = data[n_sent:]
                return False
            self._pending.popleft()
        return True

    def _listen(self, events: int) -> None:
        if self._peer is not None:
            self._pump.selector.modify(self._peer, events, self._go_on)

    def _part(self) -> None:
        if self._peer is not None:
            self._pump.selector.unregister(self._peer)
            self._peer.close()
            self._peer = None
        self._pending.clear()
        self._n_pending = 0


class UdpLine:
    """Datagrams to one address, no faster than a camera's link.

    Args:
        pump: Sees off what waits.
        port: Where to, on this machine.
        link_mbps: Million bits a second.
    """

    def __init__(self, pump: Pump, *, port: int, link_mbps: float) -> None:
        self._pump = pump
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)
        self._socket.connect(("127.0.0.1", port))
        self._pending: deque[memoryview] = deque()
        self._n_pending = 0
        self._ns_per_byte = 8_000.0 / link_mbps
        self._free_ns = 0

    @property
    def is_idle(self) -> bool:
        """Whether everything taken has left."""
        return not self._pending

    def send(self, data: bytes) -> str:
        """Take bytes, or say in words why not."""
        with self._pump.lock:
            if self._n_pending > _MOST_PENDING_BYTES:
                return "the camera's link is too slow"
            whole = memoryview(data)
            self._pending.extend(
                whole[at : at + _DATAGRAM_BYTES]
                for at in range(0, len(data), _DATAGRAM_BYTES)
            )
            self._n_pending += len(data)
            self._drip()
        return ""

    def close(self) -> None:
        """Send nothing any more."""
        with self._pump.lock:
            self._pending.clear()
            self._socket.close()

    def _drip(self) -> None:
        """Send the datagrams whose time has come; come back for the others."""
        now_ns = self._pump.clock()
        while self._pending and self._free_ns <= now_ns:
            datagram = self._pending.popleft()
            # Nobody there yet, or a full buffer: lost, as on any network.
            with suppress(OSError):
                self._socket.send(datagram)
            self._n_pending -= len(datagram)
            began_ns = max(self._free_ns, now_ns - self._slack_ns(datagram))
            self._free_ns = began_ns + round(len(datagram) * self._ns_per_byte)
        if self._pending:
            self._pump.call_at(self, self._free_ns, self._drip)

    def _slack_ns(self, datagram: memoryview) -> int:
        """What a late wake-up may make up for: sixteen datagrams' time."""
        return round(16 * len(datagram) * self._ns_per_byte)
