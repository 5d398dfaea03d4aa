"""How a human walks: the pose of every bone at every phase of the stride.

Owns the walk of one body on flat ground at its own pace. Knows nothing of skin,
clothes or streets.

The feet lead: each foot is put on the ground, stays exactly where it is while it
bears weight, and swings to its next place; legs follow by inverse kinematics. So feet
do not slide, whatever the proportions, if the body advances by `stride_m` a cycle.
Phase 0 is the heel strike of the left foot, 0.5 that of the right one.

Sources:
    Pelvis: Saunders, Inman & Eberhart, J. Bone Joint Surg. 35-A (1953) 543.
    Arms: Murray, Sepic & Barnard, Phys. Ther. 47 (1967) 272.
    Stride: Murray, Drought & Kory, J. Bone Joint Surg. 46-A (1964) 335.
    Amplitudes are rounded to what these works agree on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, pi, radians, sin, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.bodies.footfalls import foot_at
from synthetic_crowds.bodies.skeleton import (
    PARENTS,
    Bone,
    Pose,
    aligned,
    applied,
    carried,
    chained,
    crossed,
    turned,
    unit,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Walker", "walker"]

TOE_OUT_RAD = radians(6.0)
# A leg never straightens fully: its hip may be this share of its length away.
STRAIGHTEST = 0.998
# Half of the peak-to-peak values in the sources.
BOB_STRIDES, SWAY_M = 0.016, 0.016
PELVIS_TURN_RAD, PELVIS_LIST_RAD = radians(5.0), radians(3.0)
CHEST_TURN_RAD, LEAN_RAD = radians(5.0), radians(2.5)
ARM_SWING_RAD, ARM_MEAN_RAD, ARM_OUT_RAD = radians(19.0), radians(-3.0), radians(9.0)
ELBOW_SWING_RAD, ELBOW_MEAN_RAD = radians(8.0), radians(15.0)
# The base mesh's arms are half raised; its collar bones come down with them.
COLLAR_DROP_RAD = radians(6.0)
STRIDE_OF_HEIGHT = 0.80
STEP_WIDTH_OF_HEIGHT = 0.062
# Strides shorten by about a tenth from 60 to 85 years, and arms swing less.
SLOWING_AGES, STRIDE_SLOWING, SWING_SLOWING = (60.0, 85.0), (1.0, 0.88), (1.0, 0.75)

# A run without flight: what passes for one in a street seen from afar.
RUNNING_STRIDE, RUNNING_VIGOUR = 1.25, 1.7

_N_BONES = len(Bone)
_PARENTS = np.array(PARENTS, np.int64)
_LEFT, _RIGHT = 0, int(Bone.COLLAR_R - Bone.COLLAR_L)
_PELVIS, _WAIST, _BELLY, _CHEST = 0, 1, 2, 3
_COLLAR, _ARM, _FOREARM, _HAND = 4, 5, 6, 7
_THIGH, _SHIN, _FOOT, _TOES = 8, 9, 10, 11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walker:
    """A skeleton that knows its own walk.

    Attributes:
        joints_m: (20, 3) float64, each bone's joint at rest; the ground is y = 0.
        stride_m: Advance per cycle.
        step_width_m: Sideways distance between the ankles.
        pelvis_height_m: Mean height of the pelvis joint while walking.
        arm_out_rad: How far the arms hang from the vertical, for wide clothes.
        vigour: Scales the swing of the arms, 1 for an adult in their prime.
    """

    joints_m: NDArray[np.float64]
    stride_m: float
    step_width_m: float
    pelvis_height_m: float
    arm_out_rad: float
    vigour: float

    def pose(self, gait_phase: float) -> Pose:
        """Compute the pose at a phase of the stride.

        Args:
            gait_phase: Share of the cycle; 0 is the left heel strike.

        Returns:
            The pose; its origin is the ground below the mean pelvis.
        """
        rotations, offsets = _pose(
            self.joints_m,
            gait_phase,
            self.stride_m,
            self.step_width_m,
            self.pelvis_height_m,
            self.arm_out_rad,
            self.vigour,
        )
        return Pose(rotations=rotations, offsets_m=offsets)

    def running(self) -> Walker:
        """The same body at a run: longer strides, a lower pelvis, livelier arms."""
        stride_m = RUNNING_STRIDE * self.stride_m
        return replace(
            self,
            stride_m=stride_m,
            vigour=RUNNING_VIGOUR * self.vigour,
            pelvis_height_m=_room(self.joints_m, stride_m, self.step_width_m),
        )

    def standing(self) -> Walker:
        """The same body at rest: a stride of nothing, arms that hang."""
        return replace(
            self,
            stride_m=0.0,
            vigour=0.0,
            pelvis_height_m=_room(self.joints_m, 0.0, self.step_width_m),
        )


def walker(
    joints_m: NDArray[np.float64],
    *,
    height_m: float,
    age_years: float,
    arm_out_rad: float = ARM_OUT_RAD,
) -> Walker:
    """Fit the walk to a skeleton: the pelvis is as high as the legs allow.

    Args:
        joints_m: (20, 3), at rest, soles on y = 0.
        height_m: Of the person, shoes off.
        age_years: Of the person.
        arm_out_rad: How far the arms hang from the vertical.

    Returns:
        The walker.
    """
    slowing = float(np.interp(age_years, SLOWING_AGES, STRIDE_SLOWING))
    low = Walker(
        joints_m=joints_m,
        stride_m=STRIDE_OF_HEIGHT * height_m * slowing,
        step_width_m=STEP_WIDTH_OF_HEIGHT * height_m,
        pelvis_height_m=0.0,
        arm_out_rad=arm_out_rad,
        vigour=float(np.interp(age_years, SLOWING_AGES, SWING_SLOWING)),
    )
    room = _room(joints_m, low.stride_m, low.step_width_m)
    return replace(low, pelvis_height_m=room)


@njit(cache=True, nogil=True)
def _pelvis_at(phase: float, stride: float) -> tuple[float, float]:
    """Move the pelvis sideways and up: low on two feet, high and outwards on one."""
    sway = SWAY_M * cos(2.0 * pi * (phase - 0.31))
    return sway, -BOB_STRIDES * stride * cos(4.0 * pi * (phase - 0.05))


@njit(cache=True, nogil=True)
def _between(
    start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Subtract `start` from `end`."""
    line = np.empty(3)
    for i in range(3):
        line[i] = end[i] - start[i]
    return line


