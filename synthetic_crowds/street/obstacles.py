"""Where obstacles stand, and which places on the ground they leave to walkers.

Owns their footprints (turned rectangles), the check that they leave a way, and the
last word on where nobody may be. Knows nothing of how a way round is found, nor of
what obstacles look like.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.errors import StreetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.street.layout import Layout
    from synthetic_crowds.street.settings import ObstacleConfig

__all__ = [
    "BODY_M",
    "Footprints",
    "corners_m",
    "footprints_of",
    "local",
    "move_out",
    "rim_push",
]

# No walker's middle comes nearer to an obstacle than this.
BODY_M = 0.27
# Pushing out of one obstacle may push into the next; after so many turns, stay.
_TURNS = 4
# Strength and range of obstacles' repulsion as JuPedSim ships them for the
# collision-free speed model, and a walker's radius.
_REPULSION, _RANGE_M, _RADIUS_M = 5.0, 0.02, 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footprints:
    """The ground that obstacles take.

    Attributes:
        centre_m: (m, 2) float64.
        half_m: (m, 2) float64, half of length and width.
        axis: (m, 2) float64, unit, which way the length points.
    """

    centre_m: NDArray[np.float64]
    half_m: NDArray[np.float64]
    axis: NDArray[np.float64]


def footprints_of(
    obstacles: Sequence[ObstacleConfig], layout: Layout, *, camera_id: str
) -> Footprints | None:
    """Find the ground that obstacles take.

    Returns:
        `None` if there are none.

    Raises:
        StreetError: If one of them stands in a wall.
    """
    if not obstacles:
        return None
    for obstacle in obstacles:
        reach = corners_m(obstacle)[:, 1]
        if reach.max() > layout.wall_y_m or reach.min() < layout.far_wall_y_m:
            raise StreetError(
                camera_id=camera_id,
                required="obstacles must stand between the walls "
                f"(y_m from {layout.far_wall_y_m:g} to {layout.wall_y_m:g})",
                arrived=f"a {obstacle.kind} that reaches from y_m = "
                f"{reach.min():.2f} to {reach.max():.2f}",
                remedy="move it",
            )
    turns = np.radians([obstacle.turn_deg for obstacle in obstacles])
    return Footprints(
        centre_m=np.array([(o.x_m, o.y_m) for o in obstacles], np.float64),
        half_m=np.array([o.size_m[:2] for o in obstacles], np.float64) / 2,
        axis=np.column_stack((np.cos(turns), np.sin(turns))),
    )


def corners_m(
    obstacle: ObstacleConfig, *, beyond_m: float = 0.0
) -> NDArray[np.float64]:
    """Corners (4, 2) of an obstacle's footprint, made larger by `beyond_m`."""
    turn = math.radians(obstacle.turn_deg)
    c, s = math.cos(turn), math.sin(turn)
    half = np.array(obstacle.size_m[:2]) / 2 + beyond_m
    rim = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * half
    return np.asarray(rim @ np.array([(c, s), (-s, c)]) + (obstacle.x_m, obstacle.y_m))


@njit(cache=True, nogil=True)
def local(
    place: NDArray[np.float64], centre: NDArray[np.float64], axis: NDArray[np.float64]
) -> tuple[float, float]:
    """A place (2,) along an obstacle's length and width, from its middle."""
    x, y = place[0] - centre[0], place[1] - centre[1]
    return x * axis[0] + y * axis[1], y * axis[0] - x * axis[1]


@njit(cache=True, nogil=True)
def move_out(
    places: NDArray[np.float64],
    before: NDArray[np.float64],
    margin_m: float,
    wall: tuple[float, float, float],
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    axis: NDArray[np.float64],
) -> None:
    """Move places (n, 2) that obstacles or the wall have taken to their rim.

    Args:
        places: Written to.
        before: (n, 2), where to stay if there is no way out.
        margin_m: How far from an obstacle a place must be.
        wall: Its y, and from where to where along x it has a gap.
        centre: Of each obstacle; see `Footprints`.
        half: Likewise.
        axis: Likewise.
    """
    for i in range(len(places)):
        in_gap = wall[1] < places[i, 0] < wall[2]
        if before[i, 1] <= wall[0] and not in_gap:
            # Others may push somebody to the wall, not through it.
            places[i, 1] = min(places[i, 1], wall[0] - BODY_M)
        free = False
        for _ in range(_TURNS):
            free = True
            for j in range(len(centre)):
                along, across = local(places[i], centre[j], axis[j])
                reach_x, reach_y = half[j, 0] + margin_m, half[j, 1] + margin_m
                if reach_x - abs(along) <= 1e-9 or reach_y - abs(across) <= 1e-9:
                    continue
                free = False
                least, best_x, best_y = np.inf, places[i, 0], places[i, 1]
                for new_along, new_across in (
                    (reach_x, across),
                    (-reach_x, across),
                    (along, reach_y),
                    (along, -reach_y),
                ):
                    far = abs(new_along - along) + abs(new_across - across)
                    x = centre[j, 0] + new_along * axis[j, 0] - new_across * axis[j, 1]
                    y = centre[j, 1] + new_along * axis[j, 1] + new_across * axis[j, 0]
                    # Not into the wall, unless they come round the corner.
                    beside = y <= wall[0] - BODY_M or wall[1] < x < wall[2]
                    if far < least and (beside or before[i, 1] > wall[0]):
                        least, best_x, best_y = far, x, y
                places[i, 0], places[i, 1] = best_x, best_y
            if free:
                break
        if not free:
            places[i] = before[i]


@njit(cache=True, nogil=True)
def rim_push(
    places: NDArray[np.float64],
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    axis: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How obstacles bend the direction of walkers at `places`, (n, 2).

    Source:
        Tordeux, Chraibi, Seyfried (2016), equation 3, for the nearest point of an
        obstacle in a neighbour's place, as JuPedSim does.
    """
    push = np.zeros_like(places)
    for i in range(len(places)):
        for j in range(len(centre)):
            along, across = local(places[i], centre[j], axis[j])
            off_x = along - min(max(along, -half[j, 0]), half[j, 0])
            off_y = across - min(max(across, -half[j, 1]), half[j, 1])
            gap = math.sqrt(off_x * off_x + off_y * off_y)
            if gap < 1e-9 or gap > 1.0:
                continue
            force = _REPULSION * math.exp(min((_RADIUS_M - gap) / _RANGE_M, 3.0)) / gap
            push[i, 0] += force * (off_x * axis[j, 0] - off_y * axis[j, 1])
            push[i, 1] += force * (off_x * axis[j, 1] + off_y * axis[j, 0])
    return push
