"""Gallery search, one core: our flat index against FAISS's as it comes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import faiss
import numpy as np

import matcher.indexes  # noqa: F401 — importing registers
from bench.galleries.template_world import fit_world
from matcher.calibration import load_cohort
from matcher.index_config import IndexConfig
from matcher.records import Embeddings
from matcher.registry import INDEXES
from matcher.weights import WEIGHTS, read_manifest, read_model

__all__ = ["BatchRatios", "batch_ratios", "shipped_world"]

# As FAISS comes; an inverted file made before in this process would have set another.
_FAISS_DEFAULT = 128_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRatios:
    """32 probes against N templates, seconds a batch; the ways in turn, round by round.

    Attributes:
        n: Templates.
        untouched: (rounds,) FAISS's flat index as it comes.
        ours: (rounds,) `faiss_flat` with our settings.
        product: (rounds,) NumPy's matrix product alone, without finding the best.
    """

    n: int
    untouched: np.ndarray
    ours: np.ndarray
    product: np.ndarray

    @property
    def untouched_s(self):
        """Median."""
        return float(np.median(self.untouched))

    @property
    def ours_s(self):
        """Median."""
        return float(np.median(self.ours))

    @property
    def product_s(self):
        """Median."""
        return float(np.median(self.product))

    @property
    def speed_up(self):
        """Median, least and greatest ratio of untouched to ours, by rounds."""
        return _spread(self.untouched / self.ours)

    @property
    def share_of_product(self):
        """Median, least and greatest share of the bare product's speed, by rounds."""
        return _spread(self.product / self.ours)


def shipped_world():
    """Fit the spread of the shipped cohort's templates."""
    shipped = read_manifest().calibration
    content = read_model(WEIGHTS / shipped.file, sha256=shipped.sha256).content
    return fit_world(load_cohort(content))


def batch_ratios(*, n=100_000, n_probes=32, rounds=15):
    """Time a batch against a gallery in three ways, in one process."""
    world, rng = shipped_world(), np.random.default_rng(11)
    gallery = world.people(n, rng=rng)
    probes = Embeddings(vectors=world.people(n_probes, rng=rng))
    faiss.cvar.distance_compute_blas_threshold = _FAISS_DEFAULT
    untouched = faiss.IndexFlatIP(gallery.shape[1])
    untouched.add(gallery)
    index = INDEXES.make("faiss_flat", IndexConfig(), gallery)

    def search():
        return index.search(probes, k=1).rows

    def search_untouched():
        return untouched.search(probes.vectors, 1)[1]

    np.testing.assert_array_equal(search_untouched(), search())
    ways = (search_untouched, search, lambda: probes.vectors @ gallery.T)
    taken = [[_once_s(way) for way in ways] for _ in range(rounds + 1)]
    # The first round touches everything for the first time.
    by_way = np.array(taken[1:]).T
    return BatchRatios(n=n, untouched=by_way[0], ours=by_way[1], product=by_way[2])


def _once_s(call):
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _spread(values):
    return float(np.median(values)), float(values.min()), float(values.max())
