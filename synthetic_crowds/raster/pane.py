"""What lies between a street and a sensor besides the lens: dirt, glare, rain.

Owns the pane of glass in front of a camera, and drops that fall through its view. All
of it is light taken away or added, in sRGB bytes. Knows nothing of streets or people.

Strengths are chosen by eye. A pane is static, as dirt is; drops fall anew in every
frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.camera_config import CameraConfig

__all__ = ["Pane", "build_pane", "look_through"]

# Drops fall at about this speed, and are seen at these distances.
# Source: Gunn and Kinzer, J. Meteorology 6 (1949) 243: 2 mm drops reach 6.5 m/s.
_FALL_M_S, _NEAREST_M, _FURTHEST_M = 6.5, 1.0, 14.0
# Streaks in view at 1 mm/h on an image 1280 pixels wide; they grow more slowly than
# the rain, since heavier rain has larger drops.
_STREAKS, _STREAKS_POWER = 60.0, 0.65
_SHORTEST_PX = 2.0
_DIRT_BGR = (92.0, 108.0, 116.0)
_GLARE_BGR = (205.0, 232.0, 255.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pane:
    """The glass before one camera, and the weather before the glass.

    Attributes:
        kept: (h, w, 1) float32 in [0, 1], share of the light that dirt lets through.
        veil_bgr: (h, w, 3) float32, light added by dirt, glare and haze, 0 to 255.
        streaks: Mean number of drops in view.
        streak_px: (near, far), how long they are drawn out.
        slant: Sideways drift of drops by how far they fall.
    """

    kept: NDArray[np.float32]
    veil_bgr: NDArray[np.float32]
    streaks: float
    streak_px: tuple[float, float]
    slant: float

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.kept.setflags(write=False)
        self.veil_bgr.setflags(write=False)


def build_pane(
    config: CameraConfig, *, rain_mm_per_h: float, rng: Generator
) -> Pane | None:
    """Put glass before a camera.

    Args:
        config: Its dirt and glare.
        rain_mm_per_h: How hard it rains.
        rng: Decides where dirt and glare are; not consumed where there is neither.

    Returns:
        `None` where the glass is clean and the weather dry.
    """
    if config.dirt == 0.0 and config.glare == 0.0 and rain_mm_per_h == 0.0:
        return None
    shape = (config.height_px, config.width_px)
    kept = np.ones((*shape, 1), np.float32)
    veil = np.zeros((*shape, 3), np.float32)
    if config.dirt > 0.0:
        grime = config.dirt * _draw_dirt(shape, config.dirt, rng=rng)[..., None]
        kept *= 1.0 - 0.85 * grime
        veil += 0.34 * grime * np.array(_DIRT_BGR, np.float32)
    if config.glare > 0.0:
        flare = config.glare * _draw_flare(shape, rng=rng)[..., None]
        veil += flare * np.array(_GLARE_BGR, np.float32)
    slant = 0.0
    if rain_mm_per_h > 0.0:
        # Drops too far to be told apart are a haze.
        veil += np.float32(4.0 * math.sqrt(rain_mm_per_h))
        slant = float(rng.normal(0.0, 0.12))
    drawn_out = _FALL_M_S * config.exposure_s * config.focal_length_px
    return Pane(
        kept=kept,
        veil_bgr=veil,
        streaks=_STREAKS * rain_mm_per_h**_STREAKS_POWER * config.width_px / 1280.0,
        streak_px=(drawn_out / _NEAREST_M, drawn_out / _FURTHEST_M),
        slant=slant,
    )


def _draw_dirt(
    shape: tuple[int, int], amount: float, *, rng: Generator
) -> NDArray[np.float32]:
    """Dried drops and dust (h, w) in [0, 1], far out of focus."""
    height, width = shape
    # At an eighth of the size: nothing on the glass is sharp.
    small = (max(height // 8, 8), max(width // 8, 8))
    grime = np.zeros(small, np.float32)
    for _ in range(int(rng.poisson(18.0 + 60.0 * amount))):
        x, y = rng.uniform(0.0, small[1]), rng.uniform(0.0, small[0])
        radius = float(rng.gamma(3.0, small[1] * 0.009)) + 1.0
        density = float(rng.uniform(0.25, 1.0))
        spot = np.zeros(small, np.float32)
        cv2.circle(spot, (round(x), round(y)), round(radius), density, -1)
        grime = np.maximum(grime, spot)
    film = rng.standard_normal((small[0] // 6 + 2, small[1] // 6 + 2), dtype=np.float32)
    dust = cv2.resize(film, (small[1], small[0]), interpolation=cv2.INTER_CUBIC)
    grime = np.maximum(grime, np.clip(0.22 + 0.16 * dust, 0.0, 0.6))
    soft = cv2.GaussianBlur(grime, (0, 0), small[1] / 90.0)
    return np.clip(cv2.resize(soft, (width, height)), 0.0, 1.0).astype(np.float32)


def _draw_flare(shape: tuple[int, int], *, rng: Generator) -> NDArray[np.float32]:
    """Light scattered by glass (h, w) in [0, 1], around a source above the image."""
    height, width = shape
    source_x = float(rng.uniform(0.1, 0.9)) * width
    source_y = -float(rng.uniform(0.0, 0.25)) * height
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    away = np.hypot(x - source_x, y - source_y) / width
    turn = np.arctan2(y - source_y, x - source_x)
    # A few rays, from the edges of the aperture.
    rays = 0.5 + 0.5 * np.cos(6.0 * turn + float(rng.uniform(0.0, 2.0 * math.pi)))
    flare = 0.22 + 0.62 * np.exp(-away / 0.28) + 0.16 * rays**8 * np.exp(-away / 0.4)
    return np.clip(flare, 0.0, 1.0).astype(np.float32)


def look_through(
    frame_bgr: NDArray[np.uint8], pane: Pane, *, rng: Generator
) -> NDArray[np.uint8]:
    """See a frame (h, w, 3) through a pane.

    Args:
        frame_bgr: As it would be through clean glass.
        pane: Of the same size.
        rng: Lets the drops of this frame fall.
    """
    added = pane.veil_bgr
    if pane.streaks > 0.0:
        added = added + _draw_streaks(frame_bgr.shape[:2], pane, rng=rng)[..., None]
    frame = frame_bgr * pane.kept
    # Light is added as on a screen: what is bright cannot gain much.
    frame += (255.0 - frame) * (added / 255.0)
    return np.clip(frame + 0.5, 0.0, 255.0).astype(np.uint8)


def _draw_streaks(
    shape: tuple[int, int], pane: Pane, *, rng: Generator
) -> NDArray[np.float32]:
    """The drops of one frame (h, w), 0 to 255."""
    height, width = shape
    layer = np.zeros(shape, np.float32)
    count = int(rng.poisson(pane.streaks))
    near, far = pane.streak_px
    places = rng.uniform((-0.05, -0.1), (1.05, 1.0), (count, 2)) * (width, height)
    # There is the more room the further away.
    share = np.cbrt(rng.uniform(0.0, 1.0, count))
    lengths = np.maximum(near / (1.0 + (near / far - 1.0) * share), _SHORTEST_PX)
    lights = rng.uniform(40.0, 95.0, count) * (1.0 - 0.6 * share)
    for (x, y), length, light in zip(places, lengths, lights, strict=True):
        end = (round(x + pane.slant * length), round(y + length))
        thick = 2 if length > 40.0 else 1
        cv2.line(layer, (round(x), round(y)), end, float(light), thick)
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), 0.8), np.float32)
