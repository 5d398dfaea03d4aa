"""Which cores the driver and the system under test run on.

Owns the split: with four cores or more the driver keeps one to itself, so that neither
takes the other's processor. With fewer, the kernel does better than any rule.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

__all__ = ["split_cores", "start_apart"]

_ENOUGH = 4


def split_cores(
    cores: AbstractSet[int],
) -> tuple[frozenset[int], frozenset[int]]:
    """Divide cores into the driver's and the system's; both have all if few."""
    if len(cores) < _ENOUGH:
        return frozenset(cores), frozenset(cores)
    driver = frozenset({min(cores)})
    return driver, frozenset(cores) - driver


@contextmanager
def start_apart() -> Iterator[Callable[[], None]]:
    """Start a process in the block on the system's cores; restore ours at its end.

    Yields:
        To be called once the process is started: what runs from then on in this
        thread keeps to the driver's core. A child inherits its cores at birth.
    """
    ours = os.sched_getaffinity(0)
    driver, system = split_cores(ours)
    os.sched_setaffinity(0, system)
    try:
        yield lambda: os.sched_setaffinity(0, driver)
    finally:
        os.sched_setaffinity(0, ours)
