"""When each stage of a frame began and ended.

Owns the making of stage events. Knows nothing of what a stage does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher.records import StageEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from matcher.records import Frame, Stage

__all__ = ["Stamps"]


class Stamps:
    """Turns a clock into stage events; each stage begins where the last one ended.

    Args:
        frame: The frame in hand; its first stage begins now.
        clock: Nanoseconds.

    Attributes:
        events: So far, in order.
    """

    def __init__(self, frame: Frame, clock: Callable[[], int]) -> None:
        self.events: list[StageEvent] = []
        self._frame = frame
        self._clock = clock
        self._mark_ns = clock()

    def ended(self, stage: Stage, *, n_faces: int) -> int:
        """Note that a stage has ended; return when."""
        begun_ns, self._mark_ns = self._mark_ns, self._clock()
        self.events.append(
            StageEvent(
                camera_id=self._frame.camera_id,
                frame_index=self._frame.index,
                stage=stage,
                n_faces=n_faces,
                enqueued_ns=begun_ns,
                started_ns=begun_ns,
                ended_ns=self._mark_ns,
            )
        )
        return self._mark_ns
