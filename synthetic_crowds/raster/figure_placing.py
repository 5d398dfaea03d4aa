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

from synthetic_crowds.raster.attributes import turn_rows
from synthetic_crowds.raster.figure_meshes import SUBPIXELS
from synthetic_crowds.raster.lanes import LANES
from synthetic_crowds.raster.skinning import blended, bone_rows

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
# So many vertices are projected at a time, from columns of which the first eight are
# turned into `corners`.
_BATCH = 128
_X, _Y, _NORMAL, _LOOKS, _DEPTH, _COLUMNS = 0, 1, 2, 5, 8, 9
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
    first: int,
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
        looks: (3, n), of all vertices of the figure.
        seen: Of all of them; written.
        first: Number of the first vertex among those.

    Returns:
        Around the projected vertices.
    """
    columns = np.empty((_COLUMNS, _BATCH), np.float32)
    box = _NOWHERE
    for start in range(0, points.shape[1], _BATCH):
        count = min(_BATCH, points.shape[1] - start)
        for i in range(3):
            a, b, c = _row(turn, i)
            d, e, f = _row(still, i)
            d, e, f, at = d - a, e - b, f - c, np.float32(origin[i])
            to = (_X, _Y, _DEPTH)[i]
            for v in range(count):
                p = np.uint64(start + v)
                x, y, z = points[0, p], points[1, p], points[2, p]
                back = points[6, p] * (d * x + e * y + f * z)
                columns[to, v] = at + a * x + b * y + c * z + back
                x, y, z = points[3, p], points[4, p], points[5, p]
                columns[_NORMAL + i, v] = a * x + b * y + c * z
        box = _project(columns, count, lens, nearest, box)
        _lay_out(columns, count, first + start, looks, seen)
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
    first: int,
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
        looks: (3, n), of all vertices of the figure.
        seen: Of all of them; written.
        first: Number of the first vertex among those.

    Returns:
        Around the projected vertices.
    """
    rows = bone_rows(rotations, offsets, turn, origin)
    columns = np.empty((_COLUMNS, _BATCH), np.float32)
    box = _NOWHERE
    for start in range(0, len(rest), _BATCH):
        count = min(_BATCH, len(rest) - start)
        for i in range(count):
            v = np.uint64(start + i)
            row = blended(rows, bones, weights, v)
            x, y, z = rest[v, 0], rest[v, 1], rest[v, 2]
            columns[_X, i] = row[0] * x + row[4] * y + row[8] * z + row[12]
            columns[_Y, i] = row[1] * x + row[5] * y + row[9] * z + row[13]
            columns[_DEPTH, i] = row[2] * x + row[6] * y + row[10] * z + row[14]
            x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
            columns[_NORMAL, i] = row[0] * x + row[4] * y + row[8] * z
            columns[_NORMAL + 1, i] = row[1] * x + row[5] * y + row[9] * z
            columns[_NORMAL + 2, i] = row[2] * x + row[6] * y + row[10] * z
        _even_out(columns, count)
        box = _project(columns, count, lens, nearest, box)
        _lay_out(columns, count, first + start, looks, seen)
    return box


@njit(cache=True, nogil=True, error_model="numpy")
def _row(matrix: NDArray[np.float64], i: int) -> tuple[np.float32, ...]:
    """A row of a matrix (3, 3)."""
    return np.float32(matrix[i, 0]), np.float32(matrix[i, 1]), np.float32(matrix[i, 2])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _even_out(columns: NDArray[np.float32], count: int) -> None:
    """Scale normals to length 1; between bones they come out shorter."""
    for i in range(count):
        x, y, z = columns[_NORMAL, i], columns[_NORMAL + 1, i], columns[_NORMAL + 2, i]
        length = np.float32(sqrt(x * x + y * y + z * z + np.float32(1e-12)))
        scale = np.float32(1.0) / length
        columns[_NORMAL, i], columns[_NORMAL + 1, i], columns[_NORMAL + 2, i] = (
            x * scale,
            y * scale,
            z * scale,
        )


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
        near = np.float32(1.0) / max(columns[_DEPTH, i], np.float32(nearest))
        x, y = columns[_X, i] * near * fx + cx, columns[_Y, i] * near * fy + cy
        columns[_X, i] = np.floor(min(max(x, least), most))
        columns[_Y, i] = np.floor(min(max(y, least), most))
        columns[_DEPTH, i] = near
    left, top = np.float32(box[0]), np.float32(box[1])
    right, bottom = np.float32(box[2]), np.float32(box[3])
    for i in range(count):
        left, right = min(left, columns[_X, i]), max(right, columns[_X, i])
        top, bottom = min(top, columns[_Y, i]), max(bottom, columns[_Y, i])
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
        screen[v, 0] = np.int32(columns[_X, i])
        screen[v, 1] = np.int32(columns[_Y, i])
        inverse[v] = columns[_DEPTH, i]
    for j in range(3):
        for i in range(count):
            columns[_LOOKS + j, i] = looks[j, np.uint64(start + i)]
    # Whole numbers of subpixels are small enough for float32 to tell each of them.
    whole = count - count % LANES
    for i in range(0, whole, LANES):
        turn_rows(
            columns, np.uint64(i), np.uint64(_BATCH),
            corners, np.uint64(LANES * (start + i)), np.uint64(LANES),
        )  # fmt: skip
    for i in range(whole, count):
        for j in range(LANES):
            corners[start + i, j] = columns[j, i]
