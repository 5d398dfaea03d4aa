"""How bodies and heads are turned, in the world and as a camera sees them.

Owns rotations and their angles. Knows nothing of meshes or pixels.

Angles of a face against the line of sight: positive yaw turns the nose to the
image's right, positive pitch lifts it, positive roll leans the crown to the
image's right; all zero looks into the lens.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["angles_seen", "body_rotation", "gaze_rotation"]


@njit(cache=True, nogil=True)
def body_rotation(heading_deg: float) -> NDArray[np.float64]:
    """Rotation (3, 3) from an upright body's frame to the world."""
    heading = math.radians(heading_deg)
    c, s = math.cos(heading), math.sin(heading)
    return np.array([[-s, 0.0, c], [c, 0.0, s], [0.0, 1.0, 0.0]])


@njit(cache=True, nogil=True)
def gaze_rotation(
    yaw_deg: float, pitch_deg: float, roll_deg: float
) -> NDArray[np.float64]:
    """Rotation (3, 3) from a head's frame to its body's.

    Args:
        yaw_deg: To the subject's own left, which a camera in front sees on the right.
        pitch_deg: Upwards.
        roll_deg: The crown leans to the subject's own left.
    """
    yaw, pitch = math.radians(yaw_deg), math.radians(pitch_deg)
    roll = math.radians(roll_deg)
    cy, sy = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    # Lean, then nod, then turn.
    return np.array(
        [
            [cy * cr + sy * sp * sr, cy * sr - sy * sp * cr, sy * cp],
            [-cp * sr, cp * cr, sp],
            [cy * sp * sr - sy * cr, -sy * sr - cy * sp * cr, cy * cp],
        ]
    )


@njit(cache=True, nogil=True)
def angles_seen(
    head_to_camera: NDArray[np.float64], centre_m: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a head against the line of sight, degrees.

    Args:
        head_to_camera: (3, 3) rotation.
        centre_m: (3,) of the face, in the camera's frame.
    """
    x, y, z = centre_m[0], centre_m[1], centre_m[2]
    far = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / far, y / far, z / far
    level = math.hypot(x, z)
    # What remains of the rotation after undoing "faces the lens" is turn @ nod @ lean.
    # Rows: rightwards along the horizon, down, and along the line of sight.
    h = head_to_camera
    right = (z * h[0, 2] - x * h[2, 2]) / level
    ahead = -(x * h[0, 2] + y * h[1, 2] + z * h[2, 2])
    down = np.empty(3)
    for i in range(3):
        down[i] = level * h[1, i] - (x * h[0, i] + z * h[2, i]) * y / level
    yaw = math.atan2(right, ahead)
    pitch = math.asin(min(max(-down[2], -1.0), 1.0))
    roll = math.atan2(down[0], -down[1])
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)
