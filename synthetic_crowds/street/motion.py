"""How people walk past a camera: where they are and where they look at any moment.

Owns paths with heading, gait and gaze, in world coordinates and seconds of clip
time. Knows nothing of who the walkers are or how they look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.street.arrivals import TICK_S, draw_arrivals
from synthetic_crowds.street.errands import check_shops
from synthetic_crowds.street.routing import find_ways
from synthetic_crowds.street.settings import before
from synthetic_crowds.street.speed_model import walk_paths

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.config import CrowdConfig
    from synthetic_crowds.street.layout import Layout

__all__ = ["Stance", "Stop", "Walk", "stances", "walk_past"]

# Correlation times: heads turn in about a second, bodies follow the path sooner.
_GAZE_S, _HEADING_S = 0.9, 0.25
# Whoever stops at a window has turned to it after about this long.
_TURN_S = 0.35
_GAZE_ROLL_SD_DEG = 2.0
# People look a little ahead of their feet rather than at the horizon.
_GAZE_PITCH_MEAN_DEG = -4.0
_WAITING_PITCH_DEG = -16.0


class Stop(IntEnum):
    """Why somebody stands, as paths say in their third column; 0 if they walk."""

    WAITING = 1
    LOOKING = 2
    HELD_UP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """One walker at one moment.

    Attributes:
        x_m, y_m: Where, on the ground.
        heading_deg: Which way the body faces, anticlockwise from +x.
        travelled_m: Length of the path so far; it drives the gait.
        yaw_deg, pitch_deg, roll_deg: Of the head against the body; positive yaw
            looks to the walker's left, positive pitch up.
        vx_m_s, vy_m_s: Velocity.
        standing: From 0.5 on, both feet are on the ground.
        running: From 0.5 on, they run.
    """

    x_m: float
    y_m: float
    heading_deg: float
    travelled_m: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    vx_m_s: float
    vy_m_s: float
    standing: float = 0.0
    running: float = 0.0


_STANCE_FIELDS = tuple(field.name for field in fields(Stance))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """One person's path past one camera, a row per tick of 0.05 s.

    Attributes:
        towards: Whether it leads through the zone of recognition, face first.
        start_s: Clip time of the first row.
        rows: (n, 11) float64, the fields of `Stance` in order.
    """

    towards: bool
    start_s: float
    rows: NDArray[np.float64]

    @property
    def end_s(self) -> float:
        """Clip time of the last row."""
        return self.start_s + (len(self.rows) - 1) * TICK_S

    def span_in(self, layout: Layout) -> tuple[float, float] | None:
        """Clip times of the first and last tick in the zone of recognition.

        Returns:
            `None` if it leads away from the camera or misses the zone.
        """
        inside = np.flatnonzero(
            (self.rows[:, 0] >= layout.zone_near_x_m)
            & (self.rows[:, 0] <= layout.zone_far_x_m)
            & (np.abs(self.rows[:, 1]) <= layout.zone_half_width_m)
        )
        if not self.towards or not len(inside):
            return None
        return (
            self.start_s + float(inside[0]) * TICK_S,
            self.start_s + float(inside[-1]) * TICK_S,
        )

    def at(self, time_s: float) -> Stance | None:
        """Interpolate the walker's stance, `None` before and after the walk."""
        position = (time_s - self.start_s) / TICK_S
        before = math.floor(position)
        if before < 0 or before + 1 >= len(self.rows):
            return None
        share = position - before
        row = (1 - share) * self.rows[before] + share * self.rows[before + 1]
        return Stance(**dict(zip(_STANCE_FIELDS, row.tolist(), strict=True)))


def walk_past(
    crowd: CrowdConfig, layout: Layout, *, camera_id: str = "", rng: Generator
) -> tuple[Walk, ...]:
    """Draw every walk past one camera.

    Footfall counts at the far edge of the zone. The street is equally busy all the
    time, so some walks began before the clip, and some end after it.

    Args:
        crowd: Footfall, speeds, groups, gaze.
        layout: The ground.
        camera_id: Whose obstacles and shops to heed, beside every camera's own.
        rng: Consumed.

    Returns:
        By time of start. Empty if nobody came.

    Raises:
        StreetError: If there is no room for an obstacle or a shop.
    """
    ways = find_ways(before(crowd.obstacles, camera_id), layout, camera_id=camera_id)
    shops = before(crowd.shops, camera_id)
    check_shops(shops, ways, layout, camera_id=camera_id)
    arrivals = draw_arrivals(crowd, layout, shops=shops, rng=rng)
    paths = walk_paths(arrivals, layout, ways=ways)
    return tuple(
        Walk(
            towards=bool(arrivals.towards[i]),
            start_s=float(arrivals.start_s[i]),
            rows=stances(path, crowd, runs=bool(arrivals.running[i]), rng=rng),
        )
        for i, path in enumerate(paths)
        if len(path) > 2
    )


