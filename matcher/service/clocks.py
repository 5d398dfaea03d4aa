"""The two clocks of a service: one for intervals, one for the calendar.

Owns nothing but their names; tests pass their own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clocks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What time it is.

    Attributes:
        monotonic_ns: Of every stamp; the same in all processes of a machine.
        unix_ns: Since 1970, for what is kept.
    """

    monotonic_ns: Callable[[], int] = time.perf_counter_ns
    unix_ns: Callable[[], int] = time.time_ns
