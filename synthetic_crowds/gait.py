"""How a human walks: the pose of every bone at every phase of the stride.

Owns the walk of one body on flat ground at its own pace. Knows nothing of skin,
clothes or streets.

The feet lead: each foot is put on the ground, stays exactly where it is while it
bears weight, and swings to its next place; legs follow by inverse kinematics. So feet
do not slide, whatever the proportions, if the body advances by `stride_m` a cycle.
Phase 0 is the heel strike of the left foot, 0.5 that of the right one.

Sources:
    Phases and foot angles: Perry & Burnfield, Gait Analysis, 2nd ed. 2010, ch. 3-4;
    Winter, Biomechanics and Motor Control of Human Movement, 4th ed. 2009, ch. 3.
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

from synthetic_crowds.skeleton import (
    PARENTS,
    Bone,
    Pose,
    aligned,
    framed,
    times,
    turned,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Walker", "walker"]

# Shares of the cycle at which a foot lies flat, raises its heel and leaves the ground.
FLAT_AT, HEEL_OFF_AT, TOE_OFF_AT = 0.10, 0.33, 0.62
# Toes up at heel strike, heel up at toe-off.
STRIKE_PITCH_RAD, PUSH_PITCH_RAD = radians(20.0), radians(-58.0)
# Where the ankle is ahead of the pelvis when the foot strikes, in strides.
REACH_STRIDES = 0.235
# The heel, on which the foot turns after striking, lies this share of the forefoot's
# length behind the ankle.
HEEL_SHARE = 0.45
CLEARANCE_M = 0.035
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
def _pelvis_at(phase: float, stride: float, height: float) -> NDArray[np.float64]:
    """Place the pelvis: low on two feet, high and outwards on one."""
    bob = -BOB_STRIDES * stride * cos(4.0 * pi * (phase - 0.05))
    sway = SWAY_M * cos(2.0 * pi * (phase - 0.31))
    return np.array([sway, height + bob, 0.0])


@njit(cache=True, nogil=True)
def _stance(
    joints: NDArray[np.float64], stride: float, phase: float
) -> tuple[float, float, float]:
    """Place a foot that bears weight, relative to the body.

    Returns:
        Height and forward position of the ankle; pitch of the foot, toes up positive.
    """
    height = joints[_FOOT, 1]
    forefoot = joints[_TOES, 2] - joints[_FOOT, 2]
    flat = stride * (REACH_STRIDES - phase)
    if phase < FLAT_AT:
        pitch = STRIKE_PITCH_RAD * (1.0 - phase / FLAT_AT) ** 1.5
        pivot_y, pivot_z = 0.0, flat - HEEL_SHARE * forefoot
    elif phase < HEEL_OFF_AT:
        return height, flat, 0.0
    else:
        s = (phase - HEEL_OFF_AT) / (TOE_OFF_AT - HEEL_OFF_AT)
        pitch = PUSH_PITCH_RAD * s * s
        pivot_y, pivot_z = joints[_TOES, 1], flat + forefoot
    y, z = height - pivot_y, flat - pivot_z
    return (
        pivot_y + cos(pitch) * y + sin(pitch) * z,
        pivot_z - sin(pitch) * y + cos(pitch) * z,
        pitch,
    )


@njit(cache=True, nogil=True)
def _foot_at(
    joints: NDArray[np.float64], stride: float, phase: float
) -> tuple[float, float, float, float]:
    """Place a foot, `phase` after its heel strike.

    Returns:
        Height and forward position of the ankle; pitch of foot and of toes.
    """
    if phase < TOE_OFF_AT:
        y, z, pitch = _stance(joints, stride, phase)
        return y, z, pitch, max(pitch, 0.0)
    # A cubic from toe-off to the next strike, in ground coordinates, velocities
    # matched: seen from the ground the body moves on while the foot swings.
    tiny = 1e-3
    y0, z0, pitch0 = _stance(joints, stride, TOE_OFF_AT)
    yb, zb, _ = _stance(joints, stride, TOE_OFF_AT - tiny)
    y1, z1, pitch1 = _stance(joints, stride, 0.0)
    ya, za, _ = _stance(joints, stride, tiny)
    span = 1.0 - TOE_OFF_AT
    s = (phase - TOE_OFF_AT) / span
    leaving, arriving = (s**3 - 2.0 * s**2 + s) * span, (s**3 - s**2) * span
    ease = s * s * (3.0 - 2.0 * s)
    y = y0 + (y1 - y0) * ease + leaving * (y0 - yb) / tiny + arriving * (ya - y1) / tiny
    z = (
        z0
        + (z1 + stride * span - z0) * ease
        + leaving * ((z0 - zb) / tiny + stride)
        + arriving * ((za - z1) / tiny + stride)
        - stride * (phase - TOE_OFF_AT)
    )
    y += CLEARANCE_M * sin(pi * s) ** 2
    # Ankles flex early in the swing, so that the toes clear the ground.
    early = min(1.6 * s, 1.0)
    early = early * early * (3.0 - 2.0 * early)
    pitch = pitch0 * (1.0 - early) + pitch1 * ease
    return y, z, pitch, max(pitch, 0.0) + min(pitch, 0.0) * early


@njit(cache=True, nogil=True)
def _leg_lengths(joints: NDArray[np.float64]) -> tuple[float, float]:
    """Lengths of thigh and shin."""
    thigh = joints[_SHIN] - joints[_THIGH]
    shin = joints[_FOOT] - joints[_SHIN]
    return sqrt((thigh * thigh).sum()), sqrt((shin * shin).sum())


@njit(cache=True, nogil=True)
def _room(joints: NDArray[np.float64], stride: float, step_width: float) -> float:
    """How high the pelvis may be before, at some phase, a leg is too short."""
    upper, lower = _leg_lengths(joints)
    # The turning pelvis moves the hips a little; the margin covers it.
    reach = 0.997 * STRAIGHTEST * (upper + lower)
    room = np.inf
    for step in range(48):
        phase = step / 48.0
        hip = _pelvis_at(phase, stride, 0.0) + joints[_THIGH] - joints[_PELVIS]
        y, z, _, _ = _foot_at(joints, stride, phase)
        aside = (hip[0] - step_width / 2.0) ** 2 + (hip[2] - z) ** 2
        room = min(room, sqrt(reach**2 - aside) + y - hip[1])
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
    places[bone] = places[parent] + times(
        rotations[parent], joints[bone] - joints[parent]
    )


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
    pelvis = times(
        turned(1, -PELVIS_TURN_RAD * cos(turn)),
        turned(2, PELVIS_LIST_RAD * cos(turn - 2.0 * pi * 0.18)),
    )
    chest = times(turned(0, LEAN_RAD), turned(1, CHEST_TURN_RAD * cos(turn)))
    rotations[_PELVIS] = pelvis
    # Blends of rotations a few degrees apart are rotations but for one part in 10⁴.
    rotations[_WAIST] = 0.65 * pelvis + 0.35 * chest
    rotations[_BELLY] = 0.30 * pelvis + 0.70 * chest
    rotations[_CHEST] = chest
    places[_PELVIS] = _pelvis_at(phase, stride, pelvis_height)
    for bone in (_WAIST, _BELLY, _CHEST):
        _attach(bone, places, rotations, joints)
    for first, side, lag in ((_LEFT, 1.0, 0.0), (_RIGHT, -1.0, 0.5)):
        # An arm swings with the other leg.
        swing = vigour * cos(turn - 2.0 * pi * (0.53 - lag))
        _pose_arm(joints, rotations, places, first, side, swing, arm_out)
        _pose_leg(
            joints,
            rotations,
            places,
            first,
            side,
            (phase - lag) % 1.0,
            stride,
            step_width,
        )
    offsets = np.empty((_N_BONES, 3))
    for bone in range(_N_BONES):
        offsets[bone] = places[bone] - times(rotations[bone], joints[bone])
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
    chest = rotations[_CHEST]
    rotations[_COLLAR + first] = times(chest, turned(2, -side * COLLAR_DROP_RAD))
    _attach(_COLLAR + first, places, rotations, joints)
    _attach(_ARM + first, places, rotations, joints)
    lift = ARM_MEAN_RAD + ARM_SWING_RAD * swing
    bend = lift + ELBOW_MEAN_RAD + ELBOW_SWING_RAD * swing
    for bone, angle, out in (
        (_ARM + first, lift, arm_out),
        (_FOREARM + first, bend, 0.3 * arm_out),
    ):
        before = rotations[bone - 1]
        rest = times(before, joints[bone + 1] - joints[bone])
        hanging = np.array(
            [side * sin(out), -cos(out) * cos(angle), cos(out) * sin(angle)]
        )
        wanted = times(chest, hanging)
        rotations[bone] = times(
            aligned(rest / sqrt((rest * rest).sum()), wanted), before
        )
        _attach(bone + 1, places, rotations, joints)
    rotations[_HAND + first] = rotations[_FOREARM + first]


@njit(cache=True, nogil=True)
def _pose_leg(
    joints: NDArray[np.float64],
    rotations: NDArray[np.float64],
    places: NDArray[np.float64],
    first: int,
    side: float,
    phase: float,
    stride: float,
    step_width: float,
) -> None:
    """Put a foot down, `phase` after its heel strike, and join it to the hip."""
    thigh, shin, foot, toes = (
        _THIGH + first,
        _SHIN + first,
        _FOOT + first,
        _TOES + first,
    )
    _attach(thigh, places, rotations, joints)
    y, z, pitch, toe_pitch = _foot_at(joints, stride, phase)
    hip, ankle = places[thigh], np.array([side * step_width / 2.0, y, z])
    lateral = rotations[_PELVIS][:, 0].copy()

    upper, lower = _leg_lengths(joints)
    line = ankle - hip
    distance = sqrt((line * line).sum())
    line /= distance
    distance = min(distance, STRAIGHTEST * (upper + lower))
    along = (upper**2 - lower**2 + distance**2) / (2.0 * distance)
    aside = sqrt(max(upper**2 - along**2, 0.0))
    # Knees bend forwards, in the plane that the hip's axis leaves.
    forward = framed(-line, lateral)[:, 2]
    knee = hip + along * line - aside * np.sign(-forward[2]) * forward

    rest = np.array([1.0, 0.0, 0.0])
    rotations[thigh] = times(
        framed(knee - hip, lateral), framed(joints[shin] - joints[thigh], rest).T.copy()
    )
    rotations[shin] = times(
        framed(ankle - knee, lateral),
        framed(joints[foot] - joints[shin], rest).T.copy(),
    )
    places[shin], places[foot] = knee, ankle
    outwards = turned(1, side * TOE_OUT_RAD)
    rotations[foot] = times(outwards, turned(0, -pitch))
    _attach(toes, places, rotations, joints)
    rotations[toes] = times(outwards, turned(0, -toe_pitch))
