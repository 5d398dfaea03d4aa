"""Siblings and twins: people whose faces resemble each other, and by how much.

Owns what siblings share. People stand in pairs, the second of which takes after the
first; most pairs are strangers. Knows nothing of seeds or meshes.

Half of what varies between faces is shared by siblings, as additive inheritance has
it; identical twins share all but their weight, their marks and how they wear their
hair.
"""

from __future__ import annotations

from dataclasses import fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.face_shape import bound_face_shape
from synthetic_crowds.people.person import Brows, Hair, HairStyle

if TYPE_CHECKING:
    from numpy.random import Generator

    from synthetic_crowds.people.person import Person, Skin

__all__ = ["Kinship", "resemble"]

# Correlation of the shape axes.
_SIBLING_SHAPE, _TWIN_SHAPE = 0.5, 0.985
# How often siblings have the same irises and the same colour of hair.
_SAME_IRIS, _SAME_HAIR = 0.5, 0.6
_TWIN_BMI_SD, _TWIN_HEIGHT_SD = 1.4, 0.008
_BALDING = 0.5


class Kinship(StrEnum):
    """What the second of a pair is to the first."""

    STRANGER = "stranger"
    SIBLING = "sibling"
    TWIN = "twin"


def resemble(own: Person, elder: Person, kinship: Kinship, *, rng: Generator) -> Person:
    """Let somebody take after a sibling.

    Args:
        own: The person as they would be on their own; of the elder's ancestry, and
            for twins of the elder's sex and age.
        elder: The first of the pair.
        kinship: Sibling or twin.
        rng: Of the pair.

    Returns:
        The person, with the elder's name among the siblings.
    """
    twin = kinship is Kinship.TWIN
    share = _TWIN_SHAPE if twin else _SIBLING_SHAPE
    mixed = share * elder.face_shape + np.sqrt(1.0 - share**2) * own.face_shape
    same_iris, same_hair = rng.random() < _SAME_IRIS, rng.random() < _SAME_HAIR
    related = replace(
        own,
        face_shape=bound_face_shape(mixed),
        brows=_mix_brows(own.brows, elder.brows, 1.0 if twin else 0.5),
        skin=_mix_skin(own.skin, elder.skin, twin=twin),
        iris_bgr=elder.iris_bgr if twin or same_iris else own.iris_bgr,
        hair=_mix_hair(own.hair, elder.hair, twin=twin, same_colour=bool(same_hair)),
        siblings=(elder.person_id,),
        is_twin=twin,
    )
    if not twin:
        return related
    weight = elder.body_mass_index + _TWIN_BMI_SD * rng.standard_normal()
    return replace(
        related,
        masculinity=elder.masculinity,
        muscle=elder.muscle,
        height_m=elder.height_m * (1.0 + _TWIN_HEIGHT_SD * rng.standard_normal()),
        body_mass_index=float(np.clip(weight, 14.0, 45.0)),
        beard=replace(own.beard, density=elder.beard.density),
    )


def _mix_brows(own: Brows, elder: Brows, share: float) -> Brows:
    return Brows(
        **{
            field.name: share * getattr(elder, field.name)
            + (1.0 - share) * getattr(own, field.name)
            for field in fields(Brows)
        }
    )


def _mix_skin(own: Skin, elder: Skin, *, twin: bool) -> Skin:
    if twin:
        # Moles are a matter of chance, even for twins.
        return replace(elder, marks=own.marks.copy(), shadows=own.shadows)
    return replace(
        own,
        undertone=(own.undertone + elder.undertone) / 2.0,
        redness=(own.redness + elder.redness) / 2.0,
        lip_darkness=(own.lip_darkness + elder.lip_darkness) / 2.0,
        lip_redness=(own.lip_redness + elder.lip_redness) / 2.0,
    )


def _mix_hair(own: Hair, elder: Hair, *, twin: bool, same_colour: bool) -> Hair:
    if twin:
        balding = elder.recession > _BALDING
        fits = not balding and own.style is not HairStyle.BALD
        return replace(
            elder,
            style=own.style if fits else elder.style,
            fringe_m=own.fringe_m if fits else elder.fringe_m,
            length_m=own.length_m,
            parting=own.parting,
            volume=own.volume,
            texture_seed=own.texture_seed,
        )
    return replace(
        own,
        colour_bgr=elder.colour_bgr if same_colour else own.colour_bgr,
        hairline_m=(own.hairline_m + elder.hairline_m) / 2.0,
        peak=(own.peak + elder.peak) / 2.0,
    )
