"""Where a camera sees the vertices of a figure, and which way they face.

Owns projection. Some hundred vertices at a time are taken to the camera's frame, in
columns that stay in the nearest cache, then projected many with one instruction, then
laid side by side for those who draw. Arithmetic on arrays, compiled by numba;
`figure.py` is the door. Knows nothing of triangles or light.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.blending import blended, bone_rows
from synthetic_crowds.raster.figure_meshes import SUBPIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # Focal lengths and principal point, pixels.
    Lens = tuple[float, float, float, float]
    # `screen`, `inverse` and `corners` of some vertices, as `figure.View` says.
    Seen = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]
    # Left, top, right, bottom, subpixels.
    Box = tuple[float, float, float, float]

__all__ = ["place", "place_skin", "points_of"]

_FURTHEST = 1 << 22
_NOWHERE = (float(_FURTHEST), float(_FURTHEST), -float(_FURTHEST), -float(_FURTHEST))
# So many vertices are projected at a time, from columns x, y, z, and normal (3).
_BATCH = 128
# Nothing is infinite here, and sums may be taken in any order.
_ANY_ORDER = {"contract", "reassoc", "arcp", "nsz", "nnan", "ninf"}


def points_of(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    held: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Lay out vertices for `place`, (7, v).

    Args:
        vertices: (v, 3), local.
        normals: (v, 3), local.
        held: (v,), how far each is held back, in [0, 1]; `None` for not at all.
    """
    points = np.zeros((7, len(vertices)), np.float32)
    points[:3], points[3:6] = vertices.T, normals.T
    if held is not None:
        points[6] = held
    return points


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def place(
    points: NDArray[np.float32],
    turn: NDArray[np.float64],
    still: NDArray[np.float64],
    origin: NDArray[np.float64],
    lens: Lens,
    nearest: float,
    looks: NDArray[np.float32],
    seen: Seen,
) -> Box:
    """Project vertices that turn together, but for what holds some of them back.

    Args:
        points: (7, v), local: position, normal, and how far the position goes with
            `still` instead of `turn`, in [0, 1].
        turn: (3, 3), local to camera.
        still: (3, 3), local to camera.
        origin: (3,), the local origin in camera space.
        lens: The camera's.
        nearest: Depths below this are taken for it.
        looks: (v, 3), place on the texture and share of the sky seen.
        seen: Of those vertices; written.

    Returns:
        Around the projected vertices.
    """
    columns = np.empty((6, _BATCH), np.float32)
    box = _NOWHERE
    for start in range(0, points.shape[1], _BATCH):
        count = min(_BATCH, points.shape[1] - start)
        some = points[:, start : start + count]
        for i in range(3):
            a, b, c = _row(turn, i)
            d, e, f = _row(still, i)
            d, e, f, at = d - a, e - b, f - c, np.float32(origin[i])
            for v in range(count):
                x, y, z = some[0, v], some[1, v], some[2, v]
                back = some[6, v] * (d * x + e * y + f * z)
                columns[i, v] = at + a * x + b * y + c * z + back
                columns[3 + i, v] = a * some[3, v] + b * some[4, v] + c * some[5, v]
        box = _project(columns, count, lens, nearest, box)
        _lay_out(columns, count, start, looks, seen)
    return box


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def place_skin(  # noqa: PLR0913, PLR0917
    rest: NDArray[np.float32],
    normals: NDArray[np.float32],
    bones: NDArray[np.uint8],
    weights: NDArray[np.float32],
    rotations: NDArray[np.float64],
    offsets: NDArray[np.float64],
    turn: NDArray[np.float64],
    origin: NDArray[np.float64],
    lens: Lens,
    nearest: float,
    looks: NDArray[np.float32],
    seen: Seen,
) -> Box:
    """Project vertices that follow bones.

    Args:
        rest: (v, 3), at rest.
        normals: (v, 3), at rest.
        bones: (v, 5), which ones each vertex follows,
        weights: (v, 5), and how far; rows sum to 1.
        rotations: (b, 3, 3), from rest to posed, local.
        offsets: (b, 3), where bones take the origin, local.
        turn: (3, 3), local to camera.
        origin: (3,), the local origin in camera space.
        lens: The camera's.
        nearest: Depths below this are taken for it.
        looks: (v, 3), place on the texture and share of the sky seen.
        seen: Of those vertices; written.

    Returns:
        Around the projected vertices.
    """
    rows = bone_rows(rotations, offsets, turn, origin)
    columns = np.empty((6, _BATCH), np.float32)
    box = _NOWHERE
    for start in range(0, len(rest), _BATCH):
        count = min(_BATCH, len(rest) - start)
        for i in range(count):
            v = np.uint64(start + i)
            row = blended(rows, bones, weights, v)
            x, y, z = rest[v, 0], rest[v, 1], rest[v, 2]
            columns[0, i] = row[0] * x + row[4] * y + row[8] * z + row[12]
            columns[1, i] = row[1] * x + row[5] * y + row[9] * z + row[13]
            columns[2, i] = row[2] * x + row[6] * y + row[10] * z + row[14]
            x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
            columns[3, i] = row[0] * x + row[4] * y + row[8] * z
            columns[4, i] = row[1] * x + row[5] * y + row[9] * z
            columns[5, i] = row[2] * x + row[6] * y + row[10] * z
        _even_out(columns, count)
        box = _project(columns, count, lens, nearest, box)
        _lay_out(columns, count, start, looks, seen)
    return box


