"""Operations on triangle surfaces: normals, smoothing, standing off.

Owns arithmetic that any mesh may need. Knows nothing of bodies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bake", "normals_of", "smooth"]


@njit(cache=True, nogil=True)
def normals_of(
    vertices: NDArray[np.float32], triangles: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Average the face normals around each vertex, weighted by area; unit length.

    A vertex without faces, or whose faces cancel, looks up.
    """
    normals = np.zeros((vertices.shape[0], 3), np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        e0 = vertices[b, 0] - vertices[a, 0]
        e1 = vertices[b, 1] - vertices[a, 1]
        e2 = vertices[b, 2] - vertices[a, 2]
        f0 = vertices[c, 0] - vertices[a, 0]
        f1 = vertices[c, 1] - vertices[a, 1]
        f2 = vertices[c, 2] - vertices[a, 2]
        for k in (a, b, c):
            normals[k, 0] += e1 * f2 - e2 * f1
            normals[k, 1] += e2 * f0 - e0 * f2
            normals[k, 2] += e0 * f1 - e1 * f0
    for v in range(normals.shape[0]):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length < 1e-12:
            normals[v, 1], length = 1.0, 1.0
        for i in range(3):
            normals[v, i] /= length
    return normals


@njit(cache=True, nogil=True)
def smooth(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    edges: NDArray[np.int32],
    starts: NDArray[np.int32],
    share: NDArray[np.float32],
    steps: int,
) -> NDArray[np.float32]:
    """Pull vertices towards the mean of their neighbours, again and again.

    They move along their normals only: sideways, they would take the texture along
    and turn every hem into a zigzag.

    Args:
        vertices: (v, 3).
        normals: (v, 3), unit length.
        edges: (e, 2), each edge both ways, sorted by its first end.
        starts: (v + 1,), where each vertex's edges begin.
        share: (v,) in [0, 1], how far a vertex goes at each step.
        steps: How many steps.

    Returns:
        New vertices (v, 3).
    """
    current = vertices.copy()
    for _ in range(steps):
        following = current.copy()
        for v in range(starts.size - 1):
            count = starts[v + 1] - starts[v]
            if share[v] == 0.0 or count == 0:
                continue
            rise = 0.0
            for i in range(3):
                total = 0.0
                for e in range(starts[v], starts[v + 1]):
                    total += current[edges[e, 1], i]
                rise += (total / count - current[v, i]) * normals[v, i]
            for i in range(3):
                following[v, i] += share[v] * rise * normals[v, i]
        current = following
    return current


@njit(cache=True, nogil=True)
def bake(
    uv: NDArray[np.float32],
    values: NDArray[np.float32],
    triangles: NDArray[np.int32],
    size: int,
) -> NDArray[np.float32]:
    """Spread vertex values over a texture, a little beyond each triangle's rim.

    Args:
        uv: (v, 2) texture coordinates in [0, 1].
        values: (v, 3).
        triangles: (t, 3).
        size: Side of the square texture.

    Returns:
        (size, size, 3); texels that no triangle comes near are zero.
    """
    baked = np.zeros((size, size, 3), np.float32)
    done = np.zeros((size, size), np.bool_)
    # Texels on the rim are extrapolated after all others, for bilinear lookups.
    for slack in (0.0, 0.5):
        for t in range(triangles.shape[0]):
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ax, ay = uv[a, 0] * size - 0.5, uv[a, 1] * size - 0.5
            e0, e1 = uv[b, 0] * size - 0.5 - ax, uv[b, 1] * size - 0.5 - ay
            f0, f1 = uv[c, 0] * size - 0.5 - ax, uv[c, 1] * size - 0.5 - ay
            area = e0 * f1 - e1 * f0
            if abs(area) < 1e-9:
                continue
            left = max(int(np.floor(ax + min(0.0, e0, f0) - slack)), 0)
            right = min(int(np.ceil(ax + max(0.0, e0, f0) + slack)), size - 1)
            top = max(int(np.floor(ay + min(0.0, e1, f1) - slack)), 0)
            bottom = min(int(np.ceil(ay + max(0.0, e1, f1) + slack)), size - 1)
            for y in range(top, bottom + 1):
                for x in range(left, right + 1):
                    wb = ((x - ax) * f1 - (y - ay) * f0) / area
                    wc = (e0 * (y - ay) - e1 * (x - ax)) / area
                    wa = 1.0 - wb - wc
                    if done[y, x] or min(wa, wb, wc) < -1e-5 - slack:
                        continue
                    done[y, x] = True
                    for i in range(3):
                        baked[y, x, i] = (
                            wa * values[a, i] + wb * values[b, i] + wc * values[c, i]
                        )
    return baked
