"""How faces differ in shape: the spread of every axis of the basis.

Owns one table of standard deviations. Knows nothing of sex, age or ancestry, which
move the head by targets of their own.

Source:
    `FACES.md`: head-scale axes tamed to a standard deviation of 0.2 at most; larger
    spreads make caricatures and separate identities no better.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import load_head_basis

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["draw_face_shape"]

# Longest matching prefix wins.
_SPREAD = {
    "": 0.40,
    "head": 0.11,
    "head-age": 0.10,
    "head-fat": 0.25,
    "head-scale": 0.16,
    "head-back": 0.15,
    "forehead": 0.30,
    "eyebrows": 0.40,
    "eye": 0.40,
    "eye-scale": 0.30,
    "eye-trans": 0.38,
    "eye-push": 0.25,
    "eye-epicanthus": 0.25,
    "nose": 0.36,
    "nose-scale": 0.42,
    "nose-compression": 0.25,
    "nose-trans": 0.28,
    "mouth": 0.36,
    "mouth-scale-horiz": 0.45,
    "mouth-angles": 0.25,
    "mouth-trans": 0.30,
    "mouth-laugh-lines": 0.25,
    "mouth-dimples": 0.25,
    "chin": 0.38,
    "chin-triangle": 0.15,
    "chin-jaw-drop": 0.25,
    "chin-cleft": 0.30,
    "cheek": 0.40,
    "ear": 0.35,
    "ear-shape": 0.2,
    "neck": 0.15,
    "neck-scale-vert": 0.08,
    "neck-double": 0.14,
    "measure-neck": 0.15,
    "asym": 0.22,
}
_LIMIT_SDS = 2.2
# No axis moves its furthest vertex by more than this, one standard deviation out:
# some targets are drawn for monsters.
_LARGEST_SD_M = 0.0034


@lru_cache(maxsize=1)
def _spreads() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    basis = load_head_basis()
    spreads = [
        min(
            _SPREAD[max((p for p in _SPREAD if axis.startswith(p)), key=len)],
            _LARGEST_SD_M / basis.reach_m[axis],
        )
        for axis in basis.axes
    ]
    return np.array(spreads), basis.one_sided


def draw_face_shape(*, rng: Generator) -> NDArray[np.float32]:
    """Draw the signed shape axes of one face.

    Args:
        rng: Of the identity.

    Returns:
        (k,) float32 in [-1, 1], in the order of `HeadBasis.axes`; axes without a
        negative end are at least 0.
    """
    spreads, one_sided = _spreads()
    normal = np.clip(rng.standard_normal(len(spreads)), -_LIMIT_SDS, _LIMIT_SDS)
    shape = np.clip(normal * spreads, -1.0, 1.0)
    return np.where(one_sided, np.maximum(shape, 0.0), shape).astype(np.float32)
