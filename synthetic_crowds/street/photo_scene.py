"""A photographed street in place of a painted one.

Owns what is known of a photograph: the plane of the ground, what stands on it as the
scenario says, and how brightly it was exposed. Knows nothing of files or of people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.raster.colour import srgb_to_linear
from synthetic_crowds.raster.rasteriser import Canvas, draw
from synthetic_crowds.street.obstacle_shapes import stand_up
from synthetic_crowds.street.scene import Scene, is_ground

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.street.lighting import StreetLight
    from synthetic_crowds.street.settings import ObstacleConfig

__all__ = ["photo_scene"]

_FARTHEST_M = 400.0
_LUMINANCE_BGR = np.array([0.0722, 0.7152, 0.2126], np.float32)
# Pavements send back about this share of the light (sRGB 145).
_PAVEMENT = 0.28
# The ground nearer than this tells the exposure.
_METERED_M = 25.0
_EXPOSURES = (0.25, 4.0)


def photo_scene(
    photo_bgr: NDArray[np.uint8],
    light: StreetLight,
    camera: Camera,
    *,
    obstacles: Sequence[ObstacleConfig] = (),
    rng: Generator,
) -> Scene:
    """Take a photograph for an empty street.

    Everything that it shows is taken to lie on the ground or far away. Obstacles are
    things that it shows already: they hide people and are not drawn.

    Args:
        photo_bgr: (h, w, 3) uint8, sRGB, as large as the camera's frames.
        light: Before exposure; what people are lit by.
        camera: The eye, as it stood when the picture was taken.
        obstacles: What stands there.
        rng: Decides shapes of obstacles.
    """
    rays = camera.rays()
    with np.errstate(divide="ignore"):
        reach = -camera.position_m[2] / np.minimum(rays[..., 2], 0.0)
    depth_m = np.minimum(reach, _FARTHEST_M).astype(np.float32)
    canvas = Canvas(
        bgr=np.zeros((*depth_m.shape, 3), np.float32),
        depth_m=depth_m,
        owner=np.full(depth_m.shape, -1, np.int32),
    )
    for thing in stand_up(obstacles, rng=rng):
        for part in thing.parts:
            draw(
                canvas,
                part,
                rotation=camera.rotation,
                translation_m=camera.to_camera(thing.place_m),
                intrinsics=camera.intrinsics,
                light=light.seen_by(camera),
                owner=0,
            )
    ground = is_ground(canvas.depth_m, camera) & (canvas.depth_m < _FARTHEST_M)
    return Scene(
        background_bgr=photo_bgr.copy(),
        depth_m=canvas.depth_m,
        ground=ground,
        light=light.exposed(_exposure(photo_bgr, ground, canvas.depth_m, light)),
    )


def _exposure(
    photo_bgr: NDArray[np.uint8],
    ground: NDArray[np.bool_],
    depth_m: NDArray[np.float32],
    light: StreetLight,
) -> float:
    """By how much the light must be stronger for a pavement to look as it does."""
    metered = ground & (depth_m < _METERED_M)
    if not metered.any():
        return 1.0
    seen = float(np.median(srgb_to_linear(photo_bgr[metered]) @ _LUMINANCE_BGR))
    lit = float(light.on(np.array([0.0, 0.0, 1.0])) @ _LUMINANCE_BGR) * _PAVEMENT
    return float(np.clip(seen / lit, *_EXPOSURES))
