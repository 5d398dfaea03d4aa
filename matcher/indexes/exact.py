"""Exhaustive search in NumPy: the reference that every other index is held to.

Plain on purpose: one matrix product, one sort. Its structure is the templates
themselves, so there is nothing to save.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.records import CandidateLists
from matcher.registry import INDEX_READERS, INDEXES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig
    from matcher.records import Embeddings

__all__ = ["ExactIndex"]


class ExactIndex:
    """Compares every probe with every template.

    Args:
        templates: (n, d) float32, unit length.
    """

    n_bytes = 0

    def __init__(self, templates: NDArray[np.float32]) -> None:
        self.templates = templates

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Return the k best of the gallery for each probe, best first.

        Ties go to the template enrolled first; k is cut to the gallery's size.
        """
        scores = probes.vectors @ self.templates.T
        rows = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return CandidateLists(
            rows=rows.astype(np.int64), scores=np.take_along_axis(scores, rows, axis=1)
        )

    def save(self, path: Path) -> None:
        """Write an empty file: the templates are all there is."""
        path.write_bytes(b"")


@INDEXES.register("exact")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> ExactIndex:  # noqa: ARG001 — one signature for every index
    """Index the templates (n, d) of a gallery."""
    return ExactIndex(templates)


@INDEX_READERS.register("exact")
def read(
    config: IndexConfig,  # noqa: ARG001
    templates: NDArray[np.float32],
    path: Path,  # noqa: ARG001
) -> ExactIndex:
    """Index the templates (n, d) of a gallery."""
    return ExactIndex(templates)
