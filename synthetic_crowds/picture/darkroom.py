"""What people have sent to the sensor, blurred by the lens and laid over the street.

Owns that step, for the places where anybody is: most of a frame shows nobody. Knows
nothing of who is drawn, nor of the sensor's noise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from synthetic_crowds.picture.sprites import PAD_PX
from synthetic_crowds.raster.colour import LINEAR_TO_SRGB, SRGB_TO_LINEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.picture.sprites import Plate
    from synthetic_crowds.raster.figure import Rect

__all__ = ["lay_over"]

# Where anybody is, is told in runs of so many pixels of a row.
_BLOCK_PX = 16
# A narrower blur is none; less light than this is none, either.
_SHARP_PX, _FAINTEST = 0.05, 0.004


def lay_over(
    image_bgr: NDArray[np.uint8],
    plate: Plate,
    rects: Sequence[Rect],
    *,
    lens_blur_px: float,
) -> None:
    """Blur what is on a plate as the lens does, and lay it over a street.

    Args:
        image_bgr: (h, w, 3), sRGB; written to.
        plate: Of the same frame.
        rects: Where it may show anything, room for the blur included.
        lens_blur_px: Standard deviation.
    """
    height, width = image_bgr.shape[:2]
    taps = _taps(lens_blur_px)
    # Few lenses are so soft that their blur reaches beyond the plate's rim.
    more_px = max(len(taps) - 1 - PAD_PX, 0)
    light = plate.light
    if more_px:
        light = np.pad(light, ((more_px, more_px), (more_px, more_px), (0, 0)))
    taken = np.zeros((height, -(-width // _BLOCK_PX)), np.bool_)
    for rect in rects:
        rows = slice(max(rect.top - more_px, 0), max(rect.bottom + more_px, 0))
        left, right = max(rect.left - more_px, 0), max(rect.right + more_px, 0)
        taken[rows, left // _BLOCK_PX : -(-right // _BLOCK_PX)] = True
    _soften(
        image_bgr.reshape(height, 3 * width),
        light.reshape(len(light), -1),
        PAD_PX + more_px,
        taken,
        taps,
        SRGB_TO_LINEAR,
        LINEAR_TO_SRGB,
    )


def _taps(blur_px: float) -> NDArray[np.float32]:
    """Half of a Gaussian kernel, its middle first."""
    if blur_px <= _SHARP_PX:
        return np.ones(1, np.float32)
    reach = math.ceil(4.0 * blur_px)
    kernel = cv2.getGaussianKernel(2 * reach + 1, blur_px, cv2.CV_32F)
    return np.ascontiguousarray(np.asarray(kernel, np.float32)[reach:, 0])


@njit(cache=True, nogil=True, error_model="numpy")
def _soften(
    image: NDArray[np.uint8],
    light: NDArray[np.float32],
    rim: int,
    taken: NDArray[np.bool_],
    taps: NDArray[np.float32],
    decode: NDArray[np.float32],
    encode: NDArray[np.uint8],
) -> None:
    """Blur premultiplied light and lay it over an image, in linear light.

    Args:
        image: (h, w * 3); written to.
        light: (h + 2 rim, (w + 2 rim) * 4).
        rim: At least as wide as the kernel reaches.
        taken: (h, ceil(w / block)), where there may be light.
        taps: The kernel's middle, and one side of it.
        decode: From sRGB to linear light,
        encode: and back.
    """
    width, reach = image.shape[1] // 3, len(taps) - 1
    upright = np.empty(light.shape[1], np.float32)
    soft = np.empty(light.shape[1], np.float32)
    for y in range(taken.shape[0]):
        block = 0
        while block < taken.shape[1]:
            begin = block
            while block < taken.shape[1] and taken[y, block]:
                block += 1
            if block > begin:
                first, end = begin * _BLOCK_PX, min(block * _BLOCK_PX, width)
                n = 4 * (end - first)
                low = 4 * (first + rim - reach)
                _blur(light, y + rim, low, taps, upright[: n + 8 * reach], soft[:n])
                _lay(image[y, 3 * first : 3 * end], soft[:n], decode, encode)
            block += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _blur(
    light: NDArray[np.float32],
    y: int,
    low: int,
    taps: NDArray[np.float32],
    upright: NDArray[np.float32],
    soft: NDArray[np.float32],
) -> None:
    """Blur part of a row, down and then across.

    Args:
        light: As in `_soften`.
        y: The row of the light.
        low: Where in the light's row the kernel's reach begins.
        taps: As in `_soften`.
        upright: (n + 8 * reach,) room.
        soft: (n,) written.
    """
    reach = len(taps) - 1
    n, m = len(upright), len(soft)
    row = light[y, low : low + n]
    for i in range(n):
        upright[i] = taps[0] * row[i]
    for step in range(1, reach + 1):
        tap = taps[step]
        above = light[y - step, low : low + n]
        below = light[y + step, low : low + n]
        for i in range(n):
            upright[i] += tap * (above[i] + below[i])
    middle = upright[4 * reach : 4 * reach + m]
    for i in range(m):
        soft[i] = taps[0] * middle[i]
    for step in range(1, reach + 1):
        tap = taps[step]
        left = upright[4 * (reach - step) : 4 * (reach - step) + m]
        right = upright[4 * (reach + step) : 4 * (reach + step) + m]
        for i in range(m):
            soft[i] += tap * (left[i] + right[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _lay(
    row: NDArray[np.uint8],
    light: NDArray[np.float32],
    decode: NDArray[np.float32],
    encode: NDArray[np.uint8],
) -> None:
    """Lay premultiplied light (w * 4) over pixels (w * 3)."""
    last = np.float32(encode.size - 1)
    for x in range(len(row) // 3):
        cover = light[4 * x + 3]
        if cover < np.float32(_FAINTEST):
            continue
        clear = np.float32(1.0) - cover
        for c in range(3):
            total = light[4 * x + c] + clear * decode[row[3 * x + c]]
            total = min(max(total, np.float32(0.0)), np.float32(1.0))
            row[3 * x + c] = encode[int(total * last + np.float32(0.5))]
