"""The shortest way round obstacles: where a walker heads for next.

Owns the graph of obstacles' corners that see each other. Knows nothing of other
walkers, who are met by the speed model.

Source:
    T. Lozano-Pérez, M. Wesley, "An algorithm for planning collision-free paths among
    polyhedral obstacles", Communications of the ACM 22 (1979): shortest ways lead
    over corners of the obstacles, made larger by the walker's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.errors import StreetError
from synthetic_crowds.street.obstacles import (
    BODY_M,
    Footprints,
    corners_m,
    footprints_of,
    local,
    move_out,
    rim_push,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.street.layout import Layout
    from synthetic_crowds.street.settings import ObstacleConfig

__all__ = ["Ways", "find_ways"]

# Ways lead past obstacles at this distance, a little further than anybody must keep.
_PASS_M = 0.42
# So much nearer a line may come: ways touch the corners that they lead over.
_TOUCH_M = 0.02
# Ways keep so far from the wall and the kerb.
_WALL_M, _KERB_M = 0.35, 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """Ways past a street's obstacles.

    Attributes:
        taken: The ground that obstacles take.
        wall: Its y, and from where to where along x it has a gap.
        corners_m: (k, 2) float64, places that ways may lead over.
        apart_m: (k, k) float64, the shortest ways between them; inf where none is.
    """

    taken: Footprints
    wall: tuple[float, float, float]
    corners_m: NDArray[np.float64]
    apart_m: NDArray[np.float64]

    def head_for(
        self, places: NDArray[np.float64], targets: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Say where those at `places` (n, 2) go next to reach `targets` (n, 2)."""
        return _head_for(places, targets, *self._ground, self.corners_m, self.apart_m)

    def reach(self, place: NDArray[np.float64], target: NDArray[np.float64]) -> bool:
        """Whether there is a way from one place (2,) to another."""
        return bool(
            _next(place, target, *self._ground, self.corners_m, self.apart_m)[0] > -2
        )

    def clear(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move planned places (..., 2) out of obstacles, as far as ways keep."""
        flat = places.reshape(-1, 2).copy()
        move_out(flat, flat.copy(), _PASS_M, self.wall, *self._ground)
        return flat.reshape(places.shape)

    def keep_out(
        self, places: NDArray[np.float64], before: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Let nobody step from `before` to `places` (n, 2) that are taken."""
        kept = places.copy()
        move_out(kept, before, BODY_M, self.wall, *self._ground)
        return kept

    def push(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """How obstacles bend the direction of those at `places`, (n, 2)."""
        return rim_push(places, *self._ground)

    @property
    def _ground(
        self,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        return self.taken.centre_m, self.taken.half_m, self.taken.axis


def find_ways(
    obstacles: Sequence[ObstacleConfig], layout: Layout, *, camera_id: str
) -> Ways | None:
    """Find the ways that obstacles leave.

    Returns:
        `None` if there are no obstacles.

    Raises:
        StreetError: If they stand in a wall, or leave no way down the street.
    """
    taken = footprints_of(obstacles, layout, camera_id=camera_id)
    if taken is None:
        return None
    ground = taken.centre_m, taken.half_m, taken.axis
    around = np.concatenate([corners_m(o, beyond_m=_PASS_M) for o in obstacles])
    moved = around.copy()
    wall = layout.wall_y_m, layout.corner_near_x_m, layout.corner_far_x_m
    move_out(moved, around + 1e3, _PASS_M - _TOUCH_M, wall, *ground)
    usable = (moved == around).all(axis=1) & _walkable(around, layout)
    corners = around[usable]
    ways = Ways(
        taken=taken, wall=wall, corners_m=corners, apart_m=_between(corners, *ground)
    )
    far_m, down = layout.zone_far_x_m + 1.5, np.array([layout.behind_x_m, 0.0])
    lane = np.array([layout.behind_x_m + 3.0, layout.back_lane_y_m])
    back = np.array([layout.corner_far_x_m, layout.back_lane_y_m])
    for start, end in ((np.array([far_m, 0.0]), down), (lane, back)):
        if not ways.reach(ways.clear(start), ways.clear(end)):
            raise StreetError(
                camera_id=camera_id,
                required="obstacles must leave a way of "
                f"{2 * _PASS_M:g} m down the pavement",
                arrived="none",
                remedy="move one, or make it smaller",
            )
    return ways


def _walkable(places: NDArray[np.float64], layout: Layout) -> NDArray[np.bool_]:
    """Whether ways may lead over places (n, 2): pavement, corner, crossing."""
    x, y = places.T
    in_gap = (x > layout.corner_near_x_m + _WALL_M) & (
        x < layout.corner_far_x_m - _WALL_M
    )
    crossing = x > layout.zone_far_x_m + 1.0
    return np.asarray(
        ((y < layout.wall_y_m - _WALL_M) | in_gap)
        & ((y > layout.kerb_y_m + _KERB_M) | crossing)
    )


@njit(cache=True, nogil=True)
def _sees(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    axis: NDArray[np.float64],
) -> bool:
    """Whether the line between two places (2,) keeps clear of every obstacle."""
    for j in range(len(centre)):
        ax, ay = local(a, centre[j], axis[j])
        bx, by = local(b, centre[j], axis[j])
        # Whoever has been pushed nearer than ways lead may still walk on.
        near_a = max(abs(ax) - half[j, 0], abs(ay) - half[j, 1])
        near_b = max(abs(bx) - half[j, 0], abs(by) - half[j, 1])
        margin = min(_PASS_M, near_a, near_b) - _TOUCH_M
        low, high = 0.0, 1.0
        for start, end, reach in (
            (ax, bx, half[j, 0] + margin),
            (ay, by, half[j, 1] + margin),
        ):
            step = end - start
            if abs(step) < 1e-12:
                if abs(start) >= reach:
                    low, high = 1.0, 0.0
                continue
            first, last = (-reach - start) / step, (reach - start) / step
            low, high = max(low, min(first, last)), min(high, max(first, last))
        if low < high:
            return False
    return True


@njit(cache=True, nogil=True)
def _between(
    corners: NDArray[np.float64],
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    axis: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Shortest ways between all corners (Floyd and Warshall)."""
    count = len(corners)
    apart = np.full((count, count), np.inf)
    for i in range(count):
        apart[i, i] = 0.0
        for j in range(i):
            if _sees(corners[i], corners[j], centre, half, axis):
                apart[i, j] = apart[j, i] = np.hypot(
                    corners[i, 0] - corners[j, 0], corners[i, 1] - corners[j, 1]
                )
    for k in range(count):
        for i in range(count):
            for j in range(count):
                apart[i, j] = min(apart[i, j], apart[i, k] + apart[k, j])
    return apart


@njit(cache=True, nogil=True)
def _next(
    place: NDArray[np.float64],
    target: NDArray[np.float64],
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    axis: NDArray[np.float64],
    corners: NDArray[np.float64],
    apart: NDArray[np.float64],
) -> tuple[int, float]:
    """The corner that the shortest way leads over first, and the way's length.

    Returns:
        -1 if the target is in sight, -2 if there is no way.
    """
    if _sees(place, target, centre, half, axis):
        return -1, np.hypot(place[0] - target[0], place[1] - target[1])
    count = len(corners)
    to_target = np.full(count, np.inf)
    for j in range(count):
        if _sees(corners[j], target, centre, half, axis):
            to_target[j] = np.hypot(
                corners[j, 0] - target[0], corners[j, 1] - target[1]
            )
    best, least = -2, np.inf
    for i in range(count):
        if not _sees(place, corners[i], centre, half, axis):
            continue
        first = np.hypot(corners[i, 0] - place[0], corners[i, 1] - place[1])
        for j in range(count):
            length = first + apart[i, j] + to_target[j]
            if length < least:
                best, least = i, length
    return best, least


@njit(cache=True, nogil=True)
def _head_for(
    places: NDArray[np.float64],
    targets: NDArray[np.float64],
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    axis: NDArray[np.float64],
    corners: NDArray[np.float64],
    apart: NDArray[np.float64],
) -> NDArray[np.float64]:
    heads = targets.copy()
    for i in range(len(places)):
        number, _ = _next(places[i], targets[i], centre, half, axis, corners, apart)
        # Without a way, straight on: the rim of the obstacle stops them.
        if number >= 0:
            heads[i] = corners[number]
    return heads
