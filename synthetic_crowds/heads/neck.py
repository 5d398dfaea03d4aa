"""Necks that bend: the head turns, the collar's end of the neck stays with the body.

Owns how much of a head's turn each height of the neck follows. Knows nothing of
bodies or cameras.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.records import MeshPart

__all__ = ["bend_neck", "neck_share"]

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
    return replace(skin, vertices=_bend(skin.vertices, neck_share(skin.vertices), gaze))


def neck_share(vertices: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each vertex (v, 3) of a skin keeps to the body, (v,) in [0, 1]."""
    _, y, z = vertices.T
    low = _rise(y, _TURNS_M, _STAYS_M)
    back = np.maximum(_rise(z, _CHIN_Z_M, _THROAT_Z_M), _rise(y, *_CHEST_M))
    return low * back


@njit(cache=True, nogil=True)
def _bend(
    vertices: NDArray[np.float32],
    share: NDArray[np.float32],
    gaze: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Move each vertex (v, 3), head's frame, back to the body by its share (v,)."""
    bent = vertices.copy()
    for v in range(vertices.shape[0]):
        if share[v] == 0.0:
            continue
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        for i in range(3):
            # Column i: the inverse turn.
            still = gaze[0, i] * x + gaze[1, i] * y + gaze[2, i] * z
            bent[v, i] += share[v] * (still - vertices[v, i])
    return bent


def _rise(value: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    """Smooth step from 0 at `start` to 1 at `end`, either way round."""
    share = np.clip((value - np.float32(start)) / np.float32(end - start), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)
