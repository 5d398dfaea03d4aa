"""Which triangles of a figure are worth drawing.

Owns the choice, made before anything is drawn and without a guess: triangles that turn
their backs, meet no sample, or lie behind pixels that somebody nearer fills are left
out. Arithmetic on arrays, compiled by numba; `figure.py` is the door. Knows nothing of
depth or light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.figure_meshes import CLOSED, SUBPIXEL_BITS, SUBPIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BLOCK_BITS", "FULL", "sift"]

# Pixels are counted in square blocks so wide, and full with so many.
BLOCK_BITS = 3
FULL = 1 << (2 * BLOCK_BITS)


@njit(cache=True, nogil=True, error_model="numpy")
def sift(  # noqa: PLR0913, PLR0917
    screen: NDArray[np.int32],
    triangles: NDArray[np.int32],
    first: int,
    end: int,
    starts: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    left: int,
    top: int,
    width: int,
    height: int,
    samples: int,
    skip: tuple[int, int, int, int],
    filled: NDArray[np.int32],
    filled_left: int,
    filled_top: int,
    chosen: NDArray[np.int32],
) -> int:
    """Choose triangles.

    Args:
        screen: (v, 2) from `place`.
        triangles: (t, 3), wound outwards.
        first: Triangles from this one on are looked at,
        end: up to this one.
        starts: (p + 1,), where each part begins; parts are sorted from the top down,
            more or less.
        kinds: (t,), whether a triangle is `CLOSED`.
        left: Of the rectangle to draw, pixels,
        top: and its upper end.
        width: Of it, pixels,
        height: and its height.
        samples: Per pixel along each side.
        skip: Left, top, right, bottom of pixels that are not needed.
        filled: (m, n), how many pixels of each block hide whatever is drawn now.
        filled_left: Of the first block, pixels,
        filled_top: and its upper end.
        chosen: (end - first + 1,), numbers of triangles; written.

    Returns:
        How many are chosen.
    """
    n = 0
    bits = SUBPIXEL_BITS + 1 - samples
    half = 1 << (bits - 1)
    last_x, last_y = width * samples - 1, height * samples - 1
    shift_x, shift_y = left * SUBPIXELS, top * SUBPIXELS
    pixel = samples - 1
    most_y, most_x = filled.shape[0] - 1, filled.shape[1] - 1
    lowest = (top + height) * SUBPIXELS
    for part in range(len(starts) - 1):
        begin, finish = max(starts[part], first), min(starts[part + 1], end)
        # Most of a body hangs below the rectangle around its head.
        while finish > begin and _top(screen, triangles, finish - 1) > lowest:
            finish -= 1
        for t in range(begin, finish):
            i = np.uint64(t)
            a, b, c = (
                np.uint64(triangles[i, 0]),
                np.uint64(triangles[i, 1]),
                np.uint64(triangles[i, 2]),
            )
            ax, ay = int(screen[a, 0]), int(screen[a, 1])
            bx, by = int(screen[b, 0]), int(screen[b, 1])
            cx, cy = int(screen[c, 0]), int(screen[c, 1])
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            # Outward corners run anticlockwise for the viewer; y points down.
            keep = (area < 0) | ((area > 0) & ((kinds[i] & CLOSED) == 0))
            x0 = max((min(ax, bx, cx) - shift_x + half - 1) >> bits, 0)
            x1 = min((max(ax, bx, cx) - shift_x - half) >> bits, last_x)
            y0 = max((min(ay, by, cy) - shift_y + half - 1) >> bits, 0)
            y1 = min((max(ay, by, cy) - shift_y - half) >> bits, last_y)
            # No sample in the bounding box: most triangles of a distant person.
            keep &= (x0 <= x1) & (y0 <= y1)
            x0, x1 = (x0 >> pixel) + left, (x1 >> pixel) + left
            y0, y1 = (y0 >> pixel) + top, (y1 >> pixel) + top
            keep &= (x0 < skip[0]) | (x1 >= skip[2]) | (y0 < skip[1]) | (y1 >= skip[3])
            if most_x > 0:
                x0 = min(max((x0 - filled_left) >> BLOCK_BITS, 0), most_x)
                x1 = min(max((x1 - filled_left) >> BLOCK_BITS, 0), most_x)
                y0 = min(max((y0 - filled_top) >> BLOCK_BITS, 0), most_y)
                y1 = min(max((y1 - filled_top) >> BLOCK_BITS, 0), most_y)
                least = min(
                    filled[np.uint64(y0), np.uint64(x0)],
                    filled[np.uint64(y0), np.uint64(x1)],
                    filled[np.uint64(y1), np.uint64(x0)],
                    filled[np.uint64(y1), np.uint64(x1)],
                )
                keep &= (least < FULL) | (x1 - x0 > 1) | (y1 - y0 > 1)
            chosen[np.uint64(n)] = t
            n += keep
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def _top(screen: NDArray[np.int32], triangles: NDArray[np.int32], t: int) -> int:
    """The upper end of a triangle, subsamples of one pixel."""
    i = np.uint64(t)
    return min(
        screen[np.uint64(triangles[i, 0]), 1],
        screen[np.uint64(triangles[i, 1]), 1],
        screen[np.uint64(triangles[i, 2]), 1],
    )
