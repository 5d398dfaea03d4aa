"""Which triangle each sample of a rectangle sees: small triangles, many of them.

Owns the decision, which is exact: an edge shared by two triangles is drawn once.
Triangles are prepared by the hundred, many with one instruction; then each takes its
samples. Arithmetic on arrays, compiled by numba; `figure.py` is the door. Knows
nothing of light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.columns import BATCH, ROOM, column_at
from synthetic_crowds.raster.figure_edges import (
    BACK,
    BOTTOM,
    COLUMNS,
    EXTENT,
    LEFT,
    RIGHT,
    SMALL,
    TOP,
    edges_of,
    find_depths,
    find_edges,
)
from synthetic_crowds.raster.figure_holes import cover_but_holes, cover_carefully
from synthetic_crowds.raster.figure_meshes import HOLED, SUBPIXELS
from synthetic_crowds.raster.lanes import LANES, cover_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cover"]

# Nearness, 1/depth from a figure's farthest to its nearest vertex, fills a word but for
# its sign and room to round.
_NEARNESS_UNITS = 2.0**31 - 2.0**20


@njit(cache=True, nogil=True, error_model="numpy")
def cover(  # noqa: PLR0913, PLR0917
    screen: NDArray[np.int32],
    inverse: NDArray[np.float32],
    triangles: NDArray[np.int32],
    chosen: NDArray[np.int32],
    kinds: NDArray[np.uint8],
    uv: NDArray[np.float32],
    alpha: NDArray[np.uint8],
    sheets: NDArray[np.int32],
    left: int,
    top: int,
    samples: int,
    width: int,
    owner_bits: int,
    seen: NDArray[np.int32],
) -> None:
    """Find the triangle that each sample of a rectangle sees.

    Args:
        screen: (v, 2) from `figure_placing`.
        inverse: (v,) from `figure_placing`.
        triangles: (t, 4), corners, wound outwards, and the part.
        chosen: (n,), numbers of those to draw, from `sift`.
        kinds: (t,), whether a triangle is `HOLED`.
        uv: (v, 2) in [0, 1].
        alpha: (n,), of all textures.
        sheets: (p, levels, 3): offset into `alpha`, height and width.
        left: Of the rectangle, pixels,
        top: and its upper end.
        samples: Per pixel along each side.
        width: Of the rectangle, samples.
        owner_bits: Enough of them for the number of the last owner.
        seen: (h, w + `LANES`), 0 where empty, of no meaning beyond the width; written.
            A sample holds the nearness of what it sees, above `owner_bits` bits for
            2 + 2 * triangle, + 1 if it is its back.
    """
    height, stride = seen.shape
    flat = seen.reshape(-1)
    places, corners = screen.reshape(-1), triangles.reshape(-1)
    coarse = np.int32(-1 << owner_bits)
    farthest, nearest = np.float32(np.inf), np.float32(0.0)
    for v in range(len(inverse)):
        farthest, nearest = min(farthest, inverse[v]), max(nearest, inverse[v])
    unit = _NEARNESS_UNITS / max(float(nearest - farthest), 1e-9)
    shift_x, shift_y = left * SUBPIXELS, top * SUBPIXELS
    words = np.empty(COLUMNS * ROOM, np.int32)
    nears = np.empty(3 * ROOM, np.float32)
    depths = np.empty(3 * ROOM, np.int64)
    for first in range(0, len(chosen), BATCH):
        batch = chosen[first : first + BATCH]
        for k in range(len(batch)):
            t = int(batch[np.uint64(k)])
            for corner in range(3):
                v = corners[np.uint64(4 * t + corner)]
                words[column_at(2 * corner, k)] = (
                    places[np.uint64(2 * v)] - shift_x
                ) * samples
                words[column_at(2 * corner + 1, k)] = (
                    places[np.uint64(2 * v + 1)] - shift_y
                ) * samples
                nears[column_at(corner, k)] = inverse[np.uint64(v)] - farthest
        find_edges(len(batch), np.int32(width - 1), np.int32(height - 1), words)
        find_depths(len(batch), unit, words, nears, depths)
        for k in range(len(batch)):
            t = int(batch[k])
            sheet = sheets[triangles[t, 3], 0]
            has_holes = (kinds[t] & HOLED) != 0
            if words[column_at(EXTENT, k)] > SMALL:
                cover_carefully(
                    t, k, unit, words, nears, has_holes, triangles[t], uv, alpha,
                    sheet, coarse, stride, flat,
                )  # fmt: skip
            elif has_holes:
                cover_but_holes(
                    t, k, words, depths, triangles[t], uv, alpha, sheet, coarse,
                    stride, flat,
                )  # fmt: skip
            else:
                _cover_quickly(t, k, words, depths, coarse, stride, flat)


@njit(cache=True, nogil=True, error_model="numpy")
def _cover_quickly(
    t: int,
    k: int,
    words: NDArray[np.int32],
    depths: NDArray[np.int64],
    coarse: np.int32,
    stride: int,
    flat: NDArray[np.int32],
) -> None:
    """Let triangle t, the k-th of its batch, have its samples, eight at once."""
    x0, y0 = words[column_at(LEFT, k)], words[column_at(TOP, k)]
    rows = np.int64(words[column_at(BOTTOM, k)] - y0 + 1)
    start = np.int64(y0) * stride + x0
    starts, steps, falls = edges_of(k, words, depths)
    at_a, at_b, at_c, z = starts
    x_a, x_b, x_c, z_x = steps
    owner = np.int32(2 * t + 2 + words[column_at(BACK, k)])
    for column in range(0, words[column_at(RIGHT, k)] - x0 + 1, LANES):
        cover_rows(
            flat, np.uint64(start + column), np.uint64(stride), rows,
            (
                np.int32(at_a + column * x_a),
                np.int32(at_b + column * x_b),
                np.int32(at_c + column * x_c),
                np.int32(z + column * z_x),
            ),
            steps, falls, coarse, owner,
        )  # fmt: skip
