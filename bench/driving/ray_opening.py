"""How replicas and the parts of a gallery are placed on a Ray cluster, and released.

Owns what is asked of Ray: processors, memory, restarts. Knows nothing of frames.
Part of the shell.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.driving.ray_target import RayTarget
from bench.host.ray_cluster import needs_cpus, ray_session
from matcher.assembly import alert_threshold
from matcher.cluster.replica import (
    FarGallery,
    Replica,
    make_far_worker,
    make_near_worker,
)
from matcher.cluster.shards import place_shards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.driving.target import Ledger, OpenTarget, Target
    from matcher.config import EngineConfig, MatcherConfig
    from matcher.gallery import Gallery
    from matcher.messages import SystemDescription
    from matcher.worker import Worker

__all__ = ["matcher_on_a_cluster", "matcher_on_ray", "replicas_on_ray"]


def matcher_on_a_cluster(
    config: MatcherConfig,
    gallery: Gallery,
    *,
    clock: Callable[[], int],
    told: Callable[[str], None],
) -> OpenTarget:
    """Join a cluster and run the matcher there; see `matcher_on_ray`.

    Raises:
        BenchError: If Ray is absent, or its cluster cannot be joined.
    """

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        with (
            ray_session(cpus=config.engine.workers) as ray,
            matcher_on_ray(ray, config, gallery, clock=clock, told=told)(
                ledger
            ) as target,
        ):
            yield target

    return opened


def matcher_on_ray(
    ray: Any,  # noqa: ANN401 - the module
    config: MatcherConfig,
    gallery: Gallery,
    *,
    clock: Callable[[], int],
    told: Callable[[str], None],
) -> OpenTarget:
    """Run `config.engine.workers` replicas of the matcher on a Ray cluster.

    With `config.index.name` "sharded" the gallery's parts are actors of their own, and
    no replica holds a template; else each holds all of them.

    Args:
        ray: The module, joined to a cluster.
        config: The matcher's settings.
        gallery: Whom it looks for.
        clock: Nanoseconds.
        told: Given a sentence on each replica that died.
    """

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        if config.index.name != "sharded":
            stored = ray.put(gallery)
            make = partial(_make_near, config, [stored])
            with replicas_on_ray(ray, make, config.engine, clock=clock, told=told)(
                ledger
            ) as target:
                yield target
            return
        placed = place_shards(config.index, gallery.templates)
        try:
            far = FarGallery(
                index=placed.search,
                subject_ids=gallery.subject_ids,
                threshold=alert_threshold(config, placed.search),
                description=(
                    f"{len(placed.keepers)} shards of {config.index.sharded.of}"
                ),
            )
            make = partial(_make_far, config, [ray.put(far)])
            with replicas_on_ray(ray, make, config.engine, clock=clock, told=told)(
                ledger
            ) as target:
                yield target
        finally:
            placed.release()

    return opened


def replicas_on_ray(
    ray: Any,  # noqa: ANN401 - the module
    make: Callable[[], tuple[Worker, SystemDescription]],
    engine: EngineConfig,
    *,
    clock: Callable[[], int],
    told: Callable[[str], None],
) -> OpenTarget:
    """Run replicas of any worker on a Ray cluster.

    Args:
        ray: The module, joined to a cluster.
        make: Makes a replica's worker, there.
        engine: How many replicas, and how often each may die.
        clock: Nanoseconds.
        told: Given a sentence on each replica that died.
    """

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        needs_cpus(ray, engine.workers, what="matcher replicas")
        actor = ray.remote(
            num_cpus=1,
            # Frames are stateful: a call that died with its replica is not repeated.
            max_restarts=engine.max_restarts,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
            concurrency_groups={"work": 1},
        )(Replica)
        actors = [actor.remote(engine, make) for _ in range(engine.workers)]
        target = RayTarget(ray, actors, ledger, clock=clock, told=told)
        try:
            yield target
        finally:
            target.close()

    return opened


def _make_near(
    config: MatcherConfig, stored: list[Any]
) -> tuple[Worker, SystemDescription]:
    """Make a worker from a gallery in Ray's store; lists keep Ray from fetching it."""
    import ray  # noqa: PLC0415 - an extra

    return make_near_worker(config, ray.get(stored[0]))


def _make_far(
    config: MatcherConfig, stored: list[Any]
) -> tuple[Worker, SystemDescription]:
    import ray  # noqa: PLC0415 - an extra

    return make_far_worker(config, ray.get(stored[0]))
