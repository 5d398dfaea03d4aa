"""Which samples of a row of pixels are to be lit.

Owns the list: what is seen, is not hidden by what the plate shows already or by the
street, and how much of its light passes. Arithmetic on arrays, compiled by numba;
`figure_light.py` reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.figure_meshes import SUBPIXELS
from synthetic_crowds.raster.figure_sift import BLOCK_BITS
from synthetic_crowds.raster.lanes import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["list_row"]

# Pixels of which less light than this passes are hidden by what lies in front.
_OPAQUE = 0.998


@njit(cache=True, nogil=True, error_model="numpy")
def list_row(  # noqa: C901, PLR0913, PLR0917
    n: int,
    seen: NDArray[np.int32],
    mask: int,
    row: int,
    first: int,
    end: int,
    samples: int,
    grouped: bool,  # noqa: FBT001
    triangles: NDArray[np.int32],
    left: int,
    top: int,
    skip: tuple[int, int, int, int],
    scenery: NDArray[np.float32],
    depth: np.float32,
    plate: NDArray[np.float32],
    start: int,
    width: int,
    filled: NDArray[np.int32],
    inset: int,
    owners: NDArray[np.int32],
    pixels: NDArray[np.int32],
    places: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> int:
    """Add to a list of n the samples of a row of pixels that are seen and not hidden.

    The pixel x of the frame is number `start` + x of the plate, whose rows are `width`
    wide, and `inset` + x of its row. Pixels that let nothing through from now on are
    counted in their row of blocks, `filled` (1, n), if there is any. What will be read
    two rows further down is fetched meanwhile.

    Returns:
        How many are on the list now.
    """
    frame_height, frame_width = scenery.shape
    step = SUBPIXELS // samples
    share = np.float32(1.0 / (samples * samples))
    y = top + row
    in_rows = 0 <= y < frame_height
    skips = skip[1] <= y < skip[3]
    middle_y = y * SUBPIXELS + SUBPIXELS // 2
    a = b = c = d = np.int64(0)
    for column in range(first, end):
        if samples == 1:
            a = seen[np.uint64(row), np.uint64(column)] & mask
            if a == 0:
                continue
        else:
            upper, lower = np.uint64(2 * row), np.uint64(2 * row + 1)
            a = seen[upper, np.uint64(2 * column)] & mask
            b = seen[upper, np.uint64(2 * column + 1)] & mask
            c = seen[lower, np.uint64(2 * column)] & mask
            d = seen[lower, np.uint64(2 * column + 1)] & mask
            if (a | b | c | d) == 0:
                continue
        x = left + column
        at = np.uint64(start + x)
        prefetch(plate, np.uint64(4) * (at + np.uint64(2 * width)))
        clear = np.float32(1.0) - plate[at, 3]
        if clear < np.float32(1.0 - _OPAQUE) or (skips and skip[0] <= x < skip[2]):
            continue
        if in_rows and y + 2 < frame_height:
            prefetch(scenery, np.uint64((y + 2) * frame_width + x))
        if (
            in_rows
            and 0 <= x < frame_width
            and scenery[np.uint64(y), np.uint64(x)] < depth
        ):
            continue
        if filled.size and (samples == 1 or min(a, b, c, d) > 0):
            filled[0, np.uint64((x + inset) >> BLOCK_BITS)] += 1
        middle_x = x * SUBPIXELS + SUBPIXELS // 2
        if samples == 1 or (grouped and _alike(a, b, c, d, triangles)):
            i = np.uint64(n)
            owners[i], pixels[i], weights[i] = a, at, clear
            places[i, 0], places[i, 1] = middle_x, middle_y
            n += 1
            continue
        for s in range(4):
            owner = (a, b, c, d)[s]
            i = np.uint64(n)
            owners[i], pixels[i], weights[i] = owner, at, clear * share
            places[i, 0] = middle_x + (s & 1) * step - step // 2
            places[i, 1] = middle_y + (s >> 1) * step - step // 2
            n += owner != 0
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def _alike(
    a: np.int64,
    b: np.int64,
    c: np.int64,
    d: np.int64,
    triangles: NDArray[np.int32],
) -> bool:
    """Whether four samples see one side of one part."""
    if min(a, b, c, d) == 0 or ((a ^ b) | (a ^ c) | (a ^ d)) & 1:
        return False
    part = triangles[np.uint64((a >> 1) - 1), 3]
    return (
        triangles[np.uint64((b >> 1) - 1), 3] == part
        and triangles[np.uint64((c >> 1) - 1), 3] == part
        and triangles[np.uint64((d >> 1) - 1), 3] == part
    )
