"""Changes of the watchlist as errands of the driver, and what became of them.

Owns that frames wait for a change only where nothing is timed. Knows nothing of who
joins or leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.driving.driver import Errand
from bench.driving.pacing import Pacing
from bench.driving.target import ChangeableTarget
from bench.errors import BenchError
from bench.records import WatchlistChange

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.driving.driver import Drive
    from bench.driving.target import Target
    from bench.records import ArrivalPlan
    from matcher.messages import Changed, GalleryChange

__all__ = ["became_of", "errands_of"]


def errands_of(
    plan: ArrivalPlan,
    changes: Sequence[GalleryChange],
    target: Target,
    *,
    pacing: Pacing,
) -> list[Errand]:
    """Make errands of the changes; where nothing is timed, frames wait for them.

    Unhurried, the frames before a change are ended before it and those after it come
    after it, so that results repeat.

    Raises:
        BenchError: If the target takes no changes and there are some.
    """
    if not changes:
        return []
    if not isinstance(target, ChangeableTarget):
        message = (
            "load.watchlist_change needs a target whose watchlist can change while it "
            f"runs, got '{target.name}', which has no `change`; leave the changes out"
        )
        raise BenchError(message)
    changeable = target

    def errand(change: GalleryChange) -> Callable[[], None]:
        def hand_over() -> None:
            changeable.change(change)

        def settle() -> None:
            changeable.flush()
            changeable.change(change)
            changeable.flush()

        return hand_over if pacing is Pacing.OPEN else settle

    return [
        Errand(offset_ns=planned.offset_ns, run=errand(change))
        for planned, change in zip(plan.changes, changes, strict=True)
    ]


def became_of(number: int, done: Drive, effects: Sequence[Changed]) -> WatchlistChange:
    """Gather what is known of one planned change; the run may have ended before."""
    planned_ns, asked_ns = -1, -1
    if number < len(done.errands_ns):
        planned_ns, asked_ns = done.errands_ns[number]
    own = [e for e in effects if e.number == number]
    refusals = [e.refusal for e in own if e.refusal]
    followed = sorted((e.worker, e.in_effect_ns) for e in own if not e.refusal)
    return WatchlistChange(
        planned_ns=planned_ns,
        asked_ns=asked_ns,
        workers=tuple(worker for worker, _ in followed),
        in_effect_ns=tuple(ns for _, ns in followed),
        refusal=refusals[0] if refusals else "",
    )
