"""Shadows on the ground.

Owns two darkenings: a soft one where something stands, and the one that the key
light casts.
Knows nothing of walls: a shadow that reaches one stops there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.street.dimming import dim, dim_light
from synthetic_crowds.street.shadow_kernels import throw
from synthetic_crowds.street.silhouettes import borders_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.records import MeshPart
    from synthetic_crowds.street.lighting import StreetLight

__all__ = [
    "GroundView",
    "Outline",
    "Shadow",
    "cast",
    "ellipse_m",
    "rigid",
    "view_ground",
]

# A fainter key light casts no shadow that anybody sees.
_FAINTEST = 0.15
_CONTACT_BLUR_M = 0.06
_N_CORNERS = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outline:
    """The surfaces that cast a thing's shadow, and how they follow its bones.

    Attributes:
        rest_m: (n, 3) float32.
        bones: (n, k) uint8.
        weights: (n, k) uint8, heaviest first, of about 255 together.
        triangles: (t, 3) uint16.
        borders: (e, 4) uint16, their edges, as from `silhouettes.borders_of`.
    """

    rest_m: NDArray[np.float32]
    bones: NDArray[np.uint8]
    weights: NDArray[np.uint8]
    triangles: NDArray[np.uint16]
    borders: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundView:
    """The ground under one light, as one camera sees it.

    Attributes:
        pressed: (3, 4) float64, world points to where their shadows fall: column and
            row, pixels, each times the depth, and the depth, metres.
        size_px: Width and height.
        thrown: Share of light that shadows take, 0 if nobody sees it, and how soft
            their edges are at a metre's distance, pixels.
        contact: The same where something stands.
    """

    pressed: NDArray[np.float64]
    size_px: tuple[int, int]
    thrown: tuple[float, float]
    contact: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shadow:
    """Where light is missing in a frame.

    Attributes:
        left_over: (h, w) float32 in [0, 1], share of light, in cells of two pixels.
        column, row: Of the first cell.
    """

    left_over: NDArray[np.float32]
    column: int
    row: int

    def darken(self, frame_bgr: NDArray[np.uint8], ground: NDArray[np.bool_]) -> None:
        """Take its light from a frame (h, w, 3), sRGB, where (h, w) shows ground."""
        dim(frame_bgr, ground, self.left_over, self.column, self.row)

    def dim(self, light: NDArray[np.float32], ground: NDArray[np.bool_]) -> None:
        """Take it from linear light (h, w, 3) where (h, w) shows ground."""
        dim_light(light, ground, self.left_over, self.column, self.row)


def view_ground(light: StreetLight, camera: Camera) -> GroundView:
    """Find where a camera sees what a light throws on to the ground."""
    drift = light.to_key[:2] / light.to_key[2]
    k = camera.intrinsics
    lens = np.array([[k.fx_px, 0, k.cx_px], [0, k.fy_px, k.cy_px], [0, 0, 1]])
    fall = np.array([[1, 0, -drift[0]], [0, 1, -drift[1]], [0, 0, 0]])
    seen, share = lens @ camera.rotation, light.cast_shadow
    return GroundView(
        pressed=np.column_stack((seen @ fall, -seen @ camera.position_m)),
        size_px=(camera.width_px, camera.height_px),
        thrown=(share if share >= _FAINTEST else 0.0, light.shadow_blur_m * k.fx_px),
        contact=(light.contact_shadow, _CONTACT_BLUR_M * k.fx_px),
    )


def rigid(parts: Sequence[MeshPart]) -> Outline:
    """Make the outline of something that stands as it is, with one bone."""
    counts = [len(part.vertices) for part in parts]
    starts = np.cumsum([0, *counts[:-1]])
    points = np.concatenate([part.vertices for part in parts])
    triangles = np.concatenate(
        [p.triangles + s for p, s in zip(parts, starts, strict=True)]
    )
    return Outline(
        rest_m=np.ascontiguousarray(points, np.float32),
        bones=np.zeros((len(points), 1), np.uint8),
        weights=np.full((len(points), 1), 255, np.uint8),
        triangles=triangles.astype(np.uint16),
        borders=borders_of(triangles),
    )


def cast(
    outline: Outline,
    to_world: NDArray[np.float64],
    contact_m: NDArray[np.float64],
    view: GroundView,
) -> Shadow | None:
    """Find the shadow of something that stands on the ground.

    Args:
        outline: Its surfaces.
        to_world: (b, 3, 4), from each bone's rest to the world, metres.
        contact_m: (n, 3) convex outline on the ground of what it keeps from the sky's
            light.
        view: Of the ground.

    Returns:
        `None` if the frame shows nothing of it.
    """
    left_over, column, row = throw(
        outline.rest_m,
        outline.bones,
        outline.weights,
        outline.triangles,
        outline.borders,
        to_world,
        contact_m,
        view.pressed,
        view.size_px,
        (view.thrown, view.contact),
    )
    if not len(left_over):
        return None
    return Shadow(left_over=left_over, column=column, row=row)


@njit(cache=True, nogil=True)
def ellipse_m(
    centre_m: NDArray[np.float64], heading_deg: float, radii_m: tuple[float, float]
) -> NDArray[np.float64]:
    """An ellipse on the ground, (16, 3); its first radius points along the heading."""
    heading = math.radians(heading_deg)
    c, s = math.cos(heading), math.sin(heading)
    corners = np.empty((_N_CORNERS, 3))
    for i in range(_N_CORNERS):
        angle = i * 2.0 * math.pi / _N_CORNERS
        along, across = radii_m[0] * math.cos(angle), radii_m[1] * math.sin(angle)
        corners[i, 0] = centre_m[0] + c * along - s * across
        corners[i, 1] = centre_m[1] + s * along + c * across
        corners[i, 2] = centre_m[2]
    return corners
