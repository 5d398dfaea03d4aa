"""Paths that people walked elsewhere, in place of the model's.

Owns a recording's place on the street and its change to the crowd's clock. Knows
nothing of files or formats.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.errors import StreetError
from synthetic_crowds.street.arrivals import TICK_S
from synthetic_crowds.street.motion import Stop, Walk, stances

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.config import CrowdConfig
    from synthetic_crowds.street.layout import Layout
    from synthetic_crowds.street.settings import TrajectoriesConfig

__all__ = ["Trajectories", "walk_along"]

# Whoever is missing for longer has left, and may come back.
_LONGEST_GAP_S = 1.0
# Slower than this, over about a second, people stand; faster than that, they run.
_STANDING_M_S, _RUNNING_M_S = 0.12, 2.2
_WINDOW_TICKS = 10
_FEWEST_ROWS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectories:
    """A recording of people on a plane.

    Attributes:
        name: Of its file.
        sha256: Of its file.
        fps: Frames per second.
        person: (n,) int64, who; sorted.
        frame: (n,) int64, when; rising for each person.
        place_m: (n, 2) float64, where.
    """

    name: str
    sha256: str
    fps: float
    person: NDArray[np.int64]
    frame: NDArray[np.int64]
    place_m: NDArray[np.float64]

    @property
    def n_people(self) -> int:
        """How many people it holds."""
        return len(np.unique(self.person))


def walk_along(
    recorded: Trajectories,
    placed: TrajectoriesConfig,
    crowd: CrowdConfig,
    layout: Layout,
    *,
    camera_id: str,
    rng: Generator,
) -> tuple[tuple[Walk, ...], tuple[int, ...]]:
    """Let people walk along recorded paths past one camera.

    Paths are put on the street, turned, and read off on the crowd's own ticks,
    along straight lines between frames. Heads turn as they do on the model's walks.

    Args:
        recorded: The paths.
        placed: Where and when on the street.
        crowd: Gaze, and how long the clip is.
        layout: The ground.
        camera_id: Past which camera.
        rng: Consumed.

    Returns:
        Walks that touch the clip, by time of start, and who of the recording walks
        each of them.

    Raises:
        StreetError: If none of them leads through the zone of recognition.
    """
    found = sorted(
        _paths(recorded, placed, crowd.duration_s), key=lambda each: each[:2]
    )
    walks = tuple(
        Walk(
            towards=_comes_nearer(path, layout),
            start_s=start_tick * TICK_S,
            rows=stances(path, crowd, runs=_runs(path), rng=rng),
        )
        for start_tick, _, path in found
    )
    spans = [walk.span_in(layout) for walk in walks]
    if not any(s is not None and s[0] < crowd.duration_s and s[1] >= 0 for s in spans):
        raise StreetError(
            camera_id=camera_id,
            required=f"{recorded.name} must lead somebody through the zone "
            f"(x_m {layout.zone_near_x_m:g} to {layout.zone_far_x_m:g}, y_m "
            f"{-layout.zone_half_width_m:g} to {layout.zone_half_width_m:g}, towards "
            "smaller x_m)",
            arrived=_extent(found, crowd.duration_s),
            remedy="set origin_m, rotation_deg or start_s",
        )
    return walks, tuple(person for _, person, _ in found)


def _paths(
    recorded: Trajectories, placed: TrajectoriesConfig, duration_s: float
) -> Iterator[tuple[int, int, NDArray[np.float64]]]:
    """First tick, person and path (n, 3) of every stretch that touches the clip."""
    turn = np.radians(placed.rotation_deg)
    c, s = np.cos(turn), np.sin(turn)
    place = recorded.place_m @ np.array([(c, s), (-s, c)]) + placed.origin_m
    seconds = (recorded.frame - recorded.frame.min()) / recorded.fps
    time_s = placed.start_s + seconds
    split = (np.diff(recorded.person) != 0) | (np.diff(time_s) > _LONGEST_GAP_S)
    starts = [0, *(np.flatnonzero(split) + 1).tolist(), len(time_s)]
    for start, end in pairwise(starts):
        own_s = time_s[start:end]
        first = int(np.ceil(own_s[0] / TICK_S - 1e-6))
        last = int(np.floor(own_s[-1] / TICK_S + 1e-6))
        if last - first + 1 < _FEWEST_ROWS:
            continue
        if last * TICK_S < 0.0 or first * TICK_S > duration_s:
            continue
        moments = np.arange(first, last + 1) * TICK_S
        x = np.interp(moments, own_s, place[start:end, 0])
        y = np.interp(moments, own_s, place[start:end, 1])
        stops = _stands(np.column_stack((x, y)))
        yield first, int(recorded.person[start]), np.column_stack((x, y, stops))


def _speeds(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Speed (n,) of a path, over about a second around each tick."""
    ticks = np.arange(len(path))
    after = np.minimum(ticks + _WINDOW_TICKS, len(path) - 1)
    before = np.maximum(ticks - _WINDOW_TICKS, 0)
    apart_m = np.linalg.norm(path[after, :2] - path[before, :2], axis=1)
    return np.asarray(apart_m / ((after - before) * TICK_S))


def _stands(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where along a path somebody stands in a queue, (n,)."""
    return np.where(_speeds(path) < _STANDING_M_S, float(Stop.HELD_UP), 0.0)


def _runs(path: NDArray[np.float64]) -> bool:
    return bool(np.median(_speeds(path)) > _RUNNING_M_S)


def _comes_nearer(path: NDArray[np.float64], layout: Layout) -> bool:
    """Whether a path leads towards the camera: through its zone, if it does at all."""
    inside = np.flatnonzero(
        (path[:, 0] >= layout.zone_near_x_m)
        & (path[:, 0] <= layout.zone_far_x_m)
        & (np.abs(path[:, 1]) <= layout.zone_half_width_m)
    )
    ends = (inside[0], inside[-1]) if len(inside) > 1 else (0, -1)
    return bool(path[ends[1], 0] < path[ends[0], 0])


def _extent(
    found: list[tuple[int, int, NDArray[np.float64]]], duration_s: float
) -> str:
    """Say where recorded paths lie."""
    if not found:
        return f"no path between 0 and {duration_s:g} s of clip time"
    places = np.concatenate([path[:, :2] for _, _, path in found])
    (x0, y0), (x1, y1) = places.min(axis=0), places.max(axis=0)
    return f"paths from x_m {x0:.1f} to {x1:.1f} and y_m {y0:.1f} to {y1:.1f}"
