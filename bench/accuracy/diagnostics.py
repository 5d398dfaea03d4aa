"""Error rates per frame and per search, and ranks: diagnostics, no results.

Owns what tells where a rate per passage comes from: faces not found, searches that
name the wrong person, mates that stand second. Refuses to be quoted in place of a rate
per passage: frames of one passage are one event, not thirty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.intervals.bootstrap import clustered_proportion
from bench.intervals.proportion import proportion
from matcher.decision import is_candidate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from bench.records import Metric, PassageOutcome, ProbeOutcome

__all__ = ["frame_metrics", "rank_metrics"]

_RANKS = (1, 5, 10, 20)


def frame_metrics(
    passages: Sequence[PassageOutcome],
    probes: Sequence[ProbeOutcome],
    *,
    threshold: float,
    rng: np.random.Generator,
) -> dict[str, Metric]:
    """Report rates whose cases are frames or searches, intervals over people.

    `per_frame.missed` is the share of processed frames of a passage in which its face
    was not found. `per_search.fnir` is the share of searches of sought people that did
    not name them at or above the threshold, `per_search.fpir` that of searches of other
    people that named anybody.

    Args:
        passages: Those that count.
        probes: All of the run.
        threshold: Least comparison score of an alert.
        rng: Draws people anew.
    """
    counted = {p.passage_id: p for p in passages}
    mated: list[tuple[bool, str]] = []
    others: list[tuple[bool, str]] = []
    for probe in probes:
        passage = counted.get(str(probe.passage_id))
        if passage is None:
            continue
        named = bool(is_candidate(probe.comparison_score, threshold=threshold))
        if passage.mated:
            found = named and probe.subject_id == passage.person_id
            mated.append((not found, passage.person_id))
        else:
            others.append((named, passage.person_id))
    return {
        "per_frame.missed": _clustered(
            [
                (k >= p.n_frames_detected, p.person_id)
                for p in passages
                for k in range(p.n_frames_processed)
            ],
            rng=rng,
        ),
        "per_search.fnir": _clustered(mated, rng=rng),
        "per_search.fpir": _clustered(others, rng=rng),
    }


def rank_metrics(
    passages: Sequence[PassageOutcome], *, n_candidates: int
) -> dict[str, Metric]:
    """Report how often the person's own reference was among the first R candidates.

    At any score, of all counted mated passages; one that was never searched is none.

    Args:
        passages: Those that count.
        n_candidates: As many as the matcher reports of each search.

    Source:
        ISO/IEC 19795-1:2021, identification rate at rank R; the unit is the passage.
    """
    mated = [p for p in passages if p.mated]
    ranks = sorted({r for r in _RANKS if r < n_candidates} | {n_candidates})
    return {
        f"identified.rank_{rank}": proportion(
            sum(p.best_rank is not None and p.best_rank <= rank for p in mated),
            len(mated),
        )
        for rank in ranks
    }


def _clustered(
    cases: Sequence[tuple[bool, str]], *, rng: np.random.Generator
) -> Metric:
    return clustered_proportion(
        [event for event, _ in cases], [person for _, person in cases], rng=rng
    )
