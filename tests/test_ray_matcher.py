"""Replicas and shards on a local Ray cluster; skipped where Ray is not installed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from ray_workers import make_colours
from test_wire_target import PACKETS, PLAN, N, ended, ends

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

pytestmark = [
    pytest.mark.slow,
    # Ray's own processes are still on their way out when it has shut down.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ENGINE = EngineConfig(workers=2, drop_policy="none", results_interval_s=0.02)


@pytest.fixture(scope="module")
def ray():
    """One local cluster for all tests: it takes seconds to start."""
    pytest.importorskip("ray", reason="the extra [ray] is not installed")
    tests = Path(__file__).parent
    before = os.environ.get("PYTHONPATH", "")
    # Its workers import the doubles.
    os.environ["PYTHONPATH"] = f"{tests}:{tests.parent}:{before}"
    try:
        with ray_session(cpus=2) as joined:
            yield joined
    finally:
        os.environ["PYTHONPATH"] = before


def sit(ray, *, progress=lambda *_: None):
    """Drive the plan through two replicas; return what came, and remarks."""
    told: list[str] = []
    session = drive_target(
        PLAN,
        PACKETS,
        replicas_on_ray(
            ray,
            make_colours,
            ENGINE,
            clock=time.perf_counter_ns,
            told=told.append,
        ),
        pacing=Pacing.OPEN,
        in_flight=1,
        clock=time.perf_counter_ns,
        progress=progress,
    )
    return session, told


def test_replicas_share_the_cameras_and_end_every_frame(ray):
    """As one process would; stamps are of our clock."""
    session, told = sit(ray)
    assert all(end == (Outcome.PROCESSED, "") for end in ends(session).values())
    assert len(session.results) == 2 * N
    assert {a.subject_id for r in session.results for a in r.alerts} == {"blue", "red"}
    assert session.clock_check.passed
    assert session.system.threads[0] == ("replicas", 2)
    assert told == []


def test_a_replica_that_dies_loses_only_what_was_in_flight(ray):
    """Those frames have failed and say so; its successor goes on with the camera."""

    def kill(task: str, done: int, _total: int) -> None:
        if task == "send frames" and done == 24:
            os.kill(_a_replica(), signal.SIGKILL)

    session, told = sit(ray, progress=kill)
    found = ends(session)
    assert len(found) == 2 * N
    lost = {key for key, end in found.items() if end[1].startswith("lost: replica")}
    assert all(found[key][0] is Outcome.PROCESSED for key in found.keys() - lost)
    # One camera's, from the moment of the death at most to the next key frame.
    assert len({camera for camera, _ in lost}) <= 1
    assert all(8 <= index < 20 for _, index in lost)
    assert session.drive.lost == ""
    assert len(told) == 1
    assert f"{len(lost)} frames in flight were lost" in told[0]


def _a_replica() -> int:
    family = psutil.Process().children(recursive=True)
    return next(p.pid for p in family if p.name().startswith("ray::Replica"))


def test_a_sharded_gallery_finds_what_one_index_finds(ray):
    """Also after one of its keepers was killed: Ray starts it again and asks anew."""
    rng = np.random.default_rng(8)
    gallery = unit_length(rng.normal(size=(3001, 32)).astype(np.float32))
    probes = unit_length(rng.normal(size=(9, 32)).astype(np.float32))
    config = IndexConfig(name="sharded", sharded=ShardedConfig(shards=3, of="exact"))
    exact = ExactIndex(gallery).search(Embeddings(vectors=probes), k=6)
    placed = place_shards(config, gallery)
    for kill in (False, True):
        if kill:
            ray.kill(placed.keepers[1], no_restart=False)
        found = placed.search.search(Embeddings(vectors=probes.copy()), k=6)
        assert np.array_equal(found.rows, exact.rows)
        assert found.scores == pytest.approx(exact.scores, abs=1e-6)
    placed.release()


def test_more_replicas_than_processors_are_refused(ray):
    """Ray would wait for them for ever."""
    with pytest.raises(BenchError, match="need 3 processors, got a Ray cluster of 2"):
        needs_cpus(ray, 3, what="matcher replicas")


def test_another_machines_stamps_are_told_as_ours():
    """Every stamp moves; the capture time was ours from the start."""
    result = ended(3)
    moved = shifted(result, 1000)
    assert moved.outcome.done_ns == result.outcome.done_ns + 1000
    assert moved.outcome.received_ns == result.outcome.received_ns + 1000
    assert moved.outcome.capture_time_ns == result.outcome.capture_time_ns
    assert shifted(moved, -1000) == result
