"""Light on what each pixel sees of a figure.

Owns the loops that light samples, some hundred at a time: listed, looked up on their
triangles while their texels are fetched, then lit many at once. Attributes are linear
on the screen here, for nobody's nose is that close to the lens. Arithmetic on arrays,
compiled by numba; `figure.py` is the door.
"""

from __future__ import annotations

from math import log2, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.figure_listing import list_row
from synthetic_crowds.raster.figure_meshes import LIGHT_BITS, TEXEL_BITS
from synthetic_crowds.raster.figure_sift import BLOCK_BITS
from synthetic_crowds.raster.lanes import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["WIDEST_PX", "shade"]

# Part of the key light that reaches a fully occluded point.
_KEY_IN_CAVITY = 0.45
# Sums of light may be taken in any order: the last digit of a float is no grey level.
_ANY_ORDER = {"contract", "reassoc", "arcp", "nsz", "nnan", "ninf"}
# Texels are mixed in this fraction of themselves.
_MIX_BITS = TEXEL_BITS - LIGHT_BITS
_MIX = 1 << _MIX_BITS
# So many samples are listed before they are lit, and those of one row at most more.
_BATCH = 512
# What is known of listed samples lies in columns, one after the other and not a round
# number apart, for then they would push each other out of the caches.
WIDEST_PX = 3900
_ROOM = 4 * WIDEST_PX + _BATCH + 80
_NORMAL, _SEES, _SIDE, _GLOSS, _WRAP, _TONE, _COLUMNS = 0, 3, 4, 5, 6, 9, 12
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
    part_of: NDArray[np.uint8],
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
        corners: (v, 8) from `place`.
        triangles: (t, 3), wound outwards.
        part_of: (t,), the part of each triangle.
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
    room = _BATCH + max(end - first, 0) * samples * samples + 4
    owners = np.empty(room, np.int32)
    pixels = np.empty(room, np.int32)
    places = np.empty((room, 2), np.float32)
    weights = np.empty(room, np.float32)
    lookups = np.empty((room, 4), np.int32)
    doubled = np.empty(room, np.int32)
    columns = np.empty(_COLUMNS * _ROOM, np.float32)
    chosen = np.empty((len(sheets), 3), np.int32)
    for part in range(len(sheets)):
        halvings = log2(max(texels_per_m[part] / lookups_per_m, 1.0))
        for i in range(3):
            chosen[part, i] = sheets[part, min(int(halvings), sheets.shape[1] - 1), i]
    flat = plate.reshape(-1, 4)
    n = 0
    for row in range(first_row, end_row):
        n = list_row(
            n, seen, (1 << owner_bits) - 1, row, first, end, samples, grouped, part_of,
            left, top, skip, scenery, depth, flat,
            (top + row - plate_top) * plate.shape[1] - plate_left, plate.shape[1],
            filled[(top + row - plate_top) >> BLOCK_BITS if filled.size else 0 :][:1],
            -plate_left, owners, pixels, places, weights,
        )  # fmt: skip
        if n >= _BATCH or row == end_row - 1:
            _look_up(
                n, owners, places, corners, triangles, part_of, chosen, finish,
                doublings, texels, lookups, doubled, columns,
            )  # fmt: skip
            _mix(n, lookups, texels, columns)
            _light(n, doubled, lamps, columns)
            _add(n, pixels, weights, columns, flat)
            n = 0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _look_up(  # noqa: PLR0913, PLR0917
    n: int,
    owners: NDArray[np.int32],
    places: NDArray[np.float32],
    corners: NDArray[np.float32],
    triangles: NDArray[np.int32],
    part_of: NDArray[np.uint8],
    sheets: NDArray[np.int32],
    finish: NDArray[np.float32],
    doublings: NDArray[np.int32],
    texels: NDArray[np.uint64],
    lookups: NDArray[np.int32],
    doubled: NDArray[np.int32],
    columns: NDArray[np.float32],
) -> None:
    """Find what listed samples see of their triangles, and begin to fetch their texels.

    Args:
        n: How many are listed.
        owners: (n,), what each sees,
        places: (n, 2), where it is.
        corners: As for `shade`.
        triangles: As for `shade`.
        part_of: As for `shade`.
        sheets: (p, 3), of the halvings to read.
        finish: As for `shade`.
        doublings: As for `shade`.
        texels: As for `shade`; not read yet.
        lookups: (n, 4), number of the texel above and to the left, the shares of those
            to the right and below, and a row's width; written.
        doubled: (n,), doublings of each one's highlight; written.
        columns: Of `_ROOM` numbers: normal (3), sky seen, which side, and finish (4);
            written.
    """
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    for i in range(n):
        s = np.uint64(i)
        owner = np.uint64(owners[s])
        t = (owner >> np.uint64(1)) - np.uint64(1)
        a, b, c = (
            np.uint64(triangles[t, 0]),
            np.uint64(triangles[t, 1]),
            np.uint64(triangles[t, 2]),
        )
        part = np.uint64(part_of[t])
        ax, ay = corners[a, 0], corners[a, 1]
        at_x, at_y = places[s, 0] - ax, places[s, 1] - ay
        bx, by = corners[b, 0] - ax, corners[b, 1] - ay
        cx, cy = corners[c, 0] - ax, corners[c, 1] - ay
        scale = one / (bx * cy - by * cx)
        # The middle of a pixel may lie beside this triangle: its rim must do.
        wb = min(max((at_x * cy - at_y * cx) * scale, zero), one)
        wc = min(max((bx * at_y - by * at_x) * scale, zero), one - wb)
        wa = one - wb - wc
        high, wide = sheets[part, 1], sheets[part, 2]
        u = wa * corners[a, 5] + wb * corners[b, 5] + wc * corners[c, 5]
        v = wa * corners[a, 6] + wb * corners[b, 6] + wc * corners[c, 6]
        u = u * np.float32(wide * _MIX) - np.float32(_MIX // 2)
        v = v * np.float32(high * _MIX) - np.float32(_MIX // 2)
        u = min(max(u, zero), np.float32((wide - 1) * _MIX))
        v = min(max(v, zero), np.float32((high - 1) * _MIX))
        fine_u, fine_v = np.int64(u + half), np.int64(v + half)
        # At the last row or column, the next one weighs nothing.
        corner = np.uint64(
            sheets[part, 0] + (fine_v >> _MIX_BITS) * wide + (fine_u >> _MIX_BITS)
        )
        prefetch(texels, corner)
        prefetch(texels, corner + np.uint64(wide))
        lookups[s, 0], lookups[s, 3] = corner, wide
        lookups[s, 1], lookups[s, 2] = fine_u & (_MIX - 1), fine_v & (_MIX - 1)
        doubled[s] = doublings[part]
        for j in range(3):
            columns[np.uint64((_NORMAL + j) * _ROOM + i)] = (
                wa * corners[a, 2 + j] + wb * corners[b, 2 + j] + wc * corners[c, 2 + j]
            )
            columns[np.uint64((_WRAP + j) * _ROOM + i)] = finish[part, 1 + j]
        columns[np.uint64(_SEES * _ROOM + i)] = (
            wa * corners[a, 7] + wb * corners[b, 7] + wc * corners[c, 7]
        )
        side = one - np.float32(np.int64(owner & np.uint64(1)) << 1)
        columns[np.uint64(_SIDE * _ROOM + i)] = side
        columns[np.uint64(_GLOSS * _ROOM + i)] = finish[part, 0]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _mix(
    n: int,
    lookups: NDArray[np.int32],
    texels: NDArray[np.uint64],
    columns: NDArray[np.float32],
) -> None:
    """Mix the four texels around each of n lookups; writes the columns of tones."""
    unit = np.float32(1.0 / (((1 << LIGHT_BITS) - 1) * _MIX))
    field = np.uint64((1 << TEXEL_BITS) - 1)
    for i in range(n):
        s = np.uint64(i)
        corner = np.uint64(lookups[s, 0])
        below = corner + np.uint64(lookups[s, 3])
        right, down = np.int64(lookups[s, 1]), np.int64(lookups[s, 2])
        both = (right * down + _MIX // 2) >> _MIX_BITS
        mix = (
            np.uint64(_MIX - right - down + both) * texels[corner]
            + np.uint64(right - both) * texels[corner + np.uint64(1)]
            + np.uint64(down - both) * texels[below]
            + np.uint64(both) * texels[below + np.uint64(1)]
        )
        for j in range(3):
            tone = np.int64((mix >> np.uint64(j * TEXEL_BITS)) & field)
            columns[np.uint64((_TONE + j) * _ROOM + i)] = unit * np.float32(tone)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _light(
    n: int,
    doubled: NDArray[np.int32],
    lamps: NDArray[np.float32],
    columns: NDArray[np.float32],
) -> None:
    """Light n samples, many with one instruction: writes over the columns of tones."""
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    key_x, key_y, key_z = lamps[0, 0], lamps[0, 1], lamps[0, 2]
    key_b, key_g, key_r = lamps[1, 0], lamps[1, 1], lamps[1, 2]
    soil_b, soil_g, soil_r = lamps[3, 0], lamps[3, 1], lamps[3, 2]
    sky_b, sky_g = lamps[2, 0] - soil_b, lamps[2, 1] - soil_g
    sky_r = lamps[2, 2] - soil_r
    up_x, up_y, up_z = lamps[4, 0], lamps[4, 1], lamps[4, 2]
    half_x, half_y, half_z = lamps[5, 0], lamps[5, 1], lamps[5, 2]
    for i in range(n):
        s = np.uint64(i)
        n0 = columns[np.uint64(_NORMAL * _ROOM) + s]
        n1 = columns[np.uint64((_NORMAL + 1) * _ROOM) + s]
        n2 = columns[np.uint64((_NORMAL + 2) * _ROOM) + s]
        sees = columns[np.uint64(_SEES * _ROOM) + s]
        length = columns[np.uint64(_SIDE * _ROOM) + s] / np.float32(
            sqrt(n0 * n0 + n1 * n1 + n2 * n2 + np.float32(1e-12))
        )
        facing = (key_x * n0 + key_y * n1 + key_z * n2) * length
        rise = (half + half * (up_x * n0 + up_y * n1 + up_z * n2) * length) * sees
        lit = np.float32(_KEY_IN_CAVITY) + np.float32(1.0 - _KEY_IN_CAVITY) * sees
        shine = max((half_x * n0 + half_y * n1 + half_z * n2) * length, zero)
        for doubling in range(_MOST_DOUBLINGS):
            shine = shine * shine if doubling < doubled[s] else shine
        shine *= columns[np.uint64(_GLOSS * _ROOM) + s] * lit
        shine = shine if facing > zero else zero
        wrap = columns[np.uint64(_WRAP * _ROOM) + s]
        key = max((facing + wrap) / (one + wrap), zero) * lit
        tone = columns[np.uint64(_TONE * _ROOM) + s]
        columns[np.uint64(_TONE * _ROOM) + s] = (
            tone * (key_b * key + soil_b * sees + sky_b * rise) + key_b * shine
        )
        wrap = columns[np.uint64((_WRAP + 1) * _ROOM) + s]
        key = max((facing + wrap) / (one + wrap), zero) * lit
        tone = columns[np.uint64((_TONE + 1) * _ROOM) + s]
        columns[np.uint64((_TONE + 1) * _ROOM) + s] = (
            tone * (key_g * key + soil_g * sees + sky_g * rise) + key_g * shine
        )
        wrap = columns[np.uint64((_WRAP + 2) * _ROOM) + s]
        key = max((facing + wrap) / (one + wrap), zero) * lit
        tone = columns[np.uint64((_TONE + 2) * _ROOM) + s]
        columns[np.uint64((_TONE + 2) * _ROOM) + s] = (
            tone * (key_r * key + soil_r * sees + sky_r * rise) + key_r * shine
        )


@njit(cache=True, nogil=True, error_model="numpy")
def _add(
    n: int,
    pixels: NDArray[np.int32],
    weights: NDArray[np.float32],
    columns: NDArray[np.float32],
    plate: NDArray[np.float32],
) -> None:
    """Add the light of n samples to their pixels of the plate (p, 4)."""
    for i in range(n):
        s = np.uint64(i)
        x = np.uint64(pixels[s])
        for j in range(3):
            plate[x, j] += weights[s] * columns[np.uint64((_TONE + j) * _ROOM) + s]
        plate[x, 3] += weights[s]
