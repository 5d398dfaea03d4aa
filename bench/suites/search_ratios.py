"""Gallery search, one core: our settings of FAISS against FAISS as it comes."""

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

_FAISS_DEFAULT = 128_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRatios:
    """32 probes against N templates, seconds a batch, medians.

    Attributes:
        n: Templates.
        untouched_s: FAISS's flat index as it comes.
        ours_s: The same index with the BLAS threshold of our settings.
        product_s: NumPy's matrix product alone, without finding the best.
    """

    n: int
    untouched_s: float
    ours_s: float
    product_s: float


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
    config = IndexConfig()
    index = INDEXES.make("faiss_flat", config, gallery)

    def search():
        return index.search(probes, k=1)

    faiss.cvar.distance_compute_blas_threshold = _FAISS_DEFAULT
    untouched_s, plain = _median_s(search, rounds), search()
    faiss.cvar.distance_compute_blas_threshold = config.blas_from_probes
    ours_s, ours = _median_s(search, rounds), search()
    np.testing.assert_array_equal(plain.rows, ours.rows)
    return BatchRatios(
        n=n,
        untouched_s=untouched_s,
        ours_s=ours_s,
        product_s=_median_s(lambda: probes.vectors @ gallery.T, rounds),
    )


def _median_s(call, rounds):
    call()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return float(np.median(taken))
