"""Replicas and shards on a local Ray cluster; skipped where Ray is not installed."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from ray_workers import make_colours
from test_wire_target import N, PACKETS, PLAN, ends

from bench.driving.pacing import Pacing
from bench.driving.ray_opening import replicas_on_ray
from bench.driving.session import drive_target
from bench.errors import BenchError
from bench.host.ray_cluster import needs_cpus, ray_session
from matcher.cluster.shards import place_shards
from matcher.cluster.shift import shifted
from matcher.config import EngineConfig
from matcher.fusion import unit_length
from matcher.index_config import IndexConfig, ShardedConfig
from matcher.indexes.exact import ExactIndex
from matcher.records import Embeddings, Outcome

pytest.importorskip("ray", reason="the extra [ray] is not installed")

ENGINE = EngineConfig(workers=2, drop_policy="none", results_interval_s=0.02)


@pytest.fixture(scope="module")
def ray():
    """One local cluster for all tests: it takes seconds to start."""
    with ray_session(cpus=2) as joined:
        yield joined


def sit(ray, *, pacing=Pacing.OPEN, progress=lambda *_: None, told=None):
    """Drive the plan through two replicas."""
    return drive_target(
        PLAN,
        PACKETS,
        replicas_on_ray(
            ray,
            make_colours,
            ENGINE,
            clock=time.perf_counter_ns,
            told=(told if told is not None else []).append,
        ),
        pacing=pacing,
        in_flight=1,
        clock=time.perf_counter_ns,
        progress=progress,
    )


def test_replicas_share_the_cameras_and_end_every_frame(ray):
    """As one process would; stamps are of our clock."""
    session = sit(ray)
    assert all(end == (Outcome.PROCESSED, "") for end in ends(session).values())
    assert len(session.results) == 2 * N
    assert {a.subject_id for r in session.results for a in r.alerts} == {"blue", "red"}
    assert session.clock_check.passed
    assert session.system.threads[0] == ("replicas", 2)


def test_a_replica_that_dies_loses_only_what_was_in_flight(ray):
    """Those frames have failed and say so; its successor goes on with the camera."""
    n_in_flight = []

    def kill(task: str, done: int, _total: int) -> None:
        if task == "send frames" and done == 24:
            (name,) = [a for a in _replicas(ray)[:1]]
            n_in_flight.append(name)

    told: list[str] = []
    session = sit(ray, progress=kill, told=told)
    found = ends(session)
    assert len(found) == 2 * N
    lost = [key for key, end in found.items() if end[1].startswith("lost: replica")]
    kept = [key for key, end in found.items() if end[0] is Outcome.PROCESSED]
    assert len(lost) + len(kept) == 2 * N
    assert len({camera for camera, _ in lost}) <= 1
    assert len(lost) < N // 2
    assert {N - 1} == {index for camera, index in kept if index == N - 1}
    assert session.drive.lost == ""
    assert told == [
        told[0]
    ]
    assert f"{len(lost)} frames in flight" in told[0]
