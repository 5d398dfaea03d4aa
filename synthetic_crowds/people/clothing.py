"""What people wear: garments, their cut and their colours.

Owns the wardrobe and how it is drawn by lot. Knows nothing of meshes or textures:
`bodies.py` cuts the garments, `fabric.py` dyes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from synthetic_crowds.records import Sex

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Bag",
    "Bgr",
    "Bottom",
    "Clothing",
    "Neckline",
    "Pattern",
    "Top",
    "draw_clothing",
]

_Choice = TypeVar("_Choice")
# sRGB bytes, blue first, as everywhere in this project.
Bgr = tuple[int, int, int]


class Top(StrEnum):
    """What covers the trunk."""

    T_SHIRT = "t_shirt"
    SHIRT = "shirt"
    JUMPER = "jumper"
    HOODIE = "hoodie"
    JACKET = "jacket"
    COAT = "coat"


class Bottom(StrEnum):
    """What covers the legs."""

    JEANS = "jeans"
    TROUSERS = "trousers"
    JOGGERS = "joggers"
    LEGGINGS = "leggings"
    SHORTS = "shorts"
    SKIRT = "skirt"


class Neckline(StrEnum):
    """How the top ends at the neck."""

    CREW = "crew"
    VEE = "vee"
    COLLAR = "collar"
    HIGH = "high"


class Pattern(StrEnum):
    """What is woven into the top."""

    PLAIN = "plain"
    MARL = "marl"
    STRIPES = "stripes"
    CHECK = "check"
    PRINT = "print"


class Bag(StrEnum):
    """What is carried."""

    NONE = "none"
    BACKPACK = "backpack"
    SHOULDER = "shoulder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clothing:
    """One day's clothes.

    Attributes:
        top, bottom, neckline, pattern, bag: Which garments.
        top_bgr, bottom_bgr, shoe_bgr: Their main colours.
        accent_bgr: Of patterns, prints and trimmings.
        inner_bgr: Of what shows in an open front.
        bag_bgr: Of the bag; unused without one.
        is_open: Whether a jacket or coat is worn open.
        has_scarf: Whether a scarf in `accent_bgr` is worn.
        weave_seed: Seeds folds and fabric grain; equal seeds, equal cloth.
    """

    top: Top
    bottom: Bottom
    neckline: Neckline
    pattern: Pattern
    bag: Bag
    top_bgr: Bgr
    bottom_bgr: Bgr
    shoe_bgr: Bgr
    accent_bgr: Bgr
    inner_bgr: Bgr
    bag_bgr: Bgr
    is_open: bool
    has_scarf: bool
    weave_seed: int


# Shares of garments on a mild British day. No survey stands behind them: they are
# chosen so that crowds look varied, and nothing that is measured depends on them.
_TOPS: Mapping[Sex, Mapping[Top, float]] = {
    Sex.FEMALE: {
        Top.T_SHIRT: 0.20,
        Top.SHIRT: 0.14,
        Top.JUMPER: 0.20,
        Top.HOODIE: 0.08,
        Top.JACKET: 0.22,
        Top.COAT: 0.16,
    },
    Sex.MALE: {
        Top.T_SHIRT: 0.22,
        Top.SHIRT: 0.18,
        Top.JUMPER: 0.14,
        Top.HOODIE: 0.14,
        Top.JACKET: 0.22,
        Top.COAT: 0.10,
    },
}
_BOTTOMS: Mapping[Sex, Mapping[Bottom, float]] = {
    Sex.FEMALE: {
        Bottom.JEANS: 0.36,
        Bottom.TROUSERS: 0.22,
        Bottom.JOGGERS: 0.05,
        Bottom.LEGGINGS: 0.16,
        Bottom.SHORTS: 0.03,
        Bottom.SKIRT: 0.18,
    },
    Sex.MALE: {
        Bottom.JEANS: 0.46,
        Bottom.TROUSERS: 0.32,
        Bottom.JOGGERS: 0.14,
        Bottom.SHORTS: 0.08,
    },
}
_NECKLINES: Mapping[Top, Mapping[Neckline, float]] = {
    Top.T_SHIRT: {Neckline.CREW: 0.75, Neckline.VEE: 0.25},
    Top.SHIRT: {Neckline.COLLAR: 1.0},
    Top.JUMPER: {Neckline.CREW: 0.6, Neckline.VEE: 0.15, Neckline.HIGH: 0.25},
    Top.HOODIE: {Neckline.CREW: 1.0},
    Top.JACKET: {Neckline.COLLAR: 0.6, Neckline.HIGH: 0.4},
    Top.COAT: {Neckline.COLLAR: 0.8, Neckline.HIGH: 0.2},
}
_PATTERNS: Mapping[Top, Mapping[Pattern, float]] = {
    Top.T_SHIRT: {
        Pattern.PLAIN: 0.5,
        Pattern.MARL: 0.15,
        Pattern.STRIPES: 0.15,
        Pattern.PRINT: 0.2,
    },
    Top.SHIRT: {Pattern.PLAIN: 0.6, Pattern.STRIPES: 0.2, Pattern.CHECK: 0.2},
    Top.JUMPER: {Pattern.PLAIN: 0.4, Pattern.MARL: 0.4, Pattern.STRIPES: 0.2},
    Top.HOODIE: {Pattern.PLAIN: 0.5, Pattern.MARL: 0.25, Pattern.PRINT: 0.25},
    Top.JACKET: {Pattern.PLAIN: 0.9, Pattern.CHECK: 0.1},
    Top.COAT: {Pattern.PLAIN: 0.75, Pattern.MARL: 0.15, Pattern.CHECK: 0.1},
}
_TOP_COLOURS: tuple[Bgr, ...] = (
    (34, 32, 31),
    (58, 54, 52),
    (110, 106, 104),
    (168, 166, 165),
    (222, 224, 226),
    (238, 240, 241),
    (74, 48, 34),
    (112, 72, 44),
    (176, 138, 96),
    (52, 70, 52),
    (70, 104, 98),
    (46, 42, 110),
    (60, 56, 168),
    (104, 120, 190),
    (150, 170, 206),
    (60, 120, 176),
    (70, 160, 206),
    (120, 78, 106),
    (168, 140, 196),
    (64, 84, 120),
)
_OUTER_COLOURS: tuple[Bgr, ...] = (
    (30, 29, 28),
    (46, 43, 42),
    (66, 48, 36),
    (84, 58, 40),
    (92, 88, 86),
    (52, 62, 54),
    (74, 96, 118),
    (112, 142, 170),
    (138, 168, 190),
    (48, 50, 112),
    (140, 138, 136),
)
_JEANS_COLOURS: tuple[Bgr, ...] = (
    (92, 64, 46),
    (120, 88, 64),
    (150, 116, 88),
    (64, 46, 38),
    (42, 40, 39),
)
_BOTTOM_COLOURS: tuple[Bgr, ...] = (
    (34, 33, 32),
    (52, 48, 46),
    (84, 80, 78),
    (66, 48, 38),
    (84, 110, 134),
    (118, 146, 168),
    (58, 74, 66),
)
_SHOE_COLOURS: tuple[Bgr, ...] = (
    (26, 25, 25),
    (34, 32, 32),
    (36, 50, 74),
    (46, 74, 108),
    (206, 208, 210),
    (226, 228, 229),
    (88, 82, 78),
    (74, 54, 44),
)
_OUTERWEAR = (Top.JACKET, Top.COAT)
# Clothes are not new: each channel is faded by about this share.
_DYE_SPREAD = 0.04


def _pick(shares: Mapping[_Choice, float], rng: np.random.Generator) -> _Choice:
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(shares), p=weights / weights.sum()))]


def _dye(colours: tuple[Bgr, ...], rng: np.random.Generator) -> Bgr:
    base = np.array(colours[int(rng.integers(len(colours)))], np.float64)
    shifted = base * rng.uniform(0.85, 1.12) * (1.0 + rng.normal(0.0, _DYE_SPREAD, 3))
    blue, green, red = np.clip(np.rint(shifted), 12, 244).astype(int)
    return int(blue), int(green), int(red)


def draw_clothing(
    *,
    rng: np.random.Generator,
    sex: Sex,
    age_years: float,
    scarf_factor: float = 1.0,
) -> Clothing:
    """Dress one person for one day.

    Args:
        rng: Source of randomness.
        sex: Decides between shares of garments.
        age_years: Children and teenagers wear hoods and joggers rather than coats;
            the old wear no hoods.
        scarf_factor: How many times as many scarves as on a mild day.

    Returns:
        The clothes.
    """
    youth = float(np.clip((22.0 - age_years) / 8.0, 0.0, 1.0))
    seniority = float(np.clip((age_years - 55.0) / 15.0, 0.0, 1.0))
    tops = dict(_TOPS[sex])
    tops[Top.HOODIE] *= 1.0 + 2.0 * youth - 0.9 * seniority
    tops[Top.COAT] *= 1.0 - 0.6 * youth + 0.8 * seniority
    bottoms = dict(_BOTTOMS[sex])
    bottoms[Bottom.JOGGERS] *= 1.0 + 2.0 * youth - 0.7 * seniority
    bottoms[Bottom.SHORTS] *= 1.0 + 1.0 * youth - 0.6 * seniority
    top, bottom = _pick(tops, rng), _pick(bottoms, rng)
    outer = top in _OUTERWEAR
    bags = {Bag.NONE: 0.66, Bag.BACKPACK: 0.16 + 0.1 * youth, Bag.SHOULDER: 0.18}
    return Clothing(
        top=top,
        bottom=bottom,
        neckline=_pick(_NECKLINES[top], rng),
        pattern=_pick(_PATTERNS[top], rng),
        bag=_pick(bags, rng),
        top_bgr=_dye(_OUTER_COLOURS if outer else _TOP_COLOURS, rng),
        bottom_bgr=_dye(
            _JEANS_COLOURS if bottom is Bottom.JEANS else _BOTTOM_COLOURS, rng
        ),
        shoe_bgr=_dye(_SHOE_COLOURS, rng),
        accent_bgr=_dye(_TOP_COLOURS, rng),
        inner_bgr=_dye(_TOP_COLOURS, rng),
        bag_bgr=_dye(_OUTER_COLOURS, rng),
        # A skirt below an open coat would need a second hanging surface.
        is_open=bool(
            outer
            and rng.random() < 0.5
            and not (top is Top.COAT and bottom is Bottom.SKIRT)
        ),
        has_scarf=bool(rng.random() < (0.25 if outer else 0.03) * scarf_factor),
        weave_seed=int(rng.integers(2**31)),
    )
