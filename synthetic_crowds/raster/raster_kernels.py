"""The inner loops of the rasteriser: which pixels a triangle owns, and their light.

Owns nothing but arithmetic on arrays, compiled by numba. `rasteriser.py` is the door;
nothing else calls these. No fastmath: two machines must draw the same picture.
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["average_blocks", "fill", "front_then_back", "snap", "turn"]

# Screen positions are snapped to this fraction of a pixel. Edge functions of such
# numbers are exact in float64, so an edge shared by two triangles is drawn once.
_SUBPIXELS = 256.0
# Smaller than any non-zero edge function of snapped positions (1 / 256**2).
_TIE = 1.0 / (4.0 * _SUBPIXELS * _SUBPIXELS)
# Part of the key light that reaches a fully occluded point: stands in for a shadow
# map, which would cost as much again as the picture.
_KEY_IN_CAVITY = 0.45


@njit(cache=True, nogil=True)
def turn(
    vectors: NDArray[np.float32],
    rotation: NDArray[np.float64],
    translation: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Rotate, then move (v, 3) vectors; BLAS would round differently by CPU model."""
    moved = np.empty(vectors.shape, np.float32)
    for i in range(vectors.shape[0]):
        x, y, z = vectors[i, 0], vectors[i, 1], vectors[i, 2]
        for j in range(3):
            moved[i, j] = (
                rotation[j, 0] * x
                + rotation[j, 1] * y
                + rotation[j, 2] * z
                + translation[j]
            )
    return moved


@njit(cache=True, nogil=True)
def snap(
    camera: NDArray[np.float32], fx: float, fy: float, cx: float, cy: float
) -> NDArray[np.float64]:
    """Project camera-space points to (v, 3): snapped x and y in pixels, 1/depth."""
    screen = np.empty(camera.shape, np.float64)
    for i in range(camera.shape[0]):
        inverse = 1.0 / camera[i, 2]
        x = fx * camera[i, 0] * inverse + cx
        y = fy * camera[i, 1] * inverse + cy
        screen[i, 0] = floor(x * _SUBPIXELS + 0.5) / _SUBPIXELS
        screen[i, 1] = floor(y * _SUBPIXELS + 0.5) / _SUBPIXELS
        screen[i, 2] = inverse
    return screen


@njit(cache=True, nogil=True)
def front_then_back(
    screen: NDArray[np.float64],
    camera: NDArray[np.float32],
    normals: NDArray[np.float32],
    triangles: NDArray[np.int32],
    height: int,
    width: int,
) -> tuple[NDArray[np.int32], int, int]:
    """Order the triangles that may own a pixel: those facing the camera first.

    Back faces are kept, since hair, hems and spectacles are open surfaces, but come
    last: on a closed body they fail the depth test and are never shaded. The normals
    say which side is out, so the winding of a mesh is free.

    Returns:
        Indices (t,) of which the first `front` face the camera and those up to
        `total` do not; the rest is unused.
    """
    n = triangles.shape[0]
    order = np.empty(n, np.int32)
    back = np.empty(n, np.int32)
    front = 0
    n_back = 0
    for t in range(n):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = screen[a, 0], screen[a, 1]
        bx, by = screen[b, 0], screen[b, 1]
        px, py = screen[c, 0], screen[c, 1]
        left = ceil(min(ax, bx, px) - 0.5)
        right = floor(max(ax, bx, px) - 0.5)
        # No pixel centre in the bounding box: most triangles of a distant head.
        if left > right or right < 0 or left >= width:
            continue
        top = ceil(min(ay, by, py) - 0.5)
        bottom = floor(max(ay, by, py) - 0.5)
        if top > bottom or bottom < 0 or top >= height:
            continue
        area = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        if area == 0.0:
            continue
        e0 = camera[b, 0] - camera[a, 0]
        e1 = camera[b, 1] - camera[a, 1]
        e2 = camera[b, 2] - camera[a, 2]
        f0 = camera[c, 0] - camera[a, 0]
        f1 = camera[c, 1] - camera[a, 1]
        f2 = camera[c, 2] - camera[a, 2]
        outward = (
            (e1 * f2 - e2 * f1) * (normals[a, 0] + normals[b, 0] + normals[c, 0])
            + (e2 * f0 - e0 * f2) * (normals[a, 1] + normals[b, 1] + normals[c, 1])
            + (e0 * f1 - e1 * f0) * (normals[a, 2] + normals[b, 2] + normals[c, 2])
        )
        # Clockwise on the screen (y down, area > 0) is e x f pointing away from us.
        if (area > 0.0) != (outward > 0.0):
            order[front] = t
            front += 1
        else:
            back[n_back] = t
            n_back += 1
    order[front : front + n_back] = back[:n_back]
    return order, front, front + n_back


