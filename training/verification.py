"""How well comparison scores tell mated pairs from non-mated ones.

Owns d', EER and FNMR at a stated FMR. Knows nothing of networks or pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Separation", "pair_scores", "separation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Error rates of one verification experiment.

    Attributes:
        d_prime: Distance of the two means in pooled standard deviations.
        eer: Equal error rate, in [0, 1].
        fnmr_at_fmr: `(FMR, FNMR)` pairs; those with fewer than ten non-mated
            scores at or above the threshold are left out.
        n_mated, n_non_mated: Comparisons.
    """

    d_prime: float
    eer: float
    fnmr_at_fmr: tuple[tuple[float, float], ...]
    n_mated: int
    n_non_mated: int


def separation(
    mated: NDArray[np.float32],
    non_mated: NDArray[np.float32],
    *,
    fmr: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5),
) -> Separation:
    """Measure how far mated scores stand above non-mated ones.

    Args:
        mated: (m,) comparison scores, higher is closer.
        non_mated: (n,) comparison scores.
        fmr: False match rates at which to state the FNMR.

    Returns:
        The error rates.

    Raises:
        ValueError: If either set is empty.

    Source:
        ISO/IEC 19795-1:2021, 3.5 and 3.6; d' as in Daugman, IEEE PAMI 1993.
    """
    if len(mated) == 0 or len(non_mated) == 0:
        message = (
            f"separation needs mated and non-mated scores, got {len(mated)} and "
            f"{len(non_mated)}; compare at least two views of two people"
        )
        raise ValueError(message)
    low, high = np.sort(mated), np.sort(non_mated)
    spread = np.sqrt((low.var() + high.var()) / 2)
    d_prime = float((low.mean() - high.mean()) / spread)
    # A score at or above the threshold matches; each mated score is a threshold.
    fnmr = np.arange(len(low)) / len(low)
    fmr_there = 1.0 - np.searchsorted(high, low, side="left") / len(high)
    crossing = int(np.argmin(np.abs(fnmr - fmr_there)))
    rates = []
    for rate in fmr:
        allowed = int(rate * len(high))
        if allowed < 10:
            continue
        threshold = np.nextafter(high[-allowed - 1], np.inf, dtype=high.dtype)
        missed = np.searchsorted(low, threshold, side="left")
        rates.append((rate, float(missed / len(low))))
    return Separation(
        d_prime=d_prime,
        eer=float((fnmr[crossing] + fmr_there[crossing]) / 2),
        fnmr_at_fmr=tuple(rates),
        n_mated=len(low),
        n_non_mated=len(high),
    )


def pair_scores(
    vectors: NDArray[np.float32],
    person: NDArray[np.int64],
    day: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Compare every view with every other.

    Args:
        vectors: (n, d) float32, unit length.
        person: (n,) who each shows.
        day: (n,) on which day.

    Returns:
        Scores of mated pairs of one day, of mated pairs of two days, and of
        non-mated pairs; each pair once.
    """
    scores = vectors @ vectors.T
    first, second = np.triu_indices(len(vectors), k=1)
    same_person = person[first] == person[second]
    same_day = day[first] == day[second]
    flat = scores[first, second]
    return (
        flat[same_person & same_day],
        flat[same_person & ~same_day],
        flat[~same_person],
    )
