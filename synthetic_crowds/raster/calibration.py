"""Where a camera hangs and how it looks, from points on the ground that it sees.

Owns the solution of the pose and its error. Knows nothing of photographs.

Source:
    T. Collins, A. Bartoli, "Infinitesimal plane-based pose estimation",
    International Journal of Computer Vision 109 (2014), as OpenCV's
    `SOLVEPNP_IPPE`, refined by Levenberg and Marquardt's least squares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GroundPose", "solve_pose"]

# Fields of view that are tried when none is known, degrees.
_FIELDS_DEG = np.geomspace(8.0, 105.0, 60)
_REFINEMENTS = 40
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
# Points whose spread across is less than this share of that along lie on a line.
_FLATTEST = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundPose:
    """A camera over the ground.

    Attributes:
        hfov_deg: Horizontal field of view.
        height_m: Of the lens.
        tilt_deg: Downwards from the horizon.
        pan_deg: To the left of the x axis.
        roll_deg: Clockwise, as seen from behind the camera.
        lens_x_m, lens_y_m: The place on the ground below the lens.
        error_px: Root mean square distance between points and their projections.
    """

    hfov_deg: float
    height_m: float
    tilt_deg: float
    pan_deg: float
    roll_deg: float
    lens_x_m: float
    lens_y_m: float
    error_px: float


def solve_pose(
    seen_px: NDArray[np.float64],
    ground_m: NDArray[np.float64],
    *,
    size_px: tuple[int, int],
    hfov_deg: float | None,
) -> GroundPose | None:
    """Solve a camera's pose.

    Args:
        seen_px: (n, 2), n at least 4, pixels.
        ground_m: (n, 2), the same points on the ground.
        size_px: Width and height of the image.
        hfov_deg: The field of view; `None` solves for it, too.

    Returns:
        `None` if the points lie on a line, or no camera above the ground sees them so.
    """
    for points in (seen_px, ground_m):
        spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if spread[1] <= _FLATTEST * spread[0]:
            return None
    if hfov_deg is not None:
        return _solve(seen_px, ground_m, size_px, hfov_deg)
    found = [_solve(seen_px, ground_m, size_px, float(deg)) for deg in _FIELDS_DEG]
    errors = [math.inf if pose is None else pose.error_px for pose in found]
    best = int(np.argmin(errors))
    if not math.isfinite(errors[best]):
        return None
    low = float(_FIELDS_DEG[max(best - 1, 0)])
    high = float(_FIELDS_DEG[min(best + 1, len(_FIELDS_DEG) - 1)])
    return _narrow(seen_px, ground_m, size_px, low, high)


def _narrow(
    seen_px: NDArray[np.float64],
    ground_m: NDArray[np.float64],
    size_px: tuple[int, int],
    low: float,
    high: float,
) -> GroundPose | None:
    """Search the best field of view between two, by golden sections."""
    for _ in range(_REFINEMENTS):
        reach = (high - low) * _GOLDEN
        left = _solve(seen_px, ground_m, size_px, high - reach)
        right = _solve(seen_px, ground_m, size_px, low + reach)
        better_left = right is None or (
            left is not None and left.error_px <= right.error_px
        )
        if better_left:
            high = low + reach
        else:
            low = high - reach
    return _solve(seen_px, ground_m, size_px, (low + high) / 2)


def _solve(
    seen_px: NDArray[np.float64],
    ground_m: NDArray[np.float64],
    size_px: tuple[int, int],
    hfov_deg: float,
) -> GroundPose | None:
    """The pose of least error through one lens."""
    focal_px = size_px[0] / 2 / math.tan(math.radians(hfov_deg) / 2)
    lens = np.array(
        [(focal_px, 0.0, size_px[0] / 2), (0.0, focal_px, size_px[1] / 2), (0, 0, 1.0)]
    )
    flat = np.pad(ground_m, ((0, 0), (0, 1)))
    middle = flat.mean(axis=0)
    best: GroundPose | None = None
    for turn, shift in _guesses(flat - middle, seen_px, lens):
        rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
        at = middle - rotation.T @ shift.ravel()
        depth = (flat - at) @ rotation.T
        if at[2] <= 0.0 or depth[:, 2].min() <= 0.0:
            continue
        shown = depth[:, :2] / depth[:, 2:] * focal_px + lens[:2, 2]
        error = float(np.sqrt(((shown - seen_px) ** 2).sum(axis=1).mean()))
        if best is None or error < best.error_px:
            best = _angles(rotation, at, hfov_deg, error)
    return best


def _guesses(
    flat_m: NDArray[np.float64],
    seen_px: NDArray[np.float64],
    lens: NDArray[np.float64],
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Poses (rotation vector, shift) that OpenCV finds, refined; finite ones only.

    On exact points IPPE now and then yields NaN, so a homography has its say, too.
    """
    found = []
    for method in (cv2.SOLVEPNP_IPPE, cv2.SOLVEPNP_ITERATIVE):
        try:
            _, turns, shifts, _ = cv2.solvePnPGeneric(
                flat_m, seen_px, lens, None, flags=method
            )
        except cv2.error:
            continue
        for guess in zip(turns, shifts, strict=True):
            if not all(np.isfinite(part).all() for part in guess):
                continue
            turn, shift = cv2.solvePnPRefineLM(
                flat_m, seen_px, lens, None, guess[0].copy(), guess[1].copy()
            )
            refined = np.asarray(turn, np.float64), np.asarray(shift, np.float64)
            if all(np.isfinite(part).all() for part in refined):
                found.append(refined)
    return found


def _angles(
    rotation: NDArray[np.float64],
    at_m: NDArray[np.float64],
    hfov_deg: float,
    error_px: float,
) -> GroundPose:
    """Read angles off a rotation (3, 3), world to camera; see `camera.mount`."""
    forward, right = rotation[2], rotation[0]
    pan, tilt = math.atan2(forward[1], forward[0]), math.asin(-forward[2])
    level = np.array([math.sin(pan), -math.cos(pan), 0.0])
    roll = math.atan2(float(right @ np.cross(forward, level)), float(right @ level))
    return GroundPose(
        hfov_deg=hfov_deg,
        height_m=float(at_m[2]),
        tilt_deg=math.degrees(tilt),
        pan_deg=math.degrees(pan),
        roll_deg=math.degrees(roll),
        lens_x_m=float(at_m[0]),
        lens_y_m=float(at_m[1]),
        error_px=error_px,
    )
