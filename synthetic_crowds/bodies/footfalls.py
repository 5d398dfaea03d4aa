"""Where a walking foot is: on the ground, turning on heel and ball, or swinging.

Owns one foot's path in the plane of its walk. Knows nothing of legs or hips.

Sources:
    Perry & Burnfield, Gait Analysis, 2nd ed. 2010, ch. 3-4; Winter, Biomechanics and
    Motor Control of Human Movement, 4th ed. 2009, ch. 3. Angles are rounded to what
    these works agree on.
"""

from __future__ import annotations

from math import cos, pi, radians, sin
from typing import TYPE_CHECKING

from numba import njit

from synthetic_crowds.bodies.skeleton import Bone

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FLAT_AT", "HEEL_OFF_AT", "TOE_OFF_AT", "foot_at", "stance"]

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

_FOOT, _TOES = int(Bone.FOOT_L), int(Bone.TOES_L)


@njit(cache=True, nogil=True)
def stance(
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
def foot_at(
    joints: NDArray[np.float64], stride: float, phase: float
) -> tuple[float, float, float, float]:
    """Place a foot, `phase` after its heel strike.

    Returns:
        Height and forward position of the ankle; pitch of foot and of toes.
    """
    if phase < TOE_OFF_AT:
        y, z, pitch = stance(joints, stride, phase)
        return y, z, pitch, max(pitch, 0.0)
    # A cubic from toe-off to the next strike, in ground coordinates, velocities
    # matched: seen from the ground the body moves on while the foot swings.
    tiny = 1e-3
    y0, z0, pitch0 = stance(joints, stride, TOE_OFF_AT)
    yb, zb, _ = stance(joints, stride, TOE_OFF_AT - tiny)
    y1, z1, pitch1 = stance(joints, stride, 0.0)
    ya, za, _ = stance(joints, stride, tiny)
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
