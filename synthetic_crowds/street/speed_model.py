"""How walkers keep out of each other's way: the collision-free speed model.

Owns the steps from a plan of walks to paths. Each walker keeps a free speed; the
direction bends away from whoever is close, the speed falls with the gap ahead, and
nobody steps into another's disc by choice. Knows nothing of gaze or looks.

Source:
    A. Tordeux, M. Chraibi, A. Seyfried, "Collision-free speed model for pedestrian
    dynamics", Traffic and Granular Flow '15 (2016): equations 1 to 5, with the
    strength and range of repulsion that JuPedSim ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.street.arrivals import TICK_S
from synthetic_crowds.street.errands import Step, Visit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.street.arrivals import Arrivals
    from synthetic_crowds.street.layout import Layout
    from synthetic_crowds.street.routing import Ways

__all__ = ["walk_paths"]

_DIAMETER_M = 0.4
# A walker's distance from itself: beyond any effect, and finite.
_ALONE_M = 1e6
_TIME_GAP_S = 0.8
_REPULSION, _RANGE_M = 8.0, 0.1
# Whoever is this close to a waypoint turns to the next.
_WAYPOINT_M = 1.2
# Which of a walk's waypoints these are.
_TURN, _END = 2, 3
# A jam may hold people up; after this long their walk ends wherever they are.
_LONGEST_WALK_S = 120.0


def walk_paths(
    arrivals: Arrivals, layout: Layout, *, ways: Ways | None = None
) -> list[NDArray[np.float64]]:
    """Walk everybody from start to end by the collision-free speed model.

    Args:
        arrivals: Who comes, by which way, and what they do at shops.
        layout: The ground.
        ways: Past the street's obstacles; `None` if there are none.

    Returns:
        One (n, 3) path per arrival, a row per tick from its start: where, and 1 while
        they stop of their own will, 2 while they look at a window.
    """
    count = len(arrivals.start_s)
    paths: list[list[tuple[float, float, float]]] = [[] for _ in range(count)]
    pause_s = arrivals.pause_s.copy()
    if not count:
        return []
    waypoints = (
        arrivals.waypoints_m if ways is None else ways.clear(arrivals.waypoints_m)
    )
    visits = _plan_visits(arrivals, ways)
    position = waypoints[:, 0].copy()
    leg = np.ones(count, np.intp)
    walking = np.zeros(count, np.bool_)
    done = np.zeros(count, np.bool_)
    start_tick = np.round(arrivals.start_s / TICK_S).astype(np.int64)
    longest_ticks = np.full(count, _LONGEST_WALK_S / TICK_S)
    for i, visit in visits.items():
        longest_ticks[i] += (visit.errand.stay_s + _LONGEST_WALK_S) / TICK_S
    tick = int(start_tick[0]) - 1
    while not done.all():
        tick += 1
        walking |= (start_tick <= tick) & ~done
        stops = _visit(visits, position, leg, walking)
        away = [i for i in visits if walking[i] and visits[i].away]
        for i in away:
            paths[i].append((position[i, 0], position[i, 1], stops[i]))
        on_street = walking.copy()
        on_street[away] = False
        active = np.flatnonzero(on_street)
        at_place = position[active, 0] <= arrivals.pause_x_m[active]
        pausing = at_place & (pause_s[active] > 0.0)
        pause_s[active[pausing]] -= TICK_S
        standing = pausing.astype(np.float64)
        target = waypoints[active, leg[active]]
        for place, i in enumerate(active.tolist()):
            if i in stops:
                standing[place] = stops[i]
                target[place] = visits[i].errand.spot_m
            paths[i].append((position[i, 0], position[i, 1], float(standing[place])))
        distance = np.linalg.norm(target - position[active], axis=1)
        speed = np.where(standing > 0.0, 0.0, arrivals.free_speed_m_s[active])
        position[active] = _step(position[active], target, speed, ways)
        arrived = (distance < _WAYPOINT_M) | (
            arrivals.towards[active]
            & (leg[active] == _TURN)
            & (position[active, 0] < layout.zone_far_x_m)
        )
        arrived &= ~np.isin(active, list(stops))
        ended = arrived & (leg[active] == _END)
        leg[active[arrived & ~ended]] += 1
        late = tick - start_tick[active] > longest_ticks[active]
        over = active[ended | late]
        walking[over] = False
        done[over] = True
    return [np.asarray(path).reshape(-1, 3) for path in paths]


def _plan_visits(arrivals: Arrivals, ways: Ways | None) -> dict[int, Visit]:
    """The visits of all who have an errand, by arrival."""
    return {
        i: Visit(errand if ways is None else errand.clear_of(ways), tick_s=TICK_S)
        for i, errand in enumerate(arrivals.errands)
        if errand is not None
    }


def _visit(
    visits: dict[int, Visit],
    position: NDArray[np.float64],
    leg: NDArray[np.intp],
    walking: NDArray[np.bool_],
) -> dict[int, float]:
    """Let a tick of every visit under way pass; return how its visitor stands.

    Whoever is on their way through a door is moved.
    """
    under_way = {
        i: visit
        for i, visit in visits.items()
        if walking[i] and leg[i] == _END and visit.step is not Step.OVER
    }
    if not under_way:
        return {}
    away = [i for i, visit in under_way.items() if visit.away]
    others = walking.copy()
    others[away] = False
    stops: dict[int, float] = {}
    for i, visit in under_way.items():
        door_free = not any(
            other.in_door and other.errand.door_x_m == visit.errand.door_x_m
            for number, other in under_way.items()
            if number != i
        )
        stops[i] = visit.advance(position[i], position[others], door_free=door_free)
    return {i: how for i, how in stops.items() if visits[i].step is not Step.OVER}


def _step(
    position: NDArray[np.float64],
    target: NDArray[np.float64],
    speed: NDArray[np.float64],
    ways: Ways | None,
) -> NDArray[np.float64]:
    """Where those at `position` (n, 2) are a tick later on their way to `target`."""
    if ways is not None:
        target = ways.head_for(position, target)
    to_target = target - position
    distance = np.linalg.norm(to_target, axis=1)
    desired = to_target / np.maximum(distance, 1e-9)[:, None]
    if ways is not None:
        desired = desired + ways.push(position)
    moved = position + _velocity(position, desired, speed) * TICK_S
    return moved if ways is None else ways.keep_out(moved, position)


def _velocity(
    position: NDArray[np.float64],
    desired: NDArray[np.float64],
    free_speed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Direction and speed of everybody, (n, 2) metres a second (Tordeux 2016)."""
    apart = position[:, None] - position[None]
    gap = np.linalg.norm(apart, axis=2)
    np.fill_diagonal(gap, _ALONE_M)
    unit = apart / np.maximum(gap, 1e-9)[..., None]
    # Equation 3: the direction bends away from neighbours, steeply with nearness.
    push = _REPULSION * np.exp(np.minimum((_DIAMETER_M - gap) / _RANGE_M, 3.0))
    direction = desired + (push[..., None] * unit).sum(axis=1)
    direction /= np.maximum(np.linalg.norm(direction, axis=1), 1e-9)[:, None]
    # Equations 4 and 5: the nearest neighbour within one's own width ahead.
    along = -np.einsum("ijk,ik->ij", unit, direction)
    across = np.abs(
        unit[..., 0] * direction[:, None, 1] - unit[..., 1] * direction[:, None, 0]
    )
    ahead = (along >= 0) & (across * gap <= _DIAMETER_M)
    headway = np.where(ahead, gap, np.inf).min(axis=1, initial=np.inf)
    speed = np.minimum(
        free_speed, np.maximum(0.0, (headway - _DIAMETER_M) / _TIME_GAP_S)
    )
    return np.asarray(direction * speed[:, None])
