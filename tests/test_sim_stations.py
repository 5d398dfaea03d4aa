"""A station: the SimPy model, its compiled twin, and its rules."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.fast_station import simulate_station
from sim.stations import JobEnd, Jobs, Station, simulate

NOBODY = np.zeros(0, np.int32), np.zeros(0), np.zeros(0)


@st.composite
def _places(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, servers = draw(st.integers(0, 60)), draw(st.integers(1, 4))
    load = draw(st.floats(0.2, 2.5))
    patience_s = rng.exponential(draw(st.floats(0.5, 5.0)), n)
    jobs = Jobs(
        arrival_s=np.cumsum(rng.exponential(1.0 / (load * servers), n)),
        service_s=rng.exponential(1.0, n),
        patience_s=patience_s if draw(st.booleans()) else np.full(n, np.inf),
        priority=rng.integers(0, draw(st.integers(1, 3)), n).astype(np.int32),
    )
    downs = []
    for server in range(servers):
        if draw(st.booleans()):
            down_s = float(rng.uniform(0.1, 10.0))
            downs.append((server, down_s, down_s + float(rng.uniform(0.1, 5.0))))
    downs.sort(key=lambda down: down[1])
    columns = list(zip(*downs, strict=True)) if downs else [(), (), ()]
    station = Station(
        n_servers=servers,
        capacity=draw(st.sampled_from([0, 1, 4, 100])),
        drops_oldest=draw(st.booleans()),
        down_server=np.array(columns[0], np.int32),
        down_s=np.array(columns[1], np.float64),
        up_s=np.array(columns[2], np.float64),
    )
    return jobs, station


@settings(max_examples=150, deadline=None)
@given(place=_places())
def test_kernel_and_simpy_agree_job_by_job(place):
    """Two tellings of one station end every job alike, at the same moment."""
    fast, slow = simulate_station(*place), simulate(*place)
    assert np.array_equal(fast.end, slow.end)
    for name in ("start_s", "done_s"):
        ours, theirs = getattr(fast, name), getattr(slow, name)
        assert np.allclose(ours, theirs, rtol=0.0, atol=1e-9, equal_nan=True), name
    assert np.allclose(fast.busy_s.sum(), slow.busy_s.sum())


@settings(max_examples=80, deadline=None)
@given(place=_places())
def test_arrivals_are_served_dropped_or_reneged(place):
    """Every job has one end, and none is served before it came."""
    jobs, station = place
    log = simulate_station(jobs, station)
    assert set(log.end) <= {int(end) for end in JobEnd}
    served = log.end == JobEnd.SERVED
    assert np.all(log.start_s[served] >= jobs.arrival_s[served])
    assert np.all(np.isnan(log.start_s[~served]))


def _jobs(arrivals_s, service_s, *, priority=None, patience_s=np.inf):
    n = len(arrivals_s)
    return Jobs(
        np.array(arrivals_s, float),
        np.full(n, float(service_s)),
        np.full(n, float(patience_s)),
        np.array(priority if priority is not None else [0] * n, np.int32),
    )


def test_full_queue_drops_newest_or_oldest_as_told():
    """One server, one place: of three, the third is refused, or the second goes."""
    jobs = _jobs([0.0, 0.1, 0.2], 1.0)
    newest = simulate_station(jobs, Station(1, 1, False, *NOBODY))
    oldest = simulate_station(jobs, Station(1, 1, True, *NOBODY))
    assert newest.end.tolist() == [JobEnd.SERVED, JobEnd.SERVED, JobEnd.DROPPED]
    assert oldest.end.tolist() == [JobEnd.SERVED, JobEnd.DROPPED, JobEnd.SERVED]


def test_the_urgent_pass_those_who_wait():
    """Of two who wait, the one of lower number goes first."""
    log = simulate_station(
        _jobs([0.0, 0.1, 0.2], 1.0, priority=[0, 1, 0]), Station(1, 9, False, *NOBODY)
    )
    assert np.allclose(log.start_s, [0.0, 2.0, 1.0])


def test_whoever_loses_patience_leaves():
    """A job that waits for longer than it can is gone before its turn."""
    log = simulate_station(
        _jobs([0.0, 0.1], 1.0, patience_s=0.5), Station(1, 9, False, *NOBODY)
    )
    assert log.end.tolist() == [JobEnd.SERVED, JobEnd.RENEGED]
    assert np.allclose(log.done_s, [1.0, 0.6])


def test_a_broken_server_takes_nothing_until_repaired():
    """The job in hand is ended, the next one waits for the repair."""
    station = Station(
        1, 9, False, np.array([0], np.int32), np.array([0.5]), np.array([4.0])
    )
    log = simulate_station(_jobs([0.0, 0.6], 1.0), station)
    assert np.allclose(log.start_s, [0.0, 4.0])
