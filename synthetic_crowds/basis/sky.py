"""How much of the sky each point of a mesh sees.

Owns the occlusion baked into the basis of heads. Looks at the mesh from every
direction and asks which points are in front: ray casting took eight minutes, this
takes seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["sky_share", "vertex_normals"]

_DIRECTIONS = 200
_CELL_M, _SLACK_M, _SIZE = 1e-3, 2e-3, 480


def vertex_normals(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Area-weighted vertex normals, (v, 3)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, triangles[:, k], face)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(length, 1e-12)


def sky_share(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    triangles: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Cosine-weighted share of directions in which each point sees the sky.

    Args:
        points: (v, 3), metres.
        normals: (v, 3), unit.
        triangles: (t, 3).

    Returns:
        (v,) in [0, 1].
    """
    total, free = np.zeros(len(points)), np.zeros(len(points))
    for direction in _spread_directions(_DIRECTIONS):
        steep = abs(direction[1]) >= 0.9
        helper = np.array([1.0, 0.0, 0.0] if steep else [0.0, 1.0, 0.0])
        right = np.cross(helper, direction)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(direction, right), direction])
        flat = points @ axes.T
        flat[:, :2] = (flat[:, :2] - flat[:, :2].mean(axis=0)) / _CELL_M + _SIZE / 2
        depth = _nearest_depth(flat, triangles, _SIZE)
        cell = np.clip(np.rint(flat[:, :2]).astype(int), 0, _SIZE - 1)
        cosine = np.clip(normals @ direction, 0.0, None)
        seen = flat[:, 2] >= depth[cell[:, 1], cell[:, 0]] - _SLACK_M
        total += cosine
        free += cosine * seen
    return free / np.maximum(total, 1e-9)


def _spread_directions(n: int) -> NDArray[np.float64]:
    """Spread n directions evenly over the sphere, on a Fibonacci spiral."""
    k = np.arange(n) + 0.5
    z = 1.0 - 2.0 * k / n
    angle = np.pi * (1.0 + 5.0**0.5) * k
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)


@njit(cache=True)
def _nearest_depth(
    flat: NDArray[np.float64], triangles: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Orthographic z-buffer: the greatest third coordinate seen in each cell."""
    depth = np.full((size, size), -1e9)
    for t in range(len(triangles)):
        a, b, c = flat[triangles[t, 0]], flat[triangles[t, 1]], flat[triangles[t, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if abs(area) < 1e-9:
            continue
        top = max(0, int(min(a[1], b[1], c[1])))
        bottom = min(size - 1, int(max(a[1], b[1], c[1])) + 1)
        left = max(0, int(min(a[0], b[0], c[0])))
        right = min(size - 1, int(max(a[0], b[0], c[0])) + 1)
        for py in range(top, bottom + 1):
            for px in range(left, right + 1):
                w1 = ((px - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (py - a[1])) / area
                w2 = ((b[0] - a[0]) * (py - a[1]) - (px - a[0]) * (b[1] - a[1])) / area
                if w1 < 0.0 or w2 < 0.0 or w1 + w2 > 1.0:
                    continue
                z = a[2] + w1 * (b[2] - a[2]) + w2 * (c[2] - a[2])
                depth[py, px] = max(depth[py, px], z)
    return depth
