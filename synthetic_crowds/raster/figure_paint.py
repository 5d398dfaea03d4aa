"""How the parts of a figure look: their textures, halved and packed, and their gloss.

Owns what is prepared once per person, whatever the detail they are drawn with. Knows
nothing of triangles' order, cameras or light.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.raster.colour import LINEAR_TO_SRGB, SRGB_TO_LINEAR
from synthetic_crowds.raster.figure_meshes import halve, pack
from synthetic_crowds.raster.rasteriser import gloss_doublings, wrap_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.records import MeshPart

__all__ = ["Paint", "paint_of"]

_SMALLEST_SHEET = 16
_LEVELS = 5
# Lookups at a texture's edge reach into what follows it, and weigh it with nothing.
_MARGIN = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paint:
    """How the parts of a figure look, whatever their meshes' detail.

    Attributes:
        texels: (n,) uint64, every texture and its halves, as `pack` says.
        alpha: (n,) uint8, of the same texels.
        sheets: (p, levels, 3) int32, offset into `texels`, height and width.
        texels_per_m: (p,) float64, how finely a part is painted.
        finish: (p, 4) float32, as `figure_light.shade` reads it.
        doublings: (p,) int32, logarithms of the highlights' exponents.
    """

    texels: NDArray[np.uint64]
    alpha: NDArray[np.uint8]
    sheets: NDArray[np.int32]
    texels_per_m: NDArray[np.float64]
    finish: NDArray[np.float32]
    doublings: NDArray[np.int32]


def paint_of(parts: Sequence[MeshPart]) -> Paint:
    """Gather how parts look; textures that they share are stored once."""
    stacks: dict[int, tuple[list[NDArray[np.uint8]], list[tuple[int, int, int]]]] = {}
    offset = 0
    for part in parts:
        if id(part.texture_bgra) not in stacks:
            sheets = _halvings(part.texture_bgra)
            places = []
            for sheet in sheets:
                places.append((offset, sheet.shape[0], sheet.shape[1]))
                offset += sheet.shape[0] * sheet.shape[1]
            places += [places[-1]] * (_LEVELS - len(places))
            stacks[id(part.texture_bgra)] = sheets, places
    texels = np.concatenate(
        [sheet.reshape(-1, 4) for sheets, _ in stacks.values() for sheet in sheets]
    )
    wrap = np.stack([wrap_of(part.specular) for part in parts])
    gloss = np.array([[part.specular] for part in parts], np.float32)
    return Paint(
        texels=pack(np.pad(texels, ((0, _MARGIN), (0, 0))), SRGB_TO_LINEAR),
        alpha=np.ascontiguousarray(texels[:, 3]),
        sheets=np.array([stacks[id(part.texture_bgra)][1] for part in parts], np.int32),
        texels_per_m=np.array([_texels_per_m(part) for part in parts]),
        finish=np.hstack((gloss, wrap)),
        doublings=np.array([gloss_doublings(p.specular) for p in parts], np.int32),
    )


def _halvings(texture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Halve a texture until it is small."""
    sheets = [np.ascontiguousarray(texture)]
    while len(sheets) < _LEVELS and min(sheets[-1].shape[:2]) >= 2 * _SMALLEST_SHEET:
        sheets.append(halve(sheets[-1], SRGB_TO_LINEAR, LINEAR_TO_SRGB))
    return sheets


def _texels_per_m(part: MeshPart) -> float:
    """Mean number of texels along a metre of a part's surface."""
    if not len(part.triangles):
        return 0.0
    # Every eighth triangle tells.
    a, b, c = part.triangles[::8].T
    v, uv = part.vertices, part.uv * part.texture_bgra.shape[1::-1]
    e, f = uv[b] - uv[a], uv[c] - uv[a]
    painted = np.abs(e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]).sum()
    surface = np.linalg.norm(np.cross(v[b] - v[a], v[c] - v[a]), axis=1).sum()
    return math.sqrt(float(painted) / max(float(surface), 1e-9))
