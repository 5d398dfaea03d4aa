"""Draws one day's look of a person: mood, shave, clothes, and what is worn.

Owns the session layer. Nothing here moves a bone: two appearances of one person
differ as two days do. Knows nothing of meshes or pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.person import Appearance, BeardStyle, HairStyle
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


def draw_appearance(person: Person, *, rng: Generator) -> Appearance:
    """Draw how somebody looks on one day.

    Args:
        person: Whose day it is.
        rng: Of the day.

    Returns:
        The look; share it between all pictures of that day.
    """
    style = person.hair.style
    if style in _CHANGES and rng.random() < _CHANGES[style][1]:
        style = _CHANGES[style][0]
    shaves_daily = person.beard.style is BeardStyle.SHAVEN
    stubble = float(rng.beta(1.2, 4.0) if shaves_daily else rng.beta(2.0, 2.0))
    make_up = rng.random() < person.make_up_share and person.sex is Sex.FEMALE
    lipstick = rng.uniform(0.25, 0.85) if make_up and rng.random() < 0.6 else 0.0
    red = rng.uniform(120.0, 190.0)
    cover = rng.uniform(25.0, 190.0) * rng.uniform(0.75, 1.1, 3)
    collar = rng.choice([30.0, 70.0, 120.0, 200.0]) * rng.uniform(0.6, 1.15, 3)
    gaze = np.clip(rng.normal(0.0, 0.16, 2), -0.5, 0.5)
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
        glasses_on=bool(rng.random() < person.glasses.worn_share),
        tan=float(rng.normal(0.0, 0.18)),
        flush=float(np.clip(rng.normal(0.0, 0.12), -0.2, 0.4)),
        tiredness=float(np.clip(rng.normal(0.0, 0.15), -0.2, 0.5)),
        lipstick_bgr=(red * 0.38, red * 0.30, red),
        lipstick=float(lipstick),
        eye_make_up=float(rng.uniform(0.15, 0.8)) if make_up else 0.0,
        head_covered=bool(rng.random() < person.head_cover_share),
        cover_bgr=(float(cover[0]), float(cover[1]), float(cover[2])),
        clothing_seed=int(rng.integers(2**31)),
        collar_bgr=(
            float(np.clip(collar[0], 8.0, 235.0)),
            float(np.clip(collar[1], 8.0, 235.0)),
            float(np.clip(collar[2], 8.0, 235.0)),
        ),
    )
