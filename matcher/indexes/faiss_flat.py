"""Exhaustive search by FAISS: same answers as `exact`, faster on large galleries.

FAISS compares a few probes one after the other, as fast as memory is read. Several at
once are cheaper multiplied, and cheapest by `matcher.indexes.products`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss

from matcher.indexes.faiss_index import FaissIndex, checked, read_faiss
from matcher.indexes.products import best_of_products
from matcher.registry import INDEX_READERS, INDEXES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig
    from matcher.records import CandidateLists, Embeddings

__all__ = ["FlatIndex", "make", "read"]


class FlatIndex(FaissIndex):
    """FAISS's flat index for a few probes, matrix products for several.

    Args:
        index: Inner product; filled.
        templates: (n, d) float32, unit length, in the order of the index's rows.
        multiplied_from: Probes in one search from which matrices are multiplied.
    """

    def __init__(
        self,
        index: faiss.Index,
        templates: NDArray[np.float32],
        *,
        multiplied_from: int,
    ) -> None:
        super().__init__(index, templates, rescored=0, exhaustive=None)
        self._multiplied_from = multiplied_from

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Return the k best of the gallery for each probe, best first."""
        if len(probes.vectors) < self._multiplied_from:
            return super().search(probes, k=k)
        k = min(k, len(self.templates))
        return best_of_products(self.templates, probes.vectors, k=k)


@INDEXES.register("faiss_flat")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> FlatIndex:
    """Index the templates (n, d) of a gallery."""
    templates = checked(templates)
    index = faiss.IndexFlatIP(templates.shape[1])
    index.add(templates)
    return FlatIndex(index, templates, multiplied_from=config.blas_from_probes)


@INDEX_READERS.register("faiss_flat")
def read(config: IndexConfig, templates: NDArray[np.float32], path: Path) -> FlatIndex:
    """Map the file of such an index."""
    return FlatIndex(
        read_faiss(path), templates, multiplied_from=config.blas_from_probes
    )
