"""How much of a face shows behind those who are on the plate already.

Owns the count of a face's pixels, which is truth. Knows nothing of how any of them is
drawn, or of what a street is made of but how far it is.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.figure_sift import BLOCK_BITS, FULL

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["may_show", "share_shown"]

# The left end of a row that no point lies on.
_UNKNOWN = 1 << 30
# Pixels of the plate that let less light than this through hide what is behind them.
_HIDING = np.float32(0.5)


@njit(cache=True, nogil=True)
def may_show(
    filled: NDArray[np.int32], left: int, top: int, right: int, bottom: int
) -> bool:
    """Whether any block of a rectangle of the plate, pixels, lets anything through."""
    first, first_row = max(left, 0) >> BLOCK_BITS, max(top, 0) >> BLOCK_BITS
    last, last_row = max(right, 0) >> BLOCK_BITS, max(bottom, 0) >> BLOCK_BITS
    for row in range(first_row, min(last_row + 1, filled.shape[0])):
        for column in range(first, min(last + 1, filled.shape[1])):
            if filled[row, column] < FULL:
                return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def share_shown(
    light: NDArray[np.float32],
    pad: int,
    scenery: NDArray[np.float32],
    depth: float,
    owners: NDArray[np.int32],
    drawn: tuple[int, int, int],
    mask: int,
    n_body: int,
    outline: NDArray[np.float64],
) -> float:
    """Share of a face's pixels that are in the frame with nothing before them.

    Pixels of the face that lie beyond what was drawn count by the area of its outline.

    Args:
        light: (h + 2 pad, w + 2 pad, 4), the plate.
        pad: Of the plate, pixels.
        scenery: (h, w), how far the street is.
        depth: Scenery nearer than this hides the face.
        owners: From `expose_samples`, two samples a pixel along each side.
        drawn: Left and top of what they cover in the frame, and its width, pixels.
        mask: The bits of a sample that tell its triangle.
        n_body: How many triangles are not the head's; those come first.
        outline: (m, 2), pixels, the points that the face lies between.
    """
    top = floor(outline[0, 1] + 0.5)
    bottom = top
    for i in range(len(outline)):
        y = floor(outline[i, 1] + 0.5)
        top, bottom = min(top, y), max(bottom, y)
    lefts = np.full(bottom - top + 1, _UNKNOWN)
    # Right ends are left ends in a mirror.
    rights = lefts.copy()
    for i in range(len(outline)):
        x, row = floor(outline[i, 0] + 0.5), floor(outline[i, 1] + 0.5) - top
        lefts[row], rights[row] = min(lefts[row], x), min(rights[row], -x)
    _span(lefts, 1)
    _span(rights, 0)
    own = shown = beyond = 0
    for row in range(len(lefts)):
        y = top + row
        i = 2 * (y - drawn[1])
        for x in range(lefts[row], 1 - rights[row]):
            j = 2 * (x - drawn[0])
            if i < 0 or j < 0 or i >= owners.shape[0] or j >= 2 * drawn[2]:
                beyond += 1
                continue
            if (owners[i, j] & mask) >> 1 <= n_body:
                continue
            own += 1
            if x < 0 or y < 0 or x >= scenery.shape[1] or y >= scenery.shape[0]:
                continue
            covered = light[y + pad, x + pad, 3] >= _HIDING
            shown += not covered and scenery[y, x] >= np.float32(depth)
    return shown / (own + beyond) if own else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _span(ends: NDArray[np.int64], inner: int) -> None:
    """Stretch left ends of rows (n,) to the convex outline of those that are known.

    The first and the last are. Rows take what a line of pixels takes that is drawn from
    corner to corner, and what is inside; of two pixels as near to the line, flat lines
    take the inner one if `inner` is 1, the outer one if it is 0.
    """
    known = ends.copy()
    corners = np.empty(len(ends), np.int64)
    count = 0
    for row in range(len(ends)):
        if known[row] == _UNKNOWN:
            continue
        while count > 1:
            a, b = corners[count - 2], corners[count - 1]
            across, along = known[row] - known[a], row - a
            if (known[b] - known[a]) * along < across * (b - a):
                break
            count -= 1
        corners[count] = row
        count += 1
    for i in range(count - 1):
        a, b = corners[i], corners[i + 1]
        down, across = b - a, known[b] - known[a]
        flat = abs(across) > down
        for row in range(a, b + 1):
            # In halves of a row, and whole numbers: half-way cases are told exactly.
            twice = 2 * across * (row - a)
            if flat:
                end = (twice - abs(across) + (2 * down - 1 + inner)) // (2 * down)
            else:
                end = -((down - twice) // (2 * down))
            ends[row] = min(ends[row], max(known[a] + end, min(known[a], known[b])))
