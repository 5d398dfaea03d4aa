"""The station, compiled: the same rules as `stations.py`, millions of jobs a second.

Owns an event loop over three kinds of moments: a job comes, a server is free or
repaired, a waiting job gives up. Knows nothing of what a job is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from sim.stations import JobEnd, empty_station_log

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.stations import Jobs, Station, StationLog

__all__ = ["simulate_station"]

_SERVED, _DROPPED = int(JobEnd.SERVED), int(JobEnd.DROPPED)
_RENEGED = int(JobEnd.RENEGED)


def simulate_station(jobs: Jobs, station: Station) -> StationLog:
    """Serve every job; see `stations.simulate`."""
    log = empty_station_log(len(jobs.arrival_s), station.n_servers)
    _serve(jobs, station, log)
    return log


@njit(cache=True, nogil=True)
def _serve(jobs: Jobs, station: Station, log: StationLog) -> None:
    n = len(jobs.arrival_s)
    # A ring would save the shifting; queues that settle are short.
    waiting = np.empty(min(station.capacity, n) + 1, np.int64)
    n_waiting = 0
    free_s = np.full(station.n_servers, -np.inf)
    coming = 0
    # Everything before this moment has happened.
    clock_s = -np.inf
    while coming < n or n_waiting > 0:
        arrival_s = jobs.arrival_s[coming] if coming < n else np.inf
        if n_waiting > 0:
            server, start_s = _first_free(free_s, clock_s, station)
            n_waiting = _renege(waiting, n_waiting, min(start_s, arrival_s), jobs, log)
            if n_waiting > 0 and start_s <= arrival_s:
                clock_s = start_s
                chosen = _choose(waiting, n_waiting, jobs)
                row = waiting[chosen]
                n_waiting = _remove(waiting, n_waiting, chosen)
                _start(row, server, start_s, free_s, jobs, log)
                continue
        if coming >= n:
            continue
        clock_s = arrival_s
        server, start_s = _first_free(free_s, clock_s, station)
        row = coming
        coming += 1
        if start_s <= arrival_s and n_waiting == 0:
            _start(row, server, arrival_s, free_s, jobs, log)
        elif n_waiting < station.capacity:
            waiting[n_waiting] = row
            n_waiting += 1
        else:
            dropped = row
            if station.drops_oldest and n_waiting > 0:
                dropped = waiting[0]
                n_waiting = _remove(waiting, n_waiting, 0)
                waiting[n_waiting] = row
                n_waiting += 1
            log.end[dropped] = _DROPPED
            log.done_s[dropped] = arrival_s


@njit(cache=True, nogil=True)
def _start(
    row: int,
    server: int,
    start_s: float,
    free_s: NDArray[np.float64],
    jobs: Jobs,
    log: StationLog,
) -> None:
    log.start_s[row] = start_s
    log.done_s[row] = start_s + jobs.service_s[row]
    log.end[row] = _SERVED
    log.busy_s[server] += jobs.service_s[row]
    free_s[server] = log.done_s[row]


@njit(cache=True, nogil=True)
def _available_s(
    server: int, free_s: NDArray[np.float64], not_before_s: float, station: Station
) -> float:
    """When a server may take a job: free, and not down at that moment."""
    at_s = max(free_s[server], not_before_s)
    for which in range(len(station.down_s)):
        if station.down_server[which] != server:
            continue
        if station.down_s[which] <= at_s < station.up_s[which]:
            at_s = station.up_s[which]
    return float(at_s)


@njit(cache=True, nogil=True)
def _first_free(
    free_s: NDArray[np.float64], not_before_s: float, station: Station
) -> tuple[int, float]:
    """The server that is available first, the lowest number of several."""
    best, best_s = -1, np.inf
    for server in range(station.n_servers):
        at_s = _available_s(server, free_s, not_before_s, station)
        if at_s < best_s:
            best, best_s = server, at_s
    return best, best_s


@njit(cache=True, nogil=True)
def _choose(waiting: NDArray[np.int64], n_waiting: int, jobs: Jobs) -> int:
    """Place of the job whose turn it is: by priority, then by arrival."""
    best = 0
    for place in range(1, n_waiting):
        if jobs.priority[waiting[place]] < jobs.priority[waiting[best]]:
            best = place
    return best


@njit(cache=True, nogil=True)
def _remove(waiting: NDArray[np.int64], n_waiting: int, place: int) -> int:
    for k in range(place, n_waiting - 1):
        waiting[k] = waiting[k + 1]
    return n_waiting - 1


@njit(cache=True, nogil=True)
def _renege(
    waiting: NDArray[np.int64],
    n_waiting: int,
    until_s: float,
    jobs: Jobs,
    log: StationLog,
) -> int:
    """Let those give up whose patience ends before the next arrival or service."""
    place = 0
    while place < n_waiting:
        row = waiting[place]
        gives_up_s = jobs.arrival_s[row] + jobs.patience_s[row]
        if gives_up_s < until_s:
            log.end[row] = _RENEGED
            log.done_s[row] = gives_up_s
            n_waiting = _remove(waiting, n_waiting, place)
        else:
            place += 1
    return n_waiting
