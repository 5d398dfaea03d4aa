"""Exhaustive search by FAISS: same answers as `exact`, faster on large galleries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss

from matcher.indexes.faiss_index import (
    FaissIndex,
    checked,
    multiply_from,
    read_faiss,
)
from matcher.registry import INDEX_READERS, INDEXES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig

__all__ = ["make", "read"]


@INDEXES.register("faiss_flat")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> FaissIndex:
    """Index the templates (n, d) of a gallery."""
    templates = checked(templates)
    index = faiss.IndexFlatIP(templates.shape[1])
    index.add(templates)
    return _wrapped(index, templates, config)


@INDEX_READERS.register("faiss_flat")
def read(config: IndexConfig, templates: NDArray[np.float32], path: Path) -> FaissIndex:
    """Map the file of such an index."""
    return _wrapped(read_faiss(path), templates, config)


def _wrapped(
    index: faiss.Index, templates: NDArray[np.float32], config: IndexConfig
) -> FaissIndex:
    multiply_from(config.blas_from_probes, dimension=templates.shape[1])
    return FaissIndex(index, templates, rescored=0, exhaustive=None)
