"""Wet streets: pavement that is darker, and mirrors what stands behind it.

Owns what rain does to the ground of an empty street. Knows nothing of falling drops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.street.sheets import fractal_noise

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.street.scene import Scene

__all__ = ["wet"]

# Wet stone sends back about half the light of dry stone (in sRGB, 0.72 of its level).
_DARKER = 0.72
# The ground is soaked from this rate on.
_SOAKED_MM_PER_H = 4.0
_MIRROR = 0.42


def wet(scene: Scene, rain_mm_per_h: float, *, rng: Generator) -> NDArray[np.uint8]:
    """Rain on a street.

    Args:
        scene: The street, dry.
        rain_mm_per_h: How hard it rains.
        rng: Decides where puddles are; not consumed on a dry day.

    Returns:
        (h, w, 3) uint8, the street's picture; the same one on a dry day.
    """
    dry = scene.background_bgr
    if rain_mm_per_h == 0.0 or not scene.ground.any():
        return dry
    soaked = min(rain_mm_per_h / _SOAKED_MM_PER_H, 1.0)
    ground = cv2.GaussianBlur(scene.ground.astype(np.float32), (0, 0), 1.5)
    noise = fractal_noise(dry.shape[:2], dry.shape[1] / 9, rng=rng)
    puddles = np.clip(0.35 + 0.5 * noise, 0.0, 1.0)
    # What is mirrored lies as far above the ground's edge as its image lies below.
    edge = int(np.flatnonzero(scene.ground.any(axis=1))[0])
    rows = np.clip(2 * edge - np.arange(dry.shape[0]), 0, dry.shape[0] - 1)
    mirrored = cv2.GaussianBlur(dry[rows], (0, 0), sigmaX=2.0, sigmaY=dry.shape[0] / 60)
    depth = np.clip(scene.depth_m / 30.0, 0.0, 1.0)
    share = (soaked * ground * puddles * _MIRROR * (0.35 + 0.65 * depth))[..., None]
    dark = dry * (1.0 - (1.0 - _DARKER) * soaked * ground[..., None])
    shown = dark * (1.0 - share) + mirrored * share
    return np.clip(np.rint(shown), 0, 255).astype(np.uint8)
