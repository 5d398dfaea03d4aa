"""Colours of strands: streaks of light and dark, and grey among them.

Owns what hair looks like close up. Knows nothing of cuts or meshes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.raster.noise_fields import value_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Person

__all__ = ["hair_colour", "strand_colours", "strand_shades"]


def hair_colour(person: Person) -> NDArray[np.float64]:
    """Mean colour of somebody's hair with its grey strands, (3,) sRGB B, G, R."""
    colour = np.array(person.hair.colour_bgr)
    return colour + person.hair.grey * 0.85 * (np.array([168.0, 170, 172]) - colour)


def strand_shades(
    points: NDArray[np.float32], flow: tuple[float, float, float], person: Person
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fine and coarse streaks at points, each in [-1, 1]."""
    seed = person.hair.texture_seed % 65536
    fine = value_noise(points, np.array(flow), seed)
    coarse = value_noise(points, np.array(flow) * 0.36, seed + 1)
    return fine, coarse


def strand_colours(
    fine: NDArray[np.float32], coarse: NDArray[np.float32], person: Person
) -> NDArray[np.float32]:
    """Colour of each texel, (..., 3) sRGB float32."""
    base = np.array(person.hair.colour_bgr, np.float32)
    shade = np.clip(1.0 + 0.32 * fine + 0.30 * coarse, 0.35, 1.8)[..., None]
    colour = base * shade + 9.0 * np.clip(coarse, 0.0, 1.0)[..., None]
    grey = np.clip(person.hair.grey * 1.1 + 0.45 * fine - 0.15, 0.0, 1.0)
    grey = (grey * (person.hair.grey > 0.02))[..., None]
    silver = np.float32(168.0) * (0.82 + 0.18 * shade)
    return np.asarray(colour * (1.0 - grey) + silver * grey, np.float32)
