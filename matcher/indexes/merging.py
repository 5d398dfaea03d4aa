"""The best of several galleries' best: candidate lists become one.

Owns the merging and its rule for ties. Pure. Knows nothing of how lists were found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.records import CandidateLists

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["merge_candidates"]


def merge_candidates(
    lists: Sequence[CandidateLists], first_rows: Sequence[int], *, k: int
) -> CandidateLists:
    """Merge the candidates of the parts of a gallery.

    The k best of the whole are among the k best of its parts. Ties go to the template
    enrolled first, as in one exhaustive search.

    Args:
        lists: Of the same probes, one a part; each may hold fewer than k.
        first_rows: Row of each part's first template in the whole gallery, increasing.
        k: How many to return; cut to what there is.
    """
    rows = np.concatenate(
        [
            each.rows + np.int64(first)
            for each, first in zip(lists, first_rows, strict=True)
        ],
        axis=1,
    )
    scores = np.concatenate([each.scores for each in lists], axis=1)
    # Parts stand in order of enrolment, and within each a stable order has ties so.
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return CandidateLists(
        rows=np.take_along_axis(rows, order, axis=1),
        scores=np.take_along_axis(scores, order, axis=1),
    )
