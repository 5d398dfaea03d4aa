"""Search along a graph of near neighbours: time grows with the logarithm of N.

Source:
    Malkov and Yashunin, Efficient and robust approximate nearest neighbor search
    using hierarchical navigable small world graphs, IEEE TPAMI 42(4), 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import faiss

from matcher.indexes.faiss_index import FaissIndex, checked, read_faiss
from matcher.registry import INDEX_READERS, INDEXES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig

__all__ = ["make", "read"]


@INDEXES.register("faiss_hnsw")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> FaissIndex:
    """Index the templates (n, d) of a gallery."""
    templates = checked(templates)
    settings = config.faiss_hnsw
    index = faiss.IndexHNSWSQ(
        templates.shape[1],
        faiss.ScalarQuantizer.QT_fp16,  # type: ignore[arg-type]  # the stub means its enum
        settings.links,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.hnsw.efConstruction = settings.build_effort
    index.train(templates)
    index.add(templates)
    return _wrapped(index, templates, config)


@INDEX_READERS.register("faiss_hnsw")
def read(config: IndexConfig, templates: NDArray[np.float32], path: Path) -> FaissIndex:
    """Map the file of such an index."""
    index = cast("faiss.IndexHNSW", read_faiss(path))
    return _wrapped(index, templates, config)


def _wrapped(
    index: faiss.IndexHNSW, templates: NDArray[np.float32], config: IndexConfig
) -> FaissIndex:
    index.hnsw.efSearch = config.faiss_hnsw.search_effort
    return FaissIndex(
        index,
        templates,
        rescored=config.rescored,
        exhaustive=faiss.SearchParametersHNSW(efSearch=index.ntotal),  # type: ignore[attr-defined]  # absent from the stub
    )
