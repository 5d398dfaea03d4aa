"""Between stored sRGB bytes and the linear light in which pictures are added up.

Owns the two transfer curves. Knows nothing of meshes or cameras.

Source:
    IEC 61966-2-1:1999, the sRGB transfer function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LINEAR_TO_SRGB",
    "SRGB_TO_LINEAR",
    "encode_srgb",
    "linear_to_srgb",
    "srgb_to_linear",
]

# Steps of the encoding table: the curve rises at most 12.92 * 255 levels per unit,
# so neighbouring entries differ by less than one level.
_ENCODE_STEPS = 4096


def _decode(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def encode_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encode linear light, from 0, exactly: sRGB from 0, 1 for white."""
    bright = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, bright)


SRGB_TO_LINEAR = _decode(np.arange(256) / 255.0).astype(np.float32)
SRGB_TO_LINEAR.setflags(write=False)
LINEAR_TO_SRGB = np.rint(
    255.0 * encode_srgb(np.arange(_ENCODE_STEPS) / (_ENCODE_STEPS - 1))
).astype(np.uint8)
LINEAR_TO_SRGB.setflags(write=False)


def srgb_to_linear(srgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Decode sRGB bytes of any shape to linear light in [0, 1]."""
    return SRGB_TO_LINEAR[srgb]


def linear_to_srgb(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Encode linear light of any shape as sRGB bytes; beyond [0, 1] saturates."""
    flat = np.ascontiguousarray(linear, dtype=np.float32).reshape(-1)
    return _look_up(flat, LINEAR_TO_SRGB).reshape(linear.shape)


@njit(cache=True, nogil=True)
def _look_up(
    linear: NDArray[np.float32], table: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Quantise each value in [0, 1] onto `table`, saturating outside."""
    encoded = np.empty(linear.size, np.uint8)
    last = table.size - 1
    for i in range(linear.size):
        step = int(min(max(linear[i], np.float32(0.0)), np.float32(1.0)) * last + 0.5)
        encoded[i] = table[step]
    return encoded
