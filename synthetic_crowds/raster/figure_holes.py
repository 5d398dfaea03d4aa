"""Triangles that take their samples one by one: large ones, and those with holes.

Owns the question whether a texture is transparent at a sample. Arithmetic on arrays,
compiled by numba; `figure_visibility.py` calls it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.columns import column_at
from synthetic_crowds.raster.figure_edges import (
    AREA,
    AX,
    AY,
    BACK,
    BOTTOM,
    HALF,
    LEFT,
    RIGHT,
    TOP,
    edges_of,
    is_shut,
)
from synthetic_crowds.raster.figure_meshes import HOLE, SUBPIXELS
from synthetic_crowds.raster.lanes import LANES, lowest, winners

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cover_but_holes", "cover_carefully"]

# Texels are mixed in this fraction of themselves.
_MIX_BITS = 8
_MIX = 1 << _MIX_BITS


@njit(cache=True, nogil=True, error_model="numpy")
def cover_but_holes(  # noqa: PLR0913, PLR0917
    t: int,
    k: int,
    words: NDArray[np.int32],
    depths: NDArray[np.int64],
    corners: NDArray[np.int32],
    uv: NDArray[np.float32],
    alpha: NDArray[np.uint8],
    sheet: NDArray[np.int32],
    coarse: np.int32,
    stride: int,
    flat: NDArray[np.int32],
) -> None:
    """Let triangle t, the k-th of its batch, have samples where its texture is opaque.

    Args:
        t: The triangle,
        k: and its place in the columns.
        words: As for `find_depths`.
        depths: As for `find_depths`.
        corners: (4,), numbers of its vertices, and more.
        uv: As for `cover`.
        alpha: As for `cover`.
        sheet: (3,), of its texture.
        coarse: Mask of nearness.
        stride: Samples from row to row of `flat`.
        flat: As `seen` of `cover`, written.
    """
    x0, y0 = words[column_at(LEFT, k)], words[column_at(TOP, k)]
    starts, steps, falls = edges_of(k, words, depths)
    at_a, at_b, at_c, z = starts
    x_a, x_b, x_c, z_x = steps
    y_a, y_b, y_c, z_y = falls
    is_back = words[column_at(BACK, k)]
    owner = np.int32(2 * t + 2 + is_back)
    i, j, m = corners[0], corners[2 - is_back], corners[1 + is_back]
    share = 1.0 / np.float64(words[column_at(AREA, k)])
    wide, high = share * sheet[2], share * sheet[1]
    u = (at_a * uv[i, 0] + at_b * uv[j, 0] + at_c * uv[m, 0]) * wide
    v = (at_a * uv[i, 1] + at_b * uv[j, 1] + at_c * uv[m, 1]) * high
    u_x = (x_a * uv[i, 0] + x_b * uv[j, 0] + x_c * uv[m, 0]) * wide
    v_x = (x_a * uv[i, 1] + x_b * uv[j, 1] + x_c * uv[m, 1]) * high
    u_y = (y_a * uv[i, 0] + y_b * uv[j, 0] + y_c * uv[m, 0]) * wide
    v_y = (y_a * uv[i, 1] + y_b * uv[j, 1] + y_c * uv[m, 1]) * high
    for row in range(words[column_at(BOTTOM, k)] - y0 + 1):
        start = (y0 + row) * stride + x0
        for column in range(0, words[column_at(RIGHT, k)] - x0 + 1, LANES):
            near = np.int32(z + row * z_y + column * z_x)
            bits = winners(
                flat, np.uint64(start + column),
                (
                    np.int32(at_a + row * y_a + column * x_a),
                    np.int32(at_b + row * y_b + column * x_b),
                    np.int32(at_c + row * y_c + column * x_c),
                    near,
                ),
                steps, coarse, owner,
            )  # fmt: skip
            while bits:
                lane = np.int64(lowest(bits))
                bits &= bits - np.uint64(1)
                across = column + lane
                if not _is_hole(
                    u + row * u_y + across * u_x,
                    v + row * v_y + across * v_x,
                    alpha,
                    sheet,
                ):
                    key = np.int32(near + lane * z_x) & coarse | owner
                    flat[np.uint64(start + across)] = key


@njit(cache=True, nogil=True, error_model="numpy")
def cover_carefully(  # noqa: PLR0913, PLR0915, PLR0917
    t: int,
    k: int,
    unit: float,
    words: NDArray[np.int32],
    nears: NDArray[np.float32],
    has_holes: bool,  # noqa: FBT001
    corners: NDArray[np.int32],
    uv: NDArray[np.float32],
    alpha: NDArray[np.uint8],
    sheet: NDArray[np.int32],
    coarse: np.int32,
    stride: int,
    flat: NDArray[np.int32],
) -> None:
    """Let triangle t, the k-th of its batch, have its samples one by one.

    It may be of any size, and have holes where its texture is transparent.

    Args:
        t: The triangle,
        k: and its place in the columns.
        unit: As for `find_depths`.
        words: As for `find_depths`.
        nears: As for `find_depths`.
        has_holes: Whether it has any.
        corners: (4,), numbers of its vertices, and more.
        uv: As for `cover`.
        alpha: As for `cover`.
        sheet: (3,), of its texture.
        coarse: Mask of nearness.
        stride: Samples from row to row of `flat`.
        flat: As `seen` of `cover`, written.
    """
    b, c = (1, 2) if words[column_at(BACK, k)] else (2, 1)
    ax, ay = np.int64(words[column_at(AX, k)]), np.int64(words[column_at(AY, k)])
    bx, by = (
        np.int64(words[column_at(2 * b, k)]),
        np.int64(words[column_at(2 * b + 1, k)]),
    )
    cx, cy = (
        np.int64(words[column_at(2 * c, k)]),
        np.int64(words[column_at(2 * c + 1, k)]),
    )
    x0, x1 = np.int64(words[column_at(LEFT, k)]), np.int64(words[column_at(RIGHT, k)])
    y0, y1 = np.int64(words[column_at(TOP, k)]), np.int64(words[column_at(BOTTOM, k)])
    x_a, x_b, x_c = by - cy, cy - ay, ay - by
    y_a, y_b, y_c = cx - bx, ax - cx, bx - ax
    x, y = x0 * SUBPIXELS + HALF, y0 * SUBPIXELS + HALF
    row_a = y_a * (y - by) + x_a * (x - bx)
    row_b = y_b * (y - cy) + x_b * (x - cx)
    row_c = y_c * (y - ay) + x_c * (x - ax)
    share = 1.0 / (y_a * (ay - by) + x_a * (ax - bx))
    near_a = np.float64(nears[column_at(0, k)]) * (unit * share)
    near_b = np.float64(nears[column_at(b, k)]) * (unit * share)
    near_c = np.float64(nears[column_at(c, k)]) * (unit * share)
    row_z = np.int64(row_a * near_a + row_b * near_b + row_c * near_c)
    z_x = np.int64((x_a * near_a + x_b * near_b + x_c * near_c) * SUBPIXELS)
    z_y = np.int64((y_a * near_a + y_b * near_b + y_c * near_c) * SUBPIXELS)
    row_a -= is_shut(x_a, y_a)
    row_b -= is_shut(x_b, y_b)
    row_c -= is_shut(x_c, y_c)
    owner = 2 * t + 2 + words[column_at(BACK, k)]
    i, j, m = np.uint64(corners[0]), np.uint64(corners[b]), np.uint64(corners[c])
    wide, high = share * sheet[2], share * sheet[1]
    row_u = (row_a * uv[i, 0] + row_b * uv[j, 0] + row_c * uv[m, 0]) * wide
    row_v = (row_a * uv[i, 1] + row_b * uv[j, 1] + row_c * uv[m, 1]) * high
    wide, high = wide * SUBPIXELS, high * SUBPIXELS
    u_x = (x_a * uv[i, 0] + x_b * uv[j, 0] + x_c * uv[m, 0]) * wide
    v_x = (x_a * uv[i, 1] + x_b * uv[j, 1] + x_c * uv[m, 1]) * high
    u_y = (y_a * uv[i, 0] + y_b * uv[j, 0] + y_c * uv[m, 0]) * wide
    v_y = (y_a * uv[i, 1] + y_b * uv[j, 1] + y_c * uv[m, 1]) * high
    for row in range(y0, y1 + 1):
        at_a, at_b, at_c, z = row_a, row_b, row_c, row_z
        u, v = row_u, row_v
        for at in range(row * stride + x0, row * stride + x1 + 1):
            key = np.int32((z & np.int64(coarse)) | owner)
            if (at_a | at_b | at_c) >= 0 and key > flat[np.uint64(at)]:
                hole = has_holes and _is_hole(u, v, alpha, sheet)
                if not hole:
                    flat[np.uint64(at)] = key
            at_a += x_a * SUBPIXELS
            at_b += x_b * SUBPIXELS
            at_c += x_c * SUBPIXELS
            z += z_x
            u += u_x
            v += v_x
        row_a += y_a * SUBPIXELS
        row_b += y_b * SUBPIXELS
        row_c += y_c * SUBPIXELS
        row_z += z_y
        row_u += u_y
        row_v += v_y


@njit(cache=True, nogil=True, error_model="numpy")
def _is_hole(
    u: float, v: float, alpha: NDArray[np.uint8], sheet: NDArray[np.int32]
) -> bool:
    """Whether a texture is transparent there, so many texels from its corner."""
    offset, rows, columns = np.int64(sheet[0]), np.int64(sheet[1]), np.int64(sheet[2])
    fine_u = np.int64(min(max(u - 0.5, 0.0), columns - 1.0) * _MIX)
    fine_v = np.int64(min(max(v - 0.5, 0.0), rows - 1.0) * _MIX)
    u0, v0 = fine_u >> _MIX_BITS, fine_v >> _MIX_BITS
    above = offset + v0 * columns + u0
    below = above + (columns if v0 < rows - 1 else 0)
    more = 1 if u0 < columns - 1 else 0
    right, down = fine_u & (_MIX - 1), fine_v & (_MIX - 1)
    upper = _MIX * alpha[np.uint64(above)] + right * (
        np.int64(alpha[np.uint64(above + more)]) - alpha[np.uint64(above)]
    )
    lower = _MIX * alpha[np.uint64(below)] + right * (
        np.int64(alpha[np.uint64(below + more)]) - alpha[np.uint64(below)]
    )
    return _MIX * upper + down * (lower - upper) < HOLE * _MIX * _MIX
