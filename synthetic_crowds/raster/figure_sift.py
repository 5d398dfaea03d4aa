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

from synthetic_crowds.raster.columns import BATCH, ROOM, column_at
from synthetic_crowds.raster.figure_meshes import CLOSED, SUBPIXEL_BITS, SUBPIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BLOCK_BITS", "FULL", "sift"]

# Pixels are counted in square blocks so wide, and full with so many.
BLOCK_BITS = 3
FULL = 1 << (2 * BLOCK_BITS)
# Columns: a triangle's corners; whether it is closed; samples around it; the verdict.
_AX, _AY, _BX, _BY, _CX, _CY = range(6)
_CLOSED, _LEFT, _TOP, _RIGHT, _BOTTOM, _KEEP, _COLUMNS = range(6, 13)


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
        screen: (v, 2) from `figure_placing`.
        triangles: (t, 4), corners, wound outwards, and the part.
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
    shift_x, shift_y = left * SUBPIXELS, top * SUBPIXELS
    last = np.int32(width * samples - 1), np.int32(height * samples - 1)
    needless = (
        np.int32((skip[0] - left) * samples),
        np.int32((skip[1] - top) * samples),
        np.int32((skip[2] - left) * samples),
        np.int32((skip[3] - top) * samples),
    )
    lowest = (top + height) * SUBPIXELS
    places, corners = screen.reshape(-1), triangles.reshape(-1)
    bits = BLOCK_BITS + samples - 1
    block_x, block_y = (left - filled_left) * samples, (top - filled_top) * samples
    words = np.empty(_COLUMNS * ROOM, np.int32)
    kept = np.empty(BATCH + 1, np.int32)
    for part in range(len(starts) - 1):
        begin, finish = max(starts[part], first), min(starts[part + 1], end)
        # Most of a body hangs below the rectangle around its head.
        while finish > begin and _top(screen, triangles, finish - 1) > lowest:
            finish -= 1
        for start in range(begin, finish, BATCH):
            count = min(finish - start, BATCH)
            for k in range(count):
                for corner in range(3):
                    v = corners[np.uint64(4 * (start + k) + corner)]
                    words[column_at(2 * corner, k)] = places[np.uint64(2 * v)] - shift_x
                    words[column_at(2 * corner + 1, k)] = (
                        places[np.uint64(2 * v + 1)] - shift_y
                    )
                words[column_at(_CLOSED, k)] = kinds[np.uint64(start + k)] & CLOSED
            _find_samples(
                count, np.int32(SUBPIXEL_BITS + 1 - samples), last, needless, words
            )
            m = 0
            for k in range(count):
                kept[np.uint64(m)] = k
                m += words[column_at(_KEEP, k)]
            for number in kept[:m]:
                k = int(number)
                chosen[np.uint64(n)] = start + k
                n += filled.size == 0 or _is_open(
                    filled,
                    (words[column_at(_LEFT, k)] + block_x) >> bits,
                    (words[column_at(_TOP, k)] + block_y) >> bits,
                    (words[column_at(_RIGHT, k)] + block_x) >> bits,
                    (words[column_at(_BOTTOM, k)] + block_y) >> bits,
                )
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def _find_samples(
    n: int,
    bits: np.int32,
    last: tuple[np.int32, np.int32],
    needless: tuple[np.int32, np.int32, np.int32, np.int32],
    words: NDArray[np.int32],
) -> None:
    """Find the samples around which n triangles lie, and whether any is worth drawing.

    Args:
        n: How many.
        bits: Of a corner's place, within a sample.
        last: The last sample of a row, and the last row.
        needless: Left, top, right, bottom of samples that are not needed.
        words: Columns; the corners and `_CLOSED` are read, the others written.
    """
    none, one = np.int32(0), np.int32(1)
    half = np.int32(one << (bits - one))
    for k in range(n):
        ax, ay = words[column_at(_AX, k)], words[column_at(_AY, k)]
        bx, by = words[column_at(_BX, k)], words[column_at(_BY, k)]
        cx, cy = words[column_at(_CX, k)], words[column_at(_CY, k)]
        area = np.int64(bx - ax) * (cy - ay) - np.int64(by - ay) * (cx - ax)
        x0 = max(np.int32((min(ax, bx, cx) + half - one) >> bits), none)
        x1 = min(np.int32((max(ax, bx, cx) - half) >> bits), last[0])
        y0 = max(np.int32((min(ay, by, cy) + half - one) >> bits), none)
        y1 = min(np.int32((max(ay, by, cy) - half) >> bits), last[1])
        # Outward corners run anticlockwise for the viewer; y points down.
        faces = (area < 0) | ((area > 0) & (words[column_at(_CLOSED, k)] == none))
        # No sample in the bounding box: most triangles of a distant person.
        meets = (x0 <= x1) & (y0 <= y1)
        needed = (
            (x0 < needless[0])
            | (x1 >= needless[2])
            | (y0 < needless[1])
            | (y1 >= needless[3])
        )
        words[column_at(_LEFT, k)], words[column_at(_RIGHT, k)] = x0, x1
        words[column_at(_TOP, k)], words[column_at(_BOTTOM, k)] = y0, y1
        words[column_at(_KEEP, k)] = np.int32(faces & meets & needed)


@njit(cache=True, nogil=True, error_model="numpy")
def _is_open(
    filled: NDArray[np.int32], left: int, top: int, right: int, bottom: int
) -> bool:
    """Whether any block of a rectangle lets anything through."""
    most_y, most_x = filled.shape[0] - 1, filled.shape[1] - 1
    x0, x1 = min(max(left, 0), most_x), min(max(right, 0), most_x)
    y0, y1 = min(max(top, 0), most_y), min(max(bottom, 0), most_y)
    least = min(
        filled[np.uint64(y0), np.uint64(x0)],
        filled[np.uint64(y0), np.uint64(x1)],
        filled[np.uint64(y1), np.uint64(x0)],
        filled[np.uint64(y1), np.uint64(x1)],
    )
    # Of large ones only the corners are looked up.
    return (least < FULL) | (x1 - x0 > 1) | (y1 - y0 > 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _top(screen: NDArray[np.int32], triangles: NDArray[np.int32], t: int) -> int:
    """The upper end of a triangle, subsamples of one pixel."""
    i = np.uint64(t)
    return min(
        screen[np.uint64(triangles[i, 0]), 1],
        screen[np.uint64(triangles[i, 1]), 1],
        screen[np.uint64(triangles[i, 2]), 1],
    )
