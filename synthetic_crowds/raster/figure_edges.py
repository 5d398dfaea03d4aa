"""What is prepared of triangles before they take their samples, many at once.

Owns edge functions and steps of nearness, for a batch of triangles, in columns.
Arithmetic on arrays, compiled by numba; `figure_visibility.py` reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.columns import column_at
from synthetic_crowds.raster.figure_meshes import SUBPIXEL_BITS, SUBPIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # Of three edge functions and nearness.
    Four = tuple[np.int32, np.int32, np.int32, np.int32]

__all__ = [
    "ACROSS", "AREA", "AX", "AY", "BACK", "BOTTOM", "COLUMNS", "DOWN", "EDGE", "EXTENT",
    "HALF", "LEFT", "RIGHT", "SMALL", "TOP", "edges_of", "find_depths", "find_edges",
    "is_shut",
]  # fmt: skip

# Triangles no wider and higher than this, in subsamples, have edge functions of a word.
SMALL = 1 << 14
HALF = SUBPIXELS // 2
# Corners; the three edge functions, and what they change by across and down, divided by
# `SUBPIXELS`; samples that may be inside; which side is seen, extent, twice the area.
AX, AY, BX, BY, CX, CY = range(6)
EDGE, ACROSS, DOWN = 6, 9, 12
LEFT, RIGHT, TOP, BOTTOM, BACK, EXTENT, AREA, COLUMNS = range(15, 23)


@njit(cache=True, nogil=True, error_model="numpy")
def find_edges(
    n: int, last_x: np.int32, last_y: np.int32, words: NDArray[np.int32]
) -> None:
    """Find n triangles' edge functions at the first sample that may be inside.

    Args:
        n: How many.
        last_x: The last sample of a row,
        last_y: and the last row.
        words: Columns; the corners are read, the others written. What is written of
            triangles beyond `SMALL` has no meaning but for side and extent.
    """
    half, none, one = np.int32(HALF), np.int32(0), np.int32(1)
    for k in range(n):
        ax, ay = words[column_at(AX, k)], words[column_at(AY, k)]
        bx, by = words[column_at(BX, k)], words[column_at(BY, k)]
        cx, cy = words[column_at(CX, k)], words[column_at(CY, k)]
        low_x, high_x = min(ax, bx, cx), max(ax, bx, cx)
        low_y, high_y = min(ay, by, cy), max(ay, by, cy)
        x0 = max(np.int32((low_x + half - one) >> SUBPIXEL_BITS), none)
        y0 = max(np.int32((low_y + half - one) >> SUBPIXEL_BITS), none)
        area = np.int64(bx - ax) * (cy - ay) - np.int64(by - ay) * (cx - ax)
        is_back = area > 0
        bx, cx = (bx, cx) if is_back else (cx, bx)
        by, cy = (by, cy) if is_back else (cy, by)
        x, y = np.int32(x0 * SUBPIXELS + half), np.int32(y0 * SUBPIXELS + half)
        words[column_at(EDGE, k)] = np.int32(
            (cx - bx) * (y - by) - (cy - by) * (x - bx)
        )
        words[column_at(EDGE + 1, k)] = np.int32(
            (ax - cx) * (y - cy) - (ay - cy) * (x - cx)
        )
        words[column_at(EDGE + 2, k)] = np.int32(
            (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        )
        words[column_at(ACROSS, k)] = np.int32(by - cy)
        words[column_at(ACROSS + 1, k)] = np.int32(cy - ay)
        words[column_at(ACROSS + 2, k)] = np.int32(ay - by)
        words[column_at(DOWN, k)] = np.int32(cx - bx)
        words[column_at(DOWN + 1, k)] = np.int32(ax - cx)
        words[column_at(DOWN + 2, k)] = np.int32(bx - ax)
        words[column_at(LEFT, k)] = x0
        words[column_at(RIGHT, k)] = min(
            np.int32((high_x - half) >> SUBPIXEL_BITS), last_x
        )
        words[column_at(TOP, k)] = y0
        words[column_at(BOTTOM, k)] = min(
            np.int32((high_y - half) >> SUBPIXEL_BITS), last_y
        )
        words[column_at(BACK, k)] = np.int32(is_back)
        words[column_at(EXTENT, k)] = max(
            np.int32(high_x - low_x), np.int32(high_y - low_y)
        )
        words[column_at(AREA, k)] = np.int32(area if is_back else -area)


@njit(cache=True, nogil=True, error_model="numpy")
def find_depths(
    n: int,
    unit: float,
    words: NDArray[np.int32],
    nears: NDArray[np.float32],
    depths: NDArray[np.int64],
) -> None:
    """Find nearness where n triangles meet the first of their samples, and its steps.

    Args:
        n: How many.
        unit: Whole numbers to one of `nears`.
        words: From `find_edges`; edge functions that are another triangle's where they
            are 0 become negative there.
        nears: Columns of the three corners' nearness.
        depths: Columns: at the sample, of a step across, of a step down; written.
    """
    for k in range(n):
        at_a, at_b = words[column_at(EDGE, k)], words[column_at(EDGE + 1, k)]
        at_c = words[column_at(EDGE + 2, k)]
        x_a, x_b = words[column_at(ACROSS, k)], words[column_at(ACROSS + 1, k)]
        x_c = words[column_at(ACROSS + 2, k)]
        y_a, y_b = words[column_at(DOWN, k)], words[column_at(DOWN + 1, k)]
        y_c = words[column_at(DOWN + 2, k)]
        is_back = words[column_at(BACK, k)] != np.int32(0)
        near_b, near_c = nears[column_at(1, k)], nears[column_at(2, k)]
        near_b, near_c = (near_b, near_c) if is_back else (near_c, near_b)
        scale = unit * (1.0 / np.float64(words[column_at(AREA, k)]))
        a = np.float64(nears[column_at(0, k)]) * scale
        b, c = np.float64(near_b) * scale, np.float64(near_c) * scale
        depths[column_at(0, k)] = np.int64(at_a * a + at_b * b + at_c * c)
        depths[column_at(1, k)] = np.int64((x_a * a + x_b * b + x_c * c) * SUBPIXELS)
        depths[column_at(2, k)] = np.int64((y_a * a + y_b * b + y_c * c) * SUBPIXELS)
        words[column_at(EDGE, k)] = np.int32(at_a - is_shut(x_a, y_a))
        words[column_at(EDGE + 1, k)] = np.int32(at_b - is_shut(x_b, y_b))
        words[column_at(EDGE + 2, k)] = np.int32(at_c - is_shut(x_c, y_c))


@njit(cache=True, nogil=True, error_model="numpy")
def is_shut(across: np.int32 | np.int64, down: np.int32 | np.int64) -> np.int32:
    """1 for an edge below or right of its triangle: what lies on it is another's."""
    none = np.int32(0)
    is_open = (across > none) | ((across == none) & (down > none))
    return none if is_open else np.int32(1)


@njit(cache=True, nogil=True, error_model="numpy")
def edges_of(
    k: int, words: NDArray[np.int32], depths: NDArray[np.int64]
) -> tuple[Four, Four, Four]:
    """The k-th's edge functions and nearness: at its first sample, a step across, down.

    Args:
        k: Of a batch.
        words: From `find_edges` and `find_depths`.
        depths: From `find_depths`.
    """
    return (
        (
            words[column_at(EDGE, k)],
            words[column_at(EDGE + 1, k)],
            words[column_at(EDGE + 2, k)],
            np.int32(depths[column_at(0, k)]),
        ),
        (
            np.int32(words[column_at(ACROSS, k)] * SUBPIXELS),
            np.int32(words[column_at(ACROSS + 1, k)] * SUBPIXELS),
            np.int32(words[column_at(ACROSS + 2, k)] * SUBPIXELS),
            np.int32(depths[column_at(1, k)]),
        ),
        (
            np.int32(words[column_at(DOWN, k)] * SUBPIXELS),
            np.int32(words[column_at(DOWN + 1, k)] * SUBPIXELS),
            np.int32(words[column_at(DOWN + 2, k)] * SUBPIXELS),
            np.int32(depths[column_at(2, k)]),
        ),
    )
