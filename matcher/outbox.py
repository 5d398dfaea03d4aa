"""What goes back through the pipe: messages at once, results in batches.

Owns which results wait for company, and that two threads may send. Knows nothing of
what is at the other end.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from matcher.messages import FromWorker, Results, ToWorker

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from matcher.records import FrameResult

__all__ = ["Outbox"]


class Outbox:
    """Sends messages back; results in batches, unless one holds an alert.

    Args:
        connection: The pipe; both threads send.
        interval_ns: Results wait at most this long for others, and one frame more.
        clock: Nanoseconds.
        pack: What results travel in.
    """

    def __init__(
        self,
        connection: Connection[FromWorker, ToWorker],
        *,
        interval_ns: int,
        clock: Callable[[], int],
        pack: Callable[[Results], FromWorker] = lambda results: results,
    ) -> None:
        self._pack = pack
        self._connection = connection
        self._interval_ns = interval_ns
        self._clock = clock
        self._lock = threading.Lock()
        self._held: list[FrameResult] = []
        self._emptied_ns = clock()

    def send(self, message: FromWorker) -> None:
        """Send one message now."""
        with self._lock:
            self._connection.send(message)

    def add(self, result: FrameResult) -> None:
        """Hold a result, or send all that are held if it is time."""
        self._held.append(result)
        if result.alerts or self._clock() - self._emptied_ns >= self._interval_ns:
            self.empty()

    def empty(self) -> None:
        """Send the results that are held."""
        self._emptied_ns = self._clock()
        if self._held:
            self.send(self._pack(Results(frames=tuple(self._held))))
            self._held.clear()
