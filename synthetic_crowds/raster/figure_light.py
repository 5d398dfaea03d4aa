"""Light on what each pixel sees of a figure.

Owns the loop that lights samples once per pixel and part: on triangles about as small
as pixels, that looks like shading every sample and costs a fraction. Attributes are
linear on the screen here, for nobody's nose is that close to the lens. Arithmetic on
arrays, compiled by numba; `figure.py` is the door.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.figure_visibility import OWNER_BITS, SUBPIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["shade"]

# Part of the key light that reaches a fully occluded point.
_KEY_IN_CAVITY = 0.45
# Pixels of which less light than this passes are hidden by what lies in front.
_OPAQUE = 0.998
# Sums of light may be taken in any order: the last digit of a float is no grey level.
_ANY_ORDER = {"contract", "reassoc", "arcp", "nsz", "nnan", "ninf"}


# One long loop on purpose: calling a function per pixel costs more than the pixel.
@njit(cache=True, nogil=True, error_model="numpy", fastmath=_ANY_ORDER)
def shade(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917
    seen: NDArray[np.int64],
    samples: int,
    grouped: bool,  # noqa: FBT001
    corners: NDArray[np.float32],
    triangles: NDArray[np.int32],
    part_of: NDArray[np.uint8],
    texels: NDArray[np.uint8],
    sheets: NDArray[np.int32],
    levels: NDArray[np.int64],
    gloss: NDArray[np.float32],
    doublings: NDArray[np.int32],
    wrap: NDArray[np.float32],
    lamps: NDArray[np.float32],
    decode: NDArray[np.float32],
    left: int,
    top: int,
    skip: tuple[int, int, int, int],
    scenery: NDArray[np.float32],
    depth: np.float32,
    plate: NDArray[np.float32],
    plate_left: int,
    plate_top: int,
) -> None:
    """Light what each pixel of a rectangle sees, behind what the plate shows already.

    Args:
        seen: (h * samples, w * samples) from `cover`.
        samples: Per pixel along each side, 1 or 2.
        grouped: Whether the samples of one pixel that see one part are lit once.
        corners: (v, 8) from `place`.
        triangles: (t, 3), wound outwards.
        part_of: (t,), the part of each triangle.
        texels: (n, 4), all textures.
        sheets: (p, levels, 3): offset into `texels`, height and width.
        levels: (p,), which halving of a part's texture to read.
        gloss: (p,), strength of the highlight.
        doublings: (p,), the highlight's exponent is two to this power.
        wrap: (p, 3), how far the key light bleeds past the terminator.
        lamps: (6, 3): towards the key light, key colour, sky, ground, towards the
            sky, half-way between key light and viewer.
        decode: (256,), sRGB to linear light.
        left: Of the rectangle, in the frame, pixels,
        top: and its upper end.
        skip: Left, top, right, bottom of pixels to leave out.
        scenery: (H, W) of the frame, metres: what is nearer than `depth` hides.
        depth: Of the person, metres.
        plate: (h', w', 4), linear, premultiplied; written.
        plate_left: Of the plate, in the frame,
        plate_top: and its upper end.
    """
    frame_height, frame_width = scenery.shape
    n_samples = samples * samples
    step = SUBPIXELS // samples
    share = np.float32(1.0 / n_samples)
    zero, one = np.float32(0.0), np.float32(1.0)
    mask = (1 << OWNER_BITS) - 1
    here = np.zeros(4, np.int64)
    key_x, key_y, key_z = lamps[0, 0], lamps[0, 1], lamps[0, 2]
    up_x, up_y, up_z = lamps[4, 0], lamps[4, 1], lamps[4, 2]
    half_x, half_y, half_z = lamps[5, 0], lamps[5, 1], lamps[5, 2]
    steepness = one / (one + wrap)
    rows, columns = seen.shape[0] // samples, seen.shape[1] // samples
    first_row = max(0, plate_top - top)
    first_column = max(0, plate_left - left)
    for row in range(first_row, min(rows, plate.shape[0] + plate_top - top)):
        y = top + row
        in_rows = 0 <= y < frame_height
        skips = skip[1] <= y < skip[3]
        plate_y = np.uint64(y - plate_top)
        for column in range(
            first_column, min(columns, plate.shape[1] + plate_left - left)
        ):
            x = left + column
            if n_samples == 1:
                here[0] = seen[np.uint64(row), np.uint64(column)] & mask
                if here[0] == 0:
                    continue
            else:
                any_seen = 0
                for s in range(n_samples):
                    here[s] = mask & (
                        seen[np.uint64(row * samples + s // samples),
                             np.uint64(column * samples + s % samples)]
                    )  # fmt: skip
                    any_seen |= here[s]
                if any_seen == 0:
                    continue
            if skips and skip[0] <= x < skip[2]:
                continue
            plate_x = np.uint64(x - plate_left)
            clear = one - plate[plate_y, plate_x, 3]
            if clear < np.float32(1.0 - _OPAQUE):
                continue
            if in_rows and 0 <= x < frame_width and scenery[y, x] < depth:
                continue
            for s in range(n_samples):
                owner = here[s]
                if owner == 0:
                    continue
                t = np.uint64((owner >> 1) - 1)
                part = part_of[t]
                # All samples that see this part from this side, and their middle.
                count, sum_x, sum_y = 1, s % samples, s // samples
                for q in range(s + 1, n_samples if grouped else 0):
                    other = here[q]
                    if other == 0 or (other ^ owner) & 1:
                        continue
                    if part_of[np.uint64((other >> 1) - 1)] != part:
                        continue
                    here[q] = 0
                    count += 1
                    sum_x += q % samples
                    sum_y += q // samples
                weight = clear * share * np.float32(count)
                a, b, c = (
                    np.uint64(triangles[t, 0]),
                    np.uint64(triangles[t, 1]),
                    np.uint64(triangles[t, 2]),
                )
                ax, ay = corners[a, 0], corners[a, 1]
                at_x = (
                    np.float32(x * SUBPIXELS + step // 2 + sum_x * step // count) - ax
                )
                at_y = (
                    np.float32(y * SUBPIXELS + step // 2 + sum_y * step // count) - ay
                )
                bx, by = corners[b, 0] - ax, corners[b, 1] - ay
                cx, cy = corners[c, 0] - ax, corners[c, 1] - ay
                scale = one / (bx * cy - by * cx)
                # Their middle may lie beside this triangle: then its rim must do.
                wb = min(max((at_x * cy - at_y * cx) * scale, zero), one)
                wc = min(max((bx * at_y - by * at_x) * scale, zero), one - wb)
                wa = one - wb - wc

                level = levels[part]
                offset = sheets[part, level, 0]
                high, wide = sheets[part, level, 1], sheets[part, level, 2]
                u = wa * corners[a, 5] + wb * corners[b, 5] + wc * corners[c, 5]
                v = wa * corners[a, 6] + wb * corners[b, 6] + wc * corners[c, 6]
                u = u * np.float32(wide) - np.float32(0.5)
                v = v * np.float32(high) - np.float32(0.5)
                u = min(max(u, zero), np.float32(wide - 1))
                v = min(max(v, zero), np.float32(high - 1))
                u0, v0 = int(u), int(v)
                u1, v1 = min(u0 + 1, wide - 1), min(v0 + 1, high - 1)
                u -= np.float32(u0)
                v -= np.float32(v0)
                above, below = offset + v0 * wide, offset + v1 * wide
                p00, p01 = np.uint64(above + u0), np.uint64(above + u1)
                p10, p11 = np.uint64(below + u0), np.uint64(below + u1)
                t00, t01 = (one - u) * (one - v), u * (one - v)
                t10, t11 = (one - u) * v, u * v

                n0 = wa * corners[a, 2] + wb * corners[b, 2] + wc * corners[c, 2]
                n1 = wa * corners[a, 3] + wb * corners[b, 3] + wc * corners[c, 3]
                n2 = wa * corners[a, 4] + wb * corners[b, 4] + wc * corners[c, 4]
                side = -one if owner & 1 else one
                length = side / np.float32(
                    sqrt(n0 * n0 + n1 * n1 + n2 * n2 + np.float32(1e-12))
                )
                n0 *= length
                n1 *= length
                n2 *= length
                sees = wa * corners[a, 7] + wb * corners[b, 7] + wc * corners[c, 7]
                facing = key_x * n0 + key_y * n1 + key_z * n2
                rise = np.float32(0.5) + np.float32(0.5) * (
                    up_x * n0 + up_y * n1 + up_z * n2
                )
                lit = (
                    np.float32(_KEY_IN_CAVITY) + np.float32(1.0 - _KEY_IN_CAVITY) * sees
                )
                shine = zero
                if gloss[part] > zero and facing > zero:
                    shine = half_x * n0 + half_y * n1 + half_z * n2
                    shine = max(shine, zero)
                    for _ in range(doublings[part]):
                        shine *= shine
                    shine *= gloss[part] * lit
                for j in range(3):
                    albedo = (
                        t00 * decode[texels[p00, j]]
                        + t01 * decode[texels[p01, j]]
                        + t10 * decode[texels[p10, j]]
                        + t11 * decode[texels[p11, j]]
                    )
                    bleed = wrap[part, j]
                    key = max((facing + bleed) * steepness[part, j], zero) * lit
                    sky = (lamps[3, j] + (lamps[2, j] - lamps[3, j]) * rise) * sees
                    plate[plate_y, plate_x, j] += weight * (
                        albedo * (lamps[1, j] * key + sky) + lamps[1, j] * shine
                    )
                plate[plate_y, plate_x, 3] += weight
