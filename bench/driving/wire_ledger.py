"""The account of frames that travel: what the wire loses has an end as well.

Owns the noticing that a frame will not arrive. Knows nothing of sockets.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.driving.target import Ledger
from matcher.records import FrameOutcome, FrameResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matcher.messages import Changed
    from matcher.records import CameraId, EncodedFrame

__all__ = ["WireLedger"]

_NEVER = "lost on the wire: it never arrived"


class WireLedger(Ledger):
    """A ledger that notices what the wire has lost.

    A camera's frames end in their order: when one has, those before it that have not
    never will.

    Args:
        ledger: Whose reader expects every frame to end.
        clock: Nanoseconds.
    """

    def __init__(self, ledger: Ledger, *, clock: Callable[[], int]) -> None:
        super().__init__()
        self._ledger = ledger
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: dict[CameraId, deque[EncodedFrame]] = {}
        self.n_lost = 0

    def left(self, frame: EncodedFrame) -> None:
        """Note a frame that is about to leave its camera."""
        bare = replace(frame, packet=b"")
        with self._lock:
            self._under_way.setdefault(frame.camera_id, deque()).append(bare)
        self._ledger.issued()

    def stayed(self, frame: EncodedFrame, cause: str) -> None:
        """Note that the frame noted last could not leave."""
        with self._lock:
            self._under_way[frame.camera_id].pop()
        self._ledger.report([self._failed(frame, f"not sent: {cause}")])

    def report(self, results: Sequence[FrameResult]) -> None:
        """Pass on what became of frames, and of those that they prove lost."""
        ended: list[FrameResult] = []
        with self._lock:
            for result in results:
                queue = self._under_way.get(result.outcome.camera_id, deque())
                while queue and queue[0].index < result.outcome.frame_index:
                    ended.append(self._lost(queue.popleft()))
                if queue and queue[0].index == result.outcome.frame_index:
                    queue.popleft()
                    ended.append(result)
        self._ledger.report(ended)

    def changed(self, effect: Changed) -> None:
        """Pass on that a change of the watchlist is in effect, or was refused."""
        self._ledger.changed(effect)

    def lose(self, why: Callable[[], str]) -> None:
        """Pass on that nothing more will be reported."""
        self._ledger.lose(why)

    def settle(self, quiet_s: float) -> bool:
        """Wait until every frame has ended, or none has for so long."""
        return self._ledger.settle(quiet_s)

    def write_off(self) -> None:
        """Note that those still under way will not arrive."""
        with self._lock:
            late = [frame for queue in self._under_way.values() for frame in queue]
            self._under_way.clear()
            lost = [self._lost(frame) for frame in late]
        self._ledger.report(lost)

    def _lost(self, frame: EncodedFrame) -> FrameResult:
        self.n_lost += 1
        return self._failed(frame, _NEVER)

    def _failed(self, frame: EncodedFrame, cause: str) -> FrameResult:
        now_ns = self._clock()
        return FrameResult(
            outcome=FrameOutcome(
                camera_id=frame.camera_id,
                frame_index=frame.index,
                capture_time_ns=frame.capture_time_ns,
                received_ns=now_ns,
                done_ns=now_ns,
                outcome=Outcome.FAILED,
                cause=cause,
                n_faces=0,
            ),
            events=(),
            boxes=(),
            probes=(),
            alerts=(),
        )
