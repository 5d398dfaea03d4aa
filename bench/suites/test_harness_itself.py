"""The instrument's own speed: packets through a system that does nothing, and joins."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bench.accuracy.association import TruthJoin
from bench.driving.oracle import Oracle
from bench.driving.pacing import Pacing
from bench.driving.session import drive_target
from bench.driving.targets import null_process
from bench.intervals.bootstrap import clustered_proportion
from bench.load.feeds import feed_of
from bench.load.settings import LoadConfig
from bench.running.rig import rig_of
from bench.timing.latency import percentile
from matcher.inbox import Waiting

pytestmark = [pytest.mark.perf]


@pytest.mark.benchmark(group="scenario")
def test_thousand_frames_into_the_null_system(benchmark, crowd):
    """Ten cameras of 100 frames, unhurried: pickled, piped, acknowledged."""
    load = LoadConfig(cameras=10)
    rig = rig_of(crowd, [feed_of(crowd.clips[0])], load, rng=np.random.default_rng(1))

    def drive():
        return drive_target(
            rig.plan,
            rig.packets,
            null_process(),
            pacing=Pacing.UNHURRIED,
            in_flight=1,
            clock=time.perf_counter_ns,
            progress=lambda *_: None,
        )

    session = benchmark.pedantic(drive, rounds=3)
    assert len(session.results) == len(rig.plan) == 1000


@pytest.mark.benchmark(group="stage")
def test_join_with_the_truth(benchmark, crowd, encoded):
    """Every box of a clip put to the account of a passage."""
    oracle = Oracle(crowd, clock=time.perf_counter_ns)
    results = oracle.handle([_waiting(frame) for frame in encoded])
    n_boxes = sum(len(r.boxes) for r in results)
    join = benchmark(TruthJoin, crowd.clips, results)
    found = sum(len(join.detected(p)) for p in crowd.clips[0].passages)
    assert found == n_boxes > 0


@pytest.mark.benchmark(group="micro")
def test_percentile_of_twenty_thousand_latencies(benchmark):
    """With its effective sample sizes."""
    series = np.random.default_rng(2).exponential(1.0, 20_000)
    assert benchmark(percentile, series, level=0.99).n == 20_000


@pytest.mark.benchmark(group="micro")
def test_two_thousand_resamples_of_two_hundred_people(benchmark):
    """One clustered rate."""
    rng = np.random.default_rng(3)
    people = [f"p{k % 200}" for k in range(600)]
    events = (rng.random(600) < 0.2).tolist()
    found = benchmark(clustered_proportion, events, people, rng=rng)
    assert found.n == 600


def _waiting(frame):
    return Waiting(
        frame=frame,
        received_ns=frame.capture_time_ns,
        arrival=frame.index,
        overtaken_by=0,
    )
