"""Who was sought when: the watchlist as it stood while somebody passed.

Owns the rule by which a passage is mated where the watchlist changes in the run. Knows
nothing of what a matcher made of the passage.

A person who joins is sought from the moment at which the change is in effect in every
worker, and one who leaves until the moment at which it was asked for. In between some
workers search the old watchlist and some the new: a passage that touches that stretch,
or lasts from before it till after it, is neither mated nor non-mated, and counts for
no rate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bench.records import ArrivalPlan, PlannedChange, WatchlistChange

__all__ = ["SoughtTimes"]


class SoughtTimes:
    """Says of a person and a stretch of time whether the person was sought in it.

    Args:
        mated: People who pass and are on the watchlist, whenever they join.
        plan: With the changes as they were planned.
        changes: What became of them, one each; none if none was planned.
        unhurried: Times are the plan's own, and changes happen between its frames.
    """

    def __init__(
        self,
        mated: Collection[str],
        plan: ArrivalPlan,
        changes: Sequence[WatchlistChange],
        *,
        unhurried: bool,
    ) -> None:
        joins_later = {s for change in plan.changes for s in change.enrol}
        self._from_the_start = {str(p) for p in mated} - joins_later
        self._turns: dict[str, list[tuple[float, float]]] = {}
        for planned, change in zip(plan.changes, changes, strict=True):
            turn = _turn(planned, change, unhurried=unhurried)
            for subject in (*planned.enrol, *planned.withdraw):
                self._turns.setdefault(subject, []).append(turn)

    def is_sought(self, person_id: str, *, begins_ns: int, ends_ns: int) -> bool | None:
        """Say whether a person was sought from one moment to another.

        Returns:
            None if that changed, or may have changed, in between.
        """
        is_so = person_id in self._from_the_start
        for before_ns, after_ns in self._turns.get(person_id, ()):
            if begins_ns >= after_ns:
                is_so = not is_so
            elif ends_ns >= before_ns:
                return None
        return is_so


def _turn(
    planned: PlannedChange, change: WatchlistChange, *, unhurried: bool
) -> tuple[float, float]:
    """Return until when the old watchlist surely held, and from when the new."""
    if not change.was_asked or change.refusal:
        return math.inf, math.inf
    if not change.in_effect_ns:
        return change.asked_ns, math.inf
    if unhurried:
        return planned.offset_ns, planned.offset_ns
    return change.asked_ns, max(change.in_effect_ns)
