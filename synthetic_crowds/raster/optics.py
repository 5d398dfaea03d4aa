"""Lens and sensor: blur, depth of field, motion blur, noise.

Owns what happens to light between the street and the encoder. Knows nothing of
people or streets.

Source:
    G. Healey, R. Kondepudy, "Radiometric CCD camera calibration and noise
    estimation", IEEE TPAMI 16 (1994): variance grows linearly with signal (shot
    noise) from a floor (read noise); both grow with gain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from synthetic_crowds.raster.colour import SRGB_TO_LINEAR
from synthetic_crowds.raster.pane import build_pane, look_through

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.camera_config import CameraConfig
    from synthetic_crowds.raster.pane import Pane

__all__ = ["Optics", "build_optics", "expose", "is_smeared", "smear"]

# At 0 dB: variance per unit of linear signal, as of a 10,000-electron well, and the
# floor, as a standard deviation of linear signal.
_SHOT_VARIANCE = 1e-4
_READ_SD = 6e-4
# In-camera noise reduction leaves grain about a pixel wide.
_GRAIN_PX = 0.55
_BANK_MARGIN_PX = 96
# Noise is worked out in whole numbers: grain in 1/32 standard deviations, those in 1/64
# levels.
_NOISE_UNIT, _LEVEL_UNIT, _UNIT_BITS = 32.0, 64.0, 11
# Products go through shifts by 15 bits, as processors' rounding multiplication does.
_SPARE_BITS = 15 - _UNIT_BITS
_STILL_PX = 0.7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optics:
    """A lens and a sensor at one setting.

    Attributes:
        lens_blur_px: Standard deviation.
        exposure_s: Shutter time.
        noise_sd: (256,) int16, in 1/64 sRGB levels, by sRGB level.
        grain: (h + margin, w + margin, 3) int8, 1/32 standard deviations; frames
            look at it through windows at random places.
        pupil_m: Width of the entrance pupil; 0 has everything in focus.
        focus_m: Where the lens is focused; of no consequence without a pupil.
        focal_length_px: Of the lens.
        pane: What lies before the lens; `None` if nothing does.
    """

    lens_blur_px: float
    exposure_s: float
    noise_sd: NDArray[np.int16]
    grain: NDArray[np.int8]
    pupil_m: float
    focus_m: float
    focal_length_px: float
    pane: Pane | None

    def defocus_px(self, depth_m: NDArray[np.floating]) -> NDArray[np.floating]:
        """Standard deviation of the blur at depths of any shape; see `focus`."""
        apart = np.abs(1.0 / self.focus_m - 1.0 / depth_m)
        return np.asarray(self.focal_length_px * self.pupil_m * apart / 4.0)


def build_optics(
    config: CameraConfig, *, rng: Generator, rain_mm_per_h: float = 0.0
) -> Optics:
    """Set up a camera's lens and sensor, and what lies before them."""
    gain = 10.0 ** (config.gain_db / 20.0)
    linear = SRGB_TO_LINEAR.astype(np.float64)
    linear_sd = np.sqrt(_SHOT_VARIANCE * gain * linear + (_READ_SD * gain) ** 2)
    slope = 255.0 * np.gradient(np.arange(256) / 255.0, linear)
    # The curve is steep near black; cameras' own curves are not.
    noise_sd = linear_sd * np.minimum(slope, 255.0 * 6.0)
    shape = (config.height_px + _BANK_MARGIN_PX, config.width_px + _BANK_MARGIN_PX, 3)
    grain = rng.standard_normal(shape, dtype=np.float32)
    # Colour noise is weaker than brightness noise after demosaicing.
    grain = 0.6 * grain + 0.8 * grain[..., 1:2]
    soft = np.asarray(cv2.GaussianBlur(grain, (0, 0), _GRAIN_PX))
    levels = soft * (_NOISE_UNIT / float(soft.std()))
    return Optics(
        lens_blur_px=config.lens_blur_px,
        exposure_s=config.exposure_s,
        noise_sd=np.rint(noise_sd * _LEVEL_UNIT).astype(np.int16),
        grain=np.clip(np.rint(levels), -127, 127).astype(np.int8),
        pupil_m=config.pupil_mm / 1000.0,
        focus_m=config.focus_m,
        focal_length_px=config.focal_length_px,
        pane=build_pane(config, rain_mm_per_h=rain_mm_per_h, rng=rng),
    )


def is_smeared(motion_px: tuple[float, float]) -> bool:
    """Whether a motion while the shutter is open shows at all."""
    return math.hypot(*motion_px) > _STILL_PX


def smear(
    tile: NDArray[np.float32],
    *,
    lens_blur_px: float,
    motion_px: tuple[float, float],
) -> NDArray[np.float32]:
    """Blur a tile as lens and shutter do.

    Args:
        tile: (h, w, 4) float32, premultiplied.
        lens_blur_px: Standard deviation.
        motion_px: How far its subject moves right and down while the shutter is open.
    """
    if is_smeared(motion_px):
        length = math.hypot(*motion_px)
        half = math.ceil(length / 2)
        kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
        steps = np.linspace(-0.5, 0.5, 4 * half + 3)
        for step in steps:
            column, row = half + step * motion_px[0], half + step * motion_px[1]
            kernel[round(row), round(column)] += 1.0 / len(steps)
        moved = cv2.filter2D(tile, -1, kernel, borderType=cv2.BORDER_CONSTANT)
        tile = np.asarray(moved, np.float32)
    if lens_blur_px > 0.05:
        soft = cv2.GaussianBlur(
            tile, (0, 0), lens_blur_px, borderType=cv2.BORDER_CONSTANT
        )
        tile = np.asarray(soft, np.float32)
    return tile


def expose(
    frame_bgr: NDArray[np.uint8], optics: Optics, *, rng: Generator
) -> NDArray[np.uint8]:
    """Add what the pane and the sensor do to a frame (h, w, 3), sRGB bytes."""
    if optics.pane is not None:
        frame_bgr = look_through(frame_bgr, optics.pane, rng=rng)
    height, width = frame_bgr.shape[:2]
    row = int(rng.integers(0, optics.grain.shape[0] - height + 1))
    column = int(rng.integers(0, optics.grain.shape[1] - width + 1))
    noisy = np.empty_like(frame_bgr)
    _add_grain(
        frame_bgr.reshape(height, -1),
        optics.noise_sd,
        optics.grain.reshape(len(optics.grain), -1)[row:, 3 * column :],
        noisy.reshape(height, -1),
    )
    return noisy


@njit(cache=True, nogil=True, error_model="numpy")
def _add_grain(
    frame: NDArray[np.uint8],
    noise_sd: NDArray[np.int16],
    grain: NDArray[np.int8],
    noisy: NDArray[np.uint8],
) -> None:
    """Add grain times each level's own sway, rounded, saturating."""
    height, width = frame.shape
    # A row at a time, so that nothing but the frame goes through memory.
    sway = np.empty(width, np.int16)
    for y in range(height):
        levels, row = frame[y], noisy[y]
        grains = grain[y, :width]
        for i in range(width):
            sway[i] = noise_sd[np.uint64(levels[i])]
        # Sixteen bits are enough, and twice as many of them are worked on at once.
        for i in range(width):
            product = np.int32(sway[i]) * np.int32(np.int16(grains[i]) << _SPARE_BITS)
            noise = np.int16(((product >> 14) + 1) >> 1)
            value = np.int16(np.int16(levels[i]) + noise)
            row[i] = np.uint8(min(max(value, np.int16(0)), np.int16(255)))
