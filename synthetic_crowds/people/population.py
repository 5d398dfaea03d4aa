"""Draws people: bones, skin, hair and habits, all from one seed.

Owns the distributions of identities. A person depends on nothing but the arguments
of `draw_person`, so any of a million people can be made without the others. Siblings
stand in pairs: people 2k and 2k + 1 may be related, and nobody else is.
Knows nothing of meshes, pixels or days.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.demographics import GROUP_TRAITS, Demographics, GroupTraits
from synthetic_crowds.people.face_shape import draw_face_shape
from synthetic_crowds.people.grooming import (
    draw_beard,
    draw_brows,
    draw_glasses,
    draw_hair,
)
from synthetic_crowds.people.kin import Kinship, resemble
from synthetic_crowds.people.person import Person, Skin
from synthetic_crowds.records import PersonId, Sex

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.people.demographics import Cell

__all__ = ["Demographics", "IdentityDomain", "draw_person"]

# Keys of pairs: streams of three numbers, whose last no other stream has.
_KIN = 1_000_003
_SIBLINGS_APART_YEARS = 4.0
# Irises, sRGB B, G, R; albedo as photographs show it, without the highlight.
_BROWN_IRISES = ((28, 44, 74), (22, 33, 56), (40, 66, 104), (18, 26, 42))
_LIGHT_IRISES = ((150, 128, 98), (128, 110, 92), (92, 118, 110), (72, 104, 116))


class IdentityDomain(IntEnum):
    """What an identity may be used for; equal indices in two domains never meet."""

    SCENARIO = 0
    TRAINING = 1
    CALIBRATION = 2
    EVALUATION = 3
    REALISM = 4


def draw_person(
    demographics: Demographics, *, seed: int, domain: IdentityDomain, index: int
) -> Person:
    """Draw one person; the same arguments always give the same person.

    Args:
        demographics: Shares to draw from.
        seed: The scenario's.
        domain: Keeps training, calibration and scenarios apart by construction.
        index: Which person of that domain, from 0.

    Returns:
        The person.
    """
    kinship, rng = _draw_kinship(demographics, seed, domain, index // 2)
    first = index - index % 2
    if kinship is Kinship.STRANGER:
        return _draw_alone(demographics, seed, domain, index)
    elder = _draw_alone(demographics, seed, domain, first)
    if index == first:
        return replace(
            elder,
            siblings=(_person_id(seed, domain, first + 1),),
            is_twin=kinship is Kinship.TWIN,
        )
    own = _draw_alone(
        demographics,
        seed,
        domain,
        index,
        given=_given(elder, kinship, demographics, rng),
    )
    return resemble(own, elder, kinship, rng=rng)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Given:
    """What a sibling decides before the rest is drawn.

    Attributes:
        sex: The elder's, for twins.
        age_years: Near the elder's.
        group: The elder's.
        ancestry: The elder's shares.
        tone: Near the elder's.
    """

    sex: Sex | None
    age_years: float
    group: str
    ancestry: NDArray[np.float32]
    tone: float


def _draw_kinship(
    demographics: Demographics, seed: int, domain: IdentityDomain, pair: int
) -> tuple[Kinship, Generator]:
    """What the two people of a pair are to each other, and the rest of its stream."""
    key = (int(domain), int(pair), _KIN)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    chance = rng.random()
    if chance < demographics.twins_share:
        return Kinship.TWIN, rng
    if chance < demographics.twins_share + demographics.siblings_share:
        return Kinship.SIBLING, rng
    return Kinship.STRANGER, rng


def _given(
    elder: Person, kinship: Kinship, demographics: Demographics, rng: Generator
) -> _Given:
    if kinship is Kinship.TWIN:
        return _Given(
            sex=elder.sex,
            age_years=elder.age_years,
            group=elder.group,
            ancestry=elder.ancestry_shares,
            tone=elder.skin.tone,
        )
    bands = [(start, end) for start, end, _ in demographics.age_bands]
    bands = [cell[1:3] for cell in demographics.joint] or bands
    ages = [age for band in bands for age in band]
    apart = _SIBLINGS_APART_YEARS * rng.standard_normal()
    return _Given(
        sex=None,
        age_years=float(np.clip(elder.age_years + apart, min(ages), max(ages))),
        group=elder.group,
        ancestry=elder.ancestry_shares,
        tone=float(np.clip(elder.skin.tone + 0.35 * rng.standard_normal(), 0.6, 10.4)),
    )


def _draw_alone(
    demographics: Demographics,
    seed: int,
    domain: IdentityDomain,
    index: int,
    *,
    given: _Given | None = None,
) -> Person:
    """Draw one person without regard to siblings, but for what they decide."""
    rng = np.random.Generator(
        np.random.PCG64(
            np.random.SeedSequence(seed, spawn_key=(int(domain), int(index)))
        )
    )
    rng = np.random.Generator(
        np.random.PCG64(
            np.random.SeedSequence(seed, spawn_key=(int(domain), int(index)))
        )
    )
    sex = Sex.FEMALE if rng.random() < demographics.female_share else Sex.MALE
    age_years = _draw_age(demographics, rng=rng)
    group = _draw_group(demographics, rng=rng) if given is None else given.group
    if demographics.joint:
        sex, age_years, cell_group = _draw_cell(demographics.joint, rng=rng)
        group = cell_group if given is None else group
    traits = GROUP_TRAITS[group]
    ancestry = rng.dirichlet(np.array(traits.ancestry) * traits.concentration)
    tone = float(np.clip(rng.normal(traits.tone_mean, traits.tone_sd), 0.6, 10.4))
    if given is not None:
        sex = sex if given.sex is None else given.sex
        age_years, tone = given.age_years, given.tone
        ancestry = given.ancestry.astype(np.float64)
    is_male = sex is Sex.MALE
    adulthood = float(np.clip((age_years - 11.0) / 7.0, 0.0, 1.0))
    masculinity = float(np.clip(rng.normal(0.90 if is_male else 0.10, 0.09), 0.0, 1.0))
    height_m, body_mass_index = _draw_build(sex, age_years, rng=rng)
    hair = draw_hair(sex, age_years, traits, rng=rng)
    return Person(
        person_id=_person_id(seed, domain, index),
        sex=sex,
        age_years=age_years,
        group=group,
        ancestry_shares=np.array(ancestry, np.float32),
        monk_tone=int(np.clip(round(tone), 1, 10)),
        masculinity=masculinity,
        face_shape=draw_face_shape(rng=rng),
        height_m=height_m,
        body_mass_index=body_mass_index,
        muscle=float(rng.beta(2.0, 3.0 if is_male else 5.0)) * adulthood,
        hair=hair,
        brows=draw_brows(sex, age_years, rng=rng),
        beard=draw_beard(sex, age_years, rng=rng),
        skin=_draw_skin(sex, age_years, tone, rng=rng),
        iris_bgr=_draw_iris(traits, rng=rng),
        glasses=draw_glasses(age_years, rng=rng),
        make_up_share=float(rng.beta(0.8, 0.8)) * adulthood * (0.0 if is_male else 1.0),
        # Few wear a hat by habit, most never; an assumption.
        head_cover_share=float(rng.choice([0.0, 0.05, 0.5], p=[0.68, 0.29, 0.03])),
    )


def _person_id(seed: int, domain: IdentityDomain, index: int) -> PersonId:
    """Name a person; the seed, which may have twenty digits, as a short digest."""
    population = hashlib.blake2s(str(seed).encode(), digest_size=3).hexdigest()
    return PersonId(f"{domain.name.lower()}-{population}-{index}")


def _draw_cell(joint: tuple[Cell, ...], *, rng: Generator) -> tuple[Sex, float, str]:
    weights = np.array([cell.weight for cell in joint])
    cell = joint[int(rng.choice(len(joint), p=weights / weights.sum()))]
    return cell.sex, float(rng.uniform(cell.from_years, cell.to_years)), cell.group


def _draw_age(demographics: Demographics, *, rng: Generator) -> float:
    bands = np.array(demographics.age_bands)
    start, end, _ = bands[rng.choice(len(bands), p=bands[:, 2] / bands[:, 2].sum())]
    return float(rng.uniform(start, end))


def _draw_group(demographics: Demographics, *, rng: Generator) -> str:
    names = list(demographics.group_shares)
    weights = np.array([demographics.group_shares[name] for name in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]


def _draw_build(sex: Sex, age_years: float, *, rng: Generator) -> tuple[float, float]:
    """Height (m) and body mass index.

    Source:
        Adults: Health Survey for England 2021, means 175.5 and 162 cm, BMI 27.6,
        standard deviations from the same tables. Children: linear from 1.09 m at 5
        to adult height at 17, after the RCPCH growth charts.
    """
    adult_m = rng.normal(1.755, 0.070) if sex is Sex.MALE else rng.normal(1.62, 0.066)
    grown = float(np.clip((age_years - 5.0) / 12.0, 0.0, 1.0))
    height_m = 1.09 * (adult_m / 1.70) * (1.0 - grown) + adult_m * grown
    spread = rng.gamma(5.0, 1.9) - 9.5
    mean = 16.0 + 8.0 * grown + 3.0 * float(np.clip((age_years - 20) / 35, 0.0, 1.0))
    bmi = mean + spread * (0.35 + 0.55 * grown)
    return float(height_m), float(np.clip(bmi, 14.0, 45.0))


def _draw_iris(traits: GroupTraits, *, rng: Generator) -> tuple[float, float, float]:
    light = rng.random() < traits.light_eyes
    palette = np.array(_LIGHT_IRISES if light else _BROWN_IRISES, float)
    mixed = rng.dirichlet(np.full(len(palette), 0.5)) @ palette * rng.uniform(0.8, 1.2)
    return (float(mixed[0]), float(mixed[1]), float(mixed[2]))


def _draw_skin(sex: Sex, age_years: float, tone: float, *, rng: Generator) -> Skin:
    light = float(np.clip((5.5 - tone) / 4.0, 0.0, 1.0))
    age = float(np.clip((age_years - 25.0) / 50.0, 0.0, 1.0))
    n_marks = int(rng.poisson(2.0 + 4.0 * age + 2.0 * light))
    # Where a mark may lie on the unrolled face, as template x and y.
    marks = np.stack(
        [
            rng.uniform(-0.075, 0.075, n_marks),
            rng.uniform(-0.085, 0.105, n_marks),
            rng.gamma(3.0, 0.00030, n_marks) + 0.0005,
            rng.uniform(0.35, 0.95, n_marks),
            rng.beta(1.0, 3.0, n_marks),
        ],
        axis=1,
    )
    freckled = rng.random() < 0.30 * light
    return Skin(
        tone=tone,
        undertone=float(np.clip(rng.normal(0.0, 0.45), -1.0, 1.0)),
        redness=float(rng.beta(2.0, 3.0)),
        shadows=float(np.clip(rng.beta(2.0, 4.0) + 0.25 * age, 0.0, 1.0)),
        freckles=float(rng.uniform(0.25, 1.0)) if freckled else 0.0,
        wrinkles=float(np.clip(age * rng.uniform(0.6, 1.25), 0.0, 1.0)),
        lip_darkness=float(np.clip(rng.normal(0.0, 0.4), -1.0, 1.0)),
        lip_redness=float(rng.beta(2.5, 2.5)),
        lash_strength=float(
            np.clip(rng.normal(0.55 if sex is Sex.MALE else 0.75, 0.15), 0.2, 1.0)
        ),
        marks=marks.astype(np.float32),
        mottling=rng.normal(0.0, 1.0, 8).astype(np.float32),
    )
