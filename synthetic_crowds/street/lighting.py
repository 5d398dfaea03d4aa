"""Light on the street: where it comes from, its colours, and what shadows it casts.

Owns five kinds of light and their variation, in world coordinates and linear
light. Knows nothing of surfaces, people or sensors.

The strengths are chosen, not measured: a white matt surface facing the key light
comes out near 1, the level at which a well exposed camera clips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.config import Weather
from synthetic_crowds.raster.rasteriser import Light

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.raster.camera import Camera

__all__ = ["StreetLight", "draw_light"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetLight:
    """One moment's light.

    Attributes:
        to_key: (3,) float64, world, unit, from the street to the key light.
        key_bgr, sky_bgr, ground_bgr: (3,) float64, linear; see `rasteriser.Light`.
        horizon_bgr: (3,) float64, linear, of the sky near the horizon.
        glow: How bright lit windows and signs are.
        cast_shadow: Share of light that a body takes from where its shadow falls.
        contact_shadow: Share that its feet take from the ground below them.
        shadow_blur_m: How soft the edge of the shadow is.
        metered_level: Mean linear luminance at which a camera would like the street.
    """

    to_key: NDArray[np.float64]
    key_bgr: NDArray[np.float64]
    sky_bgr: NDArray[np.float64]
    ground_bgr: NDArray[np.float64]
    horizon_bgr: NDArray[np.float64]
    glow: float
    cast_shadow: float
    contact_shadow: float
    shadow_blur_m: float
    metered_level: float

    def exposed(self, factor: float) -> StreetLight:
        """The same light through a wider (`factor` above 1) or narrower iris."""
        return replace(
            self,
            key_bgr=self.key_bgr * factor,
            sky_bgr=self.sky_bgr * factor,
            ground_bgr=self.ground_bgr * factor,
            horizon_bgr=self.horizon_bgr * factor,
            glow=self.glow * factor,
        )

    def seen_by(self, camera: Camera) -> Light:
        """The light in a camera's frame, as the rasteriser takes it."""
        up = np.array([0.0, 0.0, 1.0])
        return Light(
            direction=(camera.rotation @ self.to_key).astype(np.float32),
            key_bgr=self.key_bgr.astype(np.float32),
            sky_bgr=self.sky_bgr.astype(np.float32),
            ground_bgr=self.ground_bgr.astype(np.float32),
            up=(camera.rotation @ up).astype(np.float32),
        )

    def on(self, normal: NDArray[np.floating]) -> NDArray[np.float64]:
        """Linear light (..., 3) that a matt surface of unit `normal` receives."""
        lit = np.clip(normal @ self.to_key, 0.0, None)[..., None] * self.key_bgr
        sky_share = 0.5 + 0.5 * normal[..., 2:]
        return np.asarray(
            lit + sky_share * self.sky_bgr + (1 - sky_share) * self.ground_bgr
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """Ranges from which a `StreetLight` is drawn.

    Attributes:
        azimuth_deg: Of the key light, from behind the camera (0) towards the side
            of the road (90); the buildings' side would lie in shade.
        elevation_deg: Of the key light over the horizon.
        key, sky, ground: Linear B, G, R.
        horizon: Linear B, G, R.
        glow, cast, contact, blur_m, level: See `StreetLight`.
    """

    azimuth_deg: tuple[float, float]
    elevation_deg: tuple[float, float]
    key: tuple[float, float, float]
    sky: tuple[float, float, float]
    ground: tuple[float, float, float]
    horizon: tuple[float, float, float]
    glow: float
    cast: float
    contact: float
    blur_m: float
    level: float


_RECIPES = {
    Weather.DAY: _Recipe(
        azimuth_deg=(10.0, 65.0),
        elevation_deg=(32.0, 52.0),
        key=(0.58, 0.67, 0.72),
        sky=(0.44, 0.37, 0.33),
        ground=(0.17, 0.18, 0.19),
        horizon=(0.95, 0.86, 0.78),
        level=0.26,
        glow=0.25,
        cast=0.62,
        contact=0.45,
        blur_m=0.012,
    ),
    Weather.OVERCAST: _Recipe(
        azimuth_deg=(-20.0, 60.0),
        elevation_deg=(45.0, 65.0),
        key=(0.25, 0.25, 0.25),
        sky=(0.66, 0.63, 0.61),
        ground=(0.27, 0.27, 0.27),
        horizon=(0.86, 0.84, 0.82),
        level=0.23,
        glow=0.45,
        cast=0.10,
        contact=0.50,
        blur_m=0.14,
    ),
    Weather.DUSK: _Recipe(
        azimuth_deg=(-50.0, 60.0),
        elevation_deg=(40.0, 60.0),
        key=(0.36, 0.50, 0.62),
        sky=(0.34, 0.27, 0.23),
        ground=(0.14, 0.15, 0.16),
        horizon=(0.42, 0.30, 0.26),
        level=0.15,
        glow=0.50,
        cast=0.36,
        contact=0.50,
        blur_m=0.035,
    ),
    Weather.INDOOR: _Recipe(
        azimuth_deg=(-60.0, 60.0),
        elevation_deg=(50.0, 70.0),
        key=(0.42, 0.45, 0.46),
        sky=(0.44, 0.46, 0.47),
        ground=(0.27, 0.28, 0.29),
        horizon=(0.30, 0.31, 0.32),
        level=0.22,
        glow=0.62,
        cast=0.14,
        contact=0.50,
        blur_m=0.12,
    ),
    # A street lamp behind the camera, lit windows, and next to no sky.
    Weather.NIGHT: _Recipe(
        azimuth_deg=(-45.0, 60.0),
        elevation_deg=(48.0, 68.0),
        key=(0.17, 0.33, 0.46),
        sky=(0.055, 0.060, 0.065),
        ground=(0.055, 0.070, 0.080),
        horizon=(0.030, 0.022, 0.020),
        level=0.085,
        glow=0.55,
        cast=0.55,
        contact=0.50,
        blur_m=0.025,
    ),
}


def draw_light(weather: Weather, *, rng: Generator) -> StreetLight:
    """Draw one moment of a kind of weather."""
    recipe = _RECIPES[weather]
    azimuth = math.radians(rng.uniform(*recipe.azimuth_deg))
    elevation = math.radians(rng.uniform(*recipe.elevation_deg))
    level = math.cos(elevation)
    strength = rng.uniform(0.88, 1.10)
    # Clouds and lamps differ a little in hue from hour to hour.
    hue = 1.0 + rng.uniform(-0.03, 0.03, 3)
    return StreetLight(
        to_key=np.array(
            [
                -level * math.cos(azimuth),
                -level * math.sin(azimuth),
                math.sin(elevation),
            ]
        ),
        key_bgr=np.array(recipe.key) * strength * hue,
        sky_bgr=np.array(recipe.sky) * rng.uniform(0.9, 1.1),
        ground_bgr=np.array(recipe.ground) * rng.uniform(0.9, 1.1),
        horizon_bgr=np.array(recipe.horizon),
        glow=recipe.glow * float(rng.uniform(0.8, 1.2)),
        cast_shadow=recipe.cast,
        contact_shadow=recipe.contact,
        shadow_blur_m=recipe.blur_m,
        metered_level=recipe.level,
    )
