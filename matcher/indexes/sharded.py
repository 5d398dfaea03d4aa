"""A gallery in parts, each with an index of its own; what they find is merged.

Owns the cutting, the asking of all parts at once, and the files. Same candidates as
one index over the whole. On one machine it serves galleries whose structure is better
made in parts; on many, parts live where there is room (`matcher.cluster.shards`).
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from matcher.errors import GalleryError
from matcher.indexes.faiss_index import checked
from matcher.indexes.merging import merge_candidates
from matcher.registry import INDEX_READERS, INDEXES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.index_config import IndexConfig
    from matcher.protocols import StoredIndex
    from matcher.records import CandidateLists, Embeddings

__all__ = ["HereShard", "Shard", "ShardedIndex", "ShardedSearch", "cut"]


class Shard(Protocol):
    """One part of a gallery, wherever it is."""

    def ask(self, probes: Embeddings, *, k: int) -> Callable[[], CandidateLists]:
        """Begin a search; what is returned waits for its end."""
        ...


class HereShard:
    """A part whose index is in this process: it searches when its answer is wanted."""

    def __init__(self, index: StoredIndex) -> None:
        self.index = index

    def ask(self, probes: Embeddings, *, k: int) -> Callable[[], CandidateLists]:
        """Promise a search."""
        return lambda: self.index.search(probes, k=k)


class ShardedSearch:
    """Asks every part at once and merges what they find.

    Args:
        shards: In order of enrolment.
        first_rows: Row of each one's first template in the whole gallery.
    """

    def __init__(self, shards: Sequence[Shard], first_rows: Sequence[int]) -> None:
        self._shards = tuple(shards)
        self._first_rows = tuple(first_rows)

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Return the k best of the whole gallery for each probe, best first."""
        # All are asked before any is heard: those elsewhere search meanwhile.
        answers = [shard.ask(probes, k=k) for shard in self._shards]
        return merge_candidates([answer() for answer in answers], self._first_rows, k=k)


class ShardedIndex(ShardedSearch):
    """All parts in this process, over one array of templates.

    Args:
        indexes: In order of enrolment.
        templates: (n, d) float32, of the whole gallery.
    """

    def __init__(
        self, indexes: Sequence[StoredIndex], templates: NDArray[np.float32]
    ) -> None:
        sizes = [len(index.templates) for index in indexes]
        if sum(sizes) != len(templates):
            message = (
                f"an index must hold the gallery's {len(templates)} templates, got "
                f"{sum(sizes)} of {templates.shape[1]} numbers in {len(sizes)} parts; "
                "make it again"
            )
            raise GalleryError(message)
        first_rows = np.concatenate([[0], np.cumsum(sizes)[:-1]]).tolist()
        super().__init__([HereShard(index) for index in indexes], first_rows)
        self._indexes = tuple(indexes)
        self._templates = templates

    @property
    def templates(self) -> NDArray[np.float32]:
        """What it was made over: (n, d), in the order of its rows."""
        return self._templates

    @property
    def n_bytes(self) -> int:
        """Memory of its structures, beside the templates."""
        return sum(index.n_bytes for index in self._indexes)

    def save(self, path: Path) -> None:
        """Write a list of the parts, and each part's structure to a file beside it."""
        for number, index in enumerate(self._indexes):
            index.save(_part(path, number))
        sizes = [len(index.templates) for index in self._indexes]
        path.write_text(json.dumps({"sizes": sizes}), encoding="utf-8")


def cut(n_templates: int, n_shards: int) -> tuple[slice, ...]:
    """Cut a gallery into parts that differ by one template at most; none is empty."""
    n_shards = min(n_shards, n_templates)
    edges = [n_templates * part // n_shards for part in range(n_shards + 1)]
    return tuple(slice(a, b) for a, b in pairwise(edges))


@INDEXES.register("sharded")
def make(config: IndexConfig, templates: NDArray[np.float32]) -> ShardedIndex:
    """Index the templates (n, d) of a gallery, part by part."""
    templates = checked(templates)
    of = config.sharded.of
    return ShardedIndex(
        [
            INDEXES.make(of, config, templates[part])
            for part in cut(len(templates), config.sharded.shards)
        ],
        templates,
    )


@INDEX_READERS.register("sharded")
def read(
    config: IndexConfig, templates: NDArray[np.float32], path: Path
) -> ShardedIndex:
    """Map the files of such an index.

    Raises:
        GalleryError: If the list of parts is absent or no such list, or of another
            gallery.
    """
    try:
        sizes = [int(size) for size in json.loads(path.read_bytes())["sizes"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = (
            f"index file {path} cannot be read ({type(error).__name__}: it must list "
            "the sizes of parts); make it again"
        )
        raise GalleryError(message) from error
    edges = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    indexes = [
        INDEX_READERS.make(
            config.sharded.of, config, templates[first:end], _part(path, number)
        )
        for number, (first, end) in enumerate(pairwise(edges))
    ]
    return ShardedIndex(indexes, templates)


def _part(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
