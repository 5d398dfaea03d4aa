"""Light and background of portraits that are not taken in a studio.

Owns their variation. Light is harsher and background busier than a studio's, since
what an embedder does not see in training it takes for identity.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.picture.portraits import draw_studio_light
from synthetic_crowds.raster.rasteriser import Light

if TYPE_CHECKING:
    from numpy.random import Generator

    from synthetic_crowds.records import Portrait

__all__ = ["draw_light", "draw_wall", "with_wall"]

Bgr = tuple[float, float, float]

_STUDIO_SHARE = 0.25


def draw_light(*, rng: Generator) -> Light:
    """Draw light on a face: sun, overcast, dusk, lamps; sometimes a studio's."""
    if rng.random() < _STUDIO_SHARE:
        return draw_studio_light(rng=rng)
    azimuth = np.radians(rng.uniform(-120.0, 120.0))
    elevation = np.radians(rng.uniform(8.0, 75.0))
    direction = np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            -np.sin(elevation),
            -np.cos(azimuth) * np.cos(elevation),
        ]
    )
    exposure = np.exp(rng.uniform(np.log(0.5), np.log(1.4)))
    # From all ambient, an overcast sky, to mostly key, a low sun.
    key = exposure * rng.uniform(0.1, 0.9)
    sky = max(exposure - key, 0.25 * exposure)
    warmth, coolness = rng.normal(0.03, 0.08), rng.normal(0.03, 0.06)
    key_tint = np.array([1.0 - warmth, 1.0, 1.0 + warmth])
    sky_tint = np.array([1.0 + coolness, 1.0, 1.0 - coolness])
    return Light(
        direction=direction.astype(np.float32),
        key_bgr=(key * key_tint).astype(np.float32),
        sky_bgr=(sky * sky_tint).astype(np.float32),
        ground_bgr=(sky * rng.uniform(0.2, 0.6) * key_tint).astype(np.float32),
        up=np.array([0.0, -1.0, 0.0], np.float32),
    )


def draw_wall(*, rng: Generator) -> Bgr:
    """Draw the mean colour of a background, sRGB."""
    grey = rng.uniform(20.0, 220.0)
    blue, green, red = np.clip(grey + rng.normal(0.0, 15.0, size=3), 0.0, 255.0)
    return float(round(blue)), float(round(green)), float(round(red))


def with_wall(
    portrait: Portrait, wall_bgr: Bgr, *, rng: Generator, colourful: float = 1.0
) -> Portrait:
    """Put a blurred, blotchy street behind a portrait rendered before `wall_bgr`.

    Args:
        portrait: The picture.
        wall_bgr: What it was rendered before.
        rng: Draws the blotches.
        colourful: How far their hues differ, 0 for grey to 1.
    """
    image = portrait.image_bgr
    # The renderer leaves untouched pixels at exactly the colour it was given.
    behind = (np.abs(image.astype(np.int16) - wall_bgr) <= 1.0).all(axis=2)
    cells = int(rng.integers(3, 16))
    blotches = rng.normal(0.0, rng.uniform(4.0, 30.0), size=(cells, cells, 3))
    blotches = colourful * blotches + (1.0 - colourful) * blotches[..., :1]
    height, width = image.shape[:2]
    texture = cv2.resize(
        blotches.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    street = np.clip(texture + np.array(wall_bgr, np.float32), 0, 255).astype(np.uint8)
    return replace(portrait, image_bgr=np.where(behind[..., None], street, image))
