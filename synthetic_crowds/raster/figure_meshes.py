"""What is prepared once for a mesh that is drawn often.

Owns the turn of its triangles, which of them have holes, and the halves of textures.
Arithmetic on arrays, compiled by numba; `figure.py` is the door.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CLOSED",
    "HOLE",
    "HOLED",
    "LIGHT_BITS",
    "SUBPIXELS",
    "SUBPIXEL_BITS",
    "halve",
    "pack",
    "pierce",
    "wind",
]

# Screen positions are whole numbers of this fraction of a pixel, so that edge functions
# are exact.
SUBPIXEL_BITS = 8
SUBPIXELS = 1 << SUBPIXEL_BITS
# Kinds of triangles: their backs are never seen; their textures have holes there.
CLOSED, HOLED = 1, 2
# Texels whose alpha is below this are holes.
HOLE = 128
# A texel's three channels lie in one word: linear light in so many bits each.
LIGHT_BITS = 16


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
                holes += alpha[y, x] < HOLE
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
def pack(texels: NDArray[np.uint8], decode: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Decode texels (n, 4) to linear light, a word each: blue in the lowest bits."""
    words = np.empty(len(texels), np.uint64)
    light = np.empty(len(decode), np.uint64)
    for level in range(len(decode)):
        light[level] = np.uint64(decode[level] * ((1 << LIGHT_BITS) - 1) + 0.5)
    for i in range(len(texels)):
        words[i] = (
            light[texels[i, 0]]
            | light[texels[i, 1]] << np.uint64(LIGHT_BITS)
            | light[texels[i, 2]] << np.uint64(2 * LIGHT_BITS)
        )
    return words
