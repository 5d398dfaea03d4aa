"""When the next frame may go: by the plan's clock, or when earlier ones are done.

Owns the three ways to pace a run. Knows nothing of what is sent.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from bench.driving.driver import real_sleep, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.driving.target import Ledger

    Pace: TypeAlias = Callable[[int], int]

__all__ = ["Pacing", "pace_of"]

# Unhurried: enough that the matcher never waits for us, little enough to hold.
_UNHURRIED_IN_FLIGHT = 32


class Pacing(StrEnum):
    """What a frame waits for.

    OPEN: its planned time, whatever became of earlier frames; latency counts from
    there. CLOSED: room among those in flight; latency counts from when there was room.
    UNHURRIED: likewise, but capture times are the plan's own, from zero, so that
    nothing in the results depends on when the run was.
    """

    OPEN = "open"
    CLOSED = "closed"
    UNHURRIED = "unhurried"


def pace_of(
    pacing: Pacing, ledger: Ledger, *, in_flight: int, clock: Callable[[], int]
) -> Pace:
    """Make the function that holds a frame back and says when it was captured.

    Args:
        pacing: What frames wait for.
        ledger: Knows how many are under way.
        in_flight: How many may be, if closed.
        clock: Nanoseconds.
    """

    def closed(_planned_ns: int) -> int:
        ledger.wait_for_room(in_flight)
        return clock()

    def unhurried(planned_ns: int) -> int:
        ledger.wait_for_room(_UNHURRIED_IN_FLIGHT)
        return planned_ns

    match pacing:
        case Pacing.OPEN:
            return partial(wait_until, clock=clock, sleep=real_sleep)
        case Pacing.CLOSED:
            return closed
        case Pacing.UNHURRIED:
            return unhurried
