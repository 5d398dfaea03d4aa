"""Knitted hats, worn on cold days and by habit.

Owns the one kind of headwear there is. Knows nothing of the hair underneath.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import smooth_normals
from synthetic_crowds.heads.scalp import load_hair_texels, load_scalp
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance

__all__ = ["build_hat"]

_TEXTURE_PX = 128
_CLOTH_M, _FOLD_M, _SLOUCH_M = 0.005, 0.003, 0.012
_FOLD_HEIGHT_M = 0.032


def _over_brim(template_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Height over the brim, metres; it runs lower behind than in front."""
    y, z = template_m[..., 1], template_m[..., 2]
    return np.asarray(y - 0.056 - 0.30 * np.clip(z, -0.06, 0.09), np.float32)


def build_hat(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    appearance: Appearance,
) -> MeshPart:
    """Pull a knitted hat over a head.

    Args:
        vertices: (n_skin, 3) of the skin, local frame.
        normals: (n_skin, 3).
        appearance: Its colour.

    Returns:
        One part.
    """
    scalp = load_scalp()
    height = _over_brim(scalp.template_m)
    fold = np.clip((_FOLD_HEIGHT_M - height) / 0.003, 0.0, 1.0)
    crown = np.clip((height - 0.04) / 0.04, 0.0, 1.0)
    thick = _CLOTH_M + _FOLD_M * fold + _SLOUCH_M * crown
    thick = np.where(height > -0.006, thick, -_CLOTH_M).astype(np.float32)
    shell = vertices[scalp.ids] + normals[scalp.ids] * thick[:, None]
    return MeshPart(
        vertices=shell,
        normals=smooth_normals(shell, scalp.triangles, scalp.weld),
        triangles=scalp.triangles,
        uv=scalp.uv,
        texture_bgra=_paint(appearance),
        occlusion=np.ones(len(shell), np.float32),
    )


def _paint(appearance: Appearance) -> NDArray[np.uint8]:
    position = load_hair_texels(_TEXTURE_PX)
    height = _over_brim(position)
    ribs = 1.0 + 0.14 * np.sin(np.arange(_TEXTURE_PX) * 2.1)
    fold = np.abs(height - _FOLD_HEIGHT_M) < 0.0022
    shade = (ribs * np.where(fold, 0.7, 1.0))[..., None]
    image = np.empty((_TEXTURE_PX, _TEXTURE_PX, 4), np.uint8)
    colour = np.array(appearance.cover_bgr) * shade
    image[..., :3] = np.clip(colour, 0.0, 255.0).astype(np.uint8)
    image[..., 3] = np.where(height > 0.0, 255, 0)
    return image
