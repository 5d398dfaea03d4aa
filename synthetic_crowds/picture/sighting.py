"""Where a camera sees a head: its box, landmarks, angles, and how far it moves.

Owns that projection, which is the truth about a face. Knows nothing of how anybody is
drawn, or of what hides them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.raster.pose import angles_seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.picture.actors import Posed
    from synthetic_crowds.raster.camera import Camera

__all__ = ["Sighting", "sight"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """A head as a camera sees it, whatever stands before it.

    Attributes:
        neck_m: (3,) float64, the head's origin in the camera's frame.
        hull: (m, 2) float64, pixels, the face's outline.
        box_xyxy: (4,) float64, pixels, around it.
        landmarks: (5, 2) float64, pixels.
        yaw_pitch_roll_deg: Against the line of sight.
        motion_px: How far it moves right and down while the shutter is open.
    """

    neck_m: NDArray[np.float64]
    hull: NDArray[np.float64]
    box_xyxy: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    yaw_pitch_roll_deg: tuple[float, float, float]
    motion_px: tuple[float, float]


def sight(posed: Posed, camera: Camera, *, exposure_s: float) -> Sighting:
    """Look at a head through a camera; meaningless unless it is before the lens."""
    k, stance = camera.intrinsics, posed.stance
    neck_m, hull, box, landmarks, angles, motion = _sight(
        posed.actor.head.outline,
        posed.actor.head.landmarks,
        posed.head_turn,
        posed.neck_m,
        (stance.vx_m_s * exposure_s, stance.vy_m_s * exposure_s),
        camera.rotation,
        camera.position_m,
        (k.fx_px, k.fy_px, k.cx_px, k.cy_px),
    )
    return Sighting(
        neck_m=neck_m,
        hull=hull,
        box_xyxy=box,
        landmarks=landmarks,
        yaw_pitch_roll_deg=angles,
        motion_px=motion,
    )


# Compiled as one: many people, each of them a handful of points.
@njit(cache=True, nogil=True, error_model="numpy")
def _sight(  # noqa: C901
    outline: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    head_turn: NDArray[np.float64],
    neck_m: NDArray[np.float64],
    shift_m: tuple[float, float],
    rotation: NDArray[np.float64],
    lens_m: NDArray[np.float64],
    lens: tuple[float, float, float, float],
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    tuple[float, float, float],
    tuple[float, float],
]:
    """Compute the fields of `Sighting`."""
    box = np.array([np.inf, np.inf, -np.inf, -np.inf])
    hull, marks = np.empty((len(outline), 2)), np.empty((len(landmarks), 2))
    point, seen, centre = np.empty(3), np.empty(3), np.zeros(3)
    for p in range(len(outline)):
        for i in range(3):
            point[i] = neck_m[i]
            for j in range(3):
                point[i] += head_turn[i, j] * outline[p, j]
        _see(point, rotation, lens_m, lens, seen, hull[p])
        for i in range(3):
            centre[i] += seen[i] / len(outline)
        for i in range(2):
            box[i] = min(box[i], hull[p, i])
            box[2 + i] = max(box[2 + i], hull[p, i])
    for p in range(len(landmarks)):
        for i in range(3):
            point[i] = neck_m[i]
            for j in range(3):
                point[i] += head_turn[i, j] * landmarks[p, j]
        _see(point, rotation, lens_m, lens, seen, marks[p])
    turn = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            for k in range(3):
                turn[i, j] += rotation[i, k] * head_turn[k, j]
    start, end = np.empty(2), np.empty(2)
    point[0], point[1], point[2] = neck_m[0] + shift_m[0], neck_m[1], neck_m[2]
    point[1] += shift_m[1]
    _see(point, rotation, lens_m, lens, seen, end)
    _see(neck_m, rotation, lens_m, lens, seen, start)
    angles = angles_seen(turn, centre)
    return seen, hull, box, marks, angles, (end[0] - start[0], end[1] - start[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _see(
    point_m: NDArray[np.float64],
    rotation: NDArray[np.float64],
    lens_m: NDArray[np.float64],
    lens: tuple[float, float, float, float],
    seen_m: NDArray[np.float64],
    spot: NDArray[np.float64],
) -> None:
    """Take a world point (3,) to the camera's frame (3,) and pixels (2,); written."""
    x, y, z = point_m[0] - lens_m[0], point_m[1] - lens_m[1], point_m[2] - lens_m[2]
    for i in range(3):
        seen_m[i] = rotation[i, 0] * x + rotation[i, 1] * y + rotation[i, 2] * z
    spot[0] = seen_m[0] / seen_m[2] * lens[0] + lens[2]
    spot[1] = seen_m[1] / seen_m[2] * lens[1] + lens[3]
