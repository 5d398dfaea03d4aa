"""The same person some years ago: what an old picture of them shows.

Owns what changes over years: bones by the age targets, weight, hair, wrinkles, marks.
Identity, as `Person.face_shape` has it, stays. Knows nothing of pictures.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.person import BeardStyle, HairStyle

if TYPE_CHECKING:
    from numpy.random import Generator

    from synthetic_crowds.people.person import Beard, Hair, Person, Skin

__all__ = ["YOUNGEST_PICTURED_YEARS", "years_ago"]

# Pictures from before this age are of no use to anybody.
YOUNGEST_PICTURED_YEARS = 5.0
# Facial hair grows from this age on.
_BEARDED_YEARS = 17.0
# Height at five years against full height.
_SMALL = 1.09 / 1.70
# Adults put on about this much a year, give or take a random walk.
# Source: Health Survey for England 2021: mean BMI rises by 3 from 25 to 60 years.
_BMI_A_YEAR, _BMI_WALK = 0.085, 0.35
# A haircut lasts some years: chance a year that it was another one.
_NEW_CUT_A_YEAR = 0.04
# Cuts that whoever has one may have had before.
_EARLIER_CUTS = {
    HairStyle.BALD: (HairStyle.BUZZ, HairStyle.CROP),
    HairStyle.BUZZ: (HairStyle.CROP,),
    HairStyle.CROP: (HairStyle.SIDE_PART, HairStyle.BUZZ),
    HairStyle.SIDE_PART: (HairStyle.SWEPT_BACK, HairStyle.CROP),
    HairStyle.SWEPT_BACK: (HairStyle.SIDE_PART,),
    HairStyle.CURLY: (HairStyle.CROP, HairStyle.AFRO),
    HairStyle.AFRO: (HairStyle.BUZZ, HairStyle.CURLY),
    HairStyle.TIED_BACK: (HairStyle.LONG, HairStyle.BOB),
    HairStyle.BOB: (HairStyle.LONG, HairStyle.TIED_BACK),
    HairStyle.LONG: (HairStyle.BOB, HairStyle.TIED_BACK),
}
_TIGHT_CUTS = {HairStyle.AFRO}
_TIGHT_CURL = 0.65


def years_ago(person: Person, years: float, *, rng: Generator) -> Person:
    """Take somebody back in time.

    Args:
        person: As they are today.
        years: How long ago, from 0; never further than to the age of five.
        rng: Of the years in between.

    Returns:
        The same person, younger; the person itself for 0 years.
    """
    years = min(years, max(person.age_years - YOUNGEST_PICTURED_YEARS, 0.0))
    if years == 0.0:
        return person
    age_years = person.age_years - years
    then, now = (
        float(np.clip((age - 5.0) / 12.0, 0.0, 1.0))
        for age in (age_years, person.age_years)
    )
    # Childhood's growth, after the same charts as `population`.
    height_m = person.height_m * (
        (_SMALL + (1.0 - _SMALL) * then) / (_SMALL + (1.0 - _SMALL) * now)
    )
    drift = _BMI_WALK * np.sqrt(years) * rng.standard_normal()
    weight = person.body_mass_index - _BMI_A_YEAR * years + drift
    weight -= 8.0 * (now - then)
    return replace(
        person,
        age_years=age_years,
        height_m=height_m,
        body_mass_index=float(np.clip(weight, 14.0, 45.0)),
        hair=_hair_then(person.hair, person.age_years, age_years, rng=rng),
        beard=_beard_then(person.beard, age_years, rng=rng),
        skin=_skin_then(person.skin, person.age_years, age_years),
        make_up_share=person.make_up_share * float(age_years > _BEARDED_YEARS - 3.0),
    )


def _hair_then(hair: Hair, now: float, then: float, *, rng: Generator) -> Hair:
    """Less grey, a lower hairline, perhaps another cut."""
    years = now - then
    # The same ramps as in `grooming`.
    ageing = [float(np.clip((a - 22.0) / 45.0, 0.0, 1.0)) for a in (then, now)]
    recession = hair.recession * (ageing[0] / ageing[1] if ageing[1] > 0.0 else 1.0)
    recut = rng.random() < 1.0 - (1.0 - _NEW_CUT_A_YEAR) ** years
    had_hair = hair.style is HairStyle.BALD and recession < 0.6 * hair.recession
    cuts = [
        cut
        for cut in _EARLIER_CUTS[hair.style]
        if cut not in _TIGHT_CUTS or hair.curl > _TIGHT_CURL
    ]
    style = cuts[int(rng.integers(len(cuts)))] if recut or had_hair else hair.style
    return replace(
        hair,
        style=style,
        grey=float(np.clip(hair.grey - years / 25.0, 0.0, 1.0)),
        recession=recession,
        length_m=float(np.clip(hair.length_m * rng.uniform(0.7, 1.3), 0.06, 0.22)),
    )


def _beard_then(beard: Beard, then: float, *, rng: Generator) -> Beard:
    if then <= _BEARDED_YEARS:
        return replace(beard, style=BeardStyle.SHAVEN, density=0.0)
    grown = float(np.clip((then - _BEARDED_YEARS) / 6.0, 0.3, 1.0))
    shaven = beard.style is not BeardStyle.SHAVEN and rng.random() < 0.3
    return replace(
        beard,
        style=BeardStyle.SHAVEN if shaven else beard.style,
        density=beard.density * grown,
    )


def _skin_then(skin: Skin, now: float, then: float) -> Skin:
    """Fewer wrinkles and fewer marks; the rest is the same skin."""
    age = [float(np.clip((a - 25.0) / 50.0, 0.0, 1.0)) for a in (then, now)]
    kept = (4.0 + 4.0 * age[0]) / (4.0 + 4.0 * age[1])
    return replace(
        skin,
        wrinkles=skin.wrinkles * (age[0] / age[1] if age[1] > 0.0 else 1.0),
        shadows=float(np.clip(skin.shadows - 0.25 * (age[1] - age[0]), 0.0, 1.0)),
        marks=skin.marks[: round(len(skin.marks) * kept)].copy(),
        mottling=skin.mottling.copy(),
    )
