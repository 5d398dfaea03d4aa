"""Who is let in when work piles up: a bounded number, and only if in time.

Owns the count of what is under way and the estimate of how long it will take. One
more than fits is refused at once, with the time after which to try again; so waiting
never grows without bound and what was let in can keep its limit. Knows nothing of
what the work is. Counts are changed by the event loop's thread alone; the time that
work takes is told by the thread that does it.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.service.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Admission"]

# Weight of the newest measurement: a few dozen of them make the estimate.
_NEWEST = 0.05


class Admission:
    """A door that lets a bounded number through at a time.

    Args:
        what: Of what, in words, for the sentence of a refusal.
        max_under_way: How many.
        max_wait_s: Longest wait that is worth to be let in for.
    """

    def __init__(self, what: str, *, max_under_way: int, max_wait_s: float) -> None:
        self.max_under_way = max_under_way
        self.n_under_way = 0
        self._what = what
        self._max_wait_s = max_wait_s
        self._service_s = 0.0

    @property
    def expected_wait_s(self) -> float:
        """How long one more would wait for those before it."""
        return self.n_under_way * self._service_s

    def took(self, service_s: float) -> None:
        """Learn how long one piece of work took."""
        self._service_s += _NEWEST * (service_s - self._service_s)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place until the block ends.

        Raises:
            RefusedError: If there is none, or its turn would come too late.
        """
        if self.n_under_way >= self.max_under_way:
            raise self._full(f"{self.max_under_way} are under way")
        if self.expected_wait_s > self._max_wait_s:
            raise self._full(
                f"{self.n_under_way} are under way and would take "
                f"{self.expected_wait_s:.2f} s"
            )
        self.n_under_way += 1
        try:
            yield
        finally:
            self.n_under_way -= 1

    def _full(self, why: str) -> RefusedError:
        retry_after_s = max(1, math.ceil(self.expected_wait_s))
        return RefusedError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "full",
            f"{self._what} must find a place to be taken, but {why}; try again in "
            f"{retry_after_s} s, send fewer, or add a replica",
            retry_after_s=retry_after_s,
        )