@njit(cache=True, nogil=True)
def _length(line: NDArray[np.float64]) -> float:
    """Length of a vector (3,)."""
    return sqrt(line[0] ** 2 + line[1] ** 2 + line[2] ** 2)


@njit(cache=True, nogil=True)
def _leg_lengths(joints: NDArray[np.float64]) -> tuple[float, float]:
    """Lengths of thigh and shin."""
    return (
        _length(_between(joints[_THIGH], joints[_SHIN])),
        _length(_between(joints[_SHIN], joints[_FOOT])),
    )


@njit(cache=True, nogil=True)
def _room(joints: NDArray[np.float64], stride: float, step_width: float) -> float:
    """How high the pelvis may be before, at some phase, a leg is too short."""
    upper, lower = _leg_lengths(joints)
    hip = _between(joints[_PELVIS], joints[_THIGH])
    # The turning pelvis moves the hips a little; the margin covers it.
    reach = 0.997 * STRAIGHTEST * (upper + lower)
    room = np.inf
    for step in range(48):
        phase = step / 48.0
        sway, bob = _pelvis_at(phase, stride)
        y, z, _, _ = foot_at(joints, stride, phase)
        aside = (sway + hip[0] - step_width / 2.0) ** 2 + (hip[2] - z) ** 2
        room = min(room, sqrt(reach**2 - aside) + y - hip[1] - bob)
    return room


@njit(cache=True, nogil=True)
def _attach(
    bone: int,
    places: NDArray[np.float64],
    rotations: NDArray[np.float64],
    joints: NDArray[np.float64],
) -> None:
    """Hang a bone's joint on its parent."""
    parent = _PARENTS[bone]
    offset = applied(rotations[parent], _between(joints[parent], joints[bone]))
    for i in range(3):
        places[bone, i] = places[parent, i] + offset[i]


