"""Which triangle each sample of a rectangle sees: small triangles, many of them.

Owns the decision, which is exact: an edge shared by two triangles is
drawn once. Arithmetic on arrays, compiled by numba; `figure.py` is the door. Knows
nothing of light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.figure_meshes import HOLE, HOLED, SUBPIXELS
from synthetic_crowds.raster.lanes import LANES, cover_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cover"]

# Nearness, 1/depth from a figure's farthest to its nearest vertex, fills a word but for
# its sign and room to round.
_NEARNESS_UNITS = 2.0**31 - 2.0**20
# Triangles no wider and higher than this, in subsamples, have edge functions of a word.
_SMALL = 1 << 14


@njit(cache=True, nogil=True, error_model="numpy")
def cover(  # noqa: PLR0913, PLR0915, PLR0917
    screen: NDArray[np.int32],
    inverse: NDArray[np.float32],
    triangles: NDArray[np.int32],
    chosen: NDArray[np.int32],
    part_of: NDArray[np.uint8],
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
        triangles: (t, 3), wound outwards.
        chosen: (n,), numbers of those to draw, from `sift`.
        part_of: (t,), the part of each triangle.
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
    coarse = np.int32(-1 << owner_bits)
    farthest = np.float32(np.inf)
    nearest = np.float32(0.0)
    for v in range(len(inverse)):
        farthest, nearest = min(farthest, inverse[v]), max(nearest, inverse[v])
    unit = _NEARNESS_UNITS / max(float(nearest - farthest), 1e-9)
    shift_x, shift_y = left * SUBPIXELS, top * SUBPIXELS
    half = SUBPIXELS // 2
    for number in chosen:
        t = np.int64(number)
        i = np.uint64(t)
        a, b, c = (
            np.uint64(triangles[i, 0]),
            np.uint64(triangles[i, 1]),
            np.uint64(triangles[i, 2]),
        )
        ax = (screen[a, 0] - shift_x) * samples
        bx = (screen[b, 0] - shift_x) * samples
        px = (screen[c, 0] - shift_x) * samples
        ay = (screen[a, 1] - shift_y) * samples
        by = (screen[b, 1] - shift_y) * samples
        py = (screen[c, 1] - shift_y) * samples
        area = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        x0 = max((min(ax, bx, px) + half - 1) >> 8, 0)
        x1 = min((max(ax, bx, px) - half) >> 8, width - 1)
        y0 = max((min(ay, by, py) + half - 1) >> 8, 0)
        y1 = min((max(ay, by, py) - half) >> 8, height - 1)
        owner = 2 * t + 2
        if area > 0:
            owner += 1
        else:
            b, c = c, b
            bx, by, px, py = px, py, bx, by
            area = -area
        dax, day = px - bx, py - by
        dbx, dby = ax - px, ay - py
        dcx, dcy = bx - ax, by - ay
        sx, sy = x0 * SUBPIXELS + half, y0 * SUBPIXELS + half
        wa_row = dax * (sy - by) - day * (sx - bx)
        wb_row = dbx * (sy - py) - dby * (sx - px)
        wc_row = dcx * (sy - ay) - dcy * (sx - ax)
        share = 1.0 / area
        scale = unit * share
        za = (inverse[a] - farthest) * scale
        zb = (inverse[b] - farthest) * scale
        zc = (inverse[c] - farthest) * scale
        z_row = int(wa_row * za + wb_row * zb + wc_row * zc)
        z_x = int(-(day * za + dby * zb + dcy * zc) * SUBPIXELS)
        z_y = int((dax * za + dbx * zb + dcx * zc) * SUBPIXELS)
        # A sample exactly on an edge belongs to the triangle below or right of it.
        wa_row -= 0 if day < 0 or (day == 0 and dax > 0) else 1
        wb_row -= 0 if dby < 0 or (dby == 0 and dbx > 0) else 1
        wc_row -= 0 if dcy < 0 or (dcy == 0 and dcx > 0) else 1
        wa_x, wb_x, wc_x = day * SUBPIXELS, dby * SUBPIXELS, dcy * SUBPIXELS
        wa_y, wb_y, wc_y = dax * SUBPIXELS, dbx * SUBPIXELS, dcx * SUBPIXELS
        start = y0 * stride + x0
        extent = max(
            max(ax, bx, px) - min(ax, bx, px), max(ay, by, py) - min(ay, by, py)
        )
        if extent <= _SMALL and not kinds[i] & HOLED:
            for column in range(0, x1 - x0 + 1, LANES):
                cover_rows(
                    flat, np.uint64(start + column), np.uint64(stride), y1 - y0 + 1,
                    (
                        np.int32(wa_row - column * wa_x),
                        np.int32(wb_row - column * wb_x),
                        np.int32(wc_row - column * wc_x),
                        np.int32(z_row + column * z_x),
                    ),
                    (np.int32(-wa_x), np.int32(-wb_x), np.int32(-wc_x), np.int32(z_x)),
                    (np.int32(wa_y), np.int32(wb_y), np.int32(wc_y), np.int32(z_y)),
                    coarse, np.int32(owner),
                )  # fmt: skip
            continue
        has_holes = kinds[i] & HOLED
        sheet = sheets[part_of[i], 0]
        for _ in range(y1 - y0 + 1):
            wa, wb, wc, z = wa_row, wb_row, wc_row, z_row
            for at in range(start, start + x1 - x0 + 1):
                key = np.int32((z & np.int64(coarse)) | owner)
                if (wa | wb | wc) >= 0 and key > flat[np.uint64(at)]:
                    hole = has_holes and _is_hole(
                        (wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]) * share,
                        (wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]) * share,
                        alpha,
                        sheet,
                    )
                    if not hole:
                        flat[np.uint64(at)] = key
                wa -= wa_x
                wb -= wb_x
                wc -= wc_x
                z += z_x
            wa_row += wa_y
            wb_row += wb_y
            wc_row += wc_y
            z_row += z_y
            start += stride


@njit(cache=True, nogil=True, error_model="numpy")
def _is_hole(
    u: float, v: float, alpha: NDArray[np.uint8], sheet: NDArray[np.int32]
) -> bool:
    """Whether a texture is transparent there."""
    offset, rows, columns = sheet[0], sheet[1], sheet[2]
    u = min(max(u * columns - 0.5, 0.0), columns - 1.0)
    v = min(max(v * rows - 0.5, 0.0), rows - 1.0)
    u0, v0 = int(u), int(v)
    u1, v1 = min(u0 + 1, columns - 1), min(v0 + 1, rows - 1)
    u -= u0
    v -= v0
    above, below = offset + v0 * columns, offset + v1 * columns
    upper = (1.0 - u) * alpha[above + u0] + u * alpha[above + u1]
    lower = (1.0 - u) * alpha[below + u0] + u * alpha[below + u1]
    return (1.0 - v) * upper + v * lower < HOLE
