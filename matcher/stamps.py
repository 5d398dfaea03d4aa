"""When each stage of a frame began and ended.

Owns the making of stage events. Knows nothing of what a stage does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher.records import StageEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matcher.records import EncodedFrame, Frame, Stage

__all__ = ["Stamps", "share_out"]


class Stamps:
    """Turns a clock into stage events; each stage begins where the last one ended.

    Args:
        frame: The frame in hand; its first stage begins now.
        clock: Nanoseconds.

    Attributes:
        events: So far, in order.
    """

    def __init__(self, frame: Frame | EncodedFrame, clock: Callable[[], int]) -> None:
        self.events: list[StageEvent] = []
        self._frame = frame
        self._clock = clock
        self._mark_ns = clock()

    def ended(self, stage: Stage, *, n_faces: int) -> int:
        """Note that a stage has ended; return when."""
        ended_ns = self._clock()
        self.note(stage, n_faces=n_faces, started_ns=self._mark_ns, ended_ns=ended_ns)
        return ended_ns

    def note(
        self, stage: Stage, *, n_faces: int, started_ns: int, ended_ns: int
    ) -> None:
        """Note a stage by its stamps; it waited since the last one ended."""
        self.events.append(
            StageEvent(
                camera_id=self._frame.camera_id,
                frame_index=self._frame.index,
                stage=stage,
                n_faces=n_faces,
                enqueued_ns=self._mark_ns,
                started_ns=started_ns,
                ended_ns=ended_ns,
            )
        )
        self._mark_ns = ended_ns


def share_out(
    frames: Sequence[Stamps],
    stage: Stage,
    *,
    n_faces: Sequence[int],
    begun_ns: int,
    ended_ns: int,
) -> None:
    """Note a stage that worked on several frames at once.

    Each frame gets a slice as long as its share of the faces, one after another, so
    that service times add up to what the stage took.

    Args:
        frames: Of the batch, in order.
        stage: Which.
        n_faces: Of each frame.
        begun_ns: Of the whole.
        ended_ns: Of the whole.
    """
    n_all = sum(n_faces)
    n_before = 0
    for stamps, n in zip(frames, n_faces, strict=True):
        started_ns = _part(begun_ns, ended_ns, n_before, n_all)
        n_before += n
        stamps.note(
            stage,
            n_faces=n,
            started_ns=started_ns,
            ended_ns=_part(begun_ns, ended_ns, n_before, n_all),
        )


def _part(begun_ns: int, ended_ns: int, n: int, n_all: int) -> int:
    # Without faces the stage has only been passed; nobody is charged for it.
    return begun_ns if n_all == 0 else begun_ns + (ended_ns - begun_ns) * n // n_all
