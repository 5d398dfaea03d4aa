"""A station told as SimPy processes: servers, a queue with rules, breakdowns.

Owns what happens between a job's arrival and its end at one place: review by
operators, embedding on a shared accelerator, any queue that theory knows. The
compiled twin is `fast_station.py`; both must agree job by job. Knows nothing of what a
job is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import simpy

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    Steps = Generator[simpy.Event, object, None]

__all__ = ["JobEnd", "Jobs", "Station", "StationLog", "empty_station_log", "simulate"]


class JobEnd(IntEnum):
    """What became of a job; every job has exactly one end."""

    SERVED = 0
    DROPPED = 1
    RENEGED = 2


class Jobs(NamedTuple):
    """Work that comes to a station, n rows in order of arrival.

    Attributes:
        arrival_s: (n,) float64, ascending.
        service_s: (n,) float64.
        patience_s: (n,) float64, how long each waits before it gives up; inf if for
            ever.
        priority: (n,) int32, lower is served first.
    """

    arrival_s: NDArray[np.float64]
    service_s: NDArray[np.float64]
    patience_s: NDArray[np.float64]
    priority: NDArray[np.int32]


class Station(NamedTuple):
    """Servers and the rules of their queue.

    Attributes:
        n_servers: 1 or more.
        capacity: Jobs that may wait.
        drops_oldest: A full queue drops the job that would be served last among the
            oldest, else the one that comes.
        down_server: (d,) int32, whose breakdowns follow, ascending by time; a server
            that breaks down ends what it has in hand and takes nothing until repaired.
        down_s, up_s: (d,) float64.
    """

    n_servers: int
    capacity: int
    drops_oldest: bool
    down_server: NDArray[np.int32]
    down_s: NDArray[np.float64]
    up_s: NDArray[np.float64]


class StationLog(NamedTuple):
    """What became of jobs.

    Attributes:
        end: (n,) int8, a `JobEnd`.
        start_s: (n,) float64, when service began; NaN if it never did.
        done_s: (n,) float64, when the end came.
        busy_s: (c,) float64, time in which each server was at work.
    """

    end: NDArray[np.int8]
    start_s: NDArray[np.float64]
    done_s: NDArray[np.float64]
    busy_s: NDArray[np.float64]


def empty_station_log(n: int, n_servers: int) -> StationLog:
    """Make room for the ends of `n` jobs."""
    return StationLog(
        end=np.full(n, -1, np.int8),
        start_s=np.full(n, np.nan),
        done_s=np.full(n, np.nan),
        busy_s=np.zeros(n_servers),
    )


@dataclass(slots=True, kw_only=True, eq=False)
class _Place:
    """What the station's processes share.

    Attributes:
        waiting: Rows of those who wait, in order of arrival.
        idle: Servers at rest, by number.
        down: Servers that may take nothing.
        up_s: Until when each of those is down.
    """

    jobs: Jobs
    station: Station
    log: StationLog
    waiting: list[int] = field(default_factory=list)
    idle: set[int] = field(default_factory=set)
    down: set[int] = field(default_factory=set)


def simulate(jobs: Jobs, station: Station) -> StationLog:
    """Serve every job by SimPy processes.

    Args:
        jobs: What comes.
        station: Who serves.
    """
    env = simpy.Environment()
    log = empty_station_log(len(jobs.arrival_s), station.n_servers)
    place = _Place(jobs=jobs, station=station, log=log)
    place.idle = set(range(station.n_servers))
    for which in range(len(station.down_s)):
        env.process(_breakdown(env, place, which))
    env.process(_arrivals(env, place))
    env.run()
    return log


def _arrivals(env: simpy.Environment, place: _Place) -> Steps:
    jobs, log, rules = place.jobs, place.log, place.station
    for row, arrival_s in enumerate(jobs.arrival_s.tolist()):
        yield env.timeout(max(arrival_s - env.now, 0.0))
        if not (place.idle - place.down) and len(place.waiting) >= rules.capacity:
            dropped = row
            if rules.drops_oldest and place.waiting:
                dropped = place.waiting.pop(0)
                place.waiting.append(row)
            log.end[dropped], log.done_s[dropped] = JobEnd.DROPPED, env.now
            if dropped == row:
                continue
        else:
            place.waiting.append(row)
        if np.isfinite(jobs.patience_s[row]):
            env.process(_patience(env, place, row))
        _serve_next(env, place)


def _patience(env: simpy.Environment, place: _Place, row: int) -> Steps:
    """Let a job give up unless it has been taken by then."""
    yield env.timeout(float(place.jobs.patience_s[row]))
    if row in place.waiting:
        place.waiting.remove(row)
        place.log.end[row], place.log.done_s[row] = JobEnd.RENEGED, env.now


def _serve_next(env: simpy.Environment, place: _Place) -> None:
    """Give waiting jobs to servers at rest."""
    while place.waiting and (free := place.idle - place.down):
        row = min(place.waiting, key=lambda k: (int(place.jobs.priority[k]), k))
        place.waiting.remove(row)
        server = min(free)
        place.idle.remove(server)
        env.process(_service(env, place, row, server))


def _service(env: simpy.Environment, place: _Place, row: int, server: int) -> Steps:
    log = place.log
    log.start_s[row] = env.now
    yield env.timeout(float(place.jobs.service_s[row]))
    log.end[row], log.done_s[row] = JobEnd.SERVED, env.now
    log.busy_s[server] += env.now - log.start_s[row]
    place.idle.add(server)
    _serve_next(env, place)


def _breakdown(env: simpy.Environment, place: _Place, which: int) -> Steps:
    station = place.station
    server = int(station.down_server[which])
    yield env.timeout(float(station.down_s[which]))
    place.down.add(server)
    yield env.timeout(float(station.up_s[which] - station.down_s[which]))
    place.down.discard(server)
    _serve_next(env, place)
