"""People as templates: any of them at any time, without the others.

Owns the draws. Identities come in blocks of a fixed size with a stream each, so that
person 9,999,999 costs one block, not ten million. Groups, identities and days depend
on the seed and the person alone; a shot also on the day, the condition and its number.
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
_GROUPS, _IDENTITIES, _DAYS, _SHOTS = range(4)


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
        edges = np.cumsum(self._model.group_shares)[:-1]
        return np.searchsorted(edges, draws, side="right")

    def _templates(
        self, block: int, place: int, day: int, shot: int
    ) -> NDArray[np.float32]:
        model = self._model
        person = self._normal(_IDENTITIES, block) @ model.identity.T
        person += self._normal(_DAYS, block, day) @ model.day.T
        person += model.group_means[self._groups(block)]
        person *= np.float32(model.gains[place])
        person += self._normal(_SHOTS, block, day, place, shot) @ model.shot[place].T
        person += model.means[place]
        person /= np.linalg.norm(person, axis=1, keepdims=True)
        return person

    def _normal(self, *key: int) -> NDArray[np.float32]:
        size = (BLOCK, self._model.dimension)
        return self._stream(*key).standard_normal(size, dtype=np.float32)


def _blocks(first: int, count: int) -> Iterator[tuple[int, slice]]:
    """Split a range of people into rows of blocks."""
    last = first + count
    for block in range(first // BLOCK, (last - 1) // BLOCK + 1):
        start = block * BLOCK
        yield block, slice(max(first - start, 0), min(last - start, BLOCK))
