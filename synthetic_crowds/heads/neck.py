"""Necks that bend: the head turns, the collar's end of the neck stays with the body.

Owns how much of a head's turn each height of the neck follows. Knows nothing of
bodies or cameras.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.records import MeshPart

__all__ = ["bend_neck"]

# Local heights between which the neck lets go of the head; the chin lies above.
_TURNS_M, _STAYS_M = -0.075, -0.125
# Chins and beards that reach lower lie in front of the throat, and turn.
_THROAT_Z_M, _CHIN_Z_M = 0.04, 0.07
# Below this height everything is chest, however far in front.
_CHEST_M = (-0.12, -0.16)


def bend_neck(skin: MeshPart, gaze: NDArray[np.float64]) -> MeshPart:
    """Undo the head's turn towards the foot of the neck.

    Without it the foot swings out of the collar when the head turns.

    Args:
        skin: A head's skin, in the head's frame.
        gaze: (3, 3), the head's frame to its body's.

    Returns:
        The same surface, still in the head's frame.
    """
    _, y, z = skin.vertices.T
    low = _rise(y, _TURNS_M, _STAYS_M)
    back = np.maximum(_rise(z, _CHIN_Z_M, _THROAT_Z_M), _rise(y, *_CHEST_M))
    stay = (low * back)[:, None]
    # Row vectors: v @ gaze is the inverse turn of v.
    still = skin.vertices @ gaze.astype(np.float32)
    return replace(skin, vertices=skin.vertices + stay * (still - skin.vertices))


def _rise(value: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    """Smooth step from 0 at `start` to 1 at `end`, either way round."""
    share = np.clip((value - np.float32(start)) / np.float32(end - start), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)
