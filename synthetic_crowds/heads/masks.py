"""Face masks: cloth over nose, mouth and chin, held at the ears.

Owns how a mask drapes over a face and its two kinds. Knows nothing of why it is worn.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import load_head_basis, smooth_normals
from synthetic_crowds.people.person import FaceMask
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance

__all__ = ["build_mask"]

_ROWS, _COLUMNS = 17, 29
_TEXTURE_PX = 64
# The mask is laid out around a vertical axis inside the head, on the average face.
_AXIS_Z_M, _REACH_DEG = 0.010, 66.0
# Height of its edges from the middle of the face to its sides, by share of the way.
_WAY = (0.0, 0.25, 0.55, 1.0)
_TOP_M = (0.020, 0.010, 0.004, 0.000)
_BOTTOM_M = (-0.084, -0.081, -0.070, -0.040)
_LOOK_M = 0.005
# Cloth bridges hollows in this many smoothing steps and keeps this far off the skin.
_DRAPE_STEPS, _CLEAR_M = 18, 0.0035
_LOOP_HALF_M = 0.0013


@lru_cache(maxsize=1)
def _seat() -> NDArray[np.int64]:
    """Skin vertices (rows, columns) of the average face that the mask lies on."""
    basis = load_head_basis()
    skin = basis.template_m[: basis.n_skin]
    angle = np.arctan2(skin[:, 0], skin[:, 2] - _AXIS_Z_M)
    radius = np.hypot(skin[:, 0], skin[:, 2] - _AXIS_Z_M)
    ids = np.empty((_ROWS, _COLUMNS), np.int64)
    shares = np.linspace(-1.0, 1.0, _COLUMNS)
    # Closer in the middle, where the nose is.
    for column, share in enumerate(np.sign(shares) * np.abs(shares) ** 1.35):
        top, bottom = (
            np.interp(abs(share), _WAY, edge) for edge in (_TOP_M, _BOTTOM_M)
        )
        turn = np.radians(_REACH_DEG) * share
        for row, height in enumerate(np.linspace(top, bottom, _ROWS)):
            off = np.hypot((angle - turn) * 0.08, skin[:, 1] - height)
            near = np.flatnonzero(off < max(_LOOK_M, float(off.min()) + 1e-4))
            # The outermost: lips and nostrils have inner sides.
            ids[row, column] = near[radius[near].argmax()]
    return ids


def build_mask(
    skin_m: NDArray[np.float32],
    appearance: Appearance,
    *,
    ears_m: NDArray[np.float32],
) -> MeshPart:
    """Put a mask on a face.

    Args:
        skin_m: (n_skin, 3) of the skin, beard included, local frame.
        appearance: Which mask, and its colour.
        ears_m: (2, 3) where loops pass over the right and left ear.

    Returns:
        One part.
    """
    cloth = _drape(skin_m[_seat()].astype(np.float64))
    index = np.arange(_ROWS * _COLUMNS, dtype=np.int32).reshape(_ROWS, _COLUMNS)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    triangles = [np.stack((a, c, b), axis=1), np.stack((b, c, d), axis=1)]
    points = [cloth.reshape(-1, 3)]
    u, v = np.meshgrid(
        np.linspace(0.02, 0.98, _COLUMNS), np.linspace(0.02, 0.90, _ROWS)
    )
    uv = [np.stack((u.ravel(), v.ravel()), axis=1)]
    first = _ROWS * _COLUMNS
    for column, ear in ((0, ears_m[0]), (_COLUMNS - 1, ears_m[1])):
        for row in (1, _ROWS - 2):
            points.append(_loop(cloth[row, column], ear.astype(np.float64)))
            uv.append(np.full((4, 2), (0.5, 0.98)))
            triangles.append(np.array([(0, 1, 2), (1, 3, 2)]) + first)
            first += 4
    vertices = np.concatenate(points).astype(np.float32)
    joined = np.concatenate(triangles).astype(np.int32)
    return MeshPart(
        vertices=vertices,
        normals=smooth_normals(
            vertices, joined, np.arange(len(vertices), dtype=np.int32)
        ),
        triangles=joined,
        uv=np.concatenate(uv).astype(np.float32),
        texture_bgra=_paint(appearance),
        occlusion=np.ones(len(vertices), np.float32),
    )


def _drape(skin_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stretch cloth (rows, columns, 3) over a face: hollows bridged, nothing cut."""
    axis = np.array([0.0, 0.0, _AXIS_Z_M])
    flat = np.array([1.0, 0.0, 1.0])
    away = (skin_m - axis) * flat
    radius = np.linalg.norm(away, axis=2)
    outward = away / radius[..., None]
    least = radius + _CLEAR_M
    # The lower edge tucks in below the chin, the upper one is pinched to the nose.
    reach = least.copy()
    for _ in range(_DRAPE_STEPS):
        padded = np.pad(reach, 1, mode="edge")
        mean = (
            padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
        ) / 4.0
        reach[1:-1, 1:-1] = mean[1:-1, 1:-1]
        reach = np.maximum(reach, least)
    heights = skin_m[..., 1]
    for _ in range(4):
        heights = np.pad(heights, 1, mode="reflect", reflect_type="odd")
        heights = (
            heights[:-2, 1:-1]
            + heights[2:, 1:-1]
            + heights[1:-1, :-2]
            + heights[1:-1, 2:]
        ) / 4.0
    draped = axis * flat + outward * reach[..., None]
    draped[..., 1] = heights
    return draped


def _loop(
    corner_m: NDArray[np.float64], ear_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A strip (4, 3) from the mask's corner to behind the ear."""
    rest = ear_m + np.array([0.0, -0.006, -0.008])
    half = np.array([0.0, _LOOP_HALF_M, 0.0])
    return np.stack((corner_m + half, corner_m - half, rest + half, rest - half))


def _paint(appearance: Appearance) -> NDArray[np.uint8]:
    """Cloth above, the loops' colour in the last rows."""
    row = (np.arange(_TEXTURE_PX) + 0.5) / _TEXTURE_PX
    shade = np.ones((_TEXTURE_PX, _TEXTURE_PX))
    if appearance.face_mask is FaceMask.SURGICAL:
        for pleat in (0.30, 0.46, 0.62):
            fold = (row - pleat) / 0.02
            shade -= (0.20 * np.exp(-(fold**2)))[:, None]
            shade += (0.05 * np.exp(-((fold + 2.0) ** 2)))[:, None]
    else:
        # A seam down the middle.
        shade -= 0.16 * np.exp(-(((row - 0.5) / 0.012) ** 2))[None]
    rim = np.minimum(row, 0.92 - row)
    shade -= (0.10 * np.exp(-((rim / 0.03) ** 2)))[:, None]
    image = np.full((_TEXTURE_PX, _TEXTURE_PX, 4), 255, np.uint8)
    image[..., :3] = np.clip(np.array(appearance.mask_bgr) * shade[..., None], 0, 255)
    dark = appearance.face_mask is FaceMask.CLOTH or min(appearance.mask_bgr) < 80.0
    image[-4:, :, :3] = 48 if dark else 222
    return image
