"""The inner loops that draw people: small triangles, many of them, seen many times.

Owns nothing but arithmetic on arrays, compiled by numba; `figure.py` is the door.
Visibility is decided at every sample, light once per pixel and part: on triangles
about as small as pixels, that looks like shading every sample and costs a fraction.
Attributes are linear on the screen here, for nobody's nose is that close to the lens.
No fastmath: two machines must draw the same picture.
"""

from __future__ import annotations

from math import floor, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CLOSED",
    "HOLED",
    "OWNER_BITS",
    "SUBPIXELS",
    "cover",
    "halve",
    "pierce",
    "place",
    "shade",
    "wind",
]

# Screen positions are whole numbers of this fraction of a pixel: edge functions are
# exact, so an edge shared by two triangles is drawn once.
SUBPIXELS = 256
_FURTHEST = 1 << 22
# Part of the key light that reaches a fully occluded point.
_KEY_IN_CAVITY = 0.45
# Kinds of triangles: their backs are never seen; their textures have holes there.
CLOSED, HOLED = 1, 2
_HOLE = 128
# A sample sees 1/depth in steps of 2**-38 per metre, and 2**19 triangles at most.
OWNER_BITS = 20
_NEARNESS_UNITS = 2.0**38
# Pixels of which less light than this passes are hidden by what lies in front.
_OPAQUE = 0.998


