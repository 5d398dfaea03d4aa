"""Light on what each pixel sees of a figure.

Owns the loops that light samples, some hundred at a time: listed, looked up on their
triangles, lit many at once while their texels are fetched, and added to the plate.
Attributes are linear on the screen here, for nobody's nose is that close to the lens.
Arithmetic on arrays, compiled by numba; `figure.py` is the door.
"""

from __future__ import annotations

from math import log2, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.attributes import (
    copy_row,
    lay_texels,
    mix_rows,
    turn_rows,
)
from synthetic_crowds.raster.columns import BATCH, ROOM, column_at
from synthetic_crowds.raster.figure_listing import list_row
from synthetic_crowds.raster.figure_meshes import LIGHT_BITS
from synthetic_crowds.raster.figure_sift import BLOCK_BITS
from synthetic_crowds.raster.lanes import LANES, prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["shade"]

# Part of the key light that reaches a fully occluded point.
_KEY_IN_CAVITY = 0.45
# Sums of light may be taken in any order: the last digit of a float is no grey level.
_ANY_ORDER = {"contract", "reassoc", "arcp", "nsz", "nnan", "ninf"}
# Of a sample: the side seen (in place of where it is), normal, place on the texture,
# share of the sky; of its part: finish (4), the highlight's doublings, the texture.
_SIDE, _NORMAL, _U, _V, _SEES = 0, 2, 5, 6, 7
_GLOSS, _WRAP, _DOUBLINGS, _WIDE, _HIGH, _OFFSET, _LOOKS = 8, 9, 12, 13, 14, 15, 16
# Light of a sample: what its texel is multiplied by, and what is added, four each.
_GAIN, _SHINE, _LIGHTS = 0, 4, 8
_MOST_DOUBLINGS = 7


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def shade(  # noqa: PLR0913, PLR0917
    seen: NDArray[np.int32],
    width: int,
    owner_bits: int,
    samples: int,
    grouped: bool,  # noqa: FBT001
    corners: NDArray[np.float32],
    triangles: NDArray[np.int32],
    texels: NDArray[np.uint64],
    sheets: NDArray[np.int32],
    texels_per_m: NDArray[np.float64],
    lookups_per_m: float,
    finish: NDArray[np.float32],
    doublings: NDArray[np.int32],
    lamps: NDArray[np.float32],
    left: int,
    top: int,
    skip: tuple[int, int, int, int],
    scenery: NDArray[np.float32],
    depth: np.float32,
    plate: NDArray[np.float32],
    plate_left: int,
    plate_top: int,
    filled: NDArray[np.int32],
) -> None:
    """Light what each pixel of a rectangle sees, behind what the plate shows already.

    Args:
        seen: (h * samples, w * samples and more) from `cover`.
        width: Of it, pixels.
        owner_bits: As given to `cover`.
        samples: Per pixel along each side, 1 or 2.
        grouped: Whether the samples of one pixel that see one part are lit once.
        corners: (v, 8) from `figure_placing`.
        triangles: (t, 4), corners, wound outwards, and the part.
        texels: (n,), all textures, from `pack`.
        sheets: (p, levels, 3): offset into `texels`, height and width.
        texels_per_m: (p,), how finely a part is painted.
        lookups_per_m: One texel to a lookup; finer ones would flicker, coarser ones
            would blur.
        finish: (p, 4): strength of the highlight, and how far the key light bleeds past
            the terminator (3).
        doublings: (p,), the highlight's exponent is two to this power.
        lamps: (6, 3): towards the key light, key colour, sky, ground, towards the
            sky, half-way between key light and viewer.
        left: Of the rectangle, in the frame, pixels,
        top: and its upper end.
        skip: Left, top, right, bottom of pixels to leave out.
        scenery: (H, W) of the frame, metres: what is nearer than `depth` hides.
        depth: Of the person, metres.
        plate: (h', w', 4), linear, premultiplied; written.
        plate_left: Of the plate, in the frame,
        plate_top: and its upper end.
        filled: (m, n), how many pixels of each block of the plate let nothing through;
            written. Empty if nobody wants to know.
    """
    first_row = max(0, plate_top - top)
    first = max(0, plate_left - left)
    end_row = min(seen.shape[0] // samples, plate.shape[0] + plate_top - top)
    end = min(width, plate.shape[1] + plate_left - left)
    room = BATCH + max(end - first, 0) * samples * samples + 4
    owners = np.empty(room, np.int32)
    pixels = np.empty(room, np.int32)
    places = np.empty((room, 2), np.float32)
    weights = np.empty(room, np.float32)
    rows = np.empty(2 * LANES * ROOM, np.float32)
    looks = np.empty(_LOOKS * ROOM, np.float32)
    lookups = np.empty(2 * ROOM, np.int32)
    shares = np.empty(4 * ROOM, np.float32)
    lights = np.empty(_LIGHTS * ROOM, np.float32)
    lights[3 * ROOM : 4 * ROOM] = 0.0
    lights[7 * ROOM :] = 1.0
    parts = np.empty((len(sheets), LANES), np.float32)
    for part in range(len(sheets)):
        halvings = log2(max(texels_per_m[part] / lookups_per_m, 1.0))
        sheet = sheets[part, min(int(halvings), sheets.shape[1] - 1)]
        parts[part, :4] = finish[part]
        parts[part, 4] = doublings[part]
        parts[part, 5], parts[part, 6], parts[part, 7] = sheet[2], sheet[1], sheet[0]
    pixel_rows, flat = plate.reshape(-1, 4), plate.reshape(-1)
    n = 0
    for row in range(first_row, end_row):
        n = list_row(
            n, seen, (1 << owner_bits) - 1, row, first, end, samples, grouped,
            triangles, left, top, skip, scenery, depth, pixel_rows,
            (top + row - plate_top) * plate.shape[1] - plate_left, plate.shape[1],
            filled[(top + row - plate_top) >> BLOCK_BITS if filled.size else 0 :][:1],
            -plate_left, owners, pixels, places, weights,
        )  # fmt: skip
        if n < BATCH and row < end_row - 1:
            continue
        for begin in range(0, n, BATCH):
            count = min(BATCH, n - begin)
            _look_up(
                count, owners[begin:], places[begin:], corners, triangles, parts, rows
            )
            for i in range(0, count, LANES):
                here = np.uint64(LANES * i)
                turn_rows(
                    rows, here, np.uint64(LANES), looks, np.uint64(i), np.uint64(ROOM)
                )
                turn_rows(
                    rows, np.uint64(LANES * ROOM) + here, np.uint64(LANES),
                    looks, np.uint64(LANES * ROOM + i), np.uint64(ROOM),
                )  # fmt: skip
            _find_texels(count, looks, lookups, shares)
            for i in range(count):
                prefetch(texels, np.uint64(lookups[column_at(0, i)]))
                prefetch(texels, np.uint64(lookups[column_at(1, i)]))
            _light(count, looks, lamps, lights)
            for i in range(0, count, LANES):
                turn_rows(
                    lights, np.uint64(i), np.uint64(ROOM),
                    rows, np.uint64(LANES * i), np.uint64(LANES),
                )  # fmt: skip
            for i in range(count):
                s = np.uint64(begin + i)
                above, below = lookups[column_at(0, i)], lookups[column_at(1, i)]
                share = (
                    shares[column_at(0, i)],
                    shares[column_at(1, i)],
                    shares[column_at(2, i)],
                    shares[column_at(3, i)],
                )
                lay_texels(
                    texels, (np.uint64(above), np.uint64(below)), share,
                    rows, np.uint64(LANES * i), weights[s],
                    flat, np.uint64(4) * np.uint64(pixels[s]),
                )  # fmt: skip
        n = 0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _look_up(
    n: int,
    owners: NDArray[np.int32],
    places: NDArray[np.float32],
    corners: NDArray[np.float32],
    triangles: NDArray[np.int32],
    parts: NDArray[np.float32],
    rows: NDArray[np.float32],
) -> None:
    """Find what listed samples see of their triangles, a row of sixteen numbers each.

    Args:
        n: How many are listed.
        owners: (n,), what each sees,
        places: (n, 2), where it is.
        corners: As for `shade`.
        triangles: As for `shade`.
        parts: (p, 8): finish (4), doublings, the texture's width, height and offset.
        rows: Of the triangles, then, `LANES * ROOM` further on, of the parts; written.
    """
    zero, one = np.float32(0.0), np.float32(1.0)
    flat_corners, flat_parts = corners.reshape(-1), parts.reshape(-1)
    for i in range(n):
        s = np.uint64(i)
        owner = np.uint64(owners[s])
        t = (owner >> np.uint64(1)) - np.uint64(1)
        a, b, c, part = (
            np.uint64(triangles[t, np.uint64(0)]),
            np.uint64(triangles[t, np.uint64(1)]),
            np.uint64(triangles[t, np.uint64(2)]),
            np.uint64(triangles[t, np.uint64(3)]),
        )
        x, y = np.uint64(0), np.uint64(1)
        ax, ay = corners[a, x], corners[a, y]
        at_x, at_y = places[s, x] - ax, places[s, y] - ay
        bx, by = corners[b, x] - ax, corners[b, y] - ay
        cx, cy = corners[c, x] - ax, corners[c, y] - ay
        scale = one / (bx * cy - by * cx)
        # The middle of a pixel may lie beside this triangle: its rim must do.
        wb = min(max((at_x * cy - at_y * cx) * scale, zero), one)
        wc = min(max((bx * at_y - by * at_x) * scale, zero), one - wb)
        here = np.uint64(LANES) * s
        mix_rows(flat_corners, (a, b, c), (one - wb - wc, wb, wc), rows, here)
        rows[here] = one - np.float32(np.int64(owner & np.uint64(1)) << 1)
        copy_row(
            flat_parts, np.uint64(LANES) * part, rows, np.uint64(LANES * ROOM) + here
        )


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _find_texels(
    n: int,
    looks: NDArray[np.float32],
    lookups: NDArray[np.int32],
    shares: NDArray[np.float32],
) -> None:
    """Find which texels n samples see.

    Args:
        n: How many.
        looks: Columns.
        lookups: Columns: number of the texel above and to the left, and of the one
            below that; written.
        shares: Columns: of those two texels and of the next after each; written.
    """
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    for i in range(n):
        wide, high = looks[column_at(_WIDE, i)], looks[column_at(_HIGH, i)]
        u = min(max(looks[column_at(_U, i)] * wide - half, zero), wide - one)
        v = min(max(looks[column_at(_V, i)] * high - half, zero), high - one)
        column, row = np.int32(u), np.int32(v)
        # At the last row or column, the next one weighs nothing.
        right, down = u - np.float32(column), v - np.float32(row)
        corner = np.int32(looks[column_at(_OFFSET, i)]) + row * np.int32(wide) + column
        lookups[column_at(0, i)] = np.int32(corner)
        lookups[column_at(1, i)] = np.int32(corner + np.int32(wide))
        shares[column_at(0, i)] = (one - right) * (one - down)
        shares[column_at(1, i)] = right * (one - down)
        shares[column_at(2, i)] = (one - right) * down
        shares[column_at(3, i)] = right * down


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _light(
    n: int,
    looks: NDArray[np.float32],
    lamps: NDArray[np.float32],
    lights: NDArray[np.float32],
) -> None:
    """Light n samples, whatever their tone, many with one instruction.

    Args:
        n: How many.
        looks: Columns.
        lamps: As for `shade`.
        lights: Columns: what the texel is multiplied by and what is added; written.
    """
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    # A texel's channels are whole numbers.
    unit = np.float32(1.0 / ((1 << LIGHT_BITS) - 1))
    key_x, key_y, key_z = lamps[0, 0], lamps[0, 1], lamps[0, 2]
    key_b, key_g, key_r = lamps[1, 0], lamps[1, 1], lamps[1, 2]
    soil_b, soil_g, soil_r = lamps[3, 0], lamps[3, 1], lamps[3, 2]
    sky_b, sky_g = lamps[2, 0] - soil_b, lamps[2, 1] - soil_g
    sky_r = lamps[2, 2] - soil_r
    up_x, up_y, up_z = lamps[4, 0], lamps[4, 1], lamps[4, 2]
    half_x, half_y, half_z = lamps[5, 0], lamps[5, 1], lamps[5, 2]
    for i in range(n):
        n0, n1 = looks[column_at(_NORMAL, i)], looks[column_at(_NORMAL + 1, i)]
        n2, sees = looks[column_at(_NORMAL + 2, i)], looks[column_at(_SEES, i)]
        length = looks[column_at(_SIDE, i)] / np.float32(
            sqrt(n0 * n0 + n1 * n1 + n2 * n2 + np.float32(1e-12))
        )
        facing = (key_x * n0 + key_y * n1 + key_z * n2) * length
        rise = (half + half * (up_x * n0 + up_y * n1 + up_z * n2) * length) * sees
        lit = np.float32(_KEY_IN_CAVITY) + np.float32(1.0 - _KEY_IN_CAVITY) * sees
        shine = max((half_x * n0 + half_y * n1 + half_z * n2) * length, zero)
        doublings = looks[column_at(_DOUBLINGS, i)]
        for doubling in range(_MOST_DOUBLINGS):
            shine = shine * shine if np.float32(doubling) < doublings else shine
        shine *= looks[column_at(_GLOSS, i)] * lit
        shine = shine if facing > zero else zero
        wrap = looks[column_at(_WRAP, i)]
        key = max((facing + wrap) / (one + wrap), zero) * lit
        lights[column_at(_GAIN, i)] = unit * (
            key_b * key + soil_b * sees + sky_b * rise
        )
        wrap = looks[column_at(_WRAP + 1, i)]
        key = max((facing + wrap) / (one + wrap), zero) * lit
        lights[column_at(_GAIN + 1, i)] = unit * (
            key_g * key + soil_g * sees + sky_g * rise
        )
        wrap = looks[column_at(_WRAP + 2, i)]
        key = max((facing + wrap) / (one + wrap), zero) * lit
        lights[column_at(_GAIN + 2, i)] = unit * (
            key_r * key + soil_r * sees + sky_r * rise
        )
        lights[column_at(_SHINE, i)] = key_b * shine
        lights[column_at(_SHINE + 1, i)] = key_g * shine
        lights[column_at(_SHINE + 2, i)] = key_r * shine
