"""Who a person is, and how they look on one day.

Owns the records that the samplers fill and the builders read: bones, skin and habits
in `Person`, everything that changes overnight in `Appearance`. Knows nothing of how
either is drawn from a distribution or turned into triangles.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synthetic_crowds.people.clothing import Clothing
    from synthetic_crowds.records import PersonId, Sex

__all__ = [
    "Appearance",
    "Beard",
    "BeardStyle",
    "Brows",
    "FaceMask",
    "Frames",
    "Glasses",
    "Hair",
    "HairStyle",
    "Headwear",
    "Person",
    "Skin",
]


class HairStyle(StrEnum):
    """The cuts that `hair.py` can build."""

    BALD = "bald"
    BUZZ = "buzz"
    CROP = "crop"
    SIDE_PART = "side_part"
    SWEPT_BACK = "swept_back"
    CURLY = "curly"
    AFRO = "afro"
    TIED_BACK = "tied_back"
    BOB = "bob"
    LONG = "long"


class BeardStyle(StrEnum):
    """The habits that `beards.py` can paint."""

    SHAVEN = "shaven"
    STUBBLE = "stubble"
    MOUSTACHE = "moustache"
    GOATEE = "goatee"
    SHORT = "short"
    FULL = "full"


class Frames(StrEnum):
    """Outlines of spectacle frames."""

    ROUND = "round"
    RECTANGULAR = "rectangular"
    PILOT = "pilot"
    BROWLINE = "browline"


class Headwear(StrEnum):
    """What `hats.py` can put on a head."""

    NONE = "none"
    BEANIE = "beanie"
    CAP = "cap"


class FaceMask(StrEnum):
    """What `masks.py` can put over nose and mouth."""

    NONE = "none"
    SURGICAL = "surgical"
    CLOTH = "cloth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hair:
    """Hair as it grows and is cut; identity, but for one day's disorder.

    Attributes:
        style: The usual cut.
        colour_bgr: sRGB, 0 to 255, before greying.
        grey: Share of grey strands, in [0, 1].
        recession: How far the hairline has gone back, in [0, 1].
        hairline_m: Height of the hairline against the average.
        peak: Widow's peak, in [-1, 1]; negative is a rounded hairline.
        fringe_m: How far hair hangs over the forehead.
        volume: Thickness against the style's own, about 1.
        length_m: How far long styles hang below the ears.
        curl: 0 straight to 1 tight.
        parting: Side of the parting, -1 subject's right to 1 left.
        texture_seed: Seeds the strands.
    """

    style: HairStyle
    colour_bgr: tuple[float, float, float]
    grey: float
    recession: float
    hairline_m: float
    peak: float
    fringe_m: float
    volume: float
    length_m: float
    curl: float
    parting: float
    texture_seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brows:
    """Eyebrows, in template coordinates.

    Attributes:
        height_m: Of the whole brow against the average.
        inner_x_m: Where the inner end lies, from the midline.
        length_m: Along x.
        thickness_m: At the thickest place.
        arch_m: Height of the arch over the chord.
        arch_at: Where along the brow the arch peaks, in [0, 1].
        slope: Rise of the chord from inner to outer end.
        taper: How thin the outer end is, 0 none to 1 pointed.
        density: 0 sparse to 1 opaque.
        darkness: Colour against the hair's, 0 same to 1 black.
    """

    height_m: float
    inner_x_m: float
    length_m: float
    thickness_m: float
    arch_m: float
    arch_at: float
    slope: float
    taper: float
    density: float
    darkness: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Skin:
    """Skin, its colour and its marks.

    Attributes:
        tone: Continuous Monk scale, 0.5 to 10.5.
        undertone: -1 cool and red to 1 warm and yellow.
        redness: Of cheeks, nose and ears, in [0, 1].
        shadows: Below the eyes, in [0, 1].
        freckles: In [0, 1].
        wrinkles: In [0, 1].
        lip_darkness: Lips against the skin, in [-1, 1].
        lip_redness: In [0, 1].
        lash_strength: How dark the lash line is, in [0, 1].
        marks: (m, 5) float32: template x and y in metres, radius in metres,
            darkness in [-1, 1], redness in [0, 1].
        mottling: (8,) float32 weights of the fixed fields of slow colour variation.
    """

    tone: float
    undertone: float
    redness: float
    shadows: float
    freckles: float
    wrinkles: float
    lip_darkness: float
    lip_redness: float
    lash_strength: float
    marks: NDArray[np.float32]
    mottling: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.marks.setflags(write=False)
        self.mottling.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beard:
    """How facial hair grows and is worn.

    Attributes:
        style: The usual one.
        density: Of growth, in [0, 1].
        cheek_line_m: Height of the upper edge on the cheek against the average.
        length_m: How far a beard stands out.
        patchiness: In [0, 1].
    """

    style: BeardStyle
    density: float
    cheek_line_m: float
    length_m: float
    patchiness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Glasses:
    """A pair of spectacles and how often it is worn.

    Attributes:
        frames: Outline.
        worn_share: Probability that they are on, on any day.
        width_m, height_m: Of one lens.
        rim_m: Thickness of the rim.
        colour_bgr: sRGB, 0 to 255.
    """

    frames: Frames
    worn_share: float
    width_m: float
    height_m: float
    rim_m: float
    colour_bgr: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Person:
    """Everything that stays when a person comes back another day.

    Attributes:
        person_id: Unique in a domain of identities.
        sex: Recorded sex.
        age_years: Age.
        group: Census group, a key of `demographics.GROUP_TRAITS`.
        ancestry_shares: (3,) float32, sums to 1, in the order of `Ancestry`.
        monk_tone: Skin tone on the Monk scale, 1 to 10.
        masculinity: Position between the female (0) and male (1) targets.
        face_shape: (k,) float32 in [-1, 1], in the order of `HeadBasis.axes`.
        height_m: Standing height.
        body_mass_index: kg/m2.
        muscle: 0 average to 1 strong.
        hair: Hair.
        brows: Eyebrows.
        beard: Facial hair; grows on nobody whose style is shaven and density 0.
        skin: Skin.
        iris_bgr: sRGB, 0 to 255.
        glasses: Spectacles owned; `worn_share` is 0 for who has none.
        make_up_share: Probability of wearing make-up on a day.
        head_cover_share: Probability of covering the hair on a day.
        siblings: Who shares this person's face coefficients, in part.
        is_twin: Whether those siblings share them all but wholly: identical twins.
    """

    person_id: PersonId
    sex: Sex
    age_years: float
    group: str
    ancestry_shares: NDArray[np.float32]
    monk_tone: int
    masculinity: float
    face_shape: NDArray[np.float32]
    height_m: float
    body_mass_index: float
    muscle: float
    hair: Hair
    brows: Brows
    beard: Beard
    skin: Skin
    iris_bgr: tuple[float, float, float]
    glasses: Glasses
    make_up_share: float
    head_cover_share: float
    siblings: tuple[PersonId, ...] = ()
    is_twin: bool = False

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.ancestry_shares.setflags(write=False)
        self.face_shape.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """One day's look: nothing in it moves a bone.

    Attributes:
        smile: -0.3 sullen to 1 broad.
        mouth_open: In [0, 1].
        brow_raise: -1 frown to 1 raised.
        squint: 0 to 1.
        gaze: Horizontal and vertical, in [-1, 1] of the eyes' reach.
        hair_style: Today's style.
        hair_volume: Factor on the usual volume.
        hair_seed: Seeds today's lumps and stray strands.
        stubble: Growth since the last shave, 0 none to 1 three days.
        glasses_on: Whether the spectacles are on.
        tan: Shift of the tone on the Monk scale.
        flush: Added redness.
        tiredness: Added shadow below the eyes.
        lipstick_bgr: sRGB, 0 to 255.
        lipstick: Coverage, 0 none to 1 opaque.
        eye_make_up: Coverage, 0 none to 1 heavy.
        dark_lenses: Whether sunglasses are on; they take the spectacles' place.
        headwear: What covers the hair.
        cover_bgr: sRGB of that hat, 0 to 255.
        face_mask: What covers nose and mouth.
        mask_bgr: sRGB of that mask, 0 to 255.
        clothing: Today's clothes.
        collar_bgr: sRGB of the collar of a portrait without a body, 0 to 255.
    """

    smile: float
    mouth_open: float
    brow_raise: float
    squint: float
    gaze: tuple[float, float]
    hair_style: HairStyle
    hair_volume: float
    hair_seed: int
    stubble: float
    glasses_on: bool
    tan: float
    flush: float
    tiredness: float
    lipstick_bgr: tuple[float, float, float]
    lipstick: float
    eye_make_up: float
    dark_lenses: bool
    headwear: Headwear
    cover_bgr: tuple[float, float, float]
    face_mask: FaceMask
    mask_bgr: tuple[float, float, float]
    clothing: Clothing
    collar_bgr: tuple[float, float, float]

    @property
    def hides_face(self) -> bool:
        """Whether eyes or mouth are behind something worn: sunglasses, a mask."""
        return self.dark_lenses or self.face_mask is not FaceMask.NONE