@njit(cache=True, nogil=True, error_model="numpy")
def wind(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    triangles: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Order the corners of each triangle so that their turn agrees with the normals."""
    wound = triangles.copy()
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        outward = 0.0
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            across = (vertices[b, j] - vertices[a, j]) * (
                vertices[c, k] - vertices[a, k]
            ) - (vertices[b, k] - vertices[a, k]) * (vertices[c, j] - vertices[a, j])
            outward += across * (normals[a, i] + normals[b, i] + normals[c, i])
        if outward < 0.0:
            wound[t, 1], wound[t, 2] = c, b
    return wound


@njit(cache=True, nogil=True, error_model="numpy")
def pierce(
    uv: NDArray[np.float32],
    triangles: NDArray[np.int32],
    alpha: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Tell triangles without holes (0) from those with some (1) or nothing else (2)."""
    height, width = alpha.shape
    found = np.zeros(triangles.shape[0], np.uint8)
    for t in range(triangles.shape[0]):
        left, top, right, bottom = width, height, -1, -1
        for i in range(3):
            # Bilinear lookups reach one texel further.
            x = floor(uv[triangles[t, i], 0] * width - 0.5)
            y = floor(uv[triangles[t, i], 1] * height - 0.5)
            left, right = min(left, x), max(right, x + 1)
            top, bottom = min(top, y), max(bottom, y + 1)
        left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
        right, bottom = min(max(right, 0), width - 1), min(max(bottom, 0), height - 1)
        holes = 0
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                holes += alpha[y, x] < _HOLE
        if holes == (bottom - top + 1) * (right - left + 1):
            found[t] = 2
        elif holes:
            found[t] = 1
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def halve(
    texture: NDArray[np.uint8],
    decode: NDArray[np.float32],
    encode: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Average 2 x 2 texels in linear light; alpha as it is stored."""
    height, width = texture.shape[0] // 2, texture.shape[1] // 2
    small = np.empty((height, width, 4), np.uint8)
    last = np.float32(encode.size - 1)
    for y in range(height):
        for x in range(width):
            for c in range(3):
                light = np.float32(0.0)
                for j in range(4):
                    light += decode[texture[2 * y + (j >> 1), 2 * x + (j & 1), c]]
                small[y, x, c] = encode[int(light * np.float32(0.25) * last + 0.5)]
            total = 0
            for j in range(4):
                total += texture[2 * y + (j >> 1), 2 * x + (j & 1), 3]
            small[y, x, 3] = (total + 2) // 4
    return small


@njit(cache=True, nogil=True, error_model="numpy")
def place(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    rotation: NDArray[np.float64],
    translation: NDArray[np.float64],
    optics: tuple[float, float, float, float],
    nearest: float,
    screen: NDArray[np.int32],
    inverse: NDArray[np.float32],
    turned: NDArray[np.float32],
) -> tuple[int, int, int, int]:
    """Project vertices and turn normals.

    Args:
        vertices: (v, 3), local.
        normals: (v, 3), local.
        rotation: (3, 3), local to camera.
        translation: (3,), the local origin in camera space.
        optics: Focal lengths and principal point, pixels.
        nearest: Depths below this are taken for it.
        screen: (v, 2), in subpixels; written.
        inverse: (v,), 1/depth; written.
        turned: (v, 3), camera space; written.

    Returns:
        Left, top, right, bottom of the projected vertices, in subpixels.
    """
    fx, fy, cx, cy = optics
    left, top, rightmost, bottom = _FURTHEST, _FURTHEST, -_FURTHEST, -_FURTHEST
    for i in range(vertices.shape[0]):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        depth = (
            rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z
        ) + translation[2]
        near = 1.0 / max(depth, nearest)
        right = (
            rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z
        ) + translation[0]
        down = (
            rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z
        ) + translation[1]
        across = floor((fx * right * near + cx) * SUBPIXELS + 0.5)
        along = floor((fy * down * near + cy) * SUBPIXELS + 0.5)
        across = min(max(across, -_FURTHEST), _FURTHEST)
        along = min(max(along, -_FURTHEST), _FURTHEST)
        screen[i, 0] = across
        screen[i, 1] = along
        left, rightmost = min(left, across), max(rightmost, across)
        top, bottom = min(top, along), max(bottom, along)
        inverse[i] = near
        u, v, w = normals[i, 0], normals[i, 1], normals[i, 2]
        for j in range(3):
            turned[i, j] = rotation[j, 0] * u + rotation[j, 1] * v + rotation[j, 2] * w
    return left, top, rightmost, bottom


@njit(cache=True, nogil=True, error_model="numpy")
def cover(  # noqa: PLR0913, PLR0915, PLR0917
    screen: NDArray[np.int32],
    inverse: NDArray[np.float32],
    triangles: NDArray[np.int32],
    first: int,
    end: int,
    part_of: NDArray[np.uint8],
    kinds: NDArray[np.uint8],
    uv: NDArray[np.float32],
    texels: NDArray[np.uint8],
    sheets: NDArray[np.int32],
    left: int,
    top: int,
    samples: int,
    seen: NDArray[np.int64],
) -> None:
    """Find the triangle that each sample of a rectangle sees.

    Args:
        screen: (v, 2) from `place`.
        inverse: (v,) from `place`.
        triangles: (t, 3), wound outwards.
        first: Triangles from this one on are drawn,
        end: up to this one.
        part_of: (t,), the part of each triangle.
        kinds: (t,), whether a triangle is `CLOSED` or `HOLED`.
        uv: (v, 2) in [0, 1].
        texels: (n, 4), all textures.
        sheets: (p, levels, 3): offset into `texels`, height and width.
        left: Of the rectangle, pixels,
        top: and its upper end.
        samples: Per pixel along each side.
        seen: (h, w), 0 where empty; written. A sample holds the nearness of what it
            sees, above `OWNER_BITS` bits for 2 + 2 * triangle, + 1 if it is its back.
    """
    height, width = seen.shape
    flat = seen.ravel()
    shift_x, shift_y = left * SUBPIXELS, top * SUBPIXELS
    half = SUBPIXELS // 2
    for t in range(first, end):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax = (screen[a, 0] - shift_x) * samples
        bx = (screen[b, 0] - shift_x) * samples
        px = (screen[c, 0] - shift_x) * samples
        ay = (screen[a, 1] - shift_y) * samples
        by = (screen[b, 1] - shift_y) * samples
        py = (screen[c, 1] - shift_y) * samples
        area = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        # Outward corners run anticlockwise for the viewer; y points down.
        if area >= 0 and (area == 0 or kinds[t] & CLOSED):
            continue
        x0 = max((min(ax, bx, px) + half - 1) >> 8, 0)
        x1 = min((max(ax, bx, px) - half) >> 8, width - 1)
        y0 = max((min(ay, by, py) + half - 1) >> 8, 0)
        y1 = min((max(ay, by, py) - half) >> 8, height - 1)
        # No sample in the bounding box: most triangles of a distant person.
        if x0 > x1 or y0 > y1:
            continue
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
        scale = _NEARNESS_UNITS * share
        za, zb, zc = inverse[a] * scale, inverse[b] * scale, inverse[c] * scale
        z_row = (int(wa_row * za + wb_row * zb + wc_row * zc) << OWNER_BITS) | owner
        z_x = int(-(day * za + dby * zb + dcy * zc) * SUBPIXELS) << OWNER_BITS
        z_y = int((dax * za + dbx * zb + dcx * zc) * SUBPIXELS) << OWNER_BITS
        # A sample exactly on an edge belongs to the triangle below or right of it.
        wa_row -= 0 if day < 0 or (day == 0 and dax > 0) else 1
        wb_row -= 0 if dby < 0 or (dby == 0 and dbx > 0) else 1
        wc_row -= 0 if dcy < 0 or (dcy == 0 and dcx > 0) else 1
        wa_x, wb_x, wc_x = day * SUBPIXELS, dby * SUBPIXELS, dcy * SUBPIXELS
        wa_y, wb_y, wc_y = dax * SUBPIXELS, dbx * SUBPIXELS, dcx * SUBPIXELS
        has_holes = kinds[t] & HOLED
        sheet = sheets[part_of[t], 0]
        start = y0 * width + x0
        for _ in range(y1 - y0 + 1):
            wa, wb, wc, z = wa_row, wb_row, wc_row, z_row
            if has_holes:
                for i in range(start, start + x1 - x0 + 1):
                    if (
                        (wa | wb | wc) >= 0
                        and z > flat[i]
                        and not _is_hole(
                            (wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]) * share,
                            (wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]) * share,
                            texels,
                            sheet,
                        )
                    ):
                        flat[i] = z
                    wa -= wa_x
                    wb -= wb_x
                    wc -= wc_x
                    z += z_x
            else:
                # Without a branch: which samples lie inside cannot be guessed.
                for i in range(start, start + x1 - x0 + 1):
                    at = np.uint64(i)
                    near = z & ~((wa | wb | wc) >> 63)
                    nearest = flat[at]
                    flat[at] = near if near > nearest else nearest
                    wa -= wa_x
                    wb -= wb_x
                    wc -= wc_x
                    z += z_x
            wa_row += wa_y
            wb_row += wb_y
            wc_row += wc_y
            z_row += z_y
            start += width


@njit(cache=True, nogil=True, error_model="numpy")
def _is_hole(
    u: float, v: float, texels: NDArray[np.uint8], sheet: NDArray[np.int32]
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
    upper = (1.0 - u) * texels[above + u0, 3] + u * texels[above + u1, 3]
    lower = (1.0 - u) * texels[below + u0, 3] + u * texels[below + u1, 3]
    return (1.0 - v) * upper + v * lower < _HOLE


# One long loop on purpose: calling a function per pixel costs more than the pixel.
@njit(cache=True, nogil=True, error_model="numpy")
def shade(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917
    seen: NDArray[np.int64],
    samples: int,
    grouped: bool,  # noqa: FBT001
    screen: NDArray[np.int32],
    normals: NDArray[np.float32],
    triangles: NDArray[np.int32],
    part_of: NDArray[np.uint8],
    uv: NDArray[np.float32],
    occlusion: NDArray[np.float32],
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
        screen: (v, 2) from `place`.
        normals: (v, 3) from `place`.
        triangles: (t, 3), wound outwards.
        part_of: (t,), the part of each triangle.
        uv: (v, 2) in [0, 1].
        occlusion: (v,) in [0, 1], share of the sky seen.
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
                ax, ay = screen[a, 0], screen[a, 1]
                at_x = np.float32(
                    x * SUBPIXELS + step // 2 + sum_x * step // count - ax
                )
                at_y = np.float32(
                    y * SUBPIXELS + step // 2 + sum_y * step // count - ay
                )
                bx, by = np.float32(screen[b, 0] - ax), np.float32(screen[b, 1] - ay)
                cx, cy = np.float32(screen[c, 0] - ax), np.float32(screen[c, 1] - ay)
                scale = one / (bx * cy - by * cx)
                # Their middle may lie beside this triangle: then its rim must do.
                wb = min(max((at_x * cy - at_y * cx) * scale, zero), one)
                wc = min(max((bx * at_y - by * at_x) * scale, zero), one - wb)
                wa = one - wb - wc

                level = levels[part]
                offset = sheets[part, level, 0]
                high, wide = sheets[part, level, 1], sheets[part, level, 2]
                u = wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]
                v = wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]
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

                n0 = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
                n1 = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
                n2 = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
                side = -one if owner & 1 else one
                length = side / np.float32(
                    sqrt(n0 * n0 + n1 * n1 + n2 * n2 + np.float32(1e-12))
                )
                n0 *= length
                n1 *= length
                n2 *= length
                sees = wa * occlusion[a] + wb * occlusion[b] + wc * occlusion[c]
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
                    key = max((facing + bleed) / (one + bleed), zero) * lit
                    sky = (lamps[3, j] + (lamps[2, j] - lamps[3, j]) * rise) * sees
                    plate[plate_y, plate_x, j] += weight * (
                        albedo * (lamps[1, j] * key + sky) + lamps[1, j] * shine
                    )
                plate[plate_y, plate_x, 3] += weight
