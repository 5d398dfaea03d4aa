"""What embedders share: chips as planes, mirror images, batches, unit length.

Knows no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.fusion import unit_length
from matcher.records import Embeddings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from matcher.protocols import Embedder

__all__ = ["Mirrored", "embed_each", "planes"]


def planes(chips_bgr: NDArray[np.uint8], *, rgb: bool) -> NDArray[np.float32]:
    """Lay (n, c, c, 3) uint8 chips out as (n, 3, c, c) float32."""
    ordered = chips_bgr[..., ::-1] if rgb else chips_bgr
    return np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), np.float32)


def embed_each(
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    chips_bgr: NDArray[np.uint8],
    *,
    dimension: int,
    at_once: int | None,
) -> Embeddings:
    """Embed chips.

    Args:
        run: From chips to vectors of any length.
        chips_bgr: (n, c, c, 3) uint8; n may be 0.
        dimension: Length d of a vector.
        at_once: Chips that `run` takes; None if it takes any number.
    """
    if len(chips_bgr) == 0:
        return Embeddings(vectors=np.empty((0, dimension), np.float32))
    size = len(chips_bgr) if at_once is None else at_once
    parts = [run(chips_bgr[k : k + size]) for k in range(0, len(chips_bgr), size)]
    return Embeddings(vectors=unit_length(np.concatenate(parts)))


class Mirrored:
    """Averages the templates of a chip and its mirror image: twice the work.

    Args:
        embedder: Makes both.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def chip_px(self) -> int:
        """Side of the square chips it takes."""
        return self._embedder.chip_px

    @property
    def dimension(self) -> int:
        """Length d of its templates."""
        return self._embedder.dimension

    def embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:
        """Embed (n, chip_px, chip_px, 3) uint8 chips; n may be 0."""
        seen = self._embedder.embed(chips_bgr).vectors
        mirrored = self._embedder.embed(chips_bgr[:, :, ::-1]).vectors
        return Embeddings(vectors=unit_length(seen + mirrored))
