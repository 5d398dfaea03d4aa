"""A pinhole camera over a pavement: where it stands and what it projects where.

Owns the transform between world, camera and image. The lens hangs over the world's
origin and looks along +x, so a person walks towards it in the direction of -x, and
+y is on the left of the image; one that took a photograph hangs and looks as it
did. Knows nothing of light or people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.rasteriser import Intrinsics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.camera_config import CameraConfig

__all__ = ["Camera", "mount"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Camera:
    """A mounted camera.

    Attributes:
        intrinsics: Focal lengths and principal point, pixels.
        rotation: (3, 3) float64, world to camera.
        position_m: (3,) float64, of the lens, in the world.
        width_px, height_px: Of the image.
    """

    intrinsics: Intrinsics
    rotation: NDArray[np.float64]
    position_m: NDArray[np.float64]
    width_px: int
    height_px: int

    def to_camera(self, points_m: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take world points (..., 3), metres, into the camera's frame."""
        points = np.ascontiguousarray(points_m, np.float64)
        turned = _turn(points.reshape(-1, 3), self.position_m, self.rotation)
        return turned.reshape(points.shape)

    def to_image(self, points_m: NDArray[np.floating]) -> NDArray[np.float64]:
        """Project points (..., 3) of the camera's frame to pixels (..., 2)."""
        k = self.intrinsics
        points = np.ascontiguousarray(points_m, np.float64)
        seen = _project(points.reshape(-1, 3), k.fx_px, k.fy_px, k.cx_px, k.cy_px)
        return seen.reshape(*points.shape[:-1], 2)

    def rays(self, *, step_px: float = 1.0) -> NDArray[np.float64]:
        """Directions in the world, one per pixel of a grid `step_px` wide.

        Returns:
            (h / step, w / step, 3), scaled so that the component along the
            optical axis is 1: times a depth, it reaches that depth.
        """
        k = self.intrinsics
        x_px = (np.arange(round(self.width_px / step_px)) + 0.5) * step_px
        y_px = (np.arange(round(self.height_px / step_px)) + 0.5) * step_px
        u, v = np.meshgrid((x_px - k.cx_px) / k.fx_px, (y_px - k.cy_px) / k.fy_px)
        return np.stack((u, v, np.ones_like(u)), axis=-1) @ self.rotation


# Compiled, since what is projected is mostly a handful of points, very often.
@njit(cache=True, nogil=True)
def _turn(
    points: NDArray[np.float64],
    origin: NDArray[np.float64],
    rotation: NDArray[np.float64],
) -> NDArray[np.float64]:
    turned = np.empty((len(points), 3))
    for p in range(len(points)):
        x, y = points[p, 0] - origin[0], points[p, 1] - origin[1]
        z = points[p, 2] - origin[2]
        for i in range(3):
            turned[p, i] = rotation[i, 0] * x + rotation[i, 1] * y + rotation[i, 2] * z
    return turned


@njit(cache=True, nogil=True, error_model="numpy")
def _project(
    points: NDArray[np.float64], fx: float, fy: float, cx: float, cy: float
) -> NDArray[np.float64]:
    seen = np.empty((len(points), 2))
    for p in range(len(points)):
        seen[p, 0] = points[p, 0] / points[p, 2] * fx + cx
        seen[p, 1] = points[p, 1] / points[p, 2] * fy + cy
    return seen


def mount(config: CameraConfig) -> Camera:
    """Hang a camera on its mast."""
    tilt, pan = math.radians(config.tilt_deg), math.radians(config.pan_deg)
    roll = math.radians(config.roll_deg)
    forward = np.array(
        [
            math.cos(tilt) * math.cos(pan),
            math.cos(tilt) * math.sin(pan),
            -math.sin(tilt),
        ]
    )
    level = np.array([math.sin(pan), -math.cos(pan), 0.0])
    below = np.cross(forward, level)
    right = math.cos(roll) * level + math.sin(roll) * below
    down = math.cos(roll) * below - math.sin(roll) * level
    focal_px = config.focal_length_px
    return Camera(
        intrinsics=Intrinsics(
            fx_px=focal_px,
            fy_px=focal_px,
            cx_px=config.width_px / 2,
            cy_px=config.height_px / 2,
        ),
        rotation=np.stack((right, down, forward)),
        position_m=np.array([config.lens_x_m, config.lens_y_m, config.mount_height_m]),
        width_px=config.width_px,
        height_px=config.height_px,
    )
