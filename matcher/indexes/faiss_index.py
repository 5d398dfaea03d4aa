"""What the FAISS indexes share: probes in, candidates out, a file between.

Owns the translation from FAISS's conventions to the records'. Knows no kind of index.

FAISS's thread count and `distance_compute_blas_threshold` belong to the process, not to
an index: `matcher.engine` sets the one, `matcher.indexes.faiss_ivf` the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import faiss
import numpy as np

from matcher.errors import GalleryError
from matcher.records import CandidateLists

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.records import Embeddings

__all__ = ["FaissIndex", "checked", "read_faiss"]


class FaissIndex:
    """A FAISS index over the templates of a gallery.

    Where the index keeps shortened templates, or may miss some, its candidates are
    compared again with the full ones: scores are exact whatever the index.

    Args:
        index: Inner product; filled.
        templates: (n, d) float32, unit length, in the order of the index's rows.
        rescored: Candidates that are compared again; 0 if the index's own scores
            are exact.
        exhaustive: Search parameters under which the index misses nothing; None if
            it never does.
    """

    def __init__(
        self,
        index: faiss.Index,
        templates: NDArray[np.float32],
        *,
        rescored: int,
        exhaustive: faiss.SearchParameters | None,
    ) -> None:
        if (index.ntotal, index.d) != templates.shape:
            message = (
                f"an index must hold the gallery's {templates.shape[0]} templates of "
                f"{templates.shape[1]} numbers, got {index.ntotal} of {index.d}; make "
                "it again"
            )
            raise GalleryError(message)
        self._index = index
        self._templates = templates
        self._rescored = rescored
        self._exhaustive = exhaustive

    @property
    def templates(self) -> NDArray[np.float32]:
        """What it was made over: (n, d), in the order of its rows."""
        return self._templates

    @property
    def n_bytes(self) -> int:
        """Memory of its structure, beside the templates."""
        return len(faiss.serialize_index(self._index))

    def save(self, path: Path) -> None:
        """Write the structure to a file."""
        faiss.write_index(self._index, str(path))

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Return the k best of the gallery for each probe, best first.

        k is cut to the gallery's size, where FAISS would fill up with row -1.
        """
        vectors = np.ascontiguousarray(probes.vectors)
        k = min(k, self._index.ntotal)
        depth = min(max(k, self._rescored), self._index.ntotal)
        scores, rows = self._index.search(vectors, depth)
        # Fewer were found than asked for: such probes are searched again in full.
        short = np.flatnonzero((rows[:, :k] < 0).any(axis=1))
        if len(short) > 0 and self._exhaustive is not None:
            scores[short], rows[short] = self._index.search(
                vectors[short], depth, params=self._exhaustive
            )
        if self._rescored > 0:
            scores, rows = self._rescore(vectors, rows)
        return CandidateLists(rows=rows[:, :k], scores=scores[:, :k])

    def _rescore(
        self, vectors: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Compare probes with the full templates of their candidates."""
        full = self._templates[rows]
        scores = np.matmul(full, vectors[:, :, None])[:, :, 0]
        scores[rows < 0] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")
        return (
            np.take_along_axis(scores, order, axis=1),
            np.take_along_axis(rows, order, axis=1),
        )


def checked(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return templates as FAISS takes them: C order, at least one.

    Raises:
        GalleryError: If there is none.
    """
    if len(templates) == 0:
        message = "an index must be made over at least one template, got none; enrol"
        raise GalleryError(message)
    return np.ascontiguousarray(templates)


def read_faiss(path: Path) -> faiss.Index:
    """Map an index's file into memory: processes that do so share one copy.

    Raises:
        GalleryError: If the file is absent or no FAISS index.
    """
    try:
        return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        message = f"index file {path} cannot be read ({reason}); make it again"
        raise GalleryError(message) from error
