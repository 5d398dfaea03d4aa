"""Draws hair, brows, beards and spectacles of one person.

Owns their distributions by sex, age and census group; all of them are assumptions,
made so that a crowd looks like a crowd. Knows nothing of how they are built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.person import (
    Beard,
    BeardStyle,
    Brows,
    Frames,
    Glasses,
    Hair,
    HairStyle,
)
from synthetic_crowds.records import Sex

if TYPE_CHECKING:
    from numpy.random import Generator

    from synthetic_crowds.people.demographics import GroupTraits

__all__ = ["draw_beard", "draw_brows", "draw_glasses", "draw_hair"]

# sRGB B, G, R.
_DARK_HAIR = ((20, 22, 26), (24, 30, 40))
_OTHER_HAIR = (
    (30, 45, 66),
    (42, 66, 96),
    (72, 108, 140),
    (110, 152, 182),
    (44, 78, 142),
)
_OTHER_HAIR_SHARES = (0.36, 0.30, 0.16, 0.11, 0.07)
# Black, tortoiseshell, brown, steel, gold.
_FRAME_COLOURS = (
    (20, 18, 18),
    (22, 34, 58),
    (34, 30, 28),
    (70, 68, 66),
    (46, 84, 128),
)


# Straight or wavy hair, then tightly curled hair.
_MALE_STYLES = {
    HairStyle.BUZZ: (0.14, 0.52),
    HairStyle.CROP: (0.34, 0.14),
    HairStyle.SIDE_PART: (0.24, 0.0),
    HairStyle.SWEPT_BACK: (0.18, 0.0),
    HairStyle.CURLY: (0.06, 0.10),
    HairStyle.AFRO: (0.0, 0.20),
    HairStyle.TIED_BACK: (0.02, 0.04),
    HairStyle.LONG: (0.02, 0.0),
}
_FEMALE_STYLES = {
    HairStyle.BUZZ: (0.0, 0.08),
    HairStyle.CROP: (0.07, 0.08),
    HairStyle.SIDE_PART: (0.04, 0.0),
    HairStyle.CURLY: (0.05, 0.18),
    HairStyle.AFRO: (0.0, 0.22),
    HairStyle.TIED_BACK: (0.24, 0.28),
    HairStyle.BOB: (0.22, 0.08),
    HairStyle.LONG: (0.38, 0.08),
}
# Voluminous styles leave horns at the temples of who has lost the hair between.
_WANTS_A_HAIRLINE = frozenset({HairStyle.SIDE_PART, HairStyle.CURLY, HairStyle.AFRO})
# Which styles may cover part of the forehead, and how often.
_FRINGED = {HairStyle.CROP: 0.35, HairStyle.BOB: 0.40, HairStyle.LONG: 0.20}


def _uniform(low: float, high: float, *, rng: Generator) -> float:
    return float(rng.uniform(low, high))


def _clipped(
    mean: float, sd: float, low: float, high: float, *, rng: Generator
) -> float:
    return float(np.clip(rng.normal(mean, sd), low, high))


def draw_hair(
    sex: Sex, age_years: float, traits: GroupTraits, *, rng: Generator
) -> Hair:
    """Draw somebody's hair as it grows and is usually cut."""
    is_male = sex is Sex.MALE
    tight = bool(rng.random() < traits.tight_curl)
    if rng.random() < traits.dark_hair:
        base = np.array(_DARK_HAIR[rng.integers(len(_DARK_HAIR))], float)
    else:
        first, second = rng.choice(len(_OTHER_HAIR), 2, p=_OTHER_HAIR_SHARES)
        share = rng.beta(1.0, 3.0)
        base = np.array(_OTHER_HAIR[first]) * (1 - share)
        base = base + np.array(_OTHER_HAIR[second]) * share
    colour = base * rng.uniform(0.85, 1.15)
    # Greying begins around 35 and is common at 60.
    grey = float(np.clip((age_years - rng.normal(48.0, 11.0)) / 25.0, 0.0, 1.0))
    hides_grey = not is_male and rng.random() < 0.55
    ageing = float(np.clip((age_years - 22.0) / 45.0, 0.0, 1.0))
    recession = float(rng.beta(1.2, 2.2)) * 2.0 * ageing if is_male else 0.0
    styles = _MALE_STYLES if is_male else _FEMALE_STYLES
    weights = np.array([pair[int(tight)] for pair in styles.values()])
    style = list(styles)[rng.choice(len(weights), p=weights / weights.sum())]
    if recession > 0.85:
        style = HairStyle.BALD if rng.random() < 0.6 else HairStyle.BUZZ
    elif recession > 0.4 and style in _WANTS_A_HAIRLINE:
        style = HairStyle.CROP
    return Hair(
        style=style,
        colour_bgr=(float(colour[0]), float(colour[1]), float(colour[2])),
        grey=grey * (0.1 if hides_grey else 1.0),
        recession=float(np.clip(recession, 0.0, 1.0)),
        hairline_m=_clipped(0.0, 0.0045, -0.010, 0.010, rng=rng),
        peak=_clipped(0.0, 0.5, -1.0, 1.0, rng=rng),
        fringe_m=_draw_fringe(style, rng=rng),
        volume=_uniform(0.7, 1.35, rng=rng),
        length_m=_uniform(0.06, 0.22, rng=rng),
        curl=_uniform(0.7, 1.0, rng=rng) if tight else float(rng.beta(1.2, 2.5)) * 0.7,
        parting=_uniform(-1.0, 1.0, rng=rng),
        texture_seed=int(rng.integers(2**31)),
    )


