"""Hair that hangs: a curtain from temple round the back to temple, over the ears.

Owns its shape and ragged ends. Knows nothing of the cap from under which it falls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import smooth_normals
from synthetic_crowds.heads.scalp import CURTAIN_COLUMNS, load_scalp
from synthetic_crowds.heads.strands import strand_colours, strand_shades
from synthetic_crowds.people.person import HairStyle
from synthetic_crowds.raster.noise_fields import value_noise
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance, Person

__all__ = ["build_curtain"]

_ROWS = 12
_TEXTURE_PX = 96
# From the curtain's top to the jaw; what is longer is the person's own length.
_TO_JAW_M = 0.125


def build_curtain(
    vertices: NDArray[np.float32],
    person: Person,
    appearance: Appearance,
    *,
    side_m: float,
) -> MeshPart:
    """Hang hair from the sides and the back of a head.

    Args:
        vertices: (n_skin, 3) of the skin, local frame.
        person: Whose hair.
        appearance: Today's style.
        side_m: Thickness of the cap where the curtain leaves it.

    Returns:
        One part.
    """
    scalp, hair = load_scalp(), person.hair
    radians = np.radians(scalp.curtain_deg)
    outward = np.stack(
        [np.sin(radians), np.zeros(CURTAIN_COLUMNS), np.cos(radians)], axis=1
    )
    top = vertices[scalp.curtain_ids].astype(np.float64)
    # Neighbouring columns start from vertices at slightly different heights.
    padded = np.pad(top, ((1, 1), (0, 0)), mode="edge")
    top = (padded[:-2] + 2.0 * padded[1:-1] + padded[2:]) / 4.0
    length = _TO_JAW_M + (
        hair.length_m
        if appearance.hair_style is HairStyle.LONG
        else hair.length_m * 0.25
    )
    volume = hair.volume * appearance.hair_volume
    down = np.linspace(0.0, 1.0, _ROWS)[:, None] * np.ones(CURTAIN_COLUMNS)
    drop = down * length
    grown = np.clip(drop / 0.05, 0.0, 1.0)
    bulge = side_m * 0.85 * volume + grown * (2.0 - grown) * (0.005 + 0.010 * volume)
    tuck = -0.016 * np.clip((drop - 0.11) / 0.08, 0.0, 1.0)
    wave = np.sin(drop * 75.0 + scalp.curtain_deg * 0.12 + hair.parting * 3.0)
    lumps = value_noise(
        np.stack([radians * np.ones((_ROWS, 1)), drop * 8.0, drop * 0.0], axis=-1)
        .reshape(-1, 3)
        .astype(np.float32),
        np.array([1.6, 1.0, 1.0]),
        appearance.hair_seed % 65536,
    ).reshape(_ROWS, CURTAIN_COLUMNS)
    out = bulge + tuck + 0.006 * hair.curl * wave * down + 0.006 * lumps * down
    grid = top[None] + outward[None] * out[..., None]
    grid[..., 1] = top[None, :, 1] - drop
    index = np.arange(_ROWS * CURTAIN_COLUMNS).reshape(_ROWS, CURTAIN_COLUMNS)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    triangles = np.concatenate(
        [np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)]
    )
    u = np.broadcast_to(
        np.linspace(0.0, 1.0, CURTAIN_COLUMNS), (_ROWS, CURTAIN_COLUMNS)
    )
    flat = np.ascontiguousarray(grid.reshape(-1, 3), np.float32)
    faces = triangles.astype(np.int32)
    normals = smooth_normals(flat, faces, np.arange(len(flat), dtype=np.int32))
    facing = (normals * np.tile(outward, (_ROWS, 1))).sum(axis=1, keepdims=True)
    return MeshPart(
        vertices=flat,
        normals=np.where(facing < 0.0, -normals, normals).astype(np.float32),
        triangles=faces,
        uv=np.stack([u, down], axis=-1).reshape(-1, 2).astype(np.float32),
        texture_bgra=_paint_curtain(person),
        occlusion=np.full(len(flat), 0.85, np.float32),
        specular=0.12,
    )


def _paint_curtain(person: Person) -> NDArray[np.uint8]:
    grid = (np.arange(_TEXTURE_PX, dtype=np.float32) + 0.5) / _TEXTURE_PX
    u, v = np.meshgrid(grid, grid)
    # Strands wander a little as they fall.
    bend = 0.012 * person.hair.curl * np.sin(v * 22.0)
    points = np.stack([(u + bend) * 0.42, v * 0.2, np.zeros_like(u)], axis=-1)
    flat = np.ascontiguousarray(points.reshape(-1, 3), np.float32)
    fine, coarse = strand_shades(flat, (240.0, 26.0, 1.0), person)
    fine, coarse = fine.reshape(u.shape), coarse.reshape(u.shape)
    image = np.empty((*u.shape, 4), np.uint8)
    colour = strand_colours(fine, coarse, person)
    image[..., :3] = np.clip(colour * 0.94, 0.0, 255.0).astype(np.uint8)
    ends = 1.0 - v - 0.05 * (0.6 + fine * 0.6 + coarse * 0.6)
    sides = np.minimum(u, 1.0 - u) - 0.016 * (0.6 + fine + 0.5 * coarse)
    image[..., 3] = np.where((ends > 0.0) & (sides > 0.0), 255, 0)
    return image
