"""Smooth random fields in space, fixed for ever by integer hashes.

Owns value noise. No generator state: a field is a function of position and seed, so
that what is painted on a face does not depend on the size of its texture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["value_noise"]


@njit(cache=True, nogil=True, inline="always")
def _hash(ix: int, iy: int, iz: int, seed: int) -> float:
    """Map a lattice point to [-1, 1]; an avalanche on 32 bits."""
    h = np.uint32(ix * 374761393 + iy * 668265263 + iz * 2147483647 + seed * 974634817)
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(1274126177))
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(2246822519))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    return float(h) / 2147483647.5 - 1.0


@njit(cache=True, nogil=True)
def value_noise(
    points: NDArray[np.float32], scale: NDArray[np.float64], seed: int
) -> NDArray[np.float32]:
    """Interpolate hashed lattice values, smoothly.

    Args:
        points: (n, 3), any unit.
        scale: (3,) lattice cells per unit along each axis.
        seed: Which field.

    Returns:
        (n,) float32 in [-1, 1].
    """
    result = np.empty(points.shape[0], np.float32)
    for i in range(points.shape[0]):
        x = points[i, 0] * scale[0]
        y = points[i, 1] * scale[1]
        z = points[i, 2] * scale[2]
        ix, iy, iz = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
        fx, fy, fz = x - ix, y - iy, z - iz
        fx = fx * fx * (3.0 - 2.0 * fx)
        fy = fy * fy * (3.0 - 2.0 * fy)
        fz = fz * fz * (3.0 - 2.0 * fz)
        total = 0.0
        for corner in range(8):
            dx, dy, dz = corner & 1, (corner >> 1) & 1, corner >> 2
            w = (fx if dx else 1.0 - fx) * (fy if dy else 1.0 - fy)
            w *= fz if dz else 1.0 - fz
            total += w * _hash(ix + dx, iy + dy, iz + dz, seed)
        result[i] = total
    return result