def stances(
    walked: NDArray[np.float64], crowd: CrowdConfig, *, runs: bool, rng: Generator
) -> NDArray[np.float64]:
    """Add heading, distance, gaze and velocity to a path.

    Args:
        walked: (n, 3), a row per tick: where, and why they stand, see `Stop`.
        crowd: How heads turn.
        runs: Whether they run.
        rng: Consumed.

    Returns:
        (n, 11), the fields of `Stance` in order.
    """
    path, standing = walked[:, :2], np.minimum(walked[:, 2], 1.0)
    looking = walked[:, 2] == Stop.LOOKING
    count = len(path)
    velocity = np.gradient(path, TICK_S, axis=0)
    smooth = _low_pass(velocity, _HEADING_S)
    heading = np.degrees(np.unwrap(np.arctan2(smooth[:, 1], smooth[:, 0])))
    if standing.any():
        # Who stands goes on facing the way they came.
        moving = np.flatnonzero(standing == 0.0)
        last = np.maximum.accumulate(np.where(standing == 0.0, np.arange(count), 0))
        if len(moving):
            last = last if 0 in moving else np.maximum(last, moving[0])
            heading = heading[last]
        else:
            # Whoever never moves faces the camera.
            heading = np.full(count, 180.0)
    if looking.any():
        heading = _face_window(heading, looking)
    travelled = np.cumsum(np.linalg.norm(velocity, axis=1)) * TICK_S
    yaw = _wander(count, crowd.gaze_yaw_sd_deg, rng=rng)
    pitch = _wander(count, crowd.gaze_pitch_sd_deg, rng=rng) + _GAZE_PITCH_MEAN_DEG
    roll = _wander(count, _GAZE_ROLL_SD_DEG, rng=rng)
    if standing.any():
        # Most of them look at their telephone.
        waiting = (walked[:, 2] == Stop.WAITING).astype(np.float64)
        look_down = _low_pass(waiting[:, None], _GAZE_S)[:, 0]
        pitch = pitch + _WAITING_PITCH_DEG * look_down
    running = np.full(count, float(runs))
    return np.column_stack(
        (path, heading, travelled, yaw, pitch, roll, smooth, standing, running)
    )


def _face_window(
    heading: NDArray[np.float64], looking: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Turn those who look at a window to the wall, and back to where they go.

    Args:
        heading: (n,) degrees, without jumps.
        looking: (n,), while they do.
    """
    turn = _low_pass(looking[:, None].astype(np.float64), _TURN_S)[:, 0]
    aside = (90.0 - heading + 180.0) % 360.0 - 180.0
    return np.asarray(heading + turn * aside)


def _low_pass(signal: NDArray[np.float64], time_s: float) -> NDArray[np.float64]:
    """Smooth rows with a first-order filter that starts at the first row."""
    keep = math.exp(-TICK_S / time_s)
    start = signal[0] / (1 - keep)
    return np.asarray(_leak(signal, start, keep) * (1 - keep))


def _wander(count: int, sd: float, *, rng: Generator) -> NDArray[np.float64]:
    """Draw a stationary Ornstein-Uhlenbeck path, smoothed once more: heads have mass.

    Returns:
        (count,) with mean 0 and standard deviation `sd`.
    """
    keep = math.exp(-TICK_S / _GAZE_S)
    lead = round(6 * _GAZE_S / TICK_S)
    noise = rng.standard_normal((count + lead, 1))
    once = _leak(noise, noise[0], keep)
    twice = _leak(once, once[0], keep)[lead:, 0]
    # Variance of two equal poles in a row, driven by unit white noise.
    variance = (1 + keep**2) / (1 - keep**2) ** 3
    return np.asarray(twice * (sd / math.sqrt(variance)))


@njit(cache=True, nogil=True)
def _leak(
    signal: NDArray[np.float64], start: NDArray[np.float64], keep: float
) -> NDArray[np.float64]:
    """Sum rows (n, k) into a state that keeps this share of itself each step."""
    state = np.empty_like(signal)
    state[0] = start
    for row in range(1, len(signal)):
        state[row] = keep * state[row - 1] + signal[row]
    return state
