"""A gallery of a million in parts on two Ray nodes, and the death of an actor in a run.

`python -m bench.suites.ray_gallery [--templates N] [--shards S]`, on a local cluster
of two nodes (`ray.cluster_utils.Cluster`): (1) the candidates of the sharded gallery
against those of one exhaustive index, ties aside; (2) the same after a keeper was
killed; (3) a run of two matcher replicas, one killed: what became of every frame.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections import Counter
from pathlib import Path

import faiss
import numpy as np
import psutil
from rich.console import Console

from bench.driving.pacing import Pacing
from bench.driving.ray_opening import matcher_on_ray
from bench.driving.session import drive_target
from bench.host.ray_cluster import ray_session
from bench.running.enrolment import enrol_watchlist
from bench.running.rig import make_rig
from commands.crowd import crowd_of
from matcher.cluster.shards import place_shards
from matcher.fusion import unit_length
from matcher.index_config import IndexConfig, ShardedConfig
from matcher.records import Embeddings
from matcher.registry import INDEXES
from scenarios import loader
from scenarios.streams import Stream, Streams

_say = Console(soft_wrap=True, highlight=False).print

TIE = 1e-6


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--templates", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--probes", type=int, default=200)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--scenario", default="smoke")
    parser.add_argument("--cache", type=Path, default=Path(".cache/crowds"))
    parser.add_argument("--without-run", action="store_true")
    asked = parser.parse_args()
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - an extra

    cluster = Cluster()
    for _ in range(2):
        cluster.add_node(num_cpus=2, object_store_memory=700 * 2**20)
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        with ray_session(cpus=2) as ray:
            nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
            _say(f"Ray {ray.__version__}: {len(nodes)} nodes")
            compare(ray, asked)
            if not asked.without_run:
                kill_in_a_run(ray, asked)
    finally:
        cluster.shutdown()


def compare(ray, asked) -> None:
    """Search both ways."""
    faiss.omp_set_num_threads(1)
    config = IndexConfig(name="sharded", sharded=ShardedConfig(shards=asked.shards))
    rng = np.random.default_rng(20)
    templates = rng.standard_normal((asked.templates, 128), dtype=np.float32)
    templates = unit_length(templates)
    # Half the probes are near somebody enrolled, half near nobody.
    probes = rng.standard_normal((asked.probes, 128), dtype=np.float32)
    mates = rng.integers(asked.templates, size=asked.probes // 2)
    probes[: len(mates)] = templates[mates] * 8.0 + 0.5 * probes[: len(mates)]
    probes = unit_length(probes)
    single = INDEXES.make("faiss_flat", config, templates)
    began_s = time.perf_counter()
    one = single.search(Embeddings(vectors=probes), k=asked.k + 1)
    single_s = time.perf_counter() - began_s
    placed = place_shards(config, templates)
    places = {ray.get(keeper.place.remote()) for keeper in placed.keepers}
    began_s = time.perf_counter()
    many = placed.search.search(Embeddings(vectors=probes.copy()), k=asked.k)
    sharded_s = time.perf_counter() - began_s
    _say(
        f"{asked.templates:,} templates, {asked.shards} shards on {len(places)} nodes, "
        f"{asked.probes} probes, k = {asked.k}: single {single_s:.2f} s, "
        f"sharded {sharded_s:.2f} s"
    )
    _say("equal candidates:", _verdict(one, many))
    ray.kill(placed.keepers[0], no_restart=False)
    began_s = time.perf_counter()
    again = placed.search.search(Embeddings(vectors=probes.copy()), k=asked.k)
    waited_s = time.perf_counter() - began_s
    _say(f"after a keeper was killed, {waited_s:.2f} s later:", _verdict(one, again))
    placed.release()


def _verdict(one, many) -> str:
    """Count probes whose candidates are the same, but for ties."""
    k = many.rows.shape[1]
    same = exact = 0
    for row in range(len(many.rows)):
        a, b = one.rows[row, :k], many.rows[row]
        exact += bool(np.array_equal(a, b))
        edge = one.scores[row, k - 1]
        # Whoever is clearly better than the last must be there; the rest may tie.
        sure = set(one.rows[row, :k][one.scores[row, :k] > edge + TIE].tolist())
        may = set(one.rows[row][one.scores[row] >= edge - TIE].tolist())
        found = set(b.tolist())
        scores_agree = np.allclose(one.scores[row, :k], many.scores[row], atol=TIE)
        same += bool(sure <= found <= may and scores_agree)
    return f"{same}/{len(many.rows)} probes, {exact} of them in the same order"


def kill_in_a_run(ray, asked) -> None:
    """Drive two replicas on time and kill one in the middle."""
    settings = loader.load(
        asked.scenario,
        overrides=[
            "load.cameras=2",
            "matcher.engine.workers=2",
            "matcher.index.name=sharded",
            "matcher.index.sharded.shards=2",
        ],
    )

    def quiet(_task: str, _done: int, _total: int) -> None:
        """Say nothing of single steps."""

    crowd = crowd_of(settings, cache=asked.cache, workers=None, progress=quiet)
    rng = Streams(seed=settings.scenario.seed).generator(Stream.ARRIVALS)
    rig = make_rig(crowd, settings.load, rng=rng)
    enrolment = enrol_watchlist(crowd.watchlist, settings.matcher, progress=quiet)
    told: list[str] = []

    def kill(task: str, done: int, total: int) -> None:
        if task == "send frames" and done == total // 2:
            replicas = [
                p.pid
                for p in psutil.process_iter(["name"])
                if (p.info["name"] or "").startswith("ray::Replica")
            ]
            os.kill(replicas[0], signal.SIGKILL)

    session = drive_target(
        rig.plan,
        rig.packets,
        matcher_on_ray(
            ray,
            settings.matcher,
            enrolment.gallery,
            clock=time.perf_counter_ns,
            told=told.append,
        ),
        pacing=Pacing.OPEN,
        in_flight=1,
        clock=time.perf_counter_ns,
        progress=kill,
    )
    ends = Counter(
        f"{r.outcome.outcome}: {r.outcome.cause.split(':')[0] or 'whole'}"
        for r in session.results
    )
    _say(f"run of {len(rig.plan)} frames, a replica killed half-way:")
    _say(f"  {len(session.results)} ended once each; {dict(ends)}")
    _say(" ", *told)


if __name__ == "__main__":
    main()
