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
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.skeleton import PARENTS, Bone, Pose, aligned, framed, turned

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Walker", "stride_of", "walker"]

# Shares of the cycle at which a foot lies flat, raises its heel and leaves the ground.
FLAT_AT, HEEL_OFF_AT, TOE_OFF_AT = 0.10, 0.33, 0.62
# Toes up at heel strike, heel up at toe-off.
STRIKE_PITCH_RAD, PUSH_PITCH_RAD = np.radians(20.0), np.radians(-58.0)
# Where the ankle is ahead of the pelvis when the foot strikes, in strides.
REACH_STRIDES = 0.235
CLEARANCE_M = 0.035
TOE_OUT_RAD = np.radians(6.0)
# A leg never straightens fully: its hip may be this share of its length away.
STRAIGHTEST = 0.998
# Half of the peak-to-peak values in the sources.
BOB_STRIDES, SWAY_M = 0.016, 0.016
PELVIS_TURN_RAD, PELVIS_LIST_RAD, CHEST_TURN_RAD = np.radians((5.0, 3.0, 5.0))
LEAN_RAD = np.radians(2.5)
ARM_SWING_RAD, ARM_MEAN_RAD = np.radians((19.0, -3.0))
ELBOW_MEAN_RAD, ELBOW_SWING_RAD = np.radians((15.0, 8.0))
ARM_OUT_RAD = np.radians(9.0)
STRIDE_OF_HEIGHT = 0.80
# Strides shorten by about a tenth from 60 to 85 years.
SLOWING_AGES, SLOWING = (60.0, 85.0), (1.0, 0.88)

