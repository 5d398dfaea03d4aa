"""What a mesh hides when it is pressed flat, from the few edges where it folds over.

Owns that filling, and the list of edges it needs. Knows nothing of light.

Every triangle is counted as if it faced the viewer. Edges between two that face the
same way cancel, so only the others are drawn, about one in ten: each changes the count
of layers on its right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["borders_of", "fill", "ring"]

# More triangles than this never share an edge.
_MOST = 64


def borders_of(triangles: NDArray[np.integer]) -> NDArray[np.uint16]:
    """List a mesh's edges and what they part.

    Args:
        triangles: (t, 3), below 65536 of them and of their corners.

    Returns:
        (e, 4): corners, lower number first, then the triangle that runs from the first
        to the second and the one that runs back; t where there is none.
    """
    start, end = triangles.T.astype(np.int64), triangles[:, [1, 2, 0]].T
    owner = np.broadcast_to(np.arange(len(triangles)), start.shape)
    edge = (np.minimum(start, end) << 16) + np.maximum(start, end)
    there = start < end
    ahead, back = _numbered(edge[there]), _numbered(edge[~there])
    edges = np.union1d(ahead, back)
    borders = np.full((len(edges), 4), len(triangles), np.uint16)
    borders[:, 0] = edges // _MOST >> 16
    borders[:, 1] = edges // _MOST & 0xFFFF
    borders[np.searchsorted(edges, ahead), 2] = owner[there]
    borders[np.searchsorted(edges, back), 3] = owner[~there]
    return borders


def _numbered(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tell equal edges (n,) apart by their number among each other."""
    order = np.argsort(edges, kind="stable")
    ranked = edges[order]
    numbered = np.empty_like(edges)
    numbered[order] = np.arange(len(edges)) - np.searchsorted(ranked, ranked)
    return edges * _MOST + numbered


@njit(cache=True, nogil=True)
def ring(n_corners: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Make a convex polygon's borders (n, 4), and a triangle that faces as it does."""
    triangle = np.zeros((1, 3), np.uint16)
    triangle[0, 1], triangle[0, 2] = n_corners // 3, 2 * n_corners // 3
    borders = np.zeros((n_corners, 4), np.uint16)
    for i in range(n_corners):
        borders[i, 0], borders[i, 1], borders[i, 3] = i, (i + 1) % n_corners, 1
    return triangle, borders


@njit(cache=True, nogil=True, error_model="numpy")
def fill(
    cells: NDArray[np.float32],
    spots: NDArray[np.float32],
    triangles: NDArray[np.uint16],
    borders: NDArray[np.uint16],
    rim: int,
    value: float,
) -> None:
    """Set cells whose middles lie in any triangle.

    Args:
        cells: (h, w) of 0; written to.
        spots: (n, 2) corners, in cells.
        triangles: (t, 3).
        borders: Theirs, as from `borders_of`.
        rim: So many cells at each side stay 0.
        value: Of the others.
    """
    half = np.float32(0.5)
    height, width = cells.shape[0] - rim, cells.shape[1] - rim
    facing = np.zeros(len(triangles) + 1, np.int8)
    for t in range(len(triangles)):
        i, j = np.uint64(triangles[t, 0]), np.uint64(triangles[t, 1])
        k = np.uint64(triangles[t, 2])
        across, down = spots[i, 0], spots[i, 1]
        one = (spots[j, 0] - across) * (spots[k, 1] - down)
        other = (spots[j, 1] - down) * (spots[k, 0] - across)
        facing[t] = np.int8(one > other) - np.int8(one < other)
    for e in range(len(borders)):
        layers = facing[np.uint64(borders[e, 3])] - facing[np.uint64(borders[e, 2])]
        if layers == 0:
            continue
        top, foot = np.uint64(borders[e, 0]), np.uint64(borders[e, 1])
        if spots[top, 1] > spots[foot, 1]:
            top, foot, layers = foot, top, -layers
        x, y = spots[top, 0], spots[top, 1]
        low = max(int(y + half), rim)
        high = min(int(spots[foot, 1] + half), height)
        slope = (spots[foot, 0] - x) / (spots[foot, 1] - y)
        x += (np.float32(low) + half - y) * slope + half
        for row in range(low, high):
            cells[row, min(max(int(x), rim), width)] += np.float32(layers)
            x += slope
    for y in range(rim, height):
        row, layers = cells[y], np.float32(0.0)
        for x in range(rim, width):
            layers += row[x]
            row[x] = np.float32(value) if layers > half else np.float32(0.0)
        row[width] = np.float32(0.0)
