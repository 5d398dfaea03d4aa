"""Shadows on the ground.

Owns two darkenings: a soft one where something stands, and the one that the key
light casts.
Knows nothing of walls: a shadow that reaches one stops there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from synthetic_crowds.raster.colour import SRGB_TO_LINEAR, linear_to_srgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.street.lighting import StreetLight

__all__ = ["Placed", "Shadow", "cast", "darken", "ellipse_m", "is_cast"]

# Vertices (n, 3) and triangles (t, 3) in a frame, its rotation and place in the world.
Placed = tuple[
    "NDArray[np.float32]",
    "NDArray[np.int32]",
    "NDArray[np.float64]",
    "NDArray[np.float64]",
]

# Shadows are soft: half the frame's resolution shows all there is.
_SHRINK = 2
_FAINTEST = 0.15
_CONTACT_BLUR_M = 0.06
_NEAREST_M = 0.5
_ANGLES = np.arange(16) * (math.pi / 8)
_CIRCLE = np.column_stack((np.cos(_ANGLES), np.sin(_ANGLES)))
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


def is_cast(light: StreetLight) -> bool:
    """Whether the key light casts shadows that anybody sees."""
    return light.cast_shadow >= _FAINTEST


def cast(
    meshes: Sequence[Placed],
    contact_m: NDArray[np.float64],
    light: StreetLight,
    camera: Camera,
) -> Shadow | None:
    """Find the shadow of something that stands on the ground.

    Args:
        meshes: Surfaces, each with its rotation (3, 3) to the world and place (3,); not
            needed where the key light casts no shadows.
        contact_m: (n, 3) outline on the ground of what it keeps from the sky's light.
        light: The light.
        camera: The eye.

    Returns:
        `None` if the frame shows nothing of it.
    """
    contact_seen = camera.to_camera(contact_m)
    if float(contact_seen[:, 2].min()) < _NEAREST_M:
        return None
    spots = [camera.to_image(contact_seen) / _SHRINK]
    if is_cast(light):
        drift = light.to_key[:2] / light.to_key[2]
        k = camera.intrinsics
        lens = k.fx_px, k.fy_px, k.cx_px, k.cy_px
        for vertices, _, turn, place_m in meshes:
            pressed, nearest_m = _press(
                vertices, turn, place_m, drift, camera.rotation, camera.position_m, lens
            )
            if nearest_m < _NEAREST_M:
                return None
            spots.append(pressed)
    px_per_m = camera.intrinsics.fx_px / float(contact_seen[:, 2].mean()) / _SHRINK
    blur_px = max(light.shadow_blur_m * px_per_m, 0.5)
    margin = math.ceil(3 * blur_px) + 1
    lefts, tops, rights, bottoms = zip(*map(_bounds, spots), strict=True)
    left = max(math.floor(min(lefts)) - margin, 0)
    top = max(math.floor(min(tops)) - margin, 0)
    right = min(math.ceil(max(rights)) + margin, camera.width_px // _SHRINK)
    bottom = min(math.ceil(max(bottoms)) + margin, camera.height_px // _SHRINK)
    if right - left < 2 or bottom - top < 2:
        return None
    contact = np.zeros((bottom - top, right - left), np.float32)
    polygon = np.round(spots[0] - (left, top)).astype(np.int32)
    cv2.fillConvexPoly(contact, polygon, light.contact_shadow)
    soft_px = max(_CONTACT_BLUR_M * px_per_m, 0.5)
    share = np.asarray(cv2.GaussianBlur(contact, (0, 0), soft_px), np.float32)
    if len(spots) > 1:
        key = np.zeros_like(share)
        for points, (_, triangles, _, _) in zip(spots[1:], meshes, strict=True):
            _fill(key, points, left, top, triangles, np.float32(light.cast_shadow))
        _join(share, np.asarray(cv2.GaussianBlur(key, (0, 0), blur_px), np.float32))
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


@njit(cache=True, nogil=True, error_model="numpy")
def _join(share: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    """Let a second shadow take its share of the light that a first one leaves."""
    one = np.float32(1.0)
    for y in range(share.shape[0]):
        row, more = share[y], other[y]
        for x in range(len(row)):
            row[x] = one - (one - row[x]) * (one - more[x])


@njit(cache=True, nogil=True, error_model="numpy")
def _darken(
    frame: NDArray[np.uint8],
    ground: NDArray[np.bool_],
    share: NDArray[np.float32],
    decode: NDArray[np.float32],
    encode: NDArray[np.uint8],
) -> None:
    for y in range(frame.shape[0]):
        row, open_, shares = frame[y], ground[y], share[y]
        for i in range(len(shares)):
            x = np.uint64(i)
            if shares[x] > np.float32(0.004) and open_[x]:
                kept = (np.float32(1.0) - shares[x]) * np.float32(4095.0)
                for c in range(3):
                    light = decode[np.uint64(row[x, c])] * kept
                    row[x, c] = encode[np.uint64(light + np.float32(0.5))]


@njit(cache=True, nogil=True)
def _bounds(points: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of points (n, 2)."""
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    for p in range(len(points)):
        left, right = min(left, points[p, 0]), max(right, points[p, 0])
        top, bottom = min(top, points[p, 1]), max(bottom, points[p, 1])
    return left, top, right, bottom


