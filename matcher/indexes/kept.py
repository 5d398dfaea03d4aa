"""Indexes that take minutes to make, kept in files between one run and the next.

Owns the name of a file: it says over which templates, with which settings and by which
FAISS an index was made, so that a file is either the right one or not there. Knows no
kind of index.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import faiss
import numpy as np

from matcher.registry import INDEX_READERS, INDEXES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig
    from matcher.protocols import StoredIndex

__all__ = ["make_or_read"]

# Set anew whenever an index is opened: they leave its file as it is.
_ONLY_FOR_SEARCHING: dict[str, bool | set[str]] = {
    "folder": True,
    "blas_from_probes": True,
    "rescored": True,
    "faiss_hnsw": {"search_effort"},
    "faiss_ivf": {"probed_share"},
}
_FILE = "index"


def make_or_read(
    name: str,
    config: IndexConfig,
    templates: NDArray[np.float32],
    *,
    folder: Path | None,
) -> StoredIndex:
    """Map an index that was made before; make it, and keep it, if there is none.

    Args:
        name: Registered index.
        config: Its settings.
        templates: (n, d) float32, unit length.
        folder: Where files are kept; None makes the index anew and keeps nothing.

    Raises:
        BadInputError: If the index is unknown or a file of it cannot be read.
    """
    if folder is None:
        return INDEXES.make(name, config, templates)
    kept = folder / f"{name}-{len(templates)}-{_digest(config, templates)}"
    if not kept.exists():
        # Written aside first: a run that is cut off leaves no half of an index. Some
        # indexes are several files, so a folder it is that gets its name at the end.
        partial = folder / f"{kept.name}.{os.getpid()}"
        partial.mkdir(parents=True, exist_ok=True)
        INDEXES.make(name, config, templates).save(partial / _FILE)
        partial.replace(kept)
    return INDEX_READERS.make(name, config, templates, kept / _FILE)


def _digest(config: IndexConfig, templates: NDArray[np.float32]) -> str:
    """Sum up what an index depends on; half of SHA-256 is plenty for a cache."""
    settings = config.model_dump(mode="json", exclude=_ONLY_FOR_SEARCHING)
    said = json.dumps([faiss.__version__, settings], sort_keys=True)
    digest = hashlib.sha256(said.encode())
    digest.update(np.ascontiguousarray(templates).tobytes())
    return digest.hexdigest()[:32]
