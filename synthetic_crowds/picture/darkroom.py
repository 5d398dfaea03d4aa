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

from synthetic_crowds.picture.plate import PAD_PX
from synthetic_crowds.raster.colour import LINEAR_TO_SRGB, SRGB_TO_LINEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.picture.plate import Plate
    from synthetic_crowds.raster.figure import Rect

__all__ = ["lay_over"]

# Where anybody is, is told in runs of so many pixels of a row.
_BLOCK_PX = 16
# A narrower blur is none; what is covered by this much is covered.
_SHARP_PX, _WHOLE = 0.05, 0.99999
# So many taps beside the middle are added up at once; narrower kernels end in zeros.
_STEPS_AT_ONCE = 3


def lay_over(
    image_bgr: NDArray[np.uint8],
    plate: Plate,
    rects: Sequence[Rect],
    *,
    lens_blur_px: float,
) -> None:
    """Blur what is on a plate as the lens does, lay it over a street, wipe the plate.

    Args:
        image_bgr: (h, w, 3), sRGB; written to.
        plate: Of the same frame; its `light` is left dark.
        rects: Where it may show anything.
        lens_blur_px: Standard deviation.
    """
    height, width = image_bgr.shape[:2]
    rows, columns = plate.light.shape[:2]
    sides = [(rect.left, rect.top, rect.right, rect.bottom) for rect in rects]
    _soften(
        image_bgr.reshape(height, 3 * width),
        plate.light.reshape(rows, 4 * columns),
        _find_blocks(np.array(sides, np.int64).reshape(-1, 4), rows, columns),
        _taps(lens_blur_px),
        SRGB_TO_LINEAR,
        LINEAR_TO_SRGB,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _find_blocks(
    rects: NDArray[np.int64], rows: int, columns: int
) -> NDArray[np.bool_]:
    """Find the blocks of a plate (rows, blocks) that rectangles (n, 4) touch."""
    touched = np.zeros((rows, -(-columns // _BLOCK_PX)), np.bool_)
    for left, top, right, bottom in rects + PAD_PX:
        begin, end = max(left, 0) // _BLOCK_PX, -(-min(right, columns) // _BLOCK_PX)
        for row in range(max(top, 0), min(bottom, rows)):
            for block in range(begin, end):
                touched[row, block] = True
    return touched


def _taps(blur_px: float) -> NDArray[np.float32]:
    """Half of a Gaussian kernel, its middle first."""
    reach = math.ceil(4.0 * blur_px) if blur_px > _SHARP_PX else 0
    taps = np.zeros(max(reach, _STEPS_AT_ONCE) + 1, np.float32)
    taps[0] = 1.0
    if reach:
        kernel = cv2.getGaussianKernel(2 * reach + 1, blur_px, cv2.CV_32F)
        taps[: reach + 1] = np.asarray(kernel, np.float32)[reach:, 0]
    return taps


@njit(cache=True, nogil=True, error_model="numpy")
def _soften(
    image: NDArray[np.uint8],
    light: NDArray[np.float32],
    taken: NDArray[np.bool_],
    taps: NDArray[np.float32],
    decode: NDArray[np.float32],
    encode: NDArray[np.uint8],
) -> None:
    """Blur premultiplied light, lay it over an image in linear light, and wipe it.

    One row after the other, so that all that a row needs stays in the cache.

    Args:
        image: (h, w * 3); written to.
        light: (h + 2 pad, (w + 2 pad) * 4); wiped.
        taken: (h + 2 pad, blocks), where there may be light; told where there is.
        taps: The kernel's middle, and one side of it.
        decode: From sRGB to linear light,
        encode: and back.
    """
    height, width = len(image), image.shape[1] // 3
    rows, blocks = taken.shape
    reach = len(taps) - 1
    dark = np.zeros(light.shape[1], np.float32)
    # With room beside the plate for the kernel to look at.
    upright = np.zeros(light.shape[1] + 8 * reach, np.float32)
    soft = np.empty(4 * width, np.float32)
    steps = np.empty(4 * width, np.uint16)
    last_lit = np.full(blocks, -2 * reach - 1, np.int64)
    for newest in range(rows + 2 * reach):
        if newest < rows:
            _see(light[newest], taken[newest], newest, last_lit)
        oldest, middle = newest - 2 * reach, newest - reach
        end = 0 if PAD_PX <= middle < PAD_PX + height else blocks
        while end < blocks:
            begin, end = _find_run(last_lit, oldest, end, reach)
            first = max(begin * _BLOCK_PX - reach, PAD_PX)
            n = min(end * _BLOCK_PX + reach, PAD_PX + width) - first
            if begin < end and n > 0:
                low = 4 * max(first - reach, 0)
                high = min(4 * (first + n + reach), light.shape[1])
                part = upright[low + 4 * reach : high + 4 * reach]
                _blur_down(light, dark, middle, low, taps, part)
                part = upright[4 * first : 4 * (first + n + 2 * reach)]
                _blur_across(part, taps, soft[: 4 * n])
                pixels = image[middle - PAD_PX, 3 * (first - PAD_PX) :][: 3 * n]
                _lay(pixels, soft[: 4 * n], steps, decode, encode)
        if 0 <= oldest < rows:
            _wipe(light[oldest], taken[oldest])


@njit(cache=True, nogil=True, error_model="numpy")
def _see(
    light: NDArray[np.float32],
    taken: NDArray[np.bool_],
    row: int,
    last_lit: NDArray[np.int64],
) -> None:
    """Of the blocks of a row that may hold light, keep and note those that do."""
    for block in range(len(taken)):
        if taken[block]:
            taken[block] = False
            begin = 4 * _BLOCK_PX * block
            for i in range(begin + 3, min(begin + 4 * _BLOCK_PX, len(light)), 4):
                # Most blocks are bright from their first pixel on.
                if light[i] > np.float32(0.0):
                    taken[block] = True
                    last_lit[block] = row
                    break


@njit(cache=True, nogil=True, error_model="numpy")
def _find_run(
    last_lit: NDArray[np.int64], oldest: int, block: int, reach: int
) -> tuple[int, int]:
    """Find the next blocks lit since a row, with gaps that the kernel bridges."""
    while block < len(last_lit) and last_lit[block] < oldest:
        block += 1
    begin = end = block
    while block < len(last_lit) and (block - end) * _BLOCK_PX < 2 * reach:
        if last_lit[block] >= oldest:
            end = block + 1
        block += 1
    return begin, end


@njit(cache=True, nogil=True, error_model="numpy")
def _wipe(light: NDArray[np.float32], taken: NDArray[np.bool_]) -> None:
    """Darken the blocks of a row that hold light."""
    for block in range(len(taken)):
        if taken[block]:
            light[4 * _BLOCK_PX * block : 4 * _BLOCK_PX * (block + 1)] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _blur_down(
    light: NDArray[np.float32],
    dark: NDArray[np.float32],
    y: int,
    low: int,
    taps: NDArray[np.float32],
    upright: NDArray[np.float32],
) -> None:
    """Add up part of a column of rows, weighted; beyond the light it is dark.

    Args:
        light: As in `_soften`.
        dark: As long as its rows.
        y: The middle row; those of the first taps lie within the light.
        low: Where in the rows the part begins.
        taps: As in `_soften`.
        upright: (n,) written.
    """
    high = low + len(upright)
    t0, t1, t2, t3 = taps[0], taps[1], taps[2], taps[3]
    row = light[y, low:high]
    above1, below1 = light[y - 1, low:high], light[y + 1, low:high]
    above2, below2 = light[y - 2, low:high], light[y + 2, low:high]
    above3, below3 = light[y - 3, low:high], light[y + 3, low:high]
    for i in range(len(upright)):
        total = t0 * row[i] + t1 * (above1[i] + below1[i])
        total += t2 * (above2[i] + below2[i])
        upright[i] = total + t3 * (above3[i] + below3[i])
    for step in range(_STEPS_AT_ONCE + 1, len(taps)):
        tap = taps[step]
        above = light[y - step, low:high] if y >= step else dark[low:high]
        below = light[y + step, low:high] if y + step < len(light) else dark[low:high]
        for i in range(len(upright)):
            upright[i] += tap * (above[i] + below[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _blur_across(
    upright: NDArray[np.float32], taps: NDArray[np.float32], soft: NDArray[np.float32]
) -> None:
    """Add up neighbours in a row, weighted.

    Args:
        upright: (n + 8 * reach,)
        taps: As in `_soften`.
        soft: (n,) written.
    """
    n, middle = len(soft), 4 * (len(taps) - 1)
    t0, t1, t2, t3 = taps[0], taps[1], taps[2], taps[3]
    row = upright[middle : middle + n]
    left1, right1 = upright[middle - 4 :], upright[middle + 4 :]
    left2, right2 = upright[middle - 8 :], upright[middle + 8 :]
    left3, right3 = upright[middle - 12 :], upright[middle + 12 :]
    for i in range(n):
        total = t0 * row[i] + t1 * (left1[i] + right1[i])
        total += t2 * (left2[i] + right2[i])
        soft[i] = total + t3 * (left3[i] + right3[i])
    for step in range(_STEPS_AT_ONCE + 1, len(taps)):
        tap = taps[step]
        left, right = upright[middle - 4 * step :], upright[middle + 4 * step :]
        for i in range(n):
            soft[i] += tap * (left[i] + right[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _lay(
    row: NDArray[np.uint8],
    light: NDArray[np.float32],
    steps: NDArray[np.uint16],
    decode: NDArray[np.float32],
    encode: NDArray[np.uint8],
) -> None:
    """Lay premultiplied light (w * 4) over pixels (w * 3).

    Args:
        row: Written to.
        light: Written to.
        steps: (w * 4,) or longer, room.
        decode: As in `_soften`.
        encode: As in `_soften`.
    """
    width = len(row) // 3
    # The street shows through at people's edges alone; listed, they cost no guesses.
    n_open = 0
    for x in range(width):
        steps[n_open] = x
        n_open += light[4 * x + 3] < np.float32(_WHOLE)
    for x in steps[:n_open]:
        clear = np.float32(1.0) - light[4 * x + 3]
        for c in range(3):
            light[4 * x + c] += clear * decode[row[3 * x + c]]
    last, half = np.float32(len(encode) - 1), np.float32(0.5)
    for i in range(len(light)):
        total = min(max(light[i], np.float32(0.0)), np.float32(1.0))
        steps[i] = np.uint16(np.int32(total * last + half))
    for x in range(width):
        for c in range(3):
            row[3 * x + c] = encode[steps[4 * x + c]]