def _draw_fringe(style: HairStyle, *, rng: Generator) -> float:
    length = _uniform(0.012, 0.036, rng=rng)
    chance = _FRINGED.get(style, 0.0)
    return length if rng.random() < chance else 0.0


def draw_brows(sex: Sex, age_years: float, *, rng: Generator) -> Brows:
    """Draw somebody's eyebrows."""
    is_male = sex is Sex.MALE
    old = float(np.clip((age_years - 50.0) / 40.0, 0.0, 1.0))
    return Brows(
        height_m=_clipped(0.0015, 0.0020, -0.0025, 0.0060, rng=rng)
        - (0.001 if is_male else 0.0),
        inner_x_m=_clipped(0.0125, 0.0025, 0.0065, 0.019, rng=rng),
        length_m=_clipped(0.040, 0.0035, 0.030, 0.048, rng=rng),
        thickness_m=_clipped(
            0.0092 if is_male else 0.0072, 0.0020, 0.0040, 0.0145, rng=rng
        ),
        arch_m=_clipped(0.0016 if is_male else 0.0028, 0.0013, 0.0, 0.0062, rng=rng),
        arch_at=_uniform(0.45, 0.75, rng=rng),
        slope=_clipped(-0.05, 0.07, -0.22, 0.10, rng=rng),
        taper=_uniform(0.3, 0.95, rng=rng),
        density=_clipped(0.80 - 0.2 * old, 0.16, 0.30, 1.0, rng=rng),
        darkness=_uniform(0.1, 0.7, rng=rng),
    )


def draw_beard(sex: Sex, age_years: float, *, rng: Generator) -> Beard:
    """Draw how facial hair grows and is worn; none on women and boys."""
    grows = sex is Sex.MALE and age_years > 17.0
    styles = list(BeardStyle)
    style = styles[rng.choice(len(styles), p=[0.42, 0.22, 0.05, 0.07, 0.14, 0.10])]
    density = _uniform(0.35, 1.0, rng=rng)
    return Beard(
        style=style if grows else BeardStyle.SHAVEN,
        density=density if grows else 0.0,
        cheek_line_m=_clipped(0.0, 0.006, -0.012, 0.010, rng=rng),
        length_m=_uniform(0.004, 0.022, rng=rng),
        patchiness=float(rng.beta(1.5, 3.0)),
    )


def draw_glasses(age_years: float, *, rng: Generator) -> Glasses:
    """Draw the spectacles somebody owns, and how often they are worn.

    Half of adults own some; of those, half wear them always. An assumption.
    """
    owned_share = 0.18 + 0.4 * float(np.clip((age_years - 15.0) / 45.0, 0.0, 1.0))
    always, sometimes = owned_share / 2, owned_share / 2
    worn = float(
        rng.choice([0.97, 0.4, 0.0], p=[always, sometimes, 1.0 - always - sometimes])
    )
    frames = list(Frames)
    colour = np.array(_FRAME_COLOURS[rng.integers(len(_FRAME_COLOURS))], float)
    return Glasses(
        frames=frames[rng.integers(len(frames))],
        worn_share=worn,
        width_m=_uniform(0.046, 0.054, rng=rng),
        height_m=_uniform(0.030, 0.044, rng=rng),
        rim_m=_uniform(0.0020, 0.0048, rng=rng),
        colour_bgr=(float(colour[0]), float(colour[1]), float(colour[2])),
    )
