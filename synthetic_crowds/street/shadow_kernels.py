"""Surfaces pressed on to the ground, filled and softened.

Owns the loops over vertices and cells of a shadow. Knows nothing of what
stands there, nor of pictures.
"""

from __future__ import annotations

from math import ceil, exp, floor
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.street.silhouettes import fill, ring

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CELL_PX", "throw"]

# A share of light on a grid, (h, w) float32 with outermost cells of 0, and the first
# cell's column and row.
_Soft = tuple["NDArray[np.float32]", int, int]
# A share of light to take, and its blur at a metre's distance, pixels.
_Shade = tuple[float, float]
# Left, top, right and bottom, pixels, and the least depth, metres.
_Bounds = tuple["np.float32", "np.float32", "np.float32", "np.float32", "np.float32"]

# Shadows are soft: half the picture's resolution shows all there is, and softer ones
# are filled in cells twice, four times, ... as wide.
CELL_PX = 2
_CELLS_PER_BLUR = 1.4
_NEAREST_M = 0.5
_FULL_WEIGHT = 255.0


@njit(cache=True, nogil=True, error_model="numpy")
def throw(
    points: NDArray[np.float32],
    bones: NDArray[np.uint8],
    weights: NDArray[np.uint8],
    triangles: NDArray[np.uint16],
    borders: NDArray[np.uint16],
    to_world: NDArray[np.float64],
    contact_m: NDArray[np.float64],
    pressed: NDArray[np.float64],
    size_px: tuple[int, int],
    thrown_contact: tuple[_Shade, _Shade],
) -> _Soft:
    """Find the share of light that a thing leaves to the ground around it.

    Args:
        points: (n, 3) of its outline at rest.
        bones: (n, k) indices.
        weights: (n, k), heaviest first, of about 255 together.
        triangles: (t, 3).
        borders: Theirs, as from `borders_of`.
        to_world: (b, 3, 4), from each bone's rest to the world.
        contact_m: (n, 3) convex outline of its foot, on the ground.
        pressed: (3, 4), world to picture, as in `GroundView`.
        size_px: The picture's width and height.
        thrown_contact: What its shadow takes, and its foot.

    Returns:
        (h, w) in [0, 1], next to 1 at the rim, and the first cell's column and row; no
        cells at all if the picture shows nothing of it.
    """
    (cast_share, cast_blur_px), (contact_share, contact_blur_px) = thrown_contact
    n_corners = len(contact_m)
    corners, bounds = _press(
        contact_m.astype(np.float32),
        np.zeros((n_corners, 1), np.uint8),
        np.full((n_corners, 1), 255, np.uint8),
        pressed.astype(np.float32).reshape(1, 12),
    )
    if bounds[4] < _NEAREST_M:
        return _nothing()
    depth_m = pressed[2, 3]
    for corner in contact_m:
        for i in range(3):
            depth_m += pressed[2, i] * corner[i] / n_corners
    bounds = _widen(corners, bounds)
    blur_px = max(contact_blur_px / depth_m, 1.0)
    below, rim = ring(n_corners)
    contact = _soften(corners, bounds, below, rim, blur_px, contact_share, size_px)
    thrown = _nothing()
    if cast_share > 0.0:
        spots, reached = _press(points, bones, weights, _through(pressed, to_world))
        if reached[4] < _NEAREST_M:
            return _nothing()
        blur_px = max(cast_blur_px / depth_m, 1.0)
        thrown = _soften(
            spots, reached, triangles, borders, blur_px, cast_share, size_px
        )
    return _leave(contact, thrown)


@njit(cache=True, nogil=True, error_model="numpy")
def _leave(first: _Soft, second: _Soft) -> _Soft:
    """Find the share of light that two shadows leave, one after the other."""
    left = top = 1 << 30
    right = bottom = -left
    for cells, column, row in (first, second):
        if len(cells):
            left, top = min(left, column), min(top, row)
            right = max(right, column + cells.shape[1])
            bottom = max(bottom, row + cells.shape[0])
    if right < left:
        return first
    left_over = np.ones((bottom - top, right - left), np.float32)
    for cells, column, row in (first, second):
        for y in range(len(cells)):
            taken = cells[y]
            line = left_over[row - top + y, column - left :]
            for x in range(len(taken)):
                line[x] *= np.float32(1.0) - taken[x]
    return left_over, left, top


@njit(cache=True, nogil=True)
def _widen(corners: NDArray[np.float32], bounds: _Bounds) -> _Bounds:
    """Let an outline (n, 2) cover the pixels that it only touches."""
    left, top, right, bottom, nearest_m = bounds
    half, one = np.float32(0.5), np.float32(1.0)
    for p in range(len(corners)):
        corners[p, 0] += one if corners[p, 0] > half * (left + right) else -one
        corners[p, 1] += one if corners[p, 1] > half * (top + bottom) else -one
    return left - one, top - one, right + one, bottom + one, nearest_m


@njit(cache=True, nogil=True)
def _nothing() -> _Soft:
    """No share of light."""
    return np.zeros((0, 0), np.float32), 0, 0


