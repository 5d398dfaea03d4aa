"""Shadows on the ground.

Owns two darkenings: a soft one where something stands, and the one that the key
light casts.
Knows nothing of walls: a shadow that reaches one stops there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from synthetic_crowds.colour import SRGB_TO_LINEAR, linear_to_srgb
from synthetic_crowds.rasteriser import Intrinsics, draw, new_canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.camera import Camera
    from synthetic_crowds.lighting import StreetLight
    from synthetic_crowds.records import MeshPart

__all__ = ["Placed", "Shadow", "cast", "darken", "ellipse_m"]

Placed = tuple["MeshPart", "NDArray[np.float64]", "NDArray[np.float64]"]

# Shadows are soft: half the frame's resolution shows all there is.
_SHRINK = 2
_FAINTEST = 0.15
_CONTACT_BLUR_M = 0.06
_ENCODE = linear_to_srgb(np.linspace(0.0, 1.0, 4096, dtype=np.float32))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shadow:
    """Where light is missing in a frame.

    Attributes:
        left_px, top_px: Of `share`, in the frame.
        share: (h, w) float32 in [0, 1], light taken away.
    """

    left_px: int
    top_px: int
    share: NDArray[np.float32]


def cast(
    meshes: Sequence[Placed],
    contact_m: NDArray[np.float64],
    light: StreetLight,
    camera: Camera,
) -> Shadow | None:
    """Find the shadow of something that stands on the ground.

    Args:
        meshes: Parts, each with its rotation (3, 3) to the world and place (3,) in it.
        contact_m: (n, 3) outline on the ground of what it keeps from the sky's light.
        light: The light.
        camera: The eye.

    Returns:
        `None` if the frame shows nothing of it.
    """
    flat: list[MeshPart] = []
    if light.cast_shadow >= _FAINTEST:
        flat = [_flatten(part, turn, place_m, light) for part, turn, place_m in meshes]
    ground = np.concatenate([contact_m, *(part.vertices for part in flat)])
    seen = camera.to_camera(ground)
    if (seen[:, 2] < 0.5).any():
        return None
    spots = camera.to_image(seen)
    blur_px = max(
        light.shadow_blur_m * camera.intrinsics.fx_px / float(seen[:, 2].mean()), 0.8
    )
    margin = math.ceil(3 * blur_px) + 2
    left = max(math.floor(spots[:, 0].min()) - margin, 0) // _SHRINK
    top = max(math.floor(spots[:, 1].min()) - margin, 0) // _SHRINK
    right = min(math.ceil(spots[:, 0].max()) + margin, camera.width_px) // _SHRINK
    bottom = min(math.ceil(spots[:, 1].max()) + margin, camera.height_px) // _SHRINK
    if right - left < 2 or bottom - top < 2:
        return None
    share = np.zeros((bottom - top, right - left), np.float32)
    if flat:
        canvas = new_canvas(bottom - top, right - left)
        k = camera.intrinsics
        intrinsics = Intrinsics(
            fx_px=k.fx_px / _SHRINK,
            fy_px=k.fy_px / _SHRINK,
            cx_px=k.cx_px / _SHRINK - left,
            cy_px=k.cy_px / _SHRINK - top,
        )
        for part in flat:
            draw(
                canvas,
                part,
                rotation=camera.rotation,
                translation_m=camera.to_camera(np.zeros(3)),
                intrinsics=intrinsics,
                light=light.seen_by(camera),
                owner=0,
            )
        share[canvas.owner >= 0] = light.cast_shadow
        share = cv2.GaussianBlur(share, (0, 0), max(blur_px / _SHRINK, 0.5))
    contact = np.zeros_like(share)
    polygon = camera.to_image(camera.to_camera(contact_m)) / _SHRINK - (left, top)
    cv2.fillPoly(contact, [np.round(polygon).astype(np.int32)], light.contact_shadow)
    soft_px = _CONTACT_BLUR_M * camera.intrinsics.fx_px / float(seen[0, 2]) / _SHRINK
    contact = cv2.GaussianBlur(contact, (0, 0), max(soft_px, 0.5))
    share = 1.0 - (1.0 - share) * (1.0 - contact)
    size = (share.shape[1] * _SHRINK, share.shape[0] * _SHRINK)
    whole = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
    return Shadow(
        left_px=left * _SHRINK,
        top_px=top * _SHRINK,
        share=np.asarray(whole, np.float32),
    )


def darken(
    frame_bgr: NDArray[np.uint8], ground: NDArray[np.bool_], shadow: Shadow
) -> None:
    """Take a shadow's light from a frame (h, w, 3), sRGB, where it shows ground."""
    rows = slice(shadow.top_px, shadow.top_px + shadow.share.shape[0])
    columns = slice(shadow.left_px, shadow.left_px + shadow.share.shape[1])
    _darken(
        frame_bgr[rows, columns], ground[rows, columns], shadow.share, SRGB_TO_LINEAR,
        _ENCODE,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _darken(
    frame: NDArray[np.uint8],
    ground: NDArray[np.bool_],
    share: NDArray[np.float32],
    decode: NDArray[np.float32],
    encode: NDArray[np.uint8],
) -> None:
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            if ground[y, x] and share[y, x] > np.float32(0.004):
                for c in range(3):
                    light = decode[frame[y, x, c]] * (np.float32(1.0) - share[y, x])
                    frame[y, x, c] = encode[int(light * np.float32(4095.0) + 0.5)]


def _flatten(
    part: MeshPart,
    turn: NDArray[np.float64],
    place_m: NDArray[np.float64],
    light: StreetLight,
) -> MeshPart:
    """Press a mesh on to the ground along the rays of the key light."""
    world = part.vertices @ turn.T + place_m
    drift = light.to_key[:2] / light.to_key[2]
    world[:, :2] -= np.maximum(world[:, 2:], 0.0) * drift
    world[:, 2] = 0.0
    return replace(part, vertices=world.astype(np.float32))


def ellipse_m(
    centre_m: NDArray[np.float64], heading_deg: float, radii_m: tuple[float, float]
) -> NDArray[np.float64]:
    """An ellipse on the ground, (16, 3); its first radius points along the heading."""
    angle = np.arange(16) * (math.pi / 8)
    along, across = radii_m[0] * np.cos(angle), radii_m[1] * np.sin(angle)
    heading = math.radians(heading_deg)
    c, s = math.cos(heading), math.sin(heading)
    rim = np.column_stack((c * along - s * across, s * along + c * across))
    return np.asarray(centre_m + np.pad(rim, ((0, 0), (0, 1))))
