"""People as templates: any of them at any time, without the others.

Owns the draws. Identities come in blocks of a fixed size with a stream each, so that
person 9,999,999 costs one block, not ten million. Groups, kin and identities depend on
the seed and the person alone, days on the day as well; a shot also on the condition and
its number. Persons 2k and 2k + 1 are a pair, most of them strangers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.templates.model import ENROLMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synthetic_crowds.templates.model import TemplateModel

__all__ = ["BLOCK", "TemplatePopulation"]

BLOCK = 8192
# What a stream of random numbers is for; part of its spawn key.
_GROUPS, _IDENTITIES, _DAYS, _SHOTS, _KIN, _PERSON_STRENGTH, _DAY_STRENGTH = range(7)
_SHOT_STRENGTH = 7


class TemplatePopulation:
    """An endless population.

    Args:
        model: What its templates look like.
        seed: Of every draw.
    """

    def __init__(self, model: TemplateModel, *, seed: int) -> None:
        self._model = model
        self._seed = seed

    def groups(self, first: int, count: int) -> NDArray[np.int64]:
        """Return the groups, places in the model's, of people from `first` on."""
        return np.concatenate(
            [self._groups(block)[rows] for block, rows in _blocks(first, count)]
        )

    def resemblances(self, first: int, count: int) -> NDArray[np.float64]:
        """Return how far people from `first` on take after the other of their pair.

        Returns:
            (count,) correlations of identities: 0 of strangers, else those of siblings
            or twins in the model.
        """
        return np.concatenate(
            [
                np.repeat(self._resemblances(block), 2)[rows]
                for block, rows in _blocks(first, count)
            ]
        )

    def enrolled(self, first: int, count: int) -> NDArray[np.float32]:
        """Return the templates under which people are enrolled.

        Args:
            first: Index of the first person, from 0.
            count: How many, from 1.

        Returns:
            (count, d) float32, unit length.
        """
        return self.templates(first, count, condition=ENROLMENT, day=0)

    def templates(
        self, first: int, count: int, *, condition: str, day: int, shot: int = 0
    ) -> NDArray[np.float32]:
        """Return one template of each person.

        Args:
            first: Index of the first person, from 0.
            count: How many, from 1.
            condition: One of the model's.
            day: Day 0 is that of the enrolment.
            shot: Number of the picture on that day.

        Returns:
            (count, d) float32, unit length.

        Raises:
            TemplateModelError: If the condition was not measured.
        """
        place = self._model.condition(condition)
        return np.concatenate(
            [
                self._templates(block, place, day, shot)[rows]
                for block, rows in _blocks(first, count)
            ]
        )

    def _stream(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))

    def _groups(self, block: int) -> NDArray[np.int64]:
        draws = self._stream(_GROUPS, block).random(BLOCK)
        groups = _drawn(self._model.group_shares, draws)
        related = self._resemblances(block) > 0.0
        groups[1::2][related] = groups[::2][related]
        return groups

    def _resemblances(self, block: int) -> NDArray[np.float64]:
        """Of the pairs of a block."""
        shares = self._model.kin_shares
        draws = self._stream(_KIN, block).random(BLOCK // 2)
        kinds = _drawn(np.array([1.0 - shares.sum(), *shares]), draws)
        return np.array([0.0, *self._model.kin_resemblance])[kinds]

    def _identities(self, block: int) -> NDArray[np.float32]:
        """Return groups' means and identities, (BLOCK, d)."""
        model = self._model
        own = self._normal(_IDENTITIES, block)
        likeness = self._resemblances(block).astype(np.float32)[:, None]
        own[1::2] *= np.sqrt(1.0 - likeness**2)
        own[1::2] += likeness * own[::2]
        groups = self._groups(block)
        people = model.group_means[groups]
        for group in np.unique(groups):
            rows = groups == group
            people[rows] += own[rows] @ model.identity[group].T
        return people

    def _strengths(
        self, block: int, place: int, day: int, shot: int
    ) -> NDArray[np.float32]:
        """Return what the pictures of a block keep of their people, (BLOCK, 1)."""
        model = self._model
        of_person = self._stream(_PERSON_STRENGTH, block).standard_normal(BLOCK)
        of_day = self._stream(_DAY_STRENGTH, block, day).standard_normal(BLOCK)
        draws = self._stream(_SHOT_STRENGTH, block, day, place, shot).random(BLOCK)
        table = model.strength_shot[place]
        logarithm = np.interp(draws, np.linspace(0.0, 1.0, len(table)), table)
        logarithm += of_person * model.strength_sd[0] + of_day * model.strength_sd[1]
        return np.exp(logarithm).astype(np.float32)[:, None]

    def _templates(
        self, block: int, place: int, day: int, shot: int
    ) -> NDArray[np.float32]:
        model = self._model
        person = self._identities(block)
        person += self._normal(_DAYS, block, day) @ model.day.T
        person *= np.float32(model.gains[place])
        person *= self._strengths(block, place, day, shot)
        person += self._normal(_SHOTS, block, day, place, shot) @ model.shot[place].T
        person += model.means[place]
        person /= np.linalg.norm(person, axis=1, keepdims=True)
        return person

    def _normal(self, *key: int) -> NDArray[np.float32]:
        size = (BLOCK, self._model.dimension)
        return self._stream(*key).standard_normal(size, dtype=np.float32)


def _drawn(
    shares: NDArray[np.float64], draws: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Turn draws from [0, 1) into places, each as often as its share."""
    return np.searchsorted(np.cumsum(shares)[:-1], draws, side="right")


def _blocks(first: int, count: int) -> Iterator[tuple[int, slice]]:
    """Split a range of people into rows of blocks."""
    last = first + count
    for block in range(first // BLOCK, (last - 1) // BLOCK + 1):
        start = block * BLOCK
        yield block, slice(max(first - start, 0), min(last - start, BLOCK))