@njit(cache=True, nogil=True, error_model="numpy")
def _through(
    to_image: NDArray[np.float64], to_world: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Chain a projection (3, 4) after placements (b, 3, 4); rows in a row: (b, 12)."""
    chained = np.empty((len(to_world), 12), np.float32)
    for b in range(len(to_world)):
        for i in range(3):
            for j in range(4):
                total = to_image[i, 3] if j == 3 else 0.0
                for k in range(3):
                    total += to_image[i, k] * to_world[b, k, j]
                chained[b, 4 * i + j] = total
    return chained


@njit(cache=True, nogil=True, error_model="numpy")
def _press(
    points: NDArray[np.float32],
    bones: NDArray[np.uint8],
    weights: NDArray[np.uint8],
    turns: NDArray[np.float32],
) -> tuple[NDArray[np.float32], _Bounds]:
    """Blend each point between its bones' projections, and divide by its depth.

    Args:
        points: (n, 3) at rest.
        bones: (n, k) indices.
        weights: (n, k), heaviest first, of about 255 together.
        turns: (b, 12) as from `_through`.

    Returns:
        (n, 2) in pixels, and their bounds.
    """
    spots = np.empty((len(points), 2), np.float32)
    left = top = nearest = np.float32(np.inf)
    right = bottom = -left
    for p in range(len(points)):
        u = v = depth = np.float32(0.0)
        for k in range(bones.shape[1]):
            if weights[p, k] == 0:
                break
            weight = np.float32(weights[p, k])
            turn = turns[np.uint64(bones[p, k])]
            x, y = weight * points[p, 0], weight * points[p, 1]
            z = weight * points[p, 2]
            u += turn[0] * x + turn[1] * y + turn[2] * z + turn[3] * weight
            v += turn[4] * x + turn[5] * y + turn[6] * z + turn[7] * weight
            depth += turn[8] * x + turn[9] * y + turn[10] * z + turn[11] * weight
        u, v = u / depth, v / depth
        spots[p, 0], spots[p, 1] = u, v
        left, right = min(left, u), max(right, u)
        top, bottom = min(top, v), max(bottom, v)
        nearest = min(nearest, depth)
    return spots, (left, top, right, bottom, nearest / np.float32(_FULL_WEIGHT))


@njit(cache=True, nogil=True, error_model="numpy")
def _soften(
    spots: NDArray[np.float32],
    bounds: _Bounds,
    triangles: NDArray[np.uint16],
    borders: NDArray[np.uint16],
    blur_px: float,
    share: float,
    size_px: tuple[int, int],
) -> _Soft:
    """Fill triangles with a share and blur them, as coarsely as the blur allows.

    Args:
        spots: (n, 2) corners, pixels; written to.
        bounds: Theirs.
        triangles: (t, 3).
        borders: Theirs, as from `borders_of`.
        blur_px: Standard deviation.
        share: Of light that is taken away.
        size_px: The picture's width and height; what lies outside is left out.

    Returns:
        No cells at all if nothing reaches into the picture.
    """
    step = CELL_PX
    while blur_px > 2 * step * _CELLS_PER_BLUR:
        step *= 2
    blur = blur_px / step
    reach = ceil(3.0 * blur)
    first = max(floor(bounds[0] / step), -reach - 1)
    low = max(floor(bounds[1] / step), -reach - 1)
    end = min(ceil(bounds[2] / step), size_px[0] // step + reach + 1)
    high = min(ceil(bounds[3] / step), size_px[1] // step + reach + 1)
    rim = reach + 1
    if end <= first or high <= low:
        return _nothing()
    cells = np.zeros((high - low + 2 * rim, end - first + 2 * rim), np.float32)
    scale = np.float32(1.0 / step)
    right, down = np.float32(rim - first), np.float32(rim - low)
    for p in range(len(spots)):
        spots[p, 0] = spots[p, 0] * scale + right
        spots[p, 1] = spots[p, 1] * scale + down
    fill(cells, spots, triangles, borders, rim, share)
    _blur(cells, blur, reach)
    column, row = first - rim, low - rim
    while step > CELL_PX:
        cells, column, row, step = _double(cells), 2 * column, 2 * row, step // 2
    return cells, column, row


@njit(cache=True, nogil=True, error_model="numpy")
def _blur(cells: NDArray[np.float32], blur: float, reach: int) -> None:
    """Blur cells, whose rim is wider than that reaches, across and then down."""
    height, width = cells.shape
    taps = np.empty(reach + 1, np.float32)
    total = 0.0
    for i in range(reach + 1):
        tap = exp(-0.5 * (i / blur) ** 2)
        total += tap if i == 0 else 2.0 * tap
        taps[i] = tap
    taps /= np.float32(total)
    across = np.zeros((height, width), np.float32)
    n = width - 2 * reach
    for y in range(reach + 1, height - reach - 1):
        row, soft = cells[y], across[y, reach : reach + n]
        for i in range(n):
            soft[i] = taps[0] * row[reach + i]
        for r in range(1, reach + 1):
            before, after, tap = row[reach - r :], row[reach + r :], taps[r]
            for i in range(n):
                soft[i] += tap * (before[i] + after[i])
    for y in range(1, height - 1):
        row = cells[y]
        row[:] = np.float32(0.0)
        for other in range(max(y - reach, 0), min(y + reach + 1, height)):
            tap, line = taps[abs(other - y)], across[other]
            for i in range(width):
                row[i] += tap * line[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _double(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Interpolate cells (h, w), 0 outside, to half their width: (2 h, 2 w)."""
    near, far = np.float32(0.75), np.float32(0.25)
    height, width = cells.shape
    finer = np.zeros((2 * height, 2 * width), np.float32)
    line = np.empty(width, np.float32)
    for y in range(2, 2 * height - 2):
        here, other = cells[y // 2], cells[y // 2 + (1 if y % 2 else -1)]
        for x in range(width):
            line[x] = near * here[x] + far * other[x]
        row = finer[y]
        for x in range(1, width - 1):
            row[2 * x] = near * line[x] + far * line[x - 1]
            row[2 * x + 1] = near * line[x] + far * line[x + 1]
    return finer
