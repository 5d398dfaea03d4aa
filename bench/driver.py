"""The load driver: sends every frame at its planned time, whatever the matcher does.

Owns the only waiting of `bench`. An open workload: a slow matcher never slows the
cameras, and a late send is written down, not forgiven. Knows nothing of how frames
travel or what comes back.
"""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import SystemGoneError
from bench.records import SentFrames
from matcher.records import CameraId, EncodedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.records import ArrivalPlan

__all__ = ["Drive", "drive", "real_sleep", "wait_until"]

# A sleeping thread wakes some 60 us late on Linux (timer slack 50 us and the way back
# to a core), at times 1 ms on a busy one: sleep to within this, then watch the clock.
_SPIN_NS = 500_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drive:
    """What was sent, and whether the plan was carried to its end.

    Attributes:
        sent: Per row of the plan, when it was due and when it was handed over.
        interrupted: Someone pressed Ctrl-C.
        lost: Why the matcher could take no more; empty if it could.
    """

    sent: SentFrames
    interrupted: bool
    lost: str


def drive(
    plan: ArrivalPlan,
    packets: Sequence[Sequence[bytes]],
    send: Callable[[EncodedFrame], None],
    *,
    start_ns: int,
    pace: Callable[[int], None],
    clock: Callable[[], int],
    progress: Callable[[int], None],
) -> Drive:
    """Send the plan's frames in order, each after `pace` has let it go.

    Args:
        plan: When each frame is captured.
        packets: Of each camera of the plan, the packet of each frame.
        send: Hands one frame to the matcher.
        start_ns: Start of the run; capture times count from it.
        pace: Given a planned capture time, returns when the frame may go.
        clock: Nanoseconds.
        progress: Told how many rows are done, after each.

    Returns:
        What was sent; also when Ctrl-C or the matcher's death cut the plan short.
    """
    planned_ns = plan.offset_ns + start_ns
    sent_ns = np.full(len(plan), -1, dtype=np.int64)
    interrupted = False
    lost = ""
    with _no_collection():
        try:
            for row in range(len(plan)):
                camera = int(plan.camera[row])
                index = int(plan.frame_index[row])
                frame = EncodedFrame(
                    camera_id=CameraId(plan.camera_ids[camera]),
                    index=index,
                    capture_time_ns=int(planned_ns[row]),
                    packet=packets[camera][index],
                )
                pace(frame.capture_time_ns)
                send(frame)
                # Stamped after the hand-over: a full pipe counts as a late send.
                sent_ns[row] = clock()
                progress(row + 1)
        except KeyboardInterrupt:
            interrupted = True
        except SystemGoneError as error:
            lost = error.reason
    return Drive(
        sent=SentFrames(planned_ns=planned_ns, sent_ns=sent_ns),
        interrupted=interrupted,
        lost=lost,
    )


def wait_until(
    deadline_ns: int, *, clock: Callable[[], int], sleep: Callable[[float], None]
) -> None:
    """Return at an absolute time, or at once if it has passed.

    Deadlines are absolute, so lateness of one send never shifts the next.
    """
    while True:
        left_ns = deadline_ns - clock()
        if left_ns <= 0:
            return
        if left_ns > _SPIN_NS:
            sleep((left_ns - _SPIN_NS) / 1e9)


def real_sleep(seconds: float) -> None:
    """Sleep in earnest; tests pass another."""
    time.sleep(seconds)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the cyclic collector from pausing the driver while results pile up."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
