"""The scalp: which skin hair may cover, and how hair and hats are unrolled on it.

Owns the static part of every cap and the line that curtains hang from. Knows nothing
of styles or people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import load_head_basis
from synthetic_crowds.heads.atlas import HAIR_UNROLL, bake_texel_map, unroll
from synthetic_crowds.heads.hairline import over_hairline

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CURTAIN_COLUMNS", "Scalp", "load_hair_texels", "load_scalp"]

# Skin that any hairline or fringe may reach belongs to the cap.
_CAP_REACH_M = 0.045
# Curtains: columns from temple round the back to temple.
CURTAIN_COLUMNS = 41
_CURTAIN_FROM_DEG = 50.0
_CURTAIN_TOP_Y_M = 0.088


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scalp:
    """Vertices and triangles of the skin that a cap copies.

    Attributes:
        ids: (s,) int64, the skin vertices copied.
        triangles: (t, 3) int32, indices into `ids`.
        weld: (s,) int32, the vertex whose normal each vertex shares.
        uv: (s, 2) float32 on the hair's own unrolling.
        template_m: (s, 3) float32, template positions.
        curtain_ids: (c,) int64, skin vertices from which columns of a curtain hang.
        curtain_deg: (c,) float64, their azimuths, 0 in front.
    """

    ids: NDArray[np.int64]
    triangles: NDArray[np.int32]
    weld: NDArray[np.int32]
    uv: NDArray[np.float32]
    template_m: NDArray[np.float32]
    curtain_ids: NDArray[np.int64]
    curtain_deg: NDArray[np.float64]


@lru_cache(maxsize=1)
def load_scalp() -> Scalp:
    """Choose the cap's vertices, once."""
    basis = load_head_basis()
    skin = basis.template_m[: basis.n_skin]
    azimuth = np.degrees(np.arctan2(np.abs(skin[:, 0]), skin[:, 2]))
    height = over_hairline(skin, None)
    reach = np.where(azimuth < 62.0, -_CAP_REACH_M, -0.004)
    is_ear = (np.abs(skin[:, 0]) > 0.0715) & (skin[:, 1] < 0.0460)
    kept = (height > reach) & ~is_ear & (skin[:, 1] > -0.06)
    triangles = basis.skin_triangles[kept[basis.skin_triangles].all(axis=1)]
    ids = np.unique(triangles)
    local = np.full(basis.n_skin, -1)
    local[ids] = np.arange(len(ids))
    degrees = np.linspace(
        -180.0 + _CURTAIN_FROM_DEG, 180.0 - _CURTAIN_FROM_DEG, CURTAIN_COLUMNS
    )
    degrees = degrees + 180.0
    radians = np.radians(degrees)
    wanted = np.stack(
        [
            0.085 * np.sin(radians),
            np.full(CURTAIN_COLUMNS, _CURTAIN_TOP_Y_M),
            0.085 * np.cos(radians),
        ],
        axis=1,
    )
    distance = np.linalg.norm(skin[None] - wanted[:, None], axis=2)
    return Scalp(
        ids=ids.astype(np.int64),
        triangles=local[triangles].astype(np.int32),
        weld=local[basis.weld[ids]].astype(np.int32),
        uv=unroll(skin[ids], HAIR_UNROLL, right_of_seam=basis.right_of_seam[ids]),
        template_m=np.ascontiguousarray(skin[ids]),
        curtain_ids=distance.argmin(axis=1),
        curtain_deg=degrees,
    )


@lru_cache(maxsize=4)
def load_hair_texels(size_px: int) -> NDArray[np.float32]:
    """Bake (n, n, 3) template positions of the texels of a cap, once per size."""
    scalp = load_scalp()
    return bake_texel_map(
        scalp.uv, scalp.template_m, scalp.triangles, HAIR_UNROLL, size_px=size_px
    ).position_m
