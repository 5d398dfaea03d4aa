"""A gallery too large for one node: its parts are actors, asked all at once.

Owns the placing of the parts and the way to them. A part that dies is started again
by Ray, from the templates in its object store, and the search that it owed is asked
again: searching changes nothing, so nothing is lost but time. Knows nothing of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

# Importing the package registers the indexes.
import matcher.indexes  # noqa: F401
from matcher.indexes.sharded import ShardedSearch, cut
from matcher.records import CandidateLists, Embeddings
from matcher.registry import INDEXES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig

__all__ = ["PlacedShards", "RayShard", "ShardKeeper", "place_shards"]

# Templates in the store, templates and structure in the actor.
_COPIES = 2
# FAISS, NumPy and an interpreter.
_BARE_BYTES = 200 * 2**20


class ShardKeeper:
    """Keeps one part of a gallery, and searches it.

    Args:
        config: How it is indexed (`config.sharded.of`).
        templates: (n, d) float32, of this part.
    """

    def __init__(self, config: IndexConfig, templates: NDArray[np.float32]) -> None:
        faiss.omp_set_num_threads(1)
        self._index = INDEXES.make(config.sharded.of, config, templates)

    def size(self) -> int:
        """How many templates it keeps; says that it is ready."""
        return len(self._index.templates)

    def place(self) -> str:
        """Say on which node it lives."""
        import ray  # noqa: PLC0415 - an extra

        return str(ray.get_runtime_context().get_node_id())

    def search(
        self, vectors: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return rows and scores of the k best of this part, for each probe."""
        found = self._index.search(Embeddings(vectors=np.array(vectors)), k=k)
        return found.rows, found.scores


class RayShard:
    """One part, as whoever searches sees it; it can be sent to other processes.

    Attributes:
        keeper: The handle of the actor.
    """

    def __init__(self, keeper: Any) -> None:  # noqa: ANN401 - an actor's handle
        self.keeper = keeper

    def ask(self, probes: Embeddings, *, k: int) -> Callable[[], CandidateLists]:
        """Begin a search there."""
        import ray  # noqa: PLC0415 - an extra

        answer = self.keeper.search.remote(probes.vectors, k)

        def wait() -> CandidateLists:
            rows, scores = ray.get(answer)
            return CandidateLists(rows=rows, scores=scores)

        return wait


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedShards:
    """A gallery that has been placed.

    Attributes:
        search: Over all of it; can be sent to other processes.
        keepers: Handles of the actors, in order of enrolment.
        stored: The templates of each in Ray's store: a keeper that is started again
            reads them there, so they must not be let go before it is.
    """

    search: ShardedSearch
    keepers: tuple[Any, ...]
    stored: tuple[Any, ...]

    def release(self) -> None:
        """End the keepers; nobody searches them any more."""
        import ray  # noqa: PLC0415 - an extra

        for keeper in self.keepers:
            ray.kill(keeper)


def place_shards(config: IndexConfig, templates: NDArray[np.float32]) -> PlacedShards:
    """Place the parts of a gallery on the nodes of the cluster that was joined.

    Ray spreads them, each where its memory is free.

    Args:
        config: How many parts, and how each is indexed.
        templates: (n, d) float32, of the whole gallery.
    """
    import ray  # noqa: PLC0415 - an extra

    parts = cut(len(templates), config.sharded.shards)
    stored = [ray.put(templates[part]) for part in parts]
    actor: Any = ray.remote(ShardKeeper)
    keepers = [
        actor.options(
            # A part waits for probes most of the time: no processor of its own.
            num_cpus=0,
            memory=_COPIES * templates[part].nbytes + _BARE_BYTES,
            scheduling_strategy="SPREAD",
            max_restarts=-1,
            max_task_retries=-1,
        ).remote(config, there)
        for part, there in zip(parts, stored, strict=True)
    ]
    ray.get([keeper.size.remote() for keeper in keepers])
    return PlacedShards(
        search=ShardedSearch(
            [RayShard(keeper) for keeper in keepers], [part.start for part in parts]
        ),
        keepers=tuple(keepers),
        stored=tuple(stored),
    )
