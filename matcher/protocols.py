"""The seams of the pipeline: what a detector, an embedder and an index must do.

Owns no behaviour. A plug-in is any object with the one method below; it takes a
record and returns a record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from matcher.records import CandidateLists, Detections, Embeddings

__all__ = ["Detector", "Embedder", "GalleryIndex", "LandmarkRefiner", "StoredIndex"]


class Detector(Protocol):
    """Finds faces."""

    def detect(self, image_bgr: NDArray[np.uint8]) -> Detections:
        """Find the faces of one (h, w, 3) uint8 image, in its own pixels."""
        ...


class LandmarkRefiner(Protocol):
    """Looks at a face again and says where its landmarks are."""

    def refine(
        self, image_bgr: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Correct landmarks (n, 5, 2), pixels of one (h, w, 3) uint8 image."""
        ...


class Embedder(Protocol):
    """Turns aligned chips into templates."""

    @property
    def chip_px(self) -> int:
        """Side of the square chips it takes."""
        ...

    @property
    def dimension(self) -> int:
        """Length d of its templates."""
        ...

    def embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:
        """Embed (n, chip_px, chip_px, 3) uint8 chips; n may be 0."""
        ...


class GalleryIndex(Protocol):
    """Finds the nearest enrolled templates."""

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Return the k best of the gallery for each probe, best first."""
        ...


class StoredIndex(GalleryIndex, Protocol):
    """An index over a fixed gallery, which can be kept in a file."""

    @property
    def templates(self) -> NDArray[np.float32]:
        """What it was made over: (n, d), in the order of its rows."""
        ...

    @property
    def n_bytes(self) -> int:
        """Memory of its structure, beside the templates."""
        ...

    def save(self, path: Path) -> None:
        """Write the structure to a file; the templates are the gallery's to keep."""
        ...
