"""Hats: knitted ones and peaked caps.

Owns the headwear there is. Knows nothing of the hair underneath.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import load_head_basis, smooth_normals
from synthetic_crowds.heads.scalp import load_hair_texels, load_scalp
from synthetic_crowds.people.person import Headwear
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance

__all__ = ["build_hat"]

_TEXTURE_PX = 128
_CLOTH_M, _FOLD_M, _SLOUCH_M = 0.005, 0.003, 0.012
_FOLD_HEIGHT_M = 0.032
_CAP_M, _CAP_CROWN_M = 0.006, 0.010
# A peak: columns from temple to temple, rows from its root to its edge.
_PEAK_COLUMNS, _PEAK_ROWS = 17, 5
_PEAK_DEG, _PEAK_M, _PEAK_DROP, _PEAK_BEND_M = 52.0, 0.068, 0.30, 0.016


def _over_brim(template_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Height over the brim, metres; it runs lower behind than in front."""
    y, z = template_m[..., 1], template_m[..., 2]
    return np.asarray(y - 0.056 - 0.30 * np.clip(z, -0.06, 0.09), np.float32)


def build_hat(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    appearance: Appearance,
) -> tuple[MeshPart, ...]:
    """Put a hat on a head.

    Args:
        vertices: (n_skin, 3) of the skin, local frame.
        normals: (n_skin, 3).
        appearance: Its kind and colour.

    Returns:
        The hat, and a cap's peak.
    """
    scalp = load_scalp()
    height = _over_brim(scalp.template_m)
    crown = np.clip((height - 0.04) / 0.04, 0.0, 1.0)
    if appearance.headwear is Headwear.CAP:
        thick = _CAP_M + _CAP_CROWN_M * crown
    else:
        fold = np.clip((_FOLD_HEIGHT_M - height) / 0.003, 0.0, 1.0)
        thick = _CLOTH_M + _FOLD_M * fold + _SLOUCH_M * crown
    thick = np.where(height > -0.006, thick, -_CLOTH_M).astype(np.float32)
    shell = vertices[scalp.ids] + normals[scalp.ids] * thick[:, None]
    hat = MeshPart(
        vertices=shell,
        normals=smooth_normals(shell, scalp.triangles, scalp.weld),
        triangles=scalp.triangles,
        uv=scalp.uv,
        texture_bgra=_paint(appearance),
        occlusion=np.ones(len(shell), np.float32),
    )
    if appearance.headwear is not Headwear.CAP:
        return (hat,)
    return hat, _build_peak(vertices, normals, appearance)


@lru_cache(maxsize=1)
def _peak_root() -> NDArray[np.int64]:
    """Skin vertices of the average head from which a peak springs, right to left."""
    basis = load_head_basis()
    skin = basis.template_m[: basis.n_skin]
    angle = np.arctan2(skin[:, 0], skin[:, 2])
    off_line = np.abs(_over_brim(skin) - 0.004)
    turns = np.radians(np.linspace(-_PEAK_DEG, _PEAK_DEG, _PEAK_COLUMNS))
    return np.array(
        [int((off_line + 0.09 * np.abs(angle - turn)).argmin()) for turn in turns]
    )


def _build_peak(
    vertices: NDArray[np.float32], normals: NDArray[np.float32], appearance: Appearance
) -> MeshPart:
    """Let a stiff peak spring from the brim, bent down at its sides."""
    ids = _peak_root()
    root = vertices[ids] + normals[ids] * _CAP_M
    across = np.linspace(-1.0, 1.0, _PEAK_COLUMNS)
    # A smooth line through the root: stiff board does not follow bumps.
    root = np.stack(
        [np.polyval(np.polyfit(across, root[:, k], 2), across) for k in range(3)],
        axis=1,
    )
    root[:, 0] = np.linspace(root[0, 0], root[-1, 0], _PEAK_COLUMNS)
    out = np.linspace(0.0, 1.0, _PEAK_ROWS)[:, None]
    length = _PEAK_M * np.sqrt(np.clip(1.0 - across**2, 0.0, 1.0))
    points = np.repeat(root[None], _PEAK_ROWS, axis=0)
    points[..., 2] += out * length
    points[..., 1] -= out * length * _PEAK_DROP + out * _PEAK_BEND_M * across**2
    index = np.arange(points[..., 0].size, dtype=np.int32).reshape(points.shape[:2])
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    triangles = np.concatenate(
        (np.stack((a, c, b), axis=1), np.stack((b, c, d), axis=1))
    )
    flat = points.reshape(-1, 3).astype(np.float32)
    texture = np.full((2, 2, 4), 255, np.uint8)
    texture[..., :3] = np.clip(np.array(appearance.cover_bgr) * 0.88, 0.0, 255.0)
    return MeshPart(
        vertices=flat,
        normals=smooth_normals(flat, triangles, np.arange(len(flat), dtype=np.int32)),
        triangles=triangles,
        uv=np.full((len(flat), 2), 0.5, np.float32),
        texture_bgra=texture,
        occlusion=np.ones(len(flat), np.float32),
    )


def _paint(appearance: Appearance) -> NDArray[np.uint8]:
    position = load_hair_texels(_TEXTURE_PX)
    height = _over_brim(position)
    if appearance.headwear is Headwear.CAP:
        # Six panels, sewn together from the crown down.
        turn = np.degrees(np.arctan2(position[..., 0], position[..., 2]))
        seam = np.abs((turn + 30.0) % 60.0 - 30.0) < 2.0
        shade = np.where(seam & (height > 0.012), 0.82, 1.0)[..., None]
    else:
        ribs = 1.0 + 0.14 * np.sin(np.arange(_TEXTURE_PX) * 2.1)
        fold = np.abs(height - _FOLD_HEIGHT_M) < 0.0022
        shade = (ribs * np.where(fold, 0.7, 1.0))[..., None]
    image = np.empty((_TEXTURE_PX, _TEXTURE_PX, 4), np.uint8)
    colour = np.array(appearance.cover_bgr) * shade
    image[..., :3] = np.clip(colour, 0.0, 255.0).astype(np.uint8)
    image[..., 3] = np.where(height > 0.0, 255, 0)
    return image
