"""Light taken from a picture where shadows fall.

Owns the loops over its pixels. Knows nothing of what casts a shadow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.colour import LINEAR_TO_SRGB, SRGB_TO_LINEAR
from synthetic_crowds.street.shadow_kernels import CELL_PX

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["dim", "dim_light"]

# Less light than this is not missed.
_FAINTEST = 0.008


@njit(cache=True, nogil=True, error_model="numpy")
def dim(
    image: NDArray[np.uint8],
    ground: NDArray[np.bool_],
    left_over: NDArray[np.float32],
    column: int,
    row: int,
) -> None:
    """Leave only a share of light to a picture's ground.

    Args:
        image: (h, w, 3), sRGB; written to.
        ground: (h, w).
        left_over: (m, n) shares, of cells of `CELL_PX`; next to 1 at the rim.
        column: Of the first cell.
        row: Of the first cell.
    """
    height, width = ground.shape
    kept = np.ones(CELL_PX * left_over.shape[1], np.float32)
    enough, left = np.float32(1.0 - _FAINTEST), CELL_PX * column
    for y in range(*_within(row, len(left_over), height)):
        begin, end = _finer(left_over, y - CELL_PX * row, kept)
        line, open_ = image[y], ground[y]
        for i in range(max(left + begin, 0), min(left + end, width)):
            x = np.uint64(i)
            share = kept[np.uint64(i - left)]
            if share < enough and open_[x]:
                scale = share * np.float32(4095.0)
                for c in range(3):
                    light = SRGB_TO_LINEAR[np.uint64(line[x, c])] * scale
                    line[x, c] = LINEAR_TO_SRGB[np.uint64(light + np.float32(0.5))]


@njit(cache=True, nogil=True, error_model="numpy")
def dim_light(
    light: NDArray[np.float32],
    ground: NDArray[np.bool_],
    left_over: NDArray[np.float32],
    column: int,
    row: int,
) -> None:
    """Do as `dim` to linear light (h, w, 3)."""
    height, width = ground.shape
    kept = np.ones(CELL_PX * left_over.shape[1], np.float32)
    left = CELL_PX * column
    for y in range(*_within(row, len(left_over), height)):
        begin, end = _finer(left_over, y - CELL_PX * row, kept)
        for x in range(max(left + begin, 0), min(left + end, width)):
            if ground[y, x]:
                for c in range(3):
                    light[y, x, c] *= kept[x - left]


@njit(cache=True, nogil=True)
def _within(row: int, n_rows: int, height: int) -> tuple[int, int]:
    """The rows of pixels that cells reach without their rim, first to last and one."""
    return max(CELL_PX * (row + 1), 0), min(CELL_PX * (row + n_rows - 1), height)


@njit(cache=True, nogil=True, error_model="numpy")
def _finer(
    cells: NDArray[np.float32], y: int, kept: NDArray[np.float32]
) -> tuple[int, int]:
    """Interpolate a row of pixels, `y` from the first cell's top, where it is dark.

    Returns:
        Where it begins and ends.
    """
    near, far, enough = np.float32(0.75), np.float32(0.25), np.float32(1.0 - _FAINTEST)
    here, other = cells[y // 2], cells[y // 2 + (1 if y % 2 else -1)]
    begin, end = 1, len(here) - 1
    while begin < end and min(here[begin], other[begin]) > enough:
        begin += 1
    while begin < end and min(here[end - 1], other[end - 1]) > enough:
        end -= 1
    before, middle = np.float32(1.0), near * here[begin] + far * other[begin]
    for x in range(begin, end):
        after = near * here[x + 1] + far * other[x + 1]
        kept[2 * x] = near * middle + far * before
        kept[2 * x + 1] = near * middle + far * after
        before, middle = middle, after
    return 2 * begin, 2 * end