@njit(cache=True, nogil=True)
def _press(
    vertices: NDArray[np.float32],
    turn: NDArray[np.float64],
    place_m: NDArray[np.float64],
    drift: NDArray[np.float64],
    rotation: NDArray[np.float64],
    lens_m: NDArray[np.float64],
    lens: tuple[float, float, float, float],
) -> tuple[NDArray[np.float64], float]:
    """Press vertices on to the ground along the rays of the key light, and project.

    Returns:
        (n, 2) in pixels of the shadow's mask, and the least depth, metres.
    """
    spots = np.empty((vertices.shape[0], 2), np.float64)
    world, seen = np.empty(3), np.empty(3)
    nearest = np.inf
    for v in range(vertices.shape[0]):
        for i in range(3):
            world[i] = place_m[i]
            for j in range(3):
                world[i] += turn[i, j] * vertices[v, j]
        rise = max(world[2], 0.0)
        x, y = world[0] - rise * drift[0] - lens_m[0], world[1] - rise * drift[1]
        y -= lens_m[1]
        for i in range(3):
            seen[i] = (
                rotation[i, 0] * x + rotation[i, 1] * y - (rotation[i, 2] * lens_m[2])
            )
        nearest = min(nearest, seen[2])
        spots[v, 0] = (seen[0] / seen[2] * lens[0] + lens[2]) / _SHRINK
        spots[v, 1] = (seen[1] / seen[2] * lens[1] + lens[3]) / _SHRINK
    return spots, nearest


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    mask: NDArray[np.float32],
    spots: NDArray[np.float64],
    left: int,
    top: int,
    triangles: NDArray[np.int32],
    value: np.float32,
) -> None:
    """Set the pixels of a mask whose centres lie in any triangle of either side."""
    height, width = mask.shape
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = spots[i, 0] - left, spots[i, 1] - top
        bx, by = spots[j, 0] - left, spots[j, 1] - top
        cx, cy = spots[k, 0] - left, spots[k, 1] - top
        if not (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) > 0.0:
            bx, by, cx, cy = cx, cy, bx, by
        if not (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) > 0.0:
            continue
        first = max(math.ceil(min(ax, bx, cx) - 0.5), 0)
        last = min(math.floor(max(ax, bx, cx) - 0.5), width - 1)
        low = max(math.ceil(min(ay, by, cy) - 0.5), 0)
        # Edge functions at the first pixel's centre, and their steps.
        px, py = first + 0.5, low + 0.5
        wa = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        wb = (cx - bx) * (py - by) - (cy - by) * (px - bx)
        wc = (ax - cx) * (py - cy) - (ay - cy) * (px - cx)
        for y in range(low, min(math.floor(max(ay, by, cy) - 0.5), height - 1) + 1):
            row = mask[np.uint64(y)]
            ea, eb, ec = wa, wb, wc
            for x in range(first, last + 1):
                inside = (ea >= 0.0) & (eb >= 0.0) & (ec >= 0.0)
                before = row[np.uint64(x)]
                row[np.uint64(x)] = value if inside else before
                ea -= by - ay
                eb -= cy - by
                ec -= ay - cy
            wa += bx - ax
            wb += cx - bx
            wc += ax - cx


def ellipse_m(
    centre_m: NDArray[np.float64], heading_deg: float, radii_m: tuple[float, float]
) -> NDArray[np.float64]:
    """An ellipse on the ground, (16, 3); its first radius points along the heading."""
    heading = math.radians(heading_deg)
    c, s = math.cos(heading), math.sin(heading)
    along, across = radii_m
    axes = np.array([[c * along, s * along, 0.0], [-s * across, c * across, 0.0]])
    return np.asarray(centre_m + _CIRCLE @ axes)
