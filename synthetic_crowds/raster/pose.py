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

from synthetic_crowds.raster.rasteriser import FACING_CAMERA

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["angles_seen", "body_rotation", "gaze_rotation"]


def body_rotation(heading_deg: float) -> NDArray[np.float64]:
    """Rotation (3, 3) from an upright body's frame to the world."""
    heading = math.radians(heading_deg)
    c, s = math.cos(heading), math.sin(heading)
    return np.array([[-s, 0.0, c], [c, 0.0, s], [0.0, 1.0, 0.0]])


def gaze_rotation(
    yaw_deg: float, pitch_deg: float, roll_deg: float
) -> NDArray[np.float64]:
    """Rotation (3, 3) from a head's frame to its body's.

    Args:
        yaw_deg: To the subject's own left, which a camera in front sees on the right.
        pitch_deg: Upwards.
        roll_deg: The crown leans to the subject's own left.
    """
    yaw, pitch, roll = (math.radians(a) for a in (yaw_deg, pitch_deg, roll_deg))
    turn = np.array(
        [
            [math.cos(yaw), 0.0, math.sin(yaw)],
            [0.0, 1.0, 0.0],
            [-math.sin(yaw), 0.0, math.cos(yaw)],
        ]
    )
    nod = np.array(
        [
            [1.0, 0.0, 0.0],
            [0.0, math.cos(pitch), math.sin(pitch)],
            [0.0, -math.sin(pitch), math.cos(pitch)],
        ]
    )
    lean = np.array(
        [
            [math.cos(roll), math.sin(roll), 0.0],
            [-math.sin(roll), math.cos(roll), 0.0],
            [0.0, 0.0, 1.0],
        ]
    )
    return np.asarray(turn @ nod @ lean)


def angles_seen(
    head_to_camera: NDArray[np.float64], centre_m: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a head against the line of sight, degrees.

    Args:
        head_to_camera: (3, 3) rotation.
        centre_m: (3,) of the face, in the camera's frame.
    """
    x, y, z = (centre_m / math.sqrt(float(centre_m @ centre_m))).tolist()
    level = math.hypot(x, z)
    # Rows: rightwards along the horizon, down, and along the line of sight.
    sight = np.array(
        [
            [z / level, 0.0, -x / level],
            [-x * y / level, level, -y * z / level],
            [x, y, z],
        ]
    )
    # What remains after undoing "faces the lens" is turn @ nod @ lean.
    left = FACING_CAMERA.T @ sight @ head_to_camera
    yaw = math.atan2(left[0, 2], left[2, 2])
    pitch = math.asin(float(np.clip(left[1, 2], -1.0, 1.0)))
    roll = math.atan2(left[1, 0] * -1.0, left[1, 1])
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)
