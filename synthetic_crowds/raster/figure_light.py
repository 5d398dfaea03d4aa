"""Light on what each pixel sees of a figure.

Owns the loops that light samples: a row's visible ones are listed first, then lit one
after the other, so that neither loop has to guess. Attributes are linear on the screen
here, for nobody's nose is that close to the lens. Arithmetic on arrays, compiled by
numba; `figure.py` is the door.
"""

from __future__ import annotations

from math import log2, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.figure_meshes import LIGHT_BITS, SUBPIXELS, TEXEL_BITS
from synthetic_crowds.raster.figure_sift import BLOCK_BITS
from synthetic_crowds.raster.lanes import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["shade"]

# Part of the key light that reaches a fully occluded point.
_KEY_IN_CAVITY = 0.45
# Pixels of which less light than this passes are hidden by what lies in front.
_OPAQUE = 0.998
# Sums of light may be taken in any order: the last digit of a float is no grey level.
_ANY_ORDER = {"contract", "reassoc", "arcp", "nsz", "nnan", "ninf"}
# Texels are mixed in this fraction of themselves.
_MIX_BITS = TEXEL_BITS - LIGHT_BITS
_MIX = 1 << _MIX_BITS
_TEXEL_MASK = (1 << TEXEL_BITS) - 1
# So many samples are listed before they are lit.
_BATCH = 512


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def shade(  # noqa: PLR0913, PLR0917
    seen: NDArray[np.int32],
    columns: int,
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
        columns: Of pixels.
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
        finish: (p, 7): strength of the highlight, how far the key light bleeds past
            the terminator (3), and how steeply it falls off there (3).
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
    end = min(columns, plate.shape[1] + plate_left - left)
    room = _BATCH + max(end - first, 0) * samples * samples + 4
    owners = np.empty(room, np.int32)
    pixels = np.empty(room, np.int32)
    places = np.empty((room, 2), np.float32)
    weights = np.empty(room, np.float32)
    shares = np.empty((room, 2), np.float32)
    lookups = np.empty((room, 3), np.int32)
    chosen = np.empty((len(sheets), 3), np.int32)
    for part in range(len(sheets)):
        halvings = log2(max(texels_per_m[part] / lookups_per_m, 1.0))
        for i in range(3):
            chosen[part, i] = sheets[part, min(int(halvings), sheets.shape[1] - 1), i]
    flat = plate.reshape(-1, 4)
    n = 0
    for row in range(first_row, end_row):
        n = _list_row(
            n, seen, (1 << owner_bits) - 1, row, first, end, samples, grouped, part_of,
            left, top, skip, scenery, depth, flat,
            (top + row - plate_top) * plate.shape[1] - plate_left, plate.shape[1],
            filled[(top + row - plate_top) >> BLOCK_BITS if filled.size else 0 :][:1],
            -plate_left, owners, pixels, places, weights,
        )  # fmt: skip
        if n >= _BATCH or row == end_row - 1:
            _light(
                n, owners, pixels, places, weights, shares, lookups, corners, triangles,
                part_of, texels, chosen, finish, doublings, lamps, flat,
            )  # fmt: skip
            n = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _list_row(  # noqa: PLR0913, PLR0917
    n: int,
    seen: NDArray[np.int32],
    mask: int,
    row: int,
    first: int,
    end: int,
    samples: int,
    grouped: bool,  # noqa: FBT001
    part_of: NDArray[np.uint8],
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
        if (
            in_rows
            and 0 <= x < frame_width
            and scenery[np.uint64(y), np.uint64(x)] < depth
        ):
            continue
        if filled.size and (samples == 1 or min(a, b, c, d) > 0):
            filled[0, np.uint64((x + inset) >> BLOCK_BITS)] += 1
        middle_x = x * SUBPIXELS + SUBPIXELS // 2
        if samples == 1 or (grouped and _alike(a, b, c, d, part_of)):
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
    part_of: NDArray[np.uint8],
) -> bool:
    """Whether four samples see one side of one part."""
    if min(a, b, c, d) == 0 or ((a ^ b) | (a ^ c) | (a ^ d)) & 1:
        return False
    part = part_of[np.uint64((a >> 1) - 1)]
    return (
        part_of[np.uint64((b >> 1) - 1)] == part
        and part_of[np.uint64((c >> 1) - 1)] == part
        and part_of[np.uint64((d >> 1) - 1)] == part
    )


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def _light(  # noqa: PLR0913, PLR0915, PLR0917
    n: int,
    owners: NDArray[np.int32],
    pixels: NDArray[np.int32],
    places: NDArray[np.float32],
    weights: NDArray[np.float32],
    shares: NDArray[np.float32],
    lookups: NDArray[np.int32],
    corners: NDArray[np.float32],
    triangles: NDArray[np.int32],
    part_of: NDArray[np.uint8],
    texels: NDArray[np.uint64],
    sheets: NDArray[np.int32],
    finish: NDArray[np.float32],
    doublings: NDArray[np.int32],
    lamps: NDArray[np.float32],
    plate: NDArray[np.float32],
) -> None:
    """Light listed samples and add them to the plate's pixels (n, 4)."""
    zero, one, half = np.float32(0.0), np.float32(1.0), np.float32(0.5)
    key_x, key_y, key_z = lamps[0, 0], lamps[0, 1], lamps[0, 2]
    key_b, key_g, key_r = lamps[1, 0], lamps[1, 1], lamps[1, 2]
    soil_b, soil_g, soil_r = lamps[3, 0], lamps[3, 1], lamps[3, 2]
    sky_b, sky_g = lamps[2, 0] - soil_b, lamps[2, 1] - soil_g
    sky_r = lamps[2, 2] - soil_r
    up_x, up_y, up_z = lamps[4, 0], lamps[4, 1], lamps[4, 2]
    half_x, half_y, half_z = lamps[5, 0], lamps[5, 1], lamps[5, 2]
    unit = np.float32(1.0 / (((1 << LIGHT_BITS) - 1) * _MIX))
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
        fine_u, fine_v = np.int64(u), np.int64(v)
        # At the last row or column, the next one weighs nothing.
        corner = np.uint64(
            sheets[part, 0] + (fine_v >> _MIX_BITS) * wide + (fine_u >> _MIX_BITS)
        )
        shares[s, 0], shares[s, 1] = wb, wc
        lookups[s, 0], lookups[s, 1], lookups[s, 2] = corner, fine_u, fine_v
        prefetch(texels, corner)
        prefetch(texels, corner + np.uint64(wide))
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
        wb, wc = shares[s, 0], shares[s, 1]
        wa = one - wb - wc
        corner = np.uint64(lookups[s, 0])
        fine_u = np.int64(lookups[s, 1]) & (_MIX - 1)
        fine_v = np.int64(lookups[s, 2]) & (_MIX - 1)
        both = (fine_u * fine_v + _MIX // 2) >> _MIX_BITS
        below = corner + np.uint64(sheets[part, 2])
        mix = (
            np.uint64(_MIX - fine_u - fine_v + both) * texels[corner]
            + np.uint64(fine_u - both) * texels[corner + np.uint64(1)]
            + np.uint64(fine_v - both) * texels[below]
            + np.uint64(both) * texels[below + np.uint64(1)]
        )

        n0 = wa * corners[a, 2] + wb * corners[b, 2] + wc * corners[c, 2]
        n1 = wa * corners[a, 3] + wb * corners[b, 3] + wc * corners[c, 3]
        n2 = wa * corners[a, 4] + wb * corners[b, 4] + wc * corners[c, 4]
        sees = wa * corners[a, 7] + wb * corners[b, 7] + wc * corners[c, 7]
        side = one - np.float32(np.int64(owner & np.uint64(1)) << 1)
        length = side / np.float32(
            sqrt(n0 * n0 + n1 * n1 + n2 * n2 + np.float32(1e-12))
        )
        facing = (key_x * n0 + key_y * n1 + key_z * n2) * length
        rise = (half + half * (up_x * n0 + up_y * n1 + up_z * n2) * length) * sees
        lit = np.float32(_KEY_IN_CAVITY) + np.float32(1.0 - _KEY_IN_CAVITY) * sees
        shine = zero
        if finish[part, 0] > zero and facing > zero:
            shine = max((half_x * n0 + half_y * n1 + half_z * n2) * length, zero)
            for _ in range(doublings[part]):
                shine *= shine
            shine *= finish[part, 0] * lit
        weight = weights[s]
        x = np.uint64(pixels[s])
        tone = np.float32(np.int64(mix & np.uint64(_TEXEL_MASK)))
        key = max((facing + finish[part, 1]) * finish[part, 4], zero) * lit
        glow = key_b * key + soil_b * sees + sky_b * rise
        plate[x, 0] += weight * (tone * unit * glow + key_b * shine)
        tone = np.float32(
            np.int64((mix >> np.uint64(TEXEL_BITS)) & np.uint64(_TEXEL_MASK))
        )
        key = max((facing + finish[part, 2]) * finish[part, 5], zero) * lit
        glow = key_g * key + soil_g * sees + sky_g * rise
        plate[x, 1] += weight * (tone * unit * glow + key_g * shine)
        tone = np.float32(np.int64(mix >> np.uint64(2 * TEXEL_BITS)))
        key = max((facing + finish[part, 3]) * finish[part, 6], zero) * lit
        glow = key_r * key + soil_r * sees + sky_r * rise
        plate[x, 2] += weight * (tone * unit * glow + key_r * shine)
        plate[x, 3] += weight
