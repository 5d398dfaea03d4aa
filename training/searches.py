"""What passages searched for, scored with the person enrolled and without.

Owns both scores: the one tells of hits, the other of false alerts. Knows nothing of
streets or of how templates came about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Searches", "scores_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Searches:
    """What the passers-by of some streets searched for, under one rule.

    Attributes:
        templates: (m, d) float32, the fused template of every search.
        passages: (m,) int64, whose, in [0, n).
        own_rows: (n,) int64, where in the gallery each passage's person is; -1 if
            nowhere.
        kin_rows: (n, s) int64, where their siblings are; filled up with -1.
        heights_px: (n,) of the largest face; NaN where none was in full view.
    """

    templates: NDArray[np.float32]
    passages: NDArray[np.int64]
    own_rows: NDArray[np.int64]
    kin_rows: NDArray[np.int64]
    heights_px: NDArray[np.float64]


def scores_of(
    searches: Searches, gallery: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Score each passage with its person enrolled, and with all but the family alone.

    Where whoever passes is enrolled, so are their siblings; a stranger's are not.

    Args:
        searches: Whose people are in the gallery.
        gallery: (g, d) float32.

    Returns:
        Of each passage, (n,): the best score with the person as the first candidate,
        and the best with anybody outside the family; -1 where there is none.
    """
    mated = np.full(len(searches.own_rows), -1.0, np.float32)
    others = mated.copy()
    scores = searches.templates @ gallery.T
    own = searches.own_rows[searches.passages]
    each = np.flatnonzero(own >= 0)
    mate = np.full(len(own), -1.0, np.float32)
    mate[each] = scores[each, own[each]]
    scores[each, own[each]] = -1.0
    # The first candidate alone can alert.
    hits = np.where(mate > scores.max(axis=1), mate, -1.0)
    np.maximum.at(mated, searches.passages, hits)
    kin = searches.kin_rows[searches.passages]
    search, sibling = np.nonzero(kin >= 0)
    scores[search, kin[search, sibling]] = -1.0
    np.maximum.at(others, searches.passages, scores.max(axis=1))
    return mated, others
