"""Do two builds err alike? The same passages, held side by side.

Owns the comparison of error rates passage by passage, people resampled. Knows nothing
of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.regression.comparison import Contrast, judge_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["PassageError", "compare_errors"]

_RESAMPLES = 2000
# Two rates share 5 %, and each has two sides.
_TAIL = 0.05 / 2 / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageError:
    """Whether one passage went wrong in one run.

    Attributes:
        passage_id, person_id: Which, and whose.
        mated: The person is sought.
        is_error: Missed if sought, alerted on if not.
    """

    passage_id: str
    person_id: str
    mated: bool
    is_error: bool


def compare_errors(
    first: Sequence[Sequence[PassageError]],
    second: Sequence[Sequence[PassageError]],
    *,
    margin: float,
    rng: np.random.Generator,
) -> tuple[Contrast, ...]:
    """Compare FNIR and FPIR passage by passage, people resampled.

    Args:
        first: Of each run, its counted passages; one crowd for all runs.
        second: Likewise.
        margin: Change in points that is called equal, e.g. 0.02.
        rng: Draws the people anew.

    Returns:
        One contrast per rate that has passages in both.
    """
    contrasts = []
    for metric, mated in (("fnir", True), ("fpir", False)):
        a, b = _shares(first, mated=mated), _shares(second, mated=mated)
        shared = sorted(set(a) & set(b))
        if not shared:
            continue
        owners = [a[passage_id][0] for passage_id in shared]
        share_a = np.array([a[passage_id][1] for passage_id in shared])
        share_b = np.array([b[passage_id][1] for passage_id in shared])
        change = float((share_b - share_a).mean())
        low, high = _resampled(share_b - share_a, owners, rng=rng)
        contrasts.append(
            Contrast(
                metric=metric,
                first=float(share_a.mean()),
                second=float(share_b.mean()),
                change=change,
                low=low,
                high=high,
                margin=margin,
                floor=0.0,
                is_relative=False,
                judgement=judge_change(
                    change,
                    low,
                    high,
                    margin=margin,
                    floor=0.0,
                    beyond=0.0,
                    more_is_worse=True,
                ),
            )
        )
    return tuple(contrasts)


def _shares(
    runs: Sequence[Sequence[PassageError]], *, mated: bool
) -> dict[str, tuple[str, float]]:
    """Take of each passage whose it is and in which share of the runs it erred."""
    seen: dict[str, tuple[str, list[bool]]] = {}
    for passages in runs:
        for passage in passages:
            if passage.mated is mated:
                owner = seen.setdefault(passage.passage_id, (passage.person_id, []))
                owner[1].append(passage.is_error)
    return {
        passage_id: (person, float(np.mean(errors)))
        for passage_id, (person, errors) in seen.items()
    }


def _resampled(
    changes: NDArray[np.float64], owners: Sequence[str], *, rng: np.random.Generator
) -> tuple[float, float]:
    """Bound the mean change, people drawn anew; two rates share the level.

    Where nothing changed at all, no resample can: then at most so many passages may
    change as none of n leave open (the rule of three).
    """
    names, owner = np.unique(np.asarray(owners, dtype=np.str_), return_inverse=True)
    if not changes.any():
        bound = min(1.0, 3.0 / len(names))
        return -bound, bound
    sums = np.bincount(owner, weights=changes)
    cases = np.bincount(owner)
    even = np.full(len(names), 1.0 / len(names))
    drawn = rng.multinomial(len(names), even, size=_RESAMPLES)
    means = (drawn @ sums) / (drawn @ cases)
    low, high = np.quantile(means, (_TAIL, 1.0 - _TAIL))
    return float(low), float(high)
