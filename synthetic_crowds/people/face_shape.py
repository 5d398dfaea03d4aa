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

__all__ = ["bound_face_shape", "draw_face_shape"]

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
# Standard errors of a part's root mean square beyond which it is pulled in.
_STRANGE = 1.2
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


@lru_cache(maxsize=1)
def _regions() -> tuple[NDArray[np.intp], ...]:
    """Axes by the part of the face that they shape."""
    names = [axis.split("-")[0] for axis in load_head_basis().axes]
    return tuple(
        np.flatnonzero([name == region for name in names])
        for region in dict.fromkeys(names)
    )


def bound_face_shape(shape: NDArray[np.floating]) -> NDArray[np.float32]:
    """Keep a face inside human bounds.

    No axis leaves its limit, and no part of the face is strange in every respect at
    once: where the root mean square of a part's axes, in standard deviations, exceeds
    the bound, that part as a whole comes closer to the average. That, not a single
    axis, is what makes a caricature.

    Args:
        shape: (k,) signed axes.

    Returns:
        (k,) float32.
    """
    spreads, one_sided = _spreads()
    deviates = np.clip(shape / spreads, -_LIMIT_SDS, _LIMIT_SDS)
    for axes in _regions():
        rms = float(np.sqrt((deviates[axes] ** 2).mean()))
        # A part of few axes may well be unusual in all of them.
        bound = 1.0 + _STRANGE / np.sqrt(len(axes))
        if rms > bound:
            deviates[axes] *= bound / rms
    bounded = np.clip(deviates * spreads, -1.0, 1.0)
    return np.where(one_sided, np.maximum(bounded, 0.0), bounded).astype(np.float32)


def draw_face_shape(*, rng: Generator) -> NDArray[np.float32]:
    """Draw the signed shape axes of one face.

    Args:
        rng: Of the identity.

    Returns:
        (k,) float32 in [-1, 1], in the order of `HeadBasis.axes`; axes without a
        negative end are at least 0.
    """
    spreads, _ = _spreads()
    return bound_face_shape(rng.standard_normal(len(spreads)) * spreads)
