"""Bones, and how skin follows them.

Owns the list of bones and linear blend skinning. Knows nothing of walking or clothes.

Everything is in body axes: metres, x to the subject's left, y up, z forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import cos, sin, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.skinning import blended, bone_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "PARENTS",
    "Bone",
    "Pose",
    "aligned",
    "applied",
    "carried",
    "chained",
    "crossed",
    "follow",
    "framed",
    "turned",
    "unit",
]


class Bone(IntEnum):
    """Bones in the order of the basis; parents come before their children."""

    PELVIS = 0
    WAIST = 1
    BELLY = 2
    CHEST = 3
    COLLAR_L = 4
    ARM_L = 5
    FOREARM_L = 6
    HAND_L = 7
    THIGH_L = 8
    SHIN_L = 9
    FOOT_L = 10
    TOES_L = 11
    COLLAR_R = 12
    ARM_R = 13
    FOREARM_R = 14
    HAND_R = 15
    THIGH_R = 16
    SHIN_R = 17
    FOOT_R = 18
    TOES_R = 19


PARENTS: tuple[int, ...] = (
    -1,
    Bone.PELVIS,
    Bone.WAIST,
    Bone.BELLY,
    *(Bone.CHEST, Bone.COLLAR_L, Bone.ARM_L, Bone.FOREARM_L),
    *(Bone.PELVIS, Bone.THIGH_L, Bone.SHIN_L, Bone.FOOT_L),
    *(Bone.CHEST, Bone.COLLAR_R, Bone.ARM_R, Bone.FOREARM_R),
    *(Bone.PELVIS, Bone.THIGH_R, Bone.SHIN_R, Bone.FOOT_R),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pose:
    """Where every bone is: a rest point x goes to `rotations[b] @ x + offsets[b]`.

    Attributes:
        rotations: (20, 3, 3) float64, from rest to posed.
        offsets_m: (20, 3) float64.
    """

    rotations: NDArray[np.float64]
    offsets_m: NDArray[np.float64]

    def move(self, bone: Bone, point_m: NDArray[np.floating]) -> NDArray[np.float64]:
        """Carry a rest point (3,) along with one bone."""
        moved: NDArray[np.float64] = self.rotations[bone] @ point_m
        return moved + self.offsets_m[bone]


# Below, loops over scalars instead of array expressions: numba compiles each of those
# for seconds, and `@` would go through BLAS.


@njit(cache=True, nogil=True)
def applied(
    rotation: NDArray[np.float64], vector: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rotate a vector (3,)."""
    result = np.zeros(3)
    for i in range(3):
        for j in range(3):
            result[i] += rotation[i, j] * vector[j]
    return result


@njit(cache=True, nogil=True)
def chained(
    after: NDArray[np.float64], before: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rotate by `before`, then by `after`."""
    result = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            for k in range(3):
                result[i, j] += after[i, k] * before[k, j]
    return result


@njit(cache=True, nogil=True)
def turned(axis: int, angle_rad: float) -> NDArray[np.float64]:
    """Rotate by an angle about body axis 0 (x), 1 (y) or 2 (z), right-handed."""
    rotation = np.zeros((3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    rotation[axis, axis] = 1.0
    rotation[i, i] = rotation[j, j] = cos(angle_rad)
    rotation[j, i] = sin(angle_rad)
    rotation[i, j] = -rotation[j, i]
    return rotation


@njit(cache=True, nogil=True)
def crossed(
    left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Take the cross product of two vectors (3,)."""
    result = np.empty(3)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        result[i] = left[j] * right[k] - left[k] * right[j]
    return result


@njit(cache=True, nogil=True)
def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale a vector (3,) to length 1."""
    length = sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)
    result = np.empty(3)
    for i in range(3):
        result[i] = vector[i] / length
    return result


@njit(cache=True, nogil=True)
def aligned(
    start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rotate unit vector `start` to `end` the short way; they must not be opposite."""
    axis = crossed(start, end)
    cosine = start[0] * end[0] + start[1] * end[1] + start[2] * end[2]
    rotation = np.empty((3, 3))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        for m in range(3):
            rotation[i, m] = axis[i] * axis[m] / (1.0 + cosine)
        rotation[i, i] += cosine
        rotation[i, j] -= axis[k]
        rotation[i, k] += axis[j]
    return rotation


@njit(cache=True, nogil=True)
def framed(
    along: NDArray[np.float64], lateral: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Make the orthonormal frame (columns) of a limb from its line and its hinge."""
    first = unit(along)
    third = unit(crossed(first, lateral))
    second = crossed(third, first)
    frame = np.empty((3, 3))
    for i in range(3):
        frame[i, 0], frame[i, 1], frame[i, 2] = first[i], second[i], third[i]
    return frame


@njit(cache=True, nogil=True)
def carried(
    limb_before: NDArray[np.float64],
    limb_after: NDArray[np.float64],
    hinge_before: NDArray[np.float64],
    hinge_after: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Rotate a limb from one line and hinge to another."""
    before, after = framed(limb_before, hinge_before), framed(limb_after, hinge_after)
    result = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            for k in range(3):
                result[i, j] += after[i, k] * before[j, k]
    return result


@njit(cache=True, nogil=True)
def follow(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    bones: NDArray[np.uint8],
    weights: NDArray[np.float32],
    rotations: NDArray[np.float64],
    offsets: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Blend each vertex between its bones (linear blend skinning).

    Args:
        vertices: (v, 3) at rest.
        normals: (v, 3) at rest.
        bones: (v, 5) indices.
        weights: (v, 5), rows sum to 1.
        rotations: (b, 3, 3) as in `Pose`.
        offsets: (b, 3) as in `Pose`.

    Returns:
        Posed vertices and unit normals.
    """
    nowhere = np.zeros(3)
    rows = bone_rows(rotations, offsets, np.eye(3), nowhere)
    moved = np.empty_like(vertices)
    faced = np.empty_like(normals)
    for i in range(vertices.shape[0]):
        v = np.uint64(i)
        row = blended(rows, bones, weights, v)
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        moved[v, 0] = row[0] * x + row[4] * y + row[8] * z + row[12]
        moved[v, 1] = row[1] * x + row[5] * y + row[9] * z + row[13]
        moved[v, 2] = row[2] * x + row[6] * y + row[10] * z + row[14]
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        a = row[0] * x + row[4] * y + row[8] * z
        b = row[1] * x + row[5] * y + row[9] * z
        c = row[2] * x + row[6] * y + row[10] * z
        length = np.float32(sqrt(a * a + b * b + c * c + np.float32(1e-12)))
        faced[v, 0], faced[v, 1], faced[v, 2] = a / length, b / length, c / length
    return moved, faced
