"""Do two processes read the same clock? Bounds from round trips.

Owns the check that time stamps of the matcher and of the driver may be subtracted.
Knows nothing of how a reading is asked for.

A reading made elsewhere between two of our own must lie between them, if the clock
is one and the same. How far outside it lies bounds the disagreement from below; the
shortest round trip bounds from above what the check cannot see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ClockCheck", "check_clock", "worse_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockCheck:
    """What the round trips say.

    Attributes:
        n_round_trips: How many were made.
        shortest_ns: The shortest of them: offsets below it cannot be seen.
        disagreement_ns: Largest distance of a reading outside its round trip; 0 if
            all lie inside.
    """

    n_round_trips: int
    shortest_ns: int
    disagreement_ns: int

    @property
    def passed(self) -> bool:
        """Every reading lay inside its round trip."""
        return self.disagreement_ns == 0


def worse_of(before: ClockCheck, after: ClockCheck) -> ClockCheck:
    """Join two checks of one clock: it has to be right at both."""
    return ClockCheck(
        n_round_trips=before.n_round_trips + after.n_round_trips,
        shortest_ns=min(before.shortest_ns, after.shortest_ns),
        disagreement_ns=max(before.disagreement_ns, after.disagreement_ns),
    )


def check_clock(
    read_there: Callable[[int], int],
    *,
    clock: Callable[[], int],
    n_round_trips: int = 20,
) -> ClockCheck:
    """Ask the other process for its reading of the clock, several times.

    Args:
        read_there: Given when it was asked, returns the reading, nanoseconds.
        clock: Our own clock, nanoseconds.
        n_round_trips: How often to ask, at least once.

    Source:
        The bound is that of Cristian's algorithm: F. Cristian, Probabilistic clock
        synchronization, Distributed Computing 3 (1989), equation 1.
    """
    shortest_ns: int | None = None
    disagreement_ns = 0
    for _ in range(n_round_trips):
        asked_ns = clock()
        there_ns = read_there(asked_ns)
        answered_ns = clock()
        round_trip_ns = answered_ns - asked_ns
        if shortest_ns is None or round_trip_ns < shortest_ns:
            shortest_ns = round_trip_ns
        outside_ns = max(asked_ns - there_ns, there_ns - answered_ns, 0)
        disagreement_ns = max(disagreement_ns, outside_ns)
    if shortest_ns is None:
        message = f"n_round_trips must be 1 or more, got {n_round_trips}"
        raise ValueError(message)
    return ClockCheck(
        n_round_trips=n_round_trips,
        shortest_ns=shortest_ns,
        disagreement_ns=disagreement_ns,
    )
