"""How strengths of pictures scatter, so that mated scores are spread as measured ones.

Owns the fixed point. What an angle between two templates of a person tells is the
tangent's inverse,

    t = score / sqrt(1 - score^2),

which grows in proportion to the street picture's strength. Its logarithm is compared
between measured and drawn people: shared between days, it tells of the person; between
pictures of a day, of the day; its distribution under one condition tells of the
picture. Each round draws people from the model so far and corrects it by what is
lacking.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.templates.population import TemplatePopulation
from training.template_moments import root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.templates.model import TemplateModel
    from training.template_measures import MeasuredTemplates

__all__ = ["with_strengths"]

_ROUNDS = 16
_DRAWN = 4096
# Below this score a picture has nothing of its person left.
_LEAST_SCORE = 0.02
# The first round makes up for this share of what is lacking, the last for none.
_FIRST_STEP = 0.8
# The least and the greatest of some thousands are chance, so the ends of a distribution
# are its quantiles at this share from them.
_ENDS = 0.002
# Strengths lie between these: beyond, noise would have to make up for what is added.
_RANGE = (0.05, 1.5)


def with_strengths(
    model: TemplateModel, measured: MeasuredTemplates, *, seed: int
) -> TemplateModel:
    """Fit the scatter of strengths to the mated scores.

    Args:
        model: Of `training.template_moments`.
        measured: Templates.
        seed: Of the people drawn on the way.
    """
    totals = [
        gain**2 * _shared(model) + shot @ shot.T
        for gain, shot in zip(model.gains, model.shot.astype(np.float64), strict=True)
    ]
    wanted = _logarithms(measured.enrolled, measured.street)
    levels = np.linspace(0.0, 1.0, model.strength_shot.shape[1]).clip(_ENDS, 1 - _ENDS)
    quantiles = np.quantile(wanted.reshape(len(wanted), -1), levels, axis=1).T
    for round_ in range(_ROUNDS):
        step = _FIRST_STEP * (1.0 - round_ / _ROUNDS)
        found = _logarithms(*_drawn(model, seed=seed + round_))
        lacking = (
            quantiles - np.quantile(found.reshape(len(found), -1), levels, axis=1).T
        )
        table = model.strength_shot.copy()
        corrected = np.clip(table[1:] + step * lacking, *np.log(_RANGE))
        table[1:] = np.sort(corrected, axis=1)
        parts = [a - b for a, b in zip(_parts(wanted), _parts(found), strict=True)]
        spread = np.sqrt(np.maximum(model.strength_sd**2 + step * np.array(parts), 0.0))
        model = replace(model, strength_shot=table, strength_sd=spread)
        model = replace(model, shot=_noise(model, totals))
    return model


def _shared(model: TemplateModel) -> NDArray[np.float64]:
    """Covariance of identity and day, all groups together."""
    identity = np.einsum(
        "g,gij,gkj->ik",
        model.group_shares,
        model.identity.astype(np.float64),
        model.identity.astype(np.float64),
    )
    day = model.day.astype(np.float64)
    return np.asarray(identity + day @ day.T)


def _noise(
    model: TemplateModel, totals: list[NDArray[np.float64]]
) -> NDArray[np.float32]:
    """What pictures add, so that templates scatter as much as before in all."""
    of_person_and_day = np.exp(2.0 * np.sum(model.strength_sd**2))
    shots = []
    for place, total in enumerate(totals):
        square = of_person_and_day * np.mean(np.exp(2.0 * model.strength_shot[place]))
        kept = model.gains[place] ** 2 * square * _shared(model)
        shots.append(root(total - kept))
    return np.stack(shots).astype(np.float32)


def _drawn(
    model: TemplateModel, *, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    people = TemplatePopulation(model, seed=seed)
    street = [
        [
            [
                people.templates(0, _DRAWN, condition=name, day=day, shot=shot)
                for shot in (0, 1)
            ]
            for day in (1, 2)
        ]
        for name in model.conditions[1:].tolist()
    ]
    return people.enrolled(0, _DRAWN), np.array(street).transpose(0, 3, 1, 2, 4)


def _logarithms(
    enrolled: NDArray[np.float32], street: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Logarithms of t, (q - 1, n, 2, 2): condition, person, day, picture."""
    scores = np.einsum("nd,qnabd->qnab", enrolled, street).astype(np.float64)
    scores = np.clip(scores, _LEAST_SCORE, 1.0 - 1e-6)
    return np.log(scores / np.sqrt(1.0 - scores**2))


def _parts(logarithms: NDArray[np.float64]) -> tuple[float, float]:
    """Variances that the person brings, and the day; the rest is the picture's."""
    left = logarithms - logarithms.mean(axis=(1, 2, 3), keepdims=True)
    of_days = left.mean(axis=3)
    person = float(np.mean(of_days[:, :, 0] * of_days[:, :, 1]))
    one_day = float(np.mean(left[..., 0] * left[..., 1]))
    return person, one_day - person
