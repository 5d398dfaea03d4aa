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

__all__ = ["SUBPIXELS", "cover", "halve", "place", "shade", "wind"]

# Screen positions are whole numbers of this fraction of a pixel: edge functions are
# exact, so an edge shared by two triangles is drawn once.
SUBPIXELS = 256
_FURTHEST = 1 << 22
# Part of the key light that reaches a fully occluded point.
_KEY_IN_CAVITY = 0.45
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
        across = int(floor((fx * right * near + cx) * SUBPIXELS + 0.5))
        along = int(floor((fy * down * near + cy) * SUBPIXELS + 0.5))
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
def cover(
    screen: NDArray[np.int32],
    inverse: NDArray[np.float32],
    triangles: NDArray[np.int32],
    first: int,
    end: int,
    part_of: NDArray[np.uint8],
    closed: NDArray[np.bool_],
    holed: NDArray[np.bool_],
    uv: NDArray[np.float32],
    texels: NDArray[np.uint8],
    sheets: NDArray[np.int32],
    left: int,
    top: int,
    samples: int,
    nearness: NDArray[np.float32],
    owners: NDArray[np.int32],
) -> None:
    """Find the triangle that each sample of a rectangle sees.

    Args:
        screen: (v, 2) from `place`.
        inverse: (v,) from `place`.
        triangles: (t, 3), wound outwards.
        first: Triangles from this one on are drawn,
        end: up to this one.
        part_of: (t,), the part of each triangle.
        closed: (t,), whose backs are never seen.
        holed: (p,), whether a part's texture has holes.
        uv: (v, 2) in [0, 1].
        texels: (n, 4), all textures.
        sheets: (p, levels, 3): offset into `texels`, height and width.
        left: Of the rectangle, pixels,
        top: and its upper end.
        samples: Per pixel along each side.
        nearness: (h, w), 1/depth, 0 where empty; written.
        owners: (h, w), 0 where empty, else 1 + triangle, negative if its back shows;
            written.
    """
    height, width = owners.shape
    shift_x, shift_y = left * SUBPIXELS, top * SUBPIXELS
    half = SUBPIXELS // 2
    for t in range(first, end):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax = np.int64(screen[a, 0] - shift_x) * samples
        bx = np.int64(screen[b, 0] - shift_x) * samples
        px = np.int64(screen[c, 0] - shift_x) * samples
        x0 = max((min(ax, bx, px) + half - 1) >> 8, 0)
        x1 = min((max(ax, bx, px) - half) >> 8, width - 1)
        # No sample in the bounding box: most triangles of a distant person.
        if x0 > x1:
            continue
        ay = np.int64(screen[a, 1] - shift_y) * samples
        by = np.int64(screen[b, 1] - shift_y) * samples
        py = np.int64(screen[c, 1] - shift_y) * samples
        y0 = max((min(ay, by, py) + half - 1) >> 8, 0)
        y1 = min((max(ay, by, py) - half) >> 8, height - 1)
        if y0 > y1:
            continue
        area = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        # Outward corners run anticlockwise for the viewer; y points down.
        owner = t + 1
        if area >= 0:
            if area == 0 or closed[t]:
                continue
            owner = -owner
        else:
            b, c = c, b
            bx, by, px, py = px, py, bx, by
            area = -area
        # A sample exactly on an edge belongs to the triangle below or right of it.
        dax, day = px - bx, py - by
        dbx, dby = ax - px, ay - py
        dcx, dcy = bx - ax, by - ay
        sx, sy = x0 * SUBPIXELS + half, y0 * SUBPIXELS + half
        wa_row = dax * (sy - by) - day * (sx - bx)
        wb_row = dbx * (sy - py) - dby * (sx - px)
        wc_row = dcx * (sy - ay) - dcy * (sx - ax)
        share = 1.0 / area
        za, zb, zc = inverse[a] * share, inverse[b] * share, inverse[c] * share
        z_row = wa_row * za + wb_row * zb + wc_row * zc
        z_across = -(day * za + dby * zb + dcy * zc) * SUBPIXELS
        z_down = (dax * za + dbx * zb + dcx * zc) * SUBPIXELS
        wa_row -= 0 if day < 0 or (day == 0 and dax > 0) else 1
        wb_row -= 0 if dby < 0 or (dby == 0 and dbx > 0) else 1
        wc_row -= 0 if dcy < 0 or (dcy == 0 and dcx > 0) else 1
        wa_across, wb_across, wc_across = (
            day * SUBPIXELS,
            dby * SUBPIXELS,
            dcy * SUBPIXELS,
        )
        part = part_of[t]
        has_holes = holed[part]
        for y in range(y0, y1 + 1):
            wa, wb, wc, z = wa_row, wb_row, wc_row, z_row
            for x in range(x0, x1 + 1):
                if (wa | wb | wc) >= 0:
                    if z > nearness[y, x] and not (
                        has_holes
                        and _is_hole(
                            (wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]) * share,
                            (wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]) * share,
                            texels,
                            sheets[part, 0],
                        )
                    ):
                        nearness[y, x] = z
                        owners[y, x] = owner
                wa -= wa_across
                wb -= wb_across
                wc -= wc_across
                z += z_across
            wa_row += dax * SUBPIXELS
            wb_row += dbx * SUBPIXELS
            wc_row += dcx * SUBPIXELS
            z_row += z_down


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
    return (1.0 - v) * upper + v * lower < 128.0


