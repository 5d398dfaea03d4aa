"""What each gallery index gives and takes at a size, measured here and now.

Owns the measurement behind `harness indexes`. Knows nothing of which index is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

# Importing the package registers its plug-ins.
import matcher.indexes  # noqa: F401
from matcher.index_config import FaissIvfConfig, FaissSqConfig, IndexConfig
from matcher.indexes.kept import make_or_read
from matcher.records import Embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.galleries.template_world import TemplateWorld
    from matcher.protocols import StoredIndex

__all__ = ["CANDIDATES", "Trade", "measure_trades"]

# A probe of another day lies this many times as far off as one within a passage: mated
# scores are then 0.79 in the median, 0.70 to 0.86 for nine in ten.
_SCATTER = 1.5
_FPIR = 0.01
_BATCH = 32

# Exact search first: the others are held against it.
CANDIDATES = {
    "faiss_flat": IndexConfig(name="faiss_flat"),
    "faiss_sq fp16": IndexConfig(name="faiss_sq"),
    "faiss_sq 8bit": IndexConfig(name="faiss_sq", faiss_sq=FaissSqConfig(codes="8bit")),
    "faiss_ivf fp16": IndexConfig(
        name="faiss_ivf", faiss_ivf=FaissIvfConfig(codes="fp16")
    ),
    "faiss_ivf 8bit": IndexConfig(name="faiss_ivf"),
    "faiss_hnsw fp16": IndexConfig(name="faiss_hnsw"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """What an index gives and takes.

    Attributes:
        name: Of the index and its codes.
        n: Templates.
        n_probes: Mated probes behind recall and FNIR.
        recall: Share of them whose best candidate is that of exact search.
        extra_fnir: Share of them that exact search alone finds at rank 1 and at or
            above the threshold of FPIR 1 %.
        single_s: Median time of a probe searched alone.
        batch_s: Median time of a probe in a batch of 32.
        bytes_per_template: Of the structure, beside the templates.
        build_s: To make it, or to open it if it was kept.
    """

    name: str
    n: int
    n_probes: int
    recall: float
    extra_fnir: float
    single_s: float
    batch_s: float
    bytes_per_template: float
    build_s: float


def measure_trades(
    world: TemplateWorld,
    *,
    n: int,
    n_probes: int,
    rounds: int,
    rng: np.random.Generator,
    clock: Callable[[], int],
    folder: Path | None = None,
) -> Iterator[Trade]:
    """Make every candidate over one gallery and search it; yield as they are done.

    Args:
        world: Where templates lie.
        n: Templates of the gallery.
        n_probes: Mated probes, and as many non-mated for the threshold.
        rounds: Searches that are timed, alone and in batches each.
        rng: Draws gallery and probes.
        clock: Nanoseconds.
        folder: Where indexes are kept and taken from; None makes each anew.
    """
    gallery = world.people(n, rng=rng)
    subjects = rng.choice(n, n_probes, replace=n_probes > n)
    probes = world.probes_of(gallery[subjects], scatter=_SCATTER, rng=rng)
    strangers = world.people(n_probes, rng=rng)
    exact: NDArray[np.int64] | None = None
    threshold = 0.0
    for name, config in CANDIDATES.items():
        begun_ns = clock()
        index = make_or_read(config.name, config, gallery, folder=folder)
        build_s = (clock() - begun_ns) / 1e9
        found = index.search(Embeddings(vectors=probes), k=1)
        best, scores = found.rows[:, 0], found.scores[:, 0]
        if exact is None:
            far = index.search(Embeddings(vectors=strangers), k=1).scores[:, 0]
            exact, threshold = best, float(np.quantile(far, 1.0 - _FPIR))
            found_exactly = (best == subjects) & (scores >= threshold)
        hit = (best == subjects) & (scores >= threshold)
        yield Trade(
            name=name,
            n=n,
            n_probes=n_probes,
            recall=float(np.mean(best == exact)),
            extra_fnir=float(np.mean(found_exactly & ~hit)),
            single_s=_median_s(index, probes, size=1, rounds=rounds, clock=clock),
            batch_s=_median_s(index, probes, size=_BATCH, rounds=rounds, clock=clock)
            / _BATCH,
            bytes_per_template=index.n_bytes / n,
            build_s=build_s,
        )


def _median_s(
    index: StoredIndex,
    probes: NDArray[np.float32],
    *,
    size: int,
    rounds: int,
    clock: Callable[[], int],
) -> float:
    """Time searches of so many probes, never the same twice in a row."""
    taken = []
    for step in range(rounds + 1):
        rows = np.arange(step * size, (step + 1) * size) % len(probes)
        batch = Embeddings(vectors=probes[rows])
        begun_ns = clock()
        index.search(batch, k=1)
        taken.append(clock() - begun_ns)
    # The first search touches everything for the first time.
    return float(np.median(taken[1:])) / 1e9
