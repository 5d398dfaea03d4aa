"""From the templates of a track to one.

Owns the weighting. Knows nothing of galleries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fuse", "unit_length"]


def unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale the rows of (n, d) to length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = vectors / np.maximum(lengths, np.float32(1e-12))
    return scaled


def fuse(
    templates: NDArray[np.float32],
    qualities: NDArray[np.float64],
    *,
    emphasis: float,
) -> NDArray[np.float32]:
    """Average templates, each as much as its quality is worth.

    Args:
        templates: (m, d) float32, unit length, m at least 1.
        qualities: (m,) in [0, 1].
        emphasis: The power of its quality that a template weighs; 0 weighs all alike.

    Returns:
        (d,) float32, unit length.
    """
    # Equal weights where all qualities are 0, else nothing would be left to scale.
    weights = qualities**emphasis if qualities.any() else np.ones(len(qualities))
    fused = (weights @ templates / weights.sum()).astype(np.float32)
    row: NDArray[np.float32] = unit_length(fused[None])[0]
    return row