# One long loop on purpose: calling a function per pixel costs more than the pixel.
@njit(cache=True, nogil=True, error_model="numpy")
def shade(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917
    owners: NDArray[np.int32],
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
    levels: NDArray[np.int32],
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
        owners: (h * samples, w * samples) from `cover`.
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
    rows, columns = owners.shape[0] // samples, owners.shape[1] // samples
    frame_height, frame_width = scenery.shape
    n_samples = samples * samples
    step = SUBPIXELS // samples
    share = np.float32(1.0 / n_samples)
    zero, one = np.float32(0.0), np.float32(1.0)
    seen = np.zeros(4, np.int32)
    for row in range(rows):
        y = top + row
        plate_y = y - plate_top
        if plate_y < 0 or plate_y >= plate.shape[0]:
            continue
        for column in range(columns):
            x = left + column
            plate_x = x - plate_left
            if plate_x < 0 or plate_x >= plate.shape[1]:
                continue
            if skip[0] <= x < skip[2] and skip[1] <= y < skip[3]:
                continue
            n_left = 0
            for s in range(n_samples):
                seen[s] = owners[row * samples + s // samples,
                                 column * samples + s % samples]  # fmt: skip
                n_left += seen[s] != 0
            if n_left == 0:
                continue
            clear = one - plate[plate_y, plate_x, 3]
            if clear < np.float32(1.0 - _OPAQUE):
                continue
            if 0 <= y < frame_height and 0 <= x < frame_width and scenery[y, x] < depth:
                continue
            for s in range(n_samples):
                owner = seen[s]
                if owner == 0:
                    continue
                side = one if owner > 0 else -one
                t = abs(owner) - 1
                part = part_of[t]
                # All samples that see this part from this side, and their middle.
                count = 0
                sum_x = 0
                sum_y = 0
                for q in range(s, n_samples if grouped else s + 1):
                    other = seen[q]
                    if other == 0 or (other > 0) != (owner > 0):
                        continue
                    if part_of[abs(other) - 1] != part:
                        continue
                    seen[q] = 0
                    count += 1
                    sum_x += q % samples
                    sum_y += q // samples
                weight = clear * share * np.float32(count)
                a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
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
                t00, t01 = (one - u) * (one - v), u * (one - v)
                t10, t11 = (one - u) * v, u * v

                n0 = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
                n1 = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
                n2 = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
                length = side / np.float32(
                    sqrt(n0 * n0 + n1 * n1 + n2 * n2 + np.float32(1e-12))
                )
                n0 *= length
                n1 *= length
                n2 *= length
                sees = wa * occlusion[a] + wb * occlusion[b] + wc * occlusion[c]
                facing = lamps[0, 0] * n0 + lamps[0, 1] * n1 + lamps[0, 2] * n2
                rise = np.float32(0.5) + np.float32(0.5) * (
                    lamps[4, 0] * n0 + lamps[4, 1] * n1 + lamps[4, 2] * n2
                )
                lit = (
                    np.float32(_KEY_IN_CAVITY) + np.float32(1.0 - _KEY_IN_CAVITY) * sees
                )
                shine = zero
                if gloss[part] > zero and facing > zero:
                    shine = lamps[5, 0] * n0 + lamps[5, 1] * n1 + lamps[5, 2] * n2
                    shine = max(shine, zero)
                    for _ in range(doublings[part]):
                        shine *= shine
                    shine *= gloss[part] * lit
                for j in range(3):
                    albedo = (
                        t00 * decode[texels[above + u0, j]]
                        + t01 * decode[texels[above + u1, j]]
                        + t10 * decode[texels[below + u0, j]]
                        + t11 * decode[texels[below + u1, j]]
                    )
                    bleed = wrap[part, j]
                    key = max((facing + bleed) / (one + bleed), zero) * lit
                    sky = (lamps[3, j] + (lamps[2, j] - lamps[3, j]) * rise) * sees
                    plate[plate_y, plate_x, j] += weight * (
                        albedo * (lamps[1, j] * key + sky) + lamps[1, j] * shine
                    )
                plate[plate_y, plate_x, 3] += weight
