"""Rates whose cases come in clumps of one person: resample people, not passages.

Owns the subject-clustered bootstrap. Knows nothing of what was counted.

Someone whom the matcher misses once it will miss again: ten passages of one person say
less than one passage each of ten people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.intervals.proportion import wilson_of_share
from bench.records import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["clustered_proportion"]

_RESAMPLES = 2000


def clustered_proportion(
    events: Sequence[bool], subjects: Sequence[str], *, rng: np.random.Generator
) -> Metric:
    """Report k/n with a 95 % interval that allows for cases of one subject.

    Args:
        events: n cases; n may be 0.
        subjects: Whose each case is.
        rng: Draws the subjects anew.

    Returns:
        The percentile interval of 2,000 resamples of the subjects. Where all cases
        went one way no resample can differ: then Wilson's interval for as many cases
        as there are subjects.

    Source:
        B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993),
        section 8.3 and chapter 13; ISO/IEC 19795-1:2021 on subjects as clusters.
    """
    n = len(events)
    if n == 0:
        return Metric(value=None, n=0)
    names, owner = np.unique(np.asarray(subjects, dtype=np.str_), return_inverse=True)
    hits = np.bincount(owner, weights=np.asarray(events, dtype=np.float64))
    cases = np.bincount(owner)
    share = float(hits.sum()) / n
    if share in {0.0, 1.0}:
        low, high = wilson_of_share(share, len(names))
        return Metric(value=share, low=low, high=high, n=n)
    even = np.full(len(names), 1.0 / len(names))
    drawn = rng.multinomial(len(names), even, size=_RESAMPLES)
    shares = (drawn @ hits) / (drawn @ cases)
    low, high = (float(q) for q in np.quantile(shares, (0.025, 0.975)))
    return Metric(value=share, low=low, high=high, n=n)
