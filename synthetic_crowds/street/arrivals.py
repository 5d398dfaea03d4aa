"""When people come past a camera, how fast, in what company, and by which way.

Owns the plan of walks before anybody takes a step. Knows nothing of who they are,
nor how they keep out of each other's way.

Source:
    U. Weidmann, "Transporttechnik der Fussgänger" (1993): free walking speeds are
    normal, 1.34 m/s with a standard deviation of 0.26 m/s.
    J. James, "The distribution of free-forming small group size", American
    Sociological Review 18 (1953): group sizes are zero-truncated Poisson.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.street.errands import draw_errands, longest_stay_s
from synthetic_crowds.street.schedule import draw_moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.config import CrowdConfig
    from synthetic_crowds.street.errands import Errand
    from synthetic_crowds.street.layout import Layout
    from synthetic_crowds.street.settings import ShopConfig

__all__ = ["TICK_S", "Arrivals", "draw_arrivals"]

TICK_S = 0.05
_SLOWEST_M_S, _FASTEST_M_S = 0.7, 2.2
# Running for a bus: mean and standard deviation, and within which range.
_RUNNING_M_S, _RUNNING_RANGE_M_S = (2.9, 0.35), (2.3, 3.8)
_ABREAST_M = 0.7
_LARGEST_GROUP = 6
_RATE_STEPS = 200
# The street is as busy in the first and last frame as in between: who walks through
# the zone this long before or after the clip may still be in view.
_LEAD_S = 12.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrivals:
    """Everybody who will come, sorted by start.

    Attributes:
        start_s: (n,) float64, clip time, on ticks.
        free_speed_m_s: (n,) float64.
        towards: (n,) bool.
        waypoints_m: (n, 4, 2) float64: start, way in, turn, end.
        pause_s: (n,) float64, how long they stop in the zone; mostly 0.
        pause_x_m: (n,) float64, where.
        errands: Of each, what they do at a shop; mostly `None`.
    """

    start_s: NDArray[np.float64]
    free_speed_m_s: NDArray[np.float64]
    towards: NDArray[np.bool_]
    waypoints_m: NDArray[np.float64]
    pause_s: NDArray[np.float64]
    pause_x_m: NDArray[np.float64]
    errands: tuple[Errand | None, ...]

    @property
    def running(self) -> NDArray[np.bool_]:
        """Whether each of them runs, (n,): nobody walks that fast."""
        return self.free_speed_m_s > _FASTEST_M_S


def draw_arrivals(
    crowd: CrowdConfig,
    layout: Layout,
    *,
    shops: Sequence[ShopConfig] = (),
    rng: Generator,
) -> Arrivals:
    """Draw groups, their free speeds and their ways."""
    # Whoever comes out of a shop in the first frame went in before it.
    first_s = -_LEAD_S - longest_stay_s(shops)
    last_s = crowd.duration_s + _LEAD_S
    towards_hz = crowd.footfall_per_min / 60.0
    all_hz = towards_hz / (1.0 - crowd.counterflow_share)
    moments = draw_moments(
        crowd, all_hz / crowd.mean_group_size, first_s, last_s, rng=rng
    )
    starts, speeds, ways, waypoints = [], [], [], []
    pauses: list[tuple[float, float]] = []
    errands: list[Errand | None] = []
    for entry_s in moments:
        size = _draw_group_size(crowd.mean_group_size, rng=rng)
        towards = bool(rng.random() >= crowd.counterflow_share)
        # A group walks at one pace, the slower for being a group.
        speed = rng.normal(crowd.walking_speed_mean_m_s, crowd.walking_speed_sd_m_s)
        speed = float(np.clip(speed * 0.97 ** (size - 1), _SLOWEST_M_S, _FASTEST_M_S))
        # Rates of 0 draw nothing, so that they leave everybody else as they were.
        if crowd.running_share > 0.0 and rng.random() < crowd.running_share:
            speed = float(np.clip(rng.normal(*_RUNNING_M_S), *_RUNNING_RANGE_M_S))
        group_waypoints = _draw_ways(size, layout, towards=towards, rng=rng)
        pause = _draw_pause(crowd, layout, rng=rng) if towards else (0.0, 0.0)
        if pause[0] > 0.0:
            # Whoever stops does so out of the others' way.
            aside_m = layout.zone_half_width_m - 0.25
            group_waypoints[:, 2:, 1] = np.where(
                group_waypoints[:, 2:, 1] < 0.0, -aside_m, aside_m
            ) * (1.0 - 0.25 * np.arange(size)[:, None])
        group_errands = draw_errands(shops, layout, size, towards=towards, rng=rng)
        for way, errand in zip(group_waypoints, group_errands, strict=True):
            legs_m = np.linalg.norm(np.diff(way, axis=0), axis=1)
            before_zone_m = (
                legs_m[:2].sum() + way[2, 0] - layout.zone_far_x_m if towards else 0.0
            )
            starts.append(entry_s - before_zone_m / speed)
            speeds.append(speed)
            ways.append(towards)
            waypoints.append(way)
            pauses.append(pause if errand is None else (0.0, 0.0))
            errands.append(errand)
    order = np.argsort(starts, kind="stable")
    # Starts fall on ticks, so that a walk's rows and the model's steps coincide.
    start_s = np.round(np.asarray(starts, np.float64)[order] / TICK_S) * TICK_S
    return Arrivals(
        start_s=start_s,
        free_speed_m_s=np.asarray(speeds, np.float64)[order],
        towards=np.asarray(ways, np.bool_)[order],
        waypoints_m=np.asarray(waypoints, np.float64).reshape(-1, 4, 2)[order],
        pause_s=np.asarray(pauses, np.float64).reshape(-1, 2)[order, 0],
        pause_x_m=np.asarray(pauses, np.float64).reshape(-1, 2)[order, 1],
        errands=tuple(errands[number] for number in order),
    )


def _draw_pause(
    crowd: CrowdConfig, layout: Layout, *, rng: Generator
) -> tuple[float, float]:
    """How long somebody stops, and how far from the camera; mostly not at all."""
    if crowd.waiting_share == 0.0 or rng.random() >= crowd.waiting_share:
        return 0.0, 0.0
    deep_m = layout.zone_far_x_m - layout.zone_near_x_m
    at_m = layout.zone_near_x_m + deep_m * rng.uniform(0.2, 0.8)
    return float(rng.exponential(crowd.waiting_mean_s)), float(at_m)


def _draw_group_size(mean: float, *, rng: Generator) -> int:
    """Draw from the Poisson distribution without 0 that has this mean."""
    if mean == 1.0:
        return 1
    # The rate solves mean = rate / (1 - exp(-rate)); this contracts for any mean > 1.
    rate = mean
    for _ in range(_RATE_STEPS):
        rate = -mean * math.expm1(-rate)
    # Inverse transform on the truncated range, so that one draw always suffices.
    level = rng.uniform(math.exp(-rate), 1.0)
    size, mass = 1, math.exp(-rate)
    cumulative = mass
    while size < _LARGEST_GROUP:
        mass *= rate / size
        cumulative += mass
        if cumulative >= level:
            break
        size += 1
    return size


def _draw_ways(
    size: int, layout: Layout, *, towards: bool, rng: Generator
) -> NDArray[np.float64]:
    """Draw start, way in, turn and end of each member of a group, (size, 4, 2)."""
    abreast_m = (np.arange(size) - (size - 1) / 2) * _ABREAST_M
    ways = np.empty((size, 4, 2))
    behind_m = np.arange(size) * _ABREAST_M
    if towards:
        free_m = layout.zone_half_width_m - 0.25
        room_m = max(free_m - (size - 1) * _ABREAST_M / 2, 0.0)
        lane_y = np.clip(rng.uniform(-room_m, room_m) + abreast_m, -free_m, free_m)
        turn_x = layout.zone_far_x_m + rng.uniform(0.8, 2.5)
        if rng.random() < layout.left_share:
            gap_m = (layout.corner_near_x_m + 1.0, layout.corner_far_x_m - 0.8)
            ways[:, :2, 0] = rng.uniform(*gap_m)
            start_m, in_m = layout.way_in_left_m(float(ways[0, 0, 0]))
            ways[:, 0, 1], ways[:, 1, 1] = start_m + behind_m, in_m
        else:
            way_in_x = layout.zone_far_x_m + rng.uniform(2.5, 5.0)
            ways[:, :2, 0] = way_in_x
            ways[:, 0, 1] = layout.out_of_view_y_m(way_in_x) - behind_m
            ways[:, 1, 1] = layout.kerb_y_m
        ways[:, 2, 0], ways[:, 3, 0] = turn_x, layout.behind_x_m
        ways[:, 2:, 1] = lane_y[:, None]
    else:
        lane_y = layout.back_lane_y_m + rng.uniform(-0.25, 0.25) + 0.5 * abreast_m
        away_x = layout.corner_far_x_m + rng.uniform(0.0, 3.0)
        ways[:, 0, 0] = layout.behind_x_m + 3.0 - behind_m
        ways[:, 1, 0], ways[:, 2, 0] = layout.zone_far_x_m, away_x
        ways[:, :3, 1] = lane_y[:, None]
        ways[:, 3] = away_x + 2.0, layout.way_out_y_m(away_x + 2.0)
    return ways
