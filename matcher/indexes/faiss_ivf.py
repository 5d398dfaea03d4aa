"""Search of the nearest cells of a partition: a probe meets a share of the gallery.

Source:
    Sivic and Zisserman, Video Google, ICCV 2003 (the inverted file); Jegou, Douze,
    Schmid, Product quantization for nearest neighbor search, IEEE TPAMI 33(1), 2011.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import faiss

from matcher.indexes.faiss_index import FaissIndex, checked, read_faiss
from matcher.indexes.faiss_sq import CODES
from matcher.registry import INDEX_READERS, INDEXES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig

__all__ = ["make", "read"]

# Enough for stable centres; FAISS asks for 39 at least, and uses 256 at most.
_TRAINED_ON_PER_CELL = 64


@INDEXES.register("faiss_ivf")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> FaissIndex:
    """Partition the templates (n, d) of a gallery."""
    templates = checked(templates)
    settings = config.faiss_ivf
    n, d = templates.shape
    n_cells = max(1, n // settings.templates_per_cell)
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(d),
        d,
        n_cells,
        CODES[settings.codes],
        faiss.METRIC_INNER_PRODUCT,
    )
    # Spherical centres of an even sample: k-means repeats, the order of the gallery
    # hardly matters, and training a million takes a minute, not ten.
    index.cp.spherical = True
    index.cp.min_points_per_centroid = 1
    step = max(1, n // (n_cells * _TRAINED_ON_PER_CELL))
    index.train(templates[::step])
    index.add(templates)
    return _wrapped(index, templates, config)


@INDEX_READERS.register("faiss_ivf")
def read(config: IndexConfig, templates: NDArray[np.float32], path: Path) -> FaissIndex:
    """Map the file of such an index."""
    index = cast("faiss.IndexIVF", read_faiss(path))
    return _wrapped(index, templates, config)


def _wrapped(
    index: faiss.IndexIVF, templates: NDArray[np.float32], config: IndexConfig
) -> FaissIndex:
    # FAISS multiplies probes and centres; 1.15 counts the numbers in probes, not them.
    faiss.cvar.distance_compute_blas_threshold = config.blas_from_probes * index.d
    index.nprobe = max(1, round(index.nlist * config.faiss_ivf.probed_share))
    return FaissIndex(
        index,
        templates,
        rescored=config.rescored,
        exhaustive=faiss.SearchParametersIVF(nprobe=index.nlist),  # type: ignore[call-arg]  # the stub lacks it
    )
