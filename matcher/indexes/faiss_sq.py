"""Exhaustive search of shortened templates: less memory read, so less time a probe.

A single probe costs what it costs to read the gallery once; with half or a quarter of
the bytes it costs less. Batches are better served by `faiss_flat`, which multiplies
matrices.

Source:
    8 bit: one linear scale per dimension, from the gallery's extremes (FAISS,
    `ScalarQuantizer::QT_8bit`); fp16: IEEE 754 binary16.
"""

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

__all__ = ["CODES", "make", "read"]

CODES = {
    "fp16": faiss.ScalarQuantizer.QT_fp16,
    "8bit": faiss.ScalarQuantizer.QT_8bit,
}


@INDEXES.register("faiss_sq")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> FaissIndex:
    """Index the templates (n, d) of a gallery."""
    templates = checked(templates)
    index = faiss.IndexScalarQuantizer(
        templates.shape[1], CODES[config.faiss_sq.codes], faiss.METRIC_INNER_PRODUCT
    )
    index.train(templates)
    index.add(templates)
    return FaissIndex(index, templates, rescored=config.rescored, exhaustive=None)


@INDEX_READERS.register("faiss_sq")
def read(config: IndexConfig, templates: NDArray[np.float32], path: Path) -> FaissIndex:
    """Map the file of such an index."""
    return FaissIndex(
        read_faiss(path), templates, rescored=config.rescored, exhaustive=None
    )