@njit(cache=True, nogil=True)
def _pose(
    joints: NDArray[np.float64],
    phase: float,
    stride: float,
    step_width: float,
    pelvis_height: float,
    arm_out: float,
    vigour: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute rotations (20, 3, 3) and offsets (20, 3); see `Walker`."""
    turn = 2.0 * pi * phase
    rotations = np.empty((_N_BONES, 3, 3))
    places = np.empty((_N_BONES, 3))
    # Left hip forward at left strike; right hip down while the left leg bears.
    rotations[_PELVIS] = chained(
        turned(1, -PELVIS_TURN_RAD * cos(turn)),
        turned(2, PELVIS_LIST_RAD * cos(turn - 2.0 * pi * 0.18)),
    )
    rotations[_CHEST] = chained(
        turned(0, LEAN_RAD), turned(1, CHEST_TURN_RAD * cos(turn))
    )
    # Blends of rotations a few degrees apart are rotations but for one part in 10⁴.
    for bone, share in ((_WAIST, 0.35), (_BELLY, 0.70)):
        for i in range(3):
            for j in range(3):
                rotations[bone, i, j] = (1.0 - share) * rotations[
                    _PELVIS, i, j
                ] + share * rotations[_CHEST, i, j]
    sway, bob = _pelvis_at(phase, stride)
    places[_PELVIS, 0], places[_PELVIS, 1] = sway, pelvis_height + bob
    places[_PELVIS, 2] = 0.0
    for bone in (_WAIST, _BELLY, _CHEST):
        _attach(bone, places, rotations, joints)
    for first, side, lag in ((_LEFT, 1.0, 0.0), (_RIGHT, -1.0, 0.5)):
        # An arm swings with the other leg.
        swing = vigour * cos(turn - 2.0 * pi * (0.53 - lag))
        _pose_arm(joints, rotations, places, first, side, swing, arm_out)
        y, z, pitch, toe_pitch = foot_at(joints, stride, (phase - lag) % 1.0)
        ankle = np.array([side * step_width / 2.0, y, z])
        _pose_leg(joints, rotations, places, first, ankle)
        outwards = turned(1, side * TOE_OUT_RAD)
        rotations[_FOOT + first] = chained(outwards, turned(0, -pitch))
        _attach(_TOES + first, places, rotations, joints)
        rotations[_TOES + first] = chained(outwards, turned(0, -toe_pitch))
    offsets = np.empty((_N_BONES, 3))
    for bone in range(_N_BONES):
        offsets[bone] = _between(applied(rotations[bone], joints[bone]), places[bone])
    return rotations, offsets


@njit(cache=True, nogil=True)
def _pose_arm(
    joints: NDArray[np.float64],
    rotations: NDArray[np.float64],
    places: NDArray[np.float64],
    first: int,
    side: float,
    swing: float,
    arm_out: float,
) -> None:
    """Hang an arm from the chest, swung forwards by `swing` in [-1, 1]."""
    rotations[_COLLAR + first] = chained(
        rotations[_CHEST], turned(2, -side * COLLAR_DROP_RAD)
    )
    _attach(_COLLAR + first, places, rotations, joints)
    _attach(_ARM + first, places, rotations, joints)
    lift = ARM_MEAN_RAD + ARM_SWING_RAD * swing
    bend = lift + ELBOW_MEAN_RAD + ELBOW_SWING_RAD * swing
    for bone, angle, out in (
        (_ARM + first, lift, arm_out),
        (_FOREARM + first, bend, 0.3 * arm_out),
    ):
        before = rotations[bone - 1]
        rest = unit(applied(before, _between(joints[bone], joints[bone + 1])))
        hanging = np.array(
            [side * sin(out), -cos(out) * cos(angle), cos(out) * sin(angle)]
        )
        wanted = applied(rotations[_CHEST], hanging)
        rotations[bone] = chained(aligned(rest, wanted), before)
        _attach(bone + 1, places, rotations, joints)
    rotations[_HAND + first] = rotations[_FOREARM + first]


@njit(cache=True, nogil=True)
def _pose_leg(
    joints: NDArray[np.float64],
    rotations: NDArray[np.float64],
    places: NDArray[np.float64],
    first: int,
    ankle: NDArray[np.float64],
) -> None:
    """Join an ankle to its hip; the knee bends forwards."""
    thigh, shin, foot = _THIGH + first, _SHIN + first, _FOOT + first
    _attach(thigh, places, rotations, joints)
    lateral, rest = np.empty(3), np.zeros(3)
    rest[0] = 1.0
    for i in range(3):
        lateral[i] = rotations[_PELVIS, i, 0]
    hip = places[thigh]
    upper, lower = _leg_lengths(joints)
    line = _between(hip, ankle)
    distance = min(_length(line), STRAIGHTEST * (upper + lower))
    line = unit(line)
    along = (upper**2 - lower**2 + distance**2) / (2.0 * distance)
    aside = sqrt(max(upper**2 - along**2, 0.0))
    # Lateral is to the left and the line goes down: their product is forwards.
    forward = unit(crossed(line, lateral))
    sign = 1.0 if forward[2] > 0.0 else -1.0
    for i in range(3):
        places[shin, i] = hip[i] + along * line[i] + sign * aside * forward[i]
        places[foot, i] = ankle[i]
    rotations[thigh] = carried(
        _between(joints[thigh], joints[shin]),
        _between(hip, places[shin]),
        rest,
        lateral,
    )
    rotations[shin] = carried(
        _between(joints[shin], joints[foot]),
        _between(places[shin], ankle),
        rest,
        lateral,
    )
