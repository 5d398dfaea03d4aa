"""Draws one day's look of a person: mood, shave, clothes, and what is worn.

Owns the session layer. Nothing here moves a bone: two appearances of one person
differ as two days do. Knows nothing of meshes or pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.clothing import draw_clothing
from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.person import (
    Appearance,
    BeardStyle,
    FaceMask,
    HairStyle,
    Headwear,
)
from synthetic_crowds.records import Sex

if TYPE_CHECKING:
    from numpy.random import Generator

    from synthetic_crowds.people.person import Person

__all__ = ["draw_appearance"]

# Long hair is tied back, or not, by the day.
_CHANGES = {
    HairStyle.LONG: (HairStyle.TIED_BACK, 0.25),
    HairStyle.BOB: (HairStyle.TIED_BACK, 0.10),
    HairStyle.TIED_BACK: (HairStyle.LONG, 0.15),
    HairStyle.SIDE_PART: (HairStyle.SWEPT_BACK, 0.10),
}


# Share of hats that are peaked caps, and of masks that are of cloth.
_CAPS, _CLOTH_MASKS = 0.45, 0.35
# Surgical masks, sRGB B, G, R: blue, white, black; and how often.
_SURGICAL = ((204.0, 188.0, 150.0), (226.0, 226.0, 224.0), (42.0, 40.0, 40.0))
_SURGICAL_SHARES = (0.6, 0.15, 0.25)
# Babies and small children wear neither masks nor sunglasses.
_YOUNGEST_MASKED_YEARS = 6.0
_BY_HABIT = Habits()


def draw_appearance(
    person: Person, *, rng: Generator, habits: Habits = _BY_HABIT
) -> Appearance:
    """Draw how somebody looks on one day.

    Args:
        person: Whose day it is.
        rng: Of the day.
        habits: How often what is worn on such a day.

    Returns:
        The look; share it between all pictures of that day.
    """
    style = person.hair.style
    if style in _CHANGES and rng.random() < _CHANGES[style][1]:
        style = _CHANGES[style][0]
    shaves_daily = person.beard.style is BeardStyle.SHAVEN
    stubble = float(rng.beta(1.2, 4.0) if shaves_daily else rng.beta(2.0, 2.0))
    made_up = rng.random() < person.make_up_share * habits.make_up_factor
    make_up = made_up and person.sex is Sex.FEMALE
    lipstick = rng.uniform(0.25, 0.85) if make_up and rng.random() < 0.6 else 0.0
    red = rng.uniform(120.0, 190.0)
    cover = rng.uniform(25.0, 190.0) * rng.uniform(0.75, 1.1, 3)
    collar = rng.choice([30.0, 70.0, 120.0, 200.0]) * rng.uniform(0.6, 1.15, 3)
    gaze = np.clip(rng.normal(0.0, 0.16, 2), -0.5, 0.5)
    may_mask = person.age_years >= _YOUNGEST_MASKED_YEARS
    mask, mask_bgr = _draw_mask(habits, rng=rng)
    return Appearance(
        smile=float(np.clip(rng.normal(0.18, 0.17), -0.15, 0.75)),
        mouth_open=float(np.clip(rng.normal(-0.06, 0.12), 0.0, 0.5)),
        brow_raise=float(np.clip(rng.normal(0.05, 0.22), -0.6, 0.8)),
        squint=float(np.clip(rng.normal(0.05, 0.15), 0.0, 0.6)),
        gaze=(float(gaze[0]), float(gaze[1]) * 0.6),
        hair_style=style,
        hair_volume=float(rng.uniform(0.85, 1.15)),
        hair_seed=int(rng.integers(2**31)),
        stubble=stubble,
        glasses_on=bool(
            rng.random() < person.glasses.worn_share * habits.glasses_factor
        ),
        tan=float(rng.normal(0.0, 0.18)),
        flush=float(np.clip(rng.normal(0.0, 0.12), -0.2, 0.4)),
        tiredness=float(np.clip(rng.normal(0.0, 0.15), -0.2, 0.5)),
        lipstick_bgr=(red * 0.38, red * 0.30, red),
        lipstick=float(lipstick),
        eye_make_up=float(rng.uniform(0.15, 0.8)) if make_up else 0.0,
        headwear=_draw_headwear(person, habits, rng=rng),
        cover_bgr=(float(cover[0]), float(cover[1]), float(cover[2])),
        clothing=draw_clothing(
            rng=np.random.default_rng(int(rng.integers(2**31))),
            sex=person.sex,
            age_years=person.age_years,
            scarf_factor=habits.scarf_factor,
        ),
        collar_bgr=(
            float(np.clip(collar[0], 8.0, 235.0)),
            float(np.clip(collar[1], 8.0, 235.0)),
            float(np.clip(collar[2], 8.0, 235.0)),
        ),
        dark_lenses=bool(rng.random() < habits.sunglasses_share) and may_mask,
        face_mask=mask if may_mask else FaceMask.NONE,
        mask_bgr=mask_bgr,
    )


def _draw_headwear(person: Person, habits: Habits, *, rng: Generator) -> Headwear:
    covered = rng.random() < person.head_cover_share * habits.hat_factor
    kind = Headwear.CAP if rng.random() < _CAPS else Headwear.BEANIE
    return kind if covered else Headwear.NONE


def _draw_mask(
    habits: Habits, *, rng: Generator
) -> tuple[FaceMask, tuple[float, float, float]]:
    """Which mask, if any, and its colour."""
    masked = rng.random() < habits.face_mask_share
    if rng.random() < _CLOTH_MASKS:
        kind = FaceMask.CLOTH
        bgr = rng.uniform(25.0, 215.0) * rng.uniform(0.75, 1.1, 3)
    else:
        kind = FaceMask.SURGICAL
        colour = _SURGICAL[int(rng.choice(len(_SURGICAL), p=_SURGICAL_SHARES))]
        bgr = np.array(colour) * rng.uniform(0.92, 1.05, 3)
    blue, green, red = np.clip(bgr, 8.0, 240.0).tolist()
    return kind if masked else FaceMask.NONE, (blue, green, red)
