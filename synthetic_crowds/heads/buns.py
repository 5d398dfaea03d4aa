"""Buns: the knot of hair that is tied back.

Owns their place, from nape to crown, and their shape. Knows nothing of the cap.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import load_head_basis
from synthetic_crowds.heads.strands import strand_colours, strand_shades
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance, Person

__all__ = ["build_bun"]

_AROUND, _RINGS = 14, 9
_TEXTURE_PX = 48
# From low in the neck to the crown, on the template's midline.
_PLACES_M = ((0.0, 0.045, -0.092), (0.0, 0.095, -0.078), (0.0, 0.132, -0.040))
_RADIUS_M = 0.030


@lru_cache(maxsize=1)
def _place_ids() -> tuple[int, ...]:
    basis = load_head_basis()
    skin = basis.template_m[: basis.n_skin]
    return tuple(
        int(np.linalg.norm(skin - np.array(place), axis=1).argmin())
        for place in _PLACES_M
    )


@lru_cache(maxsize=1)
def _sphere() -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float32]]:
    """Unit sphere: points, triangles seen from outside, texture coordinates."""
    polar = np.linspace(0.0, np.pi, _RINGS)[:, None]
    turn = np.linspace(0.0, 2.0 * np.pi, _AROUND)[None, :]
    points = np.stack(
        [
            np.sin(polar) * np.sin(turn),
            np.cos(polar) * np.ones_like(turn),
            np.sin(polar) * np.cos(turn),
        ],
        axis=-1,
    )
    index = np.arange(_RINGS * _AROUND).reshape(_RINGS, _AROUND)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    triangles = np.concatenate(
        [np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)]
    )
    u, v = np.broadcast_arrays(turn / (2.0 * np.pi), polar / np.pi)
    uv = np.stack([u, v], axis=-1).reshape(-1, 2)
    return points.reshape(-1, 3), triangles.astype(np.int32), uv.astype(np.float32)


def build_bun(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    person: Person,
    appearance: Appearance,
) -> MeshPart:
    """Knot the hair at the back of a head.

    Args:
        vertices: (n_skin, 3) of the skin, local frame.
        normals: (n_skin, 3).
        person: Whose hair; the parting decides how high the knot sits.
        appearance: Today's volume.

    Returns:
        One part.
    """
    points, triangles, uv = _sphere()
    level = min(int((person.hair.parting + 1.0) / 2.0 * 3.0), 2)
    at = _place_ids()[level]
    radius = _RADIUS_M * (0.7 + 0.3 * person.hair.volume) * appearance.hair_volume
    centre = vertices[at] + normals[at] * (0.65 * radius)
    lumps = 1.0 + 0.06 * np.sin(points[:, 0] * 9.0 + points[:, 1] * 7.0)
    return MeshPart(
        vertices=(centre + points * (radius * lumps)[:, None]).astype(np.float32),
        normals=points.astype(np.float32),
        triangles=triangles,
        uv=uv,
        texture_bgra=_paint(person),
        occlusion=np.full(len(points), 0.9, np.float32),
        specular=0.12,
    )


def _paint(person: Person) -> NDArray[np.uint8]:
    grid = (np.arange(_TEXTURE_PX, dtype=np.float32) + 0.5) / _TEXTURE_PX
    u, v = np.meshgrid(grid, grid)
    # Strands wind around the knot.
    points = np.stack([u * 0.02, v * 0.06 + 0.01 * u, np.zeros_like(u)], axis=-1)
    flat = np.ascontiguousarray(points.reshape(-1, 3), np.float32)
    fine, coarse = strand_shades(flat, (60.0, 300.0, 1.0), person)
    colour = strand_colours(fine.reshape(u.shape), coarse.reshape(u.shape), person)
    image = np.full((_TEXTURE_PX, _TEXTURE_PX, 4), 255, np.uint8)
    image[..., :3] = np.clip(colour, 0.0, 255.0).astype(np.uint8)
    return image
