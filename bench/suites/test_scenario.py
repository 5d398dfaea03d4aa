"""The whole pipeline, unhurried, on the smoke scenario's clip."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.assembly import assemble, embedder_sha256, make_embedder
from matcher.config import MatcherConfig
from matcher.gallery import Gallery
from matcher.records import Outcome, SubjectId
from matcher.worker import Worker, unhurried

pytestmark = [pytest.mark.perf, pytest.mark.benchmark(group="scenario")]


def test_hundred_frames_end_to_end(benchmark, encoded, counting_clock):
    """Decode to decision against 1,000 random templates, one thread."""
    config = MatcherConfig()
    dimension = make_embedder(config.embedder).dimension
    vectors = np.random.default_rng(5).standard_normal((1000, dimension))
    gallery = Gallery(
        templates=(vectors / np.linalg.norm(vectors, axis=1)[:, None]).astype("f4"),
        subject_ids=tuple(SubjectId(f"nobody-{row}") for row in range(1000)),
        embedder_sha256=embedder_sha256(config.embedder),
    )

    def run():
        made = assemble(config, gallery, clock=counting_clock)
        worker = Worker(made.pipeline, clock=counting_clock)
        return list(unhurried(encoded, worker, clock=counting_clock))

    results = benchmark(run)
    assert len(results) == 100
    assert all(r.outcome.outcome is Outcome.PROCESSED for r in results)
