"""What a run needs for its changes of the watchlist: messages, and the first gallery.

Owns the step from the planned subjects to their templates. Templates are made before
the run, as those of the watchlist are: what is measured is the change of the gallery,
not the reading of pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.load.watchlist import held_back
from bench.records import Metric
from bench.timing.latency import latency_metrics
from matcher.gallery import withdraw
from matcher.messages import GalleryChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.records import ArrivalPlan, PlannedChange, WatchlistChange
    from matcher.gallery import Gallery

__all__ = ["change_metrics", "change_note", "changes_of", "first_gallery"]


def first_gallery(gallery: Gallery, plan: ArrivalPlan) -> Gallery:
    """Leave out whoever joins later."""
    later = held_back(plan.changes)
    gone = [s for s in gallery.subject_ids if str(s) in later]
    return withdraw(gallery, gone) if gone else gallery


def changes_of(plan: ArrivalPlan, gallery: Gallery) -> tuple[GalleryChange, ...]:
    """Put templates to the planned changes; who failed to enrol has none.

    Args:
        plan: With its changes.
        gallery: Of everyone who is ever enrolled.
    """
    row_of = {str(s): row for row, s in enumerate(gallery.subject_ids)}
    made = []
    for number, planned in enumerate(plan.changes):
        rows = [row_of[s] for s in planned.enrol if s in row_of]
        leaves = [row_of[s] for s in planned.withdraw if s in row_of]
        made.append(
            GalleryChange(
                number=number,
                enrol=tuple(gallery.subject_ids[row] for row in rows),
                templates=np.ascontiguousarray(gallery.templates[rows]),
                withdraw=tuple(gallery.subject_ids[row] for row in leaves),
            )
        )
    return tuple(made)


def change_metrics(
    plan: ArrivalPlan,
    changes: Sequence[WatchlistChange],
    *,
    n_watchlist: int,
    in_real_time: bool,
) -> dict[str, Metric]:
    """Report who joined, who left, and how long it took until every worker knew.

    `watchlist_change_s` counts from the planned moment, as every latency does.

    Args:
        plan: With the changes as they were planned.
        changes: What became of them.
        n_watchlist: Subjects sought at any time.
        in_real_time: Frames came by the clock; else a change waited for them.
    """
    if not plan.changes:
        return {"watchlist.size": Metric(value=n_watchlist, unit="subjects")}
    done = [
        (planned, change)
        for planned, change in zip(plan.changes, changes, strict=True)
        if change.in_effect_ns
    ]
    n_joined = sum(len(planned.enrol) for planned, _ in done)
    n_left = sum(len(planned.withdraw) for planned, _ in done)
    first = n_watchlist - len(held_back(plan.changes))
    took_s = np.array(
        [(max(c.in_effect_ns) - c.planned_ns) / 1e9 for _, c in done if in_real_time]
    )
    return {
        "watchlist.size": Metric(value=first, unit="subjects"),
        "watchlist.joined": Metric(value=n_joined, n=n_watchlist, unit="subjects"),
        "watchlist.left": Metric(value=n_left, n=n_watchlist, unit="subjects"),
        "watchlist.size_at_end": Metric(
            value=first + n_joined - n_left, unit="subjects"
        ),
        "watchlist.changes": Metric(
            value=len(done), n=len(plan.changes), unit="changes"
        ),
        **latency_metrics("watchlist_change_s", took_s),
    }


def change_note(
    planned: Sequence[PlannedChange], metrics: Mapping[str, Metric]
) -> str | None:
    """Say in a sentence what became of the watchlist; None if nothing was planned."""
    if not planned:
        return None
    joined, left, done = (
        metrics[f"watchlist.{what}"].value for what in ("joined", "left", "changes")
    )
    said = (
        f"The watchlist changed while cameras ran: {joined:.0f} joined and {left:.0f} "
        f"left in {done:.0f} of {len(planned)} planned changes"
    )
    longest = metrics["watchlist_change_s.max"].value
    if longest is not None:
        said += (
            f", each in effect in every worker within {longest * 1e3:.1f} ms of its "
            "planned moment"
        )
    return (
        f"{said}. Passages of those people count as mated only while they are sought."
    )