@njit(cache=True, nogil=True, error_model="numpy")
def _row(matrix: NDArray[np.float64], i: int) -> tuple[np.float32, ...]:
    """A row of a matrix (3, 3)."""
    return np.float32(matrix[i, 0]), np.float32(matrix[i, 1]), np.float32(matrix[i, 2])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _even_out(columns: NDArray[np.float32], count: int) -> None:
    """Scale normals to length 1; between bones they come out shorter."""
    for i in range(count):
        x, y, z = columns[3, i], columns[4, i], columns[5, i]
        length = np.float32(sqrt(x * x + y * y + z * z + np.float32(1e-12)))
        scale = np.float32(1.0) / length
        columns[3, i], columns[4, i], columns[5, i] = x * scale, y * scale, z * scale


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _project(
    columns: NDArray[np.float32], count: int, lens: Lens, nearest: float, box: Box
) -> Box:
    """Put whole subpixels and 1/depth in place of x, y, z; widen the box."""
    fx, fy = np.float32(lens[0] * SUBPIXELS), np.float32(lens[1] * SUBPIXELS)
    cx = np.float32(lens[2] * SUBPIXELS + 0.5)
    cy = np.float32(lens[3] * SUBPIXELS + 0.5)
    least, most = np.float32(-_FURTHEST), np.float32(_FURTHEST)
    for i in range(count):
        near = np.float32(1.0) / max(columns[2, i], np.float32(nearest))
        x, y = columns[0, i] * near * fx + cx, columns[1, i] * near * fy + cy
        columns[0, i] = np.floor(min(max(x, least), most))
        columns[1, i] = np.floor(min(max(y, least), most))
        columns[2, i] = near
    left, top = np.float32(box[0]), np.float32(box[1])
    right, bottom = np.float32(box[2]), np.float32(box[3])
    for i in range(count):
        left, right = min(left, columns[0, i]), max(right, columns[0, i])
        top, bottom = min(top, columns[1, i]), max(bottom, columns[1, i])
    return float(left), float(top), float(right), float(bottom)


@njit(cache=True, nogil=True, error_model="numpy")
def _lay_out(
    columns: NDArray[np.float32],
    count: int,
    start: int,
    looks: NDArray[np.float32],
    seen: Seen,
) -> None:
    """Write projected vertices, `start` and those after it."""
    screen, inverse, corners = seen
    for i in range(count):
        v = np.uint64(start + i)
        screen[v, 0], screen[v, 1] = np.int32(columns[0, i]), np.int32(columns[1, i])
        inverse[v] = columns[2, i]
    for i in range(count):
        v = np.uint64(start + i)
        # Whole numbers, small enough for float32 to tell each of them.
        corners[v, 0], corners[v, 1] = columns[0, i], columns[1, i]
        for j in range(3):
            corners[v, 2 + j] = columns[3 + j, i]
            corners[v, 5 + j] = looks[v, j]
