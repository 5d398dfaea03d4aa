"""The blank face: for each texel, where it lies and which regions it belongs to.

Owns the static maps that every face's painting shares, in template coordinates, baked
once per texture size. Knows nothing of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.basis.head_basis import load_head_basis
from synthetic_crowds.heads.atlas import FACE_UNROLL, bake_texel_map, unroll
from synthetic_crowds.raster.noise_fields import value_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EYE_M", "MOUTH_Y_M", "FaceCanvas", "load_face_canvas"]

# Landmarks of the template, metres: centre of the left eye, height of the lip line.
EYE_M = (0.0289, 0.0388)
MOUTH_Y_M = -0.0287
N_MOTTLING = 8

# Creases as polylines over |x|, y: they are mirrored.
_CREASES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "nasolabial": (
        ((0.0165, -0.001), (0.0215, -0.010), (0.0275, -0.022), (0.031, -0.036)),
    ),
    "crows_feet": (
        ((0.0475, 0.041), (0.054, 0.046), (0.060, 0.049)),
        ((0.0480, 0.038), (0.056, 0.038), (0.062, 0.037)),
        ((0.0475, 0.034), (0.054, 0.030), (0.059, 0.025)),
    ),
    "forehead": (
        ((0.0, 0.074), (0.018, 0.077), (0.040, 0.075)),
        ((0.0, 0.084), (0.018, 0.087), (0.042, 0.085)),
        ((0.0, 0.094), (0.018, 0.096), (0.038, 0.095)),
    ),
    "frown": (((0.0065, 0.052), (0.0075, 0.060), (0.0070, 0.066)),),
    "eye_bag": (((0.013, 0.030), (0.021, 0.0235), (0.031, 0.0220), (0.041, 0.0265)),),
    "mouth_corner": (((0.0255, -0.030), (0.0275, -0.038), (0.0275, -0.047)),),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceCanvas:
    """Static maps of one texture size; all (n, n) float32 in [0, 1] unless said.

    Attributes:
        position_m: (n, n, 3) float32, template coordinates.
        lips, lids, ears: Region masks.
        front: 1 on the face, 0 behind the ears and inside.
        cheeks, nose, chin, forehead, sockets, under_eyes: Soft regions.
        creases: (6, n, n) in the order of the table above.
        mottling: (8, n * n) slow fields in [-1, 1].
        fine: (n, n) in [-1, 1], about a texel of a 256 px texture.
        pores: (n, n) in [-1, 1], blotches of some millimetres.
        strands: (n, n) in [-1, 1], upright streaks.
    """

    position_m: NDArray[np.float32]
    lips: NDArray[np.float32]
    lids: NDArray[np.float32]
    ears: NDArray[np.float32]
    front: NDArray[np.float32]
    cheeks: NDArray[np.float32]
    nose: NDArray[np.float32]
    chin: NDArray[np.float32]
    forehead: NDArray[np.float32]
    sockets: NDArray[np.float32]
    under_eyes: NDArray[np.float32]
    creases: NDArray[np.float32]
    mottling: NDArray[np.float32]
    fine: NDArray[np.float32]
    pores: NDArray[np.float32]
    strands: NDArray[np.float32]


def _distance_to_polyline(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    corners: tuple[tuple[float, float], ...],
) -> NDArray[np.float32]:
    nearest = np.full(x.shape, np.inf, np.float32)
    for (x0, y0), (x1, y1) in pairwise(corners):
        dx, dy = x1 - x0, y1 - y0
        t = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        nearest = np.minimum(nearest, np.hypot(x - x0 - t * dx, y - y0 - t * dy))
    return nearest


@lru_cache(maxsize=4)
def load_face_canvas(texture_px: int) -> FaceCanvas:
    """Bake the maps of one texture size; a tenth of a second, then cached."""
    basis = load_head_basis()
    skin = basis.template_m[: basis.n_skin]
    uv = unroll(skin, FACE_UNROLL, right_of_seam=basis.right_of_seam)
    texels = bake_texel_map(
        uv, skin, basis.skin_triangles, FACE_UNROLL, size_px=texture_px
    )
    position = texels.position_m
    x, y, z = np.abs(position[..., 0]), position[..., 1], position[..., 2]
    front = np.clip((z - 0.02) / 0.03, 0.0, 1.0)

    def blob(cx: float, cy: float, rx: float, ry: float) -> NDArray[np.float32]:
        fall = np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)
        return np.asarray(fall * front, np.float32)

    masks = [
        cv2.resize(m, (texture_px, texture_px), interpolation=cv2.INTER_AREA)
        for m in basis.masks
    ]
    creases = []
    for lines in _CREASES.values():
        depth = np.zeros(x.shape, np.float32)
        for line in lines:
            distance = _distance_to_polyline(x, y, line)
            depth = np.maximum(depth, np.exp(-((distance / 0.0021) ** 2)))
        creases.append(depth * front)
    flat = np.ascontiguousarray(position.reshape(-1, 3))

    def noise(scale: tuple[float, float, float], seed: int) -> NDArray[np.float32]:
        return np.asarray(value_noise(flat, np.array(scale), seed))

    shape = (texture_px, texture_px)
    canvas = FaceCanvas(
        position_m=position,
        lips=(masks[0] / 255.0).astype(np.float32),
        lids=(masks[1] / 255.0).astype(np.float32),
        ears=(masks[2] / 255.0).astype(np.float32),
        front=front.astype(np.float32),
        cheeks=blob(0.043, 0.004, 0.019, 0.019),
        nose=blob(0.0, 0.002, 0.014, 0.013),
        chin=blob(0.0, -0.056, 0.018, 0.012),
        forehead=blob(0.0, 0.086, 0.045, 0.022),
        sockets=blob(0.0275, 0.0430, 0.020, 0.010),
        under_eyes=blob(0.0270, 0.0260, 0.0150, 0.0055),
        creases=np.stack(creases).astype(np.float32),
        mottling=np.stack(
            [noise((45.0, 45.0, 45.0), 100 + k) for k in range(N_MOTTLING)]
        ),
        fine=noise((800.0, 800.0, 800.0), 1).reshape(shape),
        pores=noise((220.0, 220.0, 220.0), 2).reshape(shape),
        strands=noise((750.0, 130.0, 300.0), 3).reshape(shape),
    )
    for name in canvas.__slots__:
        getattr(canvas, name).setflags(write=False)
    return canvas