_LEGS = (
    (Bone.THIGH_L, Bone.SHIN_L, Bone.FOOT_L, Bone.TOES_L, 1.0, 0.0),
    (Bone.THIGH_R, Bone.SHIN_R, Bone.FOOT_R, Bone.TOES_R, -1.0, 0.5),
)
_ARMS = (
    (Bone.COLLAR_L, Bone.ARM_L, Bone.FOREARM_L, Bone.HAND_L, 1.0, 0.5),
    (Bone.COLLAR_R, Bone.ARM_R, Bone.FOREARM_R, Bone.HAND_R, -1.0, 0.0),
)


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
        turn = 2.0 * np.pi * gait_phase
        rotations = np.empty((len(Bone), 3, 3))
        places = np.empty((len(Bone), 3))
        joints = self.joints_m

        # Left hip forward at left strike; right hip down while the left leg bears.
        pelvis = turned(1, -PELVIS_TURN_RAD * np.cos(turn)) @ turned(
            2, PELVIS_LIST_RAD * np.cos(turn - 2.0 * np.pi * 0.18)
        )
        chest = turned(0, LEAN_RAD) @ turned(1, CHEST_TURN_RAD * np.cos(turn))
        rotations[Bone.PELVIS] = pelvis
        rotations[Bone.WAIST] = 0.65 * pelvis + 0.35 * chest
        rotations[Bone.BELLY] = 0.3 * pelvis + 0.7 * chest
        rotations[Bone.CHEST] = chest
        places[Bone.PELVIS] = self._pelvis(gait_phase)

        def attach(bone: Bone) -> None:
            parent = PARENTS[bone]
            places[bone] = places[parent] + rotations[parent] @ (
                joints[bone] - joints[parent]
            )

        for bone in (Bone.WAIST, Bone.BELLY, Bone.CHEST):
            attach(bone)
        for collar, arm, forearm, hand, side, lag in _ARMS:
            rotations[collar] = chest @ turned(2, -side * np.radians(6.0))
            attach(collar)
            attach(arm)
            swing = np.cos(turn - 2.0 * np.pi * (lag + 0.03)) * self.vigour
            lift = ARM_MEAN_RAD + ARM_SWING_RAD * swing
            bend = lift + ELBOW_MEAN_RAD + ELBOW_SWING_RAD * swing
            for bone, child, angle, out in (
                (arm, forearm, lift, self.arm_out_rad),
                (forearm, hand, bend, 0.3 * self.arm_out_rad),
            ):
                before = rotations[PARENTS[bone]]
                rest = before @ (joints[child] - joints[bone])
                wanted = chest @ np.array(
                    [
                        side * np.sin(out),
                        -np.cos(out) * np.cos(angle),
                        np.cos(out) * np.sin(angle),
                    ]
                )
                rotations[bone] = aligned(rest / np.linalg.norm(rest), wanted) @ before
                attach(child)
            rotations[hand] = rotations[forearm]
        for thigh, shin, foot, toes, side, lag in _LEGS:
            attach(thigh)
            ankle, pitch, toe_pitch = self._foot(foot, toes, (gait_phase - lag) % 1.0)
            ankle[0] = side * self.step_width_m / 2.0
            knee = self._knee(places[thigh], ankle, thigh, pelvis)
            lateral = pelvis[:, 0]
            for bone, end, rest in (
                (thigh, knee - places[thigh], joints[shin] - joints[thigh]),
                (shin, ankle - knee, joints[foot] - joints[shin]),
            ):
                rotations[bone] = framed(end, lateral) @ framed(rest, np.eye(3)[0]).T
            places[shin], places[foot] = knee, ankle
            out_turn = turned(1, side * TOE_OUT_RAD)
            rotations[foot] = out_turn @ turned(0, -pitch)
            attach(toes)
            rotations[toes] = out_turn @ turned(0, -toe_pitch)
        return Pose(
            rotations=rotations,
            offsets_m=places - np.einsum("bij,bj->bi", rotations, joints),
        )

    def _pelvis(self, gait_phase: float) -> NDArray[np.float64]:
        """Place the pelvis: low on two feet, high and outwards on one."""
        bob = -BOB_STRIDES * self.stride_m * np.cos(4.0 * np.pi * (gait_phase - 0.05))
        sway = SWAY_M * np.cos(2.0 * np.pi * (gait_phase - 0.31))
        return np.array([sway, self.pelvis_height_m + bob, 0.0])

    def _foot(
        self, foot: Bone, toes: Bone, phase: float
    ) -> tuple[NDArray[np.float64], float, float]:
        """Place one ankle, `phase` after its heel strike.

        Returns:
            The ankle (3,), x unset; the pitch of foot and of toes, positive toes up.
        """
        if phase < TOE_OFF_AT:
            ankle, pitch = self._stance(foot, toes, phase)
            return ankle, pitch, max(pitch, 0.0)
        # Cubic Hermite from toe-off to the next strike, velocities matched.
        step = 1e-3
        start, start_pitch = self._stance(foot, toes, TOE_OFF_AT)
        before, _ = self._stance(foot, toes, TOE_OFF_AT - step)
        end, end_pitch = self._stance(foot, toes, 0.0)
        after, _ = self._stance(foot, toes, step)
        span = 1.0 - TOE_OFF_AT
        s = (phase - TOE_OFF_AT) / span
        # Seen from the ground, the body moves on while the foot swings.
        ground = np.array([0.0, 0.0, self.stride_m])
        landing = end + ground * span
        ankle = (
            (2 * s**3 - 3 * s**2 + 1) * start
            + (s**3 - 2 * s**2 + s) * span * ((start - before) / step + ground)
            + (-2 * s**3 + 3 * s**2) * landing
            + (s**3 - s**2) * span * ((after - end) / step + ground)
        )
        ankle -= ground * (phase - TOE_OFF_AT)
        ankle[1] += CLEARANCE_M * np.sin(np.pi * s) ** 2
        ease = s * s * (3.0 - 2.0 * s)
        # Ankles flex early in the swing, so that the toes clear the ground.
        early = min(1.6 * s, 1.0)
        ease_pitch = early * early * (3.0 - 2.0 * early)
        pitch = start_pitch * (1.0 - ease_pitch) + end_pitch * ease
        return ankle, pitch, max(pitch, 0.0) + min(pitch, 0.0) * ease_pitch

    def _stance(
        self, foot: Bone, toes: Bone, phase: float
    ) -> tuple[NDArray[np.float64], float]:
        """Place the ankle of a foot that bears weight, relative to the body."""
        height = self.joints_m[foot, 1]
        forward = self.joints_m[toes, 2] - self.joints_m[foot, 2]
        ball_height = self.joints_m[toes, 1]
        flat = np.array([0.0, height, self.stride_m * (REACH_STRIDES - phase)])
        if phase < FLAT_AT:
            pitch = STRIKE_PITCH_RAD * (1.0 - phase / FLAT_AT) ** 1.5
            pivot = flat + np.array([0.0, -height, -0.45 * forward])
        elif phase < HEEL_OFF_AT:
            return flat, 0.0
        else:
            s = (phase - HEEL_OFF_AT) / (TOE_OFF_AT - HEEL_OFF_AT)
            pitch = PUSH_PITCH_RAD * s**2
            pivot = flat + np.array([0.0, ball_height - height, forward])
        return pivot + turned(0, -pitch) @ (flat - pivot), pitch

    def _knee(
        self,
        hip: NDArray[np.float64],
        ankle: NDArray[np.float64],
        thigh: Bone,
        pelvis: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Find the knee between hip and ankle; it bends forwards."""
        upper, lower = self._segments(thigh)
        line = ankle - hip
        distance = min(np.linalg.norm(line), STRAIGHTEST * (upper + lower))
        line /= np.linalg.norm(line)
        along = (upper**2 - lower**2 + distance**2) / (2.0 * distance)
        aside = np.sqrt(max(upper**2 - along**2, 0.0))
        forward = np.cross(pelvis[:, 0], -line)
        forward *= np.sign(forward[2]) / np.linalg.norm(forward)
        knee: NDArray[np.float64] = hip + along * line + aside * forward
        return knee

    def _segments(self, thigh: Bone) -> tuple[float, float]:
        """Lengths of thigh and shin."""
        upper = np.linalg.norm(self.joints_m[thigh + 1] - self.joints_m[thigh])
        lower = np.linalg.norm(self.joints_m[thigh + 2] - self.joints_m[thigh + 1])
        return float(upper), float(lower)


def stride_of(*, height_m: float, age_years: float) -> float:
    """Length of two steps at a free pace, metres."""
    return STRIDE_OF_HEIGHT * height_m * float(np.interp(age_years, SLOWING_AGES, SLOWING))


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
    low = Walker(
        joints_m=joints_m,
        stride_m=stride_of(height_m=height_m, age_years=age_years),
        step_width_m=0.062 * height_m,
        pelvis_height_m=0.0,
        arm_out_rad=arm_out_rad,
        vigour=float(np.interp(age_years, SLOWING_AGES, (1.0, 0.75))),
    )
    rises = [_room(low, phase) for phase in np.arange(48) / 48.0]
    return Walker(
        joints_m=low.joints_m,
        stride_m=low.stride_m,
        step_width_m=low.step_width_m,
        pelvis_height_m=min(rises),
        arm_out_rad=low.arm_out_rad,
        vigour=low.vigour,
    )


def _room(low: Walker, phase: float) -> float:
    """How high the pelvis may be at a phase before a leg is too short."""
    pelvis = low._pelvis(phase)  # noqa: SLF001 - a part of its construction
    room = np.inf
    for thigh, _, foot, toes, side, lag in _LEGS:
        ankle, _, _ = low._foot(foot, toes, (phase - lag) % 1.0)  # noqa: SLF001
        ankle[0] = side * low.step_width_m / 2.0
        hip = pelvis + low.joints_m[thigh] - low.joints_m[Bone.PELVIS]
        aside = np.hypot(hip[0] - ankle[0], hip[2] - ankle[2])
        # The turning pelvis moves the hips a little; the margin covers it.
        reach = 0.997 * STRAIGHTEST * sum(low._segments(thigh))  # noqa: SLF001
        room = min(room, np.sqrt(reach**2 - aside**2) + ankle[1] - hip[1])
    return float(room)
