"""Builds hair: a displaced cap of strands, and a curtain for long styles.

Owns thickness, flow and ragged edges of each style. Thickness reaches zero at the
hairline, so that no gap opens there. Knows nothing of faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.atlas import HAIR_UNROLL, bake_texel_map, unroll
from synthetic_crowds.hairline import over_hairline
from synthetic_crowds.head_basis import load_head_basis, smooth_normals
from synthetic_crowds.noise_fields import value_noise
from synthetic_crowds.people import HairStyle
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.face_canvas import FaceCanvas
    from synthetic_crowds.people import Appearance, Person

__all__ = ["build_hair", "hair_colour", "paint_scalp"]

# Skin that any hairline or fringe may reach belongs to the cap.
_CAP_REACH_M = 0.045
# How deep the cap lies under the skin where no hair grows.
_SUNK_M = 0.0015


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """One style's shape.

    Attributes:
        top_m, side_m, back_m: Thickness.
        rise_m: Distance from the hairline over which thickness grows.
        flow: Lattice cells per metre along x, y, z: slow along the strands.
        lumps: Share of thickness that varies from place to place.
        ragged_m: How far the hairline's edge wanders.
        hangs: Whether a curtain hangs from the sides.
    """

    top_m: float
    side_m: float
    back_m: float
    rise_m: float
    flow: tuple[float, float, float]
    lumps: float
    ragged_m: float
    hangs: bool = False


_CUTS = {
    HairStyle.CROP: _Cut(
        top_m=0.013,
        side_m=0.005,
        back_m=0.007,
        rise_m=0.020,
        flow=(420.0, 420.0, 160.0),
        lumps=0.30,
        ragged_m=0.006,
    ),
    HairStyle.SIDE_PART: _Cut(
        top_m=0.024,
        side_m=0.008,
        back_m=0.010,
        rise_m=0.026,
        flow=(60.0, 90.0, 520.0),
        lumps=0.22,
        ragged_m=0.004,
    ),
    HairStyle.SWEPT_BACK: _Cut(
        top_m=0.026,
        side_m=0.006,
        back_m=0.012,
        rise_m=0.020,
        flow=(520.0, 360.0, 50.0),
        lumps=0.20,
        ragged_m=0.004,
    ),
    HairStyle.CURLY: _Cut(
        top_m=0.034,
        side_m=0.020,
        back_m=0.024,
        rise_m=0.028,
        flow=(170.0, 170.0, 170.0),
        lumps=0.34,
        ragged_m=0.007,
    ),
    HairStyle.AFRO: _Cut(
        top_m=0.050,
        side_m=0.042,
        back_m=0.045,
        rise_m=0.034,
        flow=(330.0, 330.0, 330.0),
        lumps=0.16,
        ragged_m=0.005,
    ),
    HairStyle.TIED_BACK: _Cut(
        top_m=0.010,
        side_m=0.006,
        back_m=0.010,
        rise_m=0.016,
        flow=(460.0, 420.0, 45.0),
        lumps=0.12,
        ragged_m=0.004,
    ),
    HairStyle.BOB: _Cut(
        top_m=0.018,
        side_m=0.016,
        back_m=0.022,
        rise_m=0.022,
        flow=(240.0, 45.0, 430.0),
        lumps=0.18,
        ragged_m=0.004,
        hangs=True,
    ),
    HairStyle.LONG: _Cut(
        top_m=0.016,
        side_m=0.014,
        back_m=0.018,
        rise_m=0.022,
        flow=(240.0, 45.0, 430.0),
        lumps=0.18,
        ragged_m=0.004,
        hangs=True,
    ),
}
# Curtains: columns from temple round the back to temple, and rows downwards.
_COLUMNS, _ROWS = 41, 12
_CURTAIN_FROM_DEG = 50.0
_CURTAIN_TOP_Y_M = 0.088
_CURTAIN_PX = 96


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scalp:
    """Static part of the cap: which skin it covers, and how it is unrolled."""

    ids: NDArray[np.int64]
    triangles: NDArray[np.int32]
    weld: NDArray[np.int32]
    uv: NDArray[np.float32]
    template_m: NDArray[np.float32]
    curtain_ids: NDArray[np.int64]
    curtain_deg: NDArray[np.float64]


@lru_cache(maxsize=1)
def _load_scalp() -> _Scalp:
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
        -180.0 + _CURTAIN_FROM_DEG, 180.0 - _CURTAIN_FROM_DEG, _COLUMNS
    )
    degrees = degrees + 180.0
    radians = np.radians(degrees)
    wanted = np.stack(
        [
            0.085 * np.sin(radians),
            np.full(_COLUMNS, _CURTAIN_TOP_Y_M),
            0.085 * np.cos(radians),
        ],
        axis=1,
    )
    distance = np.linalg.norm(skin[None] - wanted[:, None], axis=2)
    return _Scalp(
        ids=ids,
        triangles=local[triangles].astype(np.int32),
        weld=local[basis.weld[ids]].astype(np.int32),
        uv=unroll(skin[ids], HAIR_UNROLL, right_of_seam=basis.right_of_seam[ids]),
        template_m=np.ascontiguousarray(skin[ids]),
        curtain_ids=distance.argmin(axis=1),
        curtain_deg=degrees,
    )


@lru_cache(maxsize=4)
def _hair_texels(size_px: int) -> NDArray[np.float32]:
    scalp = _load_scalp()
    return bake_texel_map(
        scalp.uv, scalp.template_m, scalp.triangles, HAIR_UNROLL, size_px=size_px
    ).position_m


def hair_colour(person: Person) -> NDArray[np.float64]:
    """Mean colour of somebody's hair with its grey strands, (3,) sRGB B, G, R."""
    colour = np.array(person.hair.colour_bgr)
    return colour + person.hair.grey * 0.85 * (np.array([168.0, 170, 172]) - colour)


