"""Builds hair: a displaced cap of strands, with a curtain for long styles.

Owns the cap's shape and colours. Its thickness reaches zero at the hairline, so that
no gap opens there. Knows nothing of faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import smooth_normals
from synthetic_crowds.heads.buns import build_bun
from synthetic_crowds.heads.curtain import build_curtain
from synthetic_crowds.heads.cuts import CUTS
from synthetic_crowds.heads.hairline import over_hairline
from synthetic_crowds.heads.hats import build_hat
from synthetic_crowds.heads.scalp import load_hair_texels, load_scalp
from synthetic_crowds.heads.strands import hair_colour, strand_colours, strand_shades
from synthetic_crowds.people.person import HairStyle, Headwear
from synthetic_crowds.raster.noise_fields import value_noise
from synthetic_crowds.records import MeshPart, Sex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.heads.cuts import Cut
    from synthetic_crowds.heads.face_canvas import FaceCanvas
    from synthetic_crowds.people.person import Appearance, Person

__all__ = ["build_hair", "paint_scalp"]

# How deep the cap lies under the skin where no hair grows.
_SUNK_M = 0.0015


def _cap_height(template_m: NDArray[np.float32], person: Person) -> NDArray[np.float32]:
    """Height over the hairline, the fringe counted as hair."""
    height = over_hairline(template_m, person.hair)
    if person.hair.fringe_m > 0.0:
        azimuth = np.degrees(np.arctan2(np.abs(template_m[..., 0]), template_m[..., 2]))
        over_forehead = np.clip((56.0 - azimuth) / 12.0, 0.0, 1.0)
        return np.asarray(height + person.hair.fringe_m * over_forehead, np.float32)
    return height


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
        No part, a cap, or a cap and a curtain or bun; a hat takes the cap's place.
    """
    cut = CUTS.get(appearance.hair_style)
    if appearance.headwear is not Headwear.NONE:
        hat = build_hat(vertices, normals, appearance)
        if cut is None or not cut.hangs:
            return hat
        return *hat, build_curtain(vertices, person, appearance, side_m=0.002)
    if cut is None:
        return ()
    cap = _build_cap(vertices, normals, person, appearance, cut, texture_px * 3 // 4)
    if appearance.hair_style is HairStyle.TIED_BACK and person.sex is Sex.FEMALE:
        return cap, build_bun(vertices, normals, person, appearance)
    if not cut.hangs:
        return (cap,)
    return cap, build_curtain(vertices, person, appearance, side_m=cut.side_m)


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


def _thickness(person: Person, appearance: Appearance, cut: Cut) -> NDArray[np.float32]:
    """Thickness at each vertex of the cap, metres."""
    scalp, hair = load_scalp(), person.hair
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
    cut: Cut,
    size_px: int,
) -> MeshPart:
    scalp = load_scalp()
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


def _paint_cap(
    person: Person, appearance: Appearance, cut: Cut, size_px: int
) -> NDArray[np.uint8]:
    position = load_hair_texels(size_px)
    flat = position.reshape(-1, 3)
    fine, coarse = strand_shades(np.ascontiguousarray(flat), cut.flow, person)
    shape = (size_px, size_px)
    fine, coarse = fine.reshape(shape), coarse.reshape(shape)
    height = _cap_height(position, person)
    edge = height - cut.ragged_m * (0.55 + 0.7 * fine + 0.4 * coarse)
    image = np.empty((*shape, 4), np.uint8)
    colour = strand_colours(fine, coarse, person)
    if appearance.hair_style is HairStyle.SIDE_PART:
        line = position[..., 0] - np.sign(person.hair.parting) * 0.030
        gap = np.exp(-((line / 0.0022) ** 2)) * (position[..., 1] > 0.10)
        colour = colour * (1.0 - 0.45 * gap[..., None])
    image[..., :3] = np.clip(colour, 0.0, 255.0).astype(np.uint8)
    image[..., 3] = np.where(edge > 0.0, 255, 0)
    return image
