"""Exhaustive search by FAISS: same answers as `exact`, faster on large galleries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss

from matcher.indexes.faiss_index import FaissIndex, checked, read_faiss
from matcher.registry import INDEX_READERS, INDEXES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig

__all__ = ["make", "read"]


@INDEXES.register("faiss_flat")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> FaissIndex:  # noqa: ARG001 — one signature for every index
    """Index the templates (n, d) of a gallery."""
    templates = checked(templates)
    index = faiss.IndexFlatIP(templates.shape[1])
    index.add(templates)
    return FaissIndex(index, templates, rescored=0, exhaustive=None)


@INDEX_READERS.register("faiss_flat")
def read(
    config: IndexConfig,  # noqa: ARG001
    templates: NDArray[np.float32],
    path: Path,
) -> FaissIndex:
    """Map the file of such an index."""
    return FaissIndex(read_faiss(path), templates, rescored=0, exhaustive=None)