def _cap_height(template_m: NDArray[np.float32], person: Person) -> NDArray[np.float32]:
    """Height over the hairline, the fringe counted as hair."""
    height = over_hairline(template_m, person.hair)
    if person.hair.fringe_m > 0.0:
        azimuth = np.degrees(np.arctan2(np.abs(template_m[..., 0]), template_m[..., 2]))
        height = height + person.hair.fringe_m * np.clip((56.0 - azimuth) / 12.0, 0, 1)
    return np.asarray(height, np.float32)


def build_hair(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    person: Person,
    appearance: Appearance,
    *,
    texture_px: int,
) -> tuple[MeshPart, ...]:
    """Make the hair of a head; shaven and bald heads have none.

    Args:
        vertices: (n_skin, 3) of the skin, local frame.
        normals: (n_skin, 3).
        person: Whose hair.
        appearance: Today's style.
        texture_px: Side of the skin's texture; hair takes three quarters of it.

    Returns:
        No part, a cap, or a cap and a curtain.
    """
    cut = _CUTS.get(appearance.hair_style)
    if cut is None:
        return ()
    cap = _build_cap(vertices, normals, person, appearance, cut, texture_px * 3 // 4)
    if not cut.hangs:
        return (cap,)
    return cap, _build_curtain(vertices, person, appearance, cut)


# How dark the roots colour the scalp; a shaven head keeps a shadow.
_ROOTS = {HairStyle.BALD: 0.16, HairStyle.BUZZ: 0.86}


def paint_scalp(
    image: NDArray[np.float32],
    person: Person,
    appearance: Appearance,
    canvas: FaceCanvas,
) -> None:
    """Darken the skin where hair grows, so that gaps in the cap look like roots.

    Args:
        image: (n, n, 3) float32 sRGB, changed in place.
        person: Whose hair.
        appearance: Today's style.
        canvas: Static maps.
    """
    density = _ROOTS.get(appearance.hair_style, 0.95)
    height = over_hairline(canvas.position_m, person.hair)
    grain = 0.6 * canvas.fine + 0.6 * canvas.pores
    soft = 0.010 if appearance.hair_style in _ROOTS else 0.005
    cover = np.clip((height + 0.004 * grain) / soft, 0.0, 1.0) * (1.0 - canvas.ears)
    cover *= np.clip(density + 0.25 * canvas.fine * (1.0 - density) * 2.0, 0.0, 1.0)
    colour = hair_colour(person) * 0.80
    shade = (1.0 + 0.25 * canvas.fine + 0.12 * canvas.pores)[..., None]
    cover = cover[..., None].astype(np.float32)
    image *= 1.0 - cover
    image += cover * shade * colour.astype(np.float32)


def _thickness(
    person: Person, appearance: Appearance, cut: _Cut
) -> NDArray[np.float32]:
    """Thickness at each vertex of the cap, metres."""
    scalp, hair = _load_scalp(), person.hair
    at = scalp.template_m
    height = _cap_height(at, person)
    top = np.clip((at[:, 1] - 0.055) / 0.065, 0.0, 1.0)
    back = np.clip((0.02 - at[:, 2]) / 0.08, 0.0, 1.0)
    sides = cut.side_m * (1.0 - back) + cut.back_m * back
    thick = sides * (1.0 - top) + cut.top_m * top
    if appearance.hair_style is HairStyle.SIDE_PART:
        # Combed from the parting: one side rises, the other lies flat.
        side = np.sign(hair.parting) * at[:, 0] / 0.07
        thick = thick * (1.0 - 0.35 * np.clip(side, -1.0, 1.0) * top)
    lumps = value_noise(at, np.array([38.0, 38.0, 38.0]), appearance.hair_seed % 65536)
    grown = np.clip(height / cut.rise_m, 0.0, 1.0)
    grown = grown * (2.0 - grown)
    if cut.hangs:
        # Below the curtain's top the cap lies flat under it.
        thick = thick * np.clip((at[:, 1] - 0.060) / 0.025, 0.15, 1.0)
    volume = hair.volume * appearance.hair_volume
    thick = thick * volume * (1.0 + cut.lumps * lumps) * grown
    # Just outside the hairline the cap lies on the skin; further out it sinks, so
    # that its border never shows.
    beyond = np.clip(-height / 0.010, 0.0, 1.0)
    return (thick + 0.0008 - beyond * (0.0008 + _SUNK_M)).astype(np.float32)


def _build_cap(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    person: Person,
    appearance: Appearance,
    cut: _Cut,
    size_px: int,
) -> MeshPart:
    scalp = _load_scalp()
    thick = _thickness(person, appearance, cut)
    shell = vertices[scalp.ids] + normals[scalp.ids] * thick[:, None]
    height = _cap_height(scalp.template_m, person)
    # Roots lie in shadow, and so do the sides below the bulge of the top.
    occlusion = 0.55 + 0.45 * np.clip(height / 0.035, 0.0, 1.0)
    return MeshPart(
        vertices=shell,
        normals=smooth_normals(shell, scalp.triangles, scalp.weld),
        triangles=scalp.triangles,
        uv=scalp.uv,
        texture_bgra=_paint_cap(person, appearance, cut, size_px),
        occlusion=occlusion.astype(np.float32),
        specular=0.12,
    )


def _strand_shades(
    points: NDArray[np.float32], flow: tuple[float, float, float], person: Person
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fine and coarse streaks at points, each in [-1, 1]."""
    seed = person.hair.texture_seed % 65536
    fine = value_noise(points, np.array(flow), seed)
    coarse = value_noise(points, np.array(flow) * 0.36, seed + 1)
    return fine, coarse


def _strand_colours(
    fine: NDArray[np.float32], coarse: NDArray[np.float32], person: Person
) -> NDArray[np.float32]:
    """Colour of each texel, (..., 3) sRGB float32."""
    base = np.array(person.hair.colour_bgr, np.float32)
    shade = np.clip(1.0 + 0.32 * fine + 0.30 * coarse, 0.35, 1.8)[..., None]
    colour = base * shade + 9.0 * np.clip(coarse, 0.0, 1.0)[..., None]
    grey = np.clip(person.hair.grey * 1.1 + 0.45 * fine - 0.15, 0.0, 1.0)
    grey = (grey * (person.hair.grey > 0.02))[..., None]
    silver = np.float32(168.0) * (0.82 + 0.18 * shade)
    return np.asarray(colour * (1.0 - grey) + silver * grey, np.float32)


def _paint_cap(
    person: Person, appearance: Appearance, cut: _Cut, size_px: int
) -> NDArray[np.uint8]:
    position = _hair_texels(size_px)
    flat = position.reshape(-1, 3)
    fine, coarse = _strand_shades(np.ascontiguousarray(flat), cut.flow, person)
    shape = (size_px, size_px)
    fine, coarse = fine.reshape(shape), coarse.reshape(shape)
    height = _cap_height(position, person)
    edge = height - cut.ragged_m * (0.55 + 0.7 * fine + 0.4 * coarse)
    image = np.empty((*shape, 4), np.uint8)
    colour = _strand_colours(fine, coarse, person)
    if appearance.hair_style is HairStyle.SIDE_PART:
        line = position[..., 0] - np.sign(person.hair.parting) * 0.030
        gap = np.exp(-((line / 0.0022) ** 2)) * (position[..., 1] > 0.10)
        colour = colour * (1.0 - 0.45 * gap[..., None])
    image[..., :3] = np.clip(colour, 0.0, 255.0).astype(np.uint8)
    image[..., 3] = np.where(edge > 0.0, 255, 0)
    return image


def _build_curtain(
    vertices: NDArray[np.float32], person: Person, appearance: Appearance, cut: _Cut
) -> MeshPart:
    """Hair that hangs from the sides and the back, over the ears."""
    scalp, hair = _load_scalp(), person.hair
    radians = np.radians(scalp.curtain_deg)
    outward = np.stack([np.sin(radians), np.zeros(_COLUMNS), np.cos(radians)], axis=1)
    top = vertices[scalp.curtain_ids].astype(np.float64)
    # Neighbouring columns start from vertices at slightly different heights.
    padded = np.pad(top, ((1, 1), (0, 0)), mode="edge")
    top = (padded[:-2] + 2.0 * padded[1:-1] + padded[2:]) / 4.0
    length = 0.125 + (
        hair.length_m
        if appearance.hair_style is HairStyle.LONG
        else hair.length_m * 0.25
    )
    volume = hair.volume * appearance.hair_volume
    down = np.linspace(0.0, 1.0, _ROWS)[:, None] * np.ones(_COLUMNS)
    drop = down * length
    grown = np.clip(drop / 0.05, 0.0, 1.0)
    bulge = cut.side_m * 0.85 * volume + grown * (2.0 - grown) * (
        0.005 + 0.010 * volume
    )
    tuck = -0.016 * np.clip((drop - 0.11) / 0.08, 0.0, 1.0)
    wave = np.sin(drop * 75.0 + scalp.curtain_deg * 0.12 + hair.parting * 3.0)
    lumps = value_noise(
        np.stack([radians * np.ones((_ROWS, 1)), drop * 8.0, drop * 0.0], axis=-1)
        .reshape(-1, 3)
        .astype(np.float32),
        np.array([1.6, 1.0, 1.0]),
        appearance.hair_seed % 65536,
    ).reshape(_ROWS, _COLUMNS)
    out = bulge + tuck + 0.006 * hair.curl * wave * down + 0.006 * lumps * down
    grid = top[None] + outward[None] * out[..., None]
    grid[..., 1] = top[None, :, 1] - drop
    index = np.arange(_ROWS * _COLUMNS).reshape(_ROWS, _COLUMNS)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    triangles = np.concatenate(
        [np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)]
    )
    u = np.broadcast_to(np.linspace(0.0, 1.0, _COLUMNS), (_ROWS, _COLUMNS))
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
    grid = (np.arange(_CURTAIN_PX, dtype=np.float32) + 0.5) / _CURTAIN_PX
    u, v = np.meshgrid(grid, grid)
    # Strands wander a little as they fall.
    bend = 0.012 * person.hair.curl * np.sin(v * 22.0)
    points = np.stack([(u + bend) * 0.42, v * 0.2, np.zeros_like(u)], axis=-1)
    flat = np.ascontiguousarray(points.reshape(-1, 3), np.float32)
    fine, coarse = _strand_shades(flat, (240.0, 26.0, 1.0), person)
    fine, coarse = fine.reshape(u.shape), coarse.reshape(u.shape)
    image = np.empty((*u.shape, 4), np.uint8)
    colour = _strand_colours(fine, coarse, person)
    image[..., :3] = np.clip(colour * 0.94, 0.0, 255.0).astype(np.uint8)
    ends = 1.0 - v - 0.05 * (0.6 + fine * 0.6 + coarse * 0.6)
    sides = np.minimum(u, 1.0 - u) - 0.016 * (0.6 + fine + 0.5 * coarse)
    image[..., 3] = np.where((ends > 0.0) & (sides > 0.0), 255, 0)
    return image