@njit(cache=True, nogil=True)
def _tie(dx: float, dy: float) -> float:
    """Give a pixel centre exactly on an edge to the triangle below or right of it."""
    return _TIE if dy < 0.0 or (dy == 0.0 and dx > 0.0) else 0.0


# One long loop on purpose: calling a function per pixel, or passing its dozen arrays
# on per triangle, costs more than the pixel.
@njit(cache=True, nogil=True)
def fill(  # noqa: C901, PLR0913, PLR0915, PLR0917
    bgr: NDArray[np.float32],
    depth_m: NDArray[np.float32],
    owners: NDArray[np.int32],
    owner: int,
    screen: NDArray[np.float64],
    normals: NDArray[np.float32],
    triangles: NDArray[np.int32],
    uv: NDArray[np.float32],
    occlusion: NDArray[np.float32],
    order: NDArray[np.int32],
    front: int,
    total: int,
    texture: NDArray[np.uint8],
    linear: NDArray[np.float32],
    lamps: NDArray[np.float32],
    wrap: NDArray[np.float32],
    specular: float,
    gloss_doublings: int,
) -> None:
    """Draw triangles in `order` into the three planes of a canvas.

    Args:
        bgr: (h, w, 3), linear light; written.
        depth_m: (h, w); written.
        owners: (h, w); written.
        owner: Goes to `owners` where this part is nearest.
        screen: (v, 3) from `snap`.
        normals: (v, 3), camera space.
        triangles: (t, 3), as in `MeshPart`.
        uv: (v, 2), as in `MeshPart`.
        occlusion: (v,), as in `MeshPart`.
        order: (t,) from `front_then_back`.
        front: From `front_then_back`.
        total: From `front_then_back`.
        texture: (th, tw, 4) sRGB.
        linear: (256,), sRGB to linear light.
        lamps: (6, 3): towards the key light, key colour, sky, ground, towards the
            sky, half-way between key light and viewer.
        wrap: (3,), how far the key light bleeds past the terminator, B, G, R.
        specular: Strength of the highlight.
        gloss_doublings: The highlight's exponent is two to this power.
    """
    height, width = depth_m.shape
    th, tw = texture.shape[0], texture.shape[1]
    for k in range(total):
        t = order[k]
        side = 1.0 if k < front else -1.0
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = screen[a, 0], screen[a, 1]
        bx, by = screen[b, 0], screen[b, 1]
        px, py = screen[c, 0], screen[c, 1]
        area = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        if area < 0.0:
            b, c = c, b
            bx, by, px, py = px, py, bx, by
            area = -area
        left = max(ceil(min(ax, bx, px) - 0.5), 0)
        right = min(floor(max(ax, bx, px) - 0.5), width - 1)
        top = max(ceil(min(ay, by, py) - 0.5), 0)
        bottom = min(floor(max(ay, by, py) - 0.5), height - 1)
        ta, tb, tc = (
            _tie(px - bx, py - by),
            _tie(ax - px, ay - py),
            _tie(bx - ax, by - ay),
        )
        za, zb, zc = screen[a, 2] / area, screen[b, 2] / area, screen[c, 2] / area
        for y in range(top, bottom + 1):
            sy = y + 0.5
            for x in range(left, right + 1):
                sx = x + 0.5
                wa = (px - bx) * (sy - by) - (py - by) * (sx - bx)
                if wa + ta <= 0.0:
                    continue
                wb = (ax - px) * (sy - py) - (ay - py) * (sx - px)
                if wb + tb <= 0.0:
                    continue
                wc = (bx - ax) * (sy - ay) - (by - ay) * (sx - ax)
                if wc + tc <= 0.0:
                    continue
                # 1/depth is linear on the screen; so are attributes over depth.
                wa *= za
                wb *= zb
                wc *= zc
                z = 1.0 / (wa + wb + wc)
                if z >= depth_m[y, x]:
                    continue
                wa *= z
                wb *= z
                wc *= z

                u = (wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]) * tw - 0.5
                v = (wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]) * th - 0.5
                u = min(max(u, 0.0), tw - 1.0)
                v = min(max(v, 0.0), th - 1.0)
                u0, v0 = int(u), int(v)
                u1, v1 = min(u0 + 1, tw - 1), min(v0 + 1, th - 1)
                u -= u0
                v -= v0
                t00, t01 = (1.0 - u) * (1.0 - v), u * (1.0 - v)
                t10, t11 = (1.0 - u) * v, u * v
                alpha = (
                    t00 * texture[v0, u0, 3]
                    + t01 * texture[v0, u1, 3]
                    + t10 * texture[v1, u0, 3]
                    + t11 * texture[v1, u1, 3]
                )
                if alpha < 128.0:
                    continue

                n0 = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
                n1 = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
                n2 = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
                scale = side / sqrt(n0 * n0 + n1 * n1 + n2 * n2 + 1e-12)
                n0 *= scale
                n1 *= scale
                n2 *= scale
                sees = wa * occlusion[a] + wb * occlusion[b] + wc * occlusion[c]
                facing = lamps[0, 0] * n0 + lamps[0, 1] * n1 + lamps[0, 2] * n2
                rise = 0.5 + 0.5 * (
                    lamps[4, 0] * n0 + lamps[4, 1] * n1 + lamps[4, 2] * n2
                )
                lit = _KEY_IN_CAVITY + (1.0 - _KEY_IN_CAVITY) * sees
                shine = 0.0
                if specular > 0.0 and facing > 0.0:
                    shine = lamps[5, 0] * n0 + lamps[5, 1] * n1 + lamps[5, 2] * n2
                    shine = max(shine, 0.0)
                    for _ in range(gloss_doublings):
                        shine *= shine
                    shine *= specular * lit
                for j in range(3):
                    albedo = (
                        t00 * linear[texture[v0, u0, j]]
                        + t01 * linear[texture[v0, u1, j]]
                        + t10 * linear[texture[v1, u0, j]]
                        + t11 * linear[texture[v1, u1, j]]
                    )
                    key = max((facing + wrap[j]) / (1.0 + wrap[j]), 0.0) * lit
                    sky = (lamps[3, j] + (lamps[2, j] - lamps[3, j]) * rise) * sees
                    bgr[y, x, j] = (
                        albedo * (lamps[1, j] * key + sky) + lamps[1, j] * shine
                    )
                depth_m[y, x] = z
                owners[y, x] = owner


@njit(cache=True, nogil=True)
def average_blocks(
    bgr: NDArray[np.float32], owners: NDArray[np.int32], factor: int
) -> NDArray[np.float32]:
    """Average blocks of samples into (h / factor, w / factor, 4) colour and cover."""
    height, width = owners.shape[0] // factor, owners.shape[1] // factor
    tile = np.zeros((height, width, 4), np.float32)
    share = np.float32(1.0 / (factor * factor))
    for y in range(height * factor):
        for x in range(width * factor):
            if owners[y, x] >= 0:
                pixel = tile[y // factor, x // factor]
                for j in range(3):
                    pixel[j] += bgr[y, x, j] * share
                pixel[3] += share
    return tile
