"""The load driver: sends every frame at its planned time, whatever the matcher does.

Owns the only waiting of `bench`. An open workload: a slow matcher never slows the
cameras, and a late send is written down, not forgiven. Knows nothing of how frames
travel or what comes back.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ClockStoppedError, SystemGoneError
from bench.records import SentFrames
from matcher.records import CameraId, EncodedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.records import ArrivalPlan

__all__ = ["Drive", "Errand", "drive", "real_sleep", "wait_until"]

# A sleeping thread wakes some 60 us late on Linux (timer slack 50 us and the way back
# to a core), at times 1 ms on a busy one: sleep to within this, then watch the clock.
_SPIN_NS = 500_000
# A clock that reads the same so often, at some 50 ns a reading, has stopped.
_STOPPED_READINGS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Something else to be done at a planned moment, between two frames.

    Attributes:
        offset_ns: When, from the start of the run.
        run: Does it; what it takes delays the frames after it, and shows as such.
    """

    offset_ns: int
    run: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drive:
    """What was sent, and whether the plan was carried to its end.

    Attributes:
        sent: Per row of the plan, when it was due and when it was handed over.
        interrupted: Someone pressed Ctrl-C.
        lost: Why the matcher could take no more; empty if it could.
        clock_stopped: The clock stood still while a frame waited for its time.
        errands_ns: Of each errand that was begun, when it was due and when it began.
    """

    sent: SentFrames
    interrupted: bool
    lost: str
    clock_stopped: bool = False
    errands_ns: tuple[tuple[int, int], ...] = ()


def drive(
    plan: ArrivalPlan,
    packets: Sequence[Sequence[bytes]],
    send: Callable[[EncodedFrame], None],
    *,
    start_ns: int,
    pace: Callable[[int], int],
    clock: Callable[[], int],
    progress: Callable[[int], None],
    errands: Sequence[Errand] = (),
) -> Drive:
    """Send the plan's frames in order, each after `pace` has let it go.

    Args:
        plan: When each frame is captured.
        packets: Of each camera of the plan, the packet of each frame.
        send: Hands one frame to the matcher.
        start_ns: Start of the run; capture times count from it.
        pace: Given a planned capture time, returns when the frame may go, with the
            time from which its latency counts.
        clock: Nanoseconds.
        progress: Told how many rows are done, after each.
        errands: In order of time; none after the last frame.

    Returns:
        What was sent; also when Ctrl-C or the matcher's death cut the plan short.
    """
    planned_ns = plan.offset_ns + start_ns
    rows = zip(
        plan.camera.tolist(),
        plan.frame_index.tolist(),
        planned_ns.tolist(),
        strict=True,
    )
    camera_ids = [CameraId(camera_id) for camera_id in plan.camera_ids]
    sent_ns = np.full(len(plan), -1, dtype=np.int64)
    interrupted = False
    clock_stopped = False
    lost = ""
    to_do = deque(errands)
    begun_ns: list[tuple[int, int]] = []
    with _no_collection():
        try:
            for row, (camera, index, due_ns) in enumerate(rows):
                while to_do and to_do[0].offset_ns + start_ns <= due_ns:
                    errand = to_do.popleft()
                    errand_ns = pace(errand.offset_ns + start_ns)
                    begun_ns.append((errand_ns, clock()))
                    errand.run()
                capture_time_ns = pace(due_ns)
                planned_ns[row] = capture_time_ns
                send(
                    EncodedFrame(
                        camera_id=camera_ids[camera],
                        index=index,
                        capture_time_ns=capture_time_ns,
                        packet=packets[camera][index],
                    )
                )
                # Stamped after the hand-over: a full pipe counts as a late send.
                sent_ns[row] = clock()
                progress(row + 1)
        except KeyboardInterrupt:
            interrupted = True
        except SystemGoneError as error:
            lost = error.reason
        except ClockStoppedError:
            clock_stopped = True
    return Drive(
        sent=SentFrames(planned_ns=planned_ns, sent_ns=sent_ns),
        interrupted=interrupted,
        lost=lost,
        clock_stopped=clock_stopped,
        errands_ns=tuple(begun_ns),
    )


def wait_until(
    deadline_ns: int, *, clock: Callable[[], int], sleep: Callable[[float], None]
) -> int:
    """Return at an absolute time, or at once if it has passed.

    Deadlines are absolute, so lateness of one send never shifts the next.

    Returns:
        The deadline.

    Raises:
        ClockStoppedError: If the clock stands still.
    """
    now_ns = clock()
    n_same = 0
    while now_ns < deadline_ns:
        left_ns = deadline_ns - now_ns
        if left_ns > _SPIN_NS:
            sleep((left_ns - _SPIN_NS) / 1e9)
            n_same += _STOPPED_READINGS  # nobody sleeps for no time
        before_ns, now_ns = now_ns, clock()
        n_same = n_same + 1 if now_ns == before_ns else 0
        if n_same >= _STOPPED_READINGS:
            raise ClockStoppedError(reading_ns=now_ns)
    return deadline_ns


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
