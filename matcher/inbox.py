"""What waits between the pipe and the work: frames, and requests to end.

Owns the order in which frames are taken and the drop policy. Knows nothing of where
messages come from or what is done with a frame.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from matcher.config import EngineConfig
    from matcher.messages import Flush, Stop
    from matcher.records import CameraId, EncodedFrame

__all__ = ["Closed", "Inbox", "Item", "Waiting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A frame whose turn has come.

    Attributes:
        frame: The frame.
        received_ns: When it arrived.
        arrival: Its number among all arrivals.
        overtaken_by: Newer frames of its camera for which it is to be skipped; 0 if
            it is to be processed.
        unwanted: Why whoever took it wants it skipped all the same; else empty.
    """

    frame: EncodedFrame
    received_ns: int
    arrival: int
    overtaken_by: int
    unwanted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Nothing more will come, and nobody waits for what is here.

    Attributes:
        error: Why, if not because the other end hung up.
    """

    error: BaseException | None


Item: TypeAlias = "Waiting | Flush | Stop | Closed"


class Inbox:
    """Frames by camera; one thread puts, another takes.

    With `latest_wins` the frame captured first is taken first, and is marked as
    overtaken if `max_pending` newer ones of its camera wait behind it: an overloaded
    matcher then looks at fresh frames of every camera in turn. With `none` frames are
    taken in the order of arrival.

    Requests wait until no frame does.
    """

    def __init__(self, config: EngineConfig) -> None:
        self._in_order_of_arrival = config.drop_policy == "none"
        self._max_pending = config.max_pending
        self._news = threading.Condition()
        self._frames: dict[CameraId, deque[Waiting]] = {}
        self._requests: deque[Flush | Stop] = deque()
        self._closed: Closed | None = None
        self._n_arrived = 0

    @property
    def n_arrived(self) -> int:
        """Frames put so far."""
        return self._n_arrived

    def put(self, frame: EncodedFrame, *, received_ns: int) -> None:
        """Add a frame."""
        with self._news:
            waiting = Waiting(
                frame=frame,
                received_ns=received_ns,
                arrival=self._n_arrived,
                overtaken_by=0,
            )
            self._n_arrived += 1
            self._frames.setdefault(frame.camera_id, deque()).append(waiting)
            self._news.notify()

    def request(self, request: Flush | Stop) -> None:
        """Add a request, to be taken once no frame waits."""
        with self._news:
            self._requests.append(request)
            self._news.notify()

    def close(self, error: BaseException | None) -> None:
        """Let the taker know that it works for nobody."""
        with self._news:
            self._closed = Closed(error=error)
            self._news.notify()

    def take(self) -> Item:
        """Take what is next; wait for it if need be."""
        with self._news:
            self._news.wait_for(self._holds_something)
            if self._closed is not None:
                return self._closed
            head = self._next_frame()
            return self._requests.popleft() if head is None else self._take_frame(head)

    def take_company(
        self, first: Waiting, *, at_most: int, wait_s: float
    ) -> list[Waiting]:
        """Take more frames to go with the first, no two of one camera.

        Args:
            first: Taken before.
            at_most: Frames altogether.
            wait_s: Longest wait for any of them to come.
        """
        batch = [first]
        seen = {first.frame.camera_id}
        ends_s = time.monotonic() + wait_s
        with self._news:
            while len(batch) < at_most and self._closed is None:
                head = self._next_frame()
                if head is None:
                    if not self._news.wait(max(0.0, ends_s - time.monotonic())):
                        break
                elif head.frame.camera_id in seen:
                    # A frame behind it may not overtake it: turns are turns.
                    break
                else:
                    seen.add(head.frame.camera_id)
                    batch.append(self._take_frame(head))
        return batch

    def _next_frame(self) -> Waiting | None:
        heads = [queue[0] for queue in self._frames.values() if queue]
        return min(heads, key=self._turn) if heads else None

    @property
    def is_empty(self) -> bool:
        """Whether `take` would wait."""
        with self._news:
            return not self._holds_something()

    def _take_frame(self, head: Waiting) -> Waiting:
        queue = self._frames[head.frame.camera_id]
        queue.popleft()
        newer = len(queue)
        if newer == 0:
            # Cameras come and go; a name is no reason to keep a queue.
            del self._frames[head.frame.camera_id]
        if self._in_order_of_arrival or newer < self._max_pending:
            return head
        return Waiting(
            frame=head.frame,
            received_ns=head.received_ns,
            arrival=head.arrival,
            overtaken_by=newer,
        )

    def _turn(self, head: Waiting) -> tuple[int, int]:
        if self._in_order_of_arrival:
            return head.arrival, 0
        return head.frame.capture_time_ns, head.arrival

    def _holds_something(self) -> bool:
        return (
            self._closed is not None
            or bool(self._requests)
            or any(self._frames.values())
        )
