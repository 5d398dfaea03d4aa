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

__all__ = ["embed_each", "planes"]


def planes(chips_bgr: NDArray[np.uint8], *, rgb: bool) -> NDArray[np.float32]:
    """Lay (n, c, c, 3) uint8 chips out as (n, 3, c, c) float32."""
    ordered = chips_bgr[..., ::-1] if rgb else chips_bgr
    return np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), np.float32)


def embed_each(
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    chips_bgr: NDArray[np.uint8],
    *,
    dimension: int,
    with_mirror: bool,
    at_once: int | None,
) -> Embeddings:
    """Embed chips, and their mirror images if asked to.

    Args:
        run: From chips to vectors of any length.
        chips_bgr: (n, c, c, 3) uint8; n may be 0.
        dimension: Length d of a vector.
        with_mirror: Average the templates of a chip and its mirror image.
        at_once: Chips that `run` takes; None if it takes any number.
    """
    if len(chips_bgr) == 0:
        return Embeddings(vectors=np.empty((0, dimension), np.float32))
    size = len(chips_bgr) if at_once is None else at_once

    def whole(chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [run(chips[k : k + size]) for k in range(0, len(chips), size)]
        return unit_length(np.concatenate(parts))

    vectors = whole(chips_bgr)
    if with_mirror:
        vectors = vectors + whole(chips_bgr[:, :, ::-1])
    return Embeddings(vectors=unit_length(vectors))
