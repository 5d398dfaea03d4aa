"""One statement of the table of realism, and how rates and pairs are stated in it.

Owns the record, comparisons by distance, and thresholds. Knows nothing of experiments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.intervals import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.realism.shards import Answers

__all__ = ["Finding", "Pairs", "distances", "pairs_of", "state_rate", "threshold_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table.

    Attributes:
        topic: Which experiment.
        claim: What was measured.
        measured: The figure with its interval and counts.
        required: What is asked for; empty where nothing is.
        met: Whether it holds; `None` where nothing is asked for.
    """

    topic: str
    claim: str
    measured: str
    required: str = ""
    met: bool | None = None


def state_rate(k: int, n: int) -> str:
    """Write a proportion with its counts and its 95 % interval."""
    if n == 0:
        return "0/0: nothing seen"
    low, high = wilson(k, n)
    return f"{k}/{n} = {k / n:.2%} [{low:.2%}, {high:.2%}]"


def distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean distances (n, m) between the rows of two sets of vectors."""
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None]
    return np.sqrt(np.maximum(squares - 2.0 * a @ b.T, 0.0)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Comparisons within one set of views, each once.

    Attributes:
        first, second: (n,) rows.
        score: (n,) negative Euclidean distance, as dlib compares.
        mated, same_day: (n,) bool.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: NDArray[np.float32]
    mated: NDArray[np.bool_]
    same_day: NDArray[np.bool_]


def pairs_of(answers: Answers) -> Pairs:
    """Compare every view with every other, each pair once."""
    first, second = np.triu_indices(len(answers.subject), k=1)
    score = -distances(answers.vector, answers.vector)[first, second]
    return Pairs(
        first=first,
        second=second,
        score=score,
        mated=answers.subject[first] == answers.subject[second],
        same_day=answers.day[first] == answers.day[second],
    )


def threshold_at(non_mated: NDArray[np.float32], fmr: float) -> float:
    """Lowest score that at most this share of non-mated scores reaches."""
    ranked = np.sort(non_mated)
    allowed = int(fmr * len(ranked))
    return float(np.nextafter(ranked[-allowed - 1], np.float32(np.inf)))
