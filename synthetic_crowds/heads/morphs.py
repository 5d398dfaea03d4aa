"""From a person and a day to the weights of the morph targets.

Owns how sex, age, ancestry, build, shape and expression drive the basis. Knows
nothing of vertices or colours.

Source:
    MakeHuman's macro targets: baby 1, child 10, young 25, old 90 years; ancestry,
    sex and age multiply, and so do sex, age, muscle and weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import load_head_basis
from synthetic_crowds.records import Ancestry

if TYPE_CHECKING:
    from synthetic_crowds.people.person import Appearance, Person

__all__ = ["morph_weights"]

_AGE_YEARS = {"baby": 1.0, "child": 10.0, "young": 25.0, "old": 90.0}
# At these body mass indices the weight target is at its end; 23 is the middle.
_BMI_KNOTS, _WEIGHT_KNOTS = (15.0, 23.0, 38.0), (-1.0, 0.0, 1.0)
# Few heads carry the whole of a weight target: faces differ less than bellies.
_FACE_WEIGHT = 0.8


def _age_weights(age_years: float) -> dict[str, float]:
    names, years = list(_AGE_YEARS), list(_AGE_YEARS.values())
    return {
        name: float(np.interp(age_years, years, np.eye(len(years))[k]))
        for k, name in enumerate(names)
    }


def morph_weights(person: Person, appearance: Appearance) -> dict[str, float]:
    """Compute the weight of every target that shapes a head.

    Args:
        person: Bones.
        appearance: Expression.

    Returns:
        Weight by target name, for `head_basis.blend`.
    """
    weights: dict[str, float] = {}
    sexes = {"female": 1.0 - person.masculinity, "male": person.masculinity}
    heavy = _FACE_WEIGHT * float(
        np.interp(person.body_mass_index, _BMI_KNOTS, _WEIGHT_KNOTS)
    )
    builds = {
        "minweight": max(-heavy, 0.0),
        "averageweight": 1.0 - abs(heavy),
        "maxweight": max(heavy, 0.0),
    }
    muscles = {"averagemuscle": 1.0 - person.muscle, "maxmuscle": person.muscle}
    for age, by_age in _age_weights(person.age_years).items():
        for sex, by_sex in sexes.items():
            for ancestry, share in zip(Ancestry, person.ancestry_shares, strict=True):
                weights[f"macro/{ancestry}-{sex}-{age}"] = (
                    by_age * by_sex * float(share)
                )
            for muscle, by_muscle in muscles.items():
                for build, by_build in builds.items():
                    name = f"macro/universal-{sex}-{age}-{muscle}-{build}"
                    weights[name] = by_age * by_sex * by_muscle * by_build
    # Children's faces differ less, and adult detail would look carved.
    adult = float(np.interp(person.age_years, (5.0, 18.0), (0.6, 1.0)))
    for axis, value in zip(load_head_basis().axes, person.face_shape, strict=True):
        weights[f"axis/{axis}/{'+' if value > 0.0 else '-'}"] = (
            abs(float(value)) * adult
        )
    return weights | _expression_weights(appearance)


def _expression_weights(appearance: Appearance) -> dict[str, float]:
    smile, raised = appearance.smile, appearance.brow_raise
    weights = {
        "mouth-corner-puller": max(smile, 0.0) * 0.8,
        "mouth-depression": max(-smile, 0.0) * 0.4,
        "mouth-open": appearance.mouth_open * 0.25,
    }
    for side in ("left", "right"):
        weights[f"eye-{side}-slit"] = min(
            appearance.squint * 0.7 + max(smile, 0.0) * 0.25, 0.8
        )
        weights[f"eyebrows-{side}-up"] = max(raised, 0.0) * 0.5
        weights[f"eyebrows-{side}-down"] = max(-raised, 0.0) * 0.5
    return {f"expression/{name}": weight for name, weight in weights.items()}
