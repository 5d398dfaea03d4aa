"""How fast the harness itself is: the same packets through a system that does nothing.

Owns the null run. Knows nothing of verdicts: what is fast enough is said elsewhere.
"""

from __future__ import annotations

from itertools import count, cycle
from typing import TYPE_CHECKING

from matcher.records import CameraId, EncodedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.driving.target import Ledger, Target
    from bench.records import ArrivalPlan

__all__ = ["measure_null_hz"]

# Enough to keep the pipe busy, too little to fill it and block on a write.
_MAX_IN_FLIGHT = 16


def measure_null_hz(
    target: Target,
    ledger: Ledger,
    plan: ArrivalPlan,
    packets: Sequence[Sequence[bytes]],
    *,
    duration_s: float,
    clock: Callable[[], int],
) -> float:
    """Push the plan's frames as fast as they are acknowledged.

    Args:
        target: The null system, ready.
        ledger: In which it reports.
        plan: Whose frames to send, over and over.
        packets: Of each camera of the plan, the packet of each frame.
        duration_s: How long to push.
        clock: Nanoseconds.

    Returns:
        Frames per second, sent and acknowledged.

    Raises:
        SystemGoneError: If the null system dies.
    """
    rows = cycle(zip(plan.camera.tolist(), plan.frame_index.tolist(), strict=True))
    # Numbered through, however often the plan is shown: no frame comes twice.
    numbers = [count() for _ in plan.camera_ids]
    begin_ns = clock()
    end_ns = begin_ns + round(duration_s * 1e9)
    n_sent = 0
    while (now_ns := clock()) < end_ns:
        camera, index = next(rows)
        ledger.wait_for_room(_MAX_IN_FLIGHT)
        target.issue(
            EncodedFrame(
                camera_id=CameraId(plan.camera_ids[camera]),
                index=next(numbers[camera]),
                capture_time_ns=now_ns,
                packet=packets[camera][index],
            )
        )
        n_sent += 1
    target.flush()
    return n_sent / ((clock() - begin_ns) / 1e9)
