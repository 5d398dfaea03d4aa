"""Exhaustive search by FAISS: same answers as `exact`, faster on large galleries.

The thread count and `distance_compute_blas_threshold` are FAISS's, not an index's:
`matcher.engine` sets them once for its process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np

from matcher.records import CandidateLists
from matcher.registry import INDEXES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import IndexConfig
    from matcher.records import Embeddings

__all__ = ["FaissFlatIndex"]


class FaissFlatIndex:
    """Compares every probe with every template, inner product of unit vectors.

    Args:
        templates: (n, d) float32, unit length.
    """

    def __init__(self, templates: NDArray[np.float32]) -> None:
        self._index = faiss.IndexFlatIP(templates.shape[1])
        self._index.add(np.ascontiguousarray(templates))

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Return the k best of the gallery for each probe, best first.

        k is cut to the gallery's size, where FAISS would fill up with row -1.
        """
        depth = min(k, self._index.ntotal)
        scores, rows = self._index.search(np.ascontiguousarray(probes.vectors), depth)
        return CandidateLists(rows=rows, scores=scores)


@INDEXES.register("faiss_flat")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> FaissFlatIndex:  # noqa: ARG001 — one signature for every index
    """Index the templates (n, d) of a gallery."""
    return FaissFlatIndex(templates)
