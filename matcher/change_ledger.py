"""Which workers have yet to follow which change of the gallery.

Owns the account of changes that were passed on and not yet in effect everywhere, also
across the death of a worker. Pure bookkeeping: knows nothing of processes or pipes.
"""

from __future__ import annotations

__all__ = ["ChangeLedger"]


class ChangeLedger:
    """The account of changes under way, by worker."""

    def __init__(self) -> None:
        self._owed: dict[int, set[int]] = {}
        self._born_with: dict[int, set[int]] = {}

    @property
    def is_settled(self) -> bool:
        """Every change is in effect in every worker."""
        return not any(self._owed.values()) and not any(self._born_with.values())

    def sent(self, number: int, *, worker: int) -> None:
        """Note a change that goes to a worker."""
        self._owed.setdefault(worker, set()).add(number)

    def heard(self, number: int, *, worker: int) -> None:
        """Note that a worker has followed."""
        self._owed.setdefault(worker, set()).discard(number)

    def died(self, worker: int) -> None:
        """Note a death: whoever steps in its place is born with its changes."""
        born_with = self._born_with.setdefault(worker, set())
        born_with |= self._owed.pop(worker, set())

    def risen(self, worker: int) -> tuple[int, ...]:
        """Note that a successor is ready; return the changes it was born with."""
        return tuple(sorted(self._born_with.pop(worker, set())))
