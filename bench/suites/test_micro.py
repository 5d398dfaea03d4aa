"""The inner loops: draw a head, search a gallery, follow faces."""

from __future__ import annotations

import numpy as np
import pytest

import matcher.indexes  # noqa: F401 — importing registers
from matcher.config import MatcherConfig
from matcher.index_config import IndexConfig
from matcher.records import Detections, Embeddings
from matcher.registry import INDEXES
from matcher.tracking import no_tracks, track
from synthetic_crowds.heads.build import build_head
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.demographics import Demographics
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.picture.enrolment import enrolment_portrait

pytestmark = [pytest.mark.perf, pytest.mark.benchmark(group="micro")]


@pytest.fixture(scope="module")
def person():
    domain = IdentityDomain.REALISM
    return draw_person(Demographics(), seed=1, domain=domain, index=0)


def test_build_head(benchmark, person):
    """Geometry and a 256 px texture of one person on one day."""
    look = draw_appearance(person, rng=np.random.default_rng(1))
    head = benchmark(build_head, person, look)
    assert sum(len(part.triangles) for part in head.parts) > 5_000


def test_enrolment_portrait(benchmark, person):
    """One watchlist picture, from coefficients to pixels."""

    def render():
        return enrolment_portrait(person, rng=np.random.default_rng(2))

    portrait = benchmark(render)
    assert portrait.image_bgr.std() > 10


@pytest.mark.parametrize("name", INDEXES.names())
def test_search_32_in_10000(benchmark, name):
    """A batch of 32 probes against 10,000 templates of 128 numbers."""
    rng = np.random.default_rng(3)
    gallery = _unit(rng.standard_normal((10_000, 128)))
    probes = Embeddings(vectors=gallery[:32].copy())
    index = INDEXES.make(name, IndexConfig(name=name), gallery)
    found = benchmark(index.search, probes, k=1)
    np.testing.assert_array_equal(found.rows[:, 0], np.arange(32))


def test_track_ten_faces_for_a_hundred_frames(benchmark):
    """Ten faces that drift; every one keeps its track."""
    config = MatcherConfig().tracker
    start = np.array([[100 * i, 50, 100 * i + 40, 100] for i in range(10)], np.float32)

    def follow():
        tracks = no_tracks()
        for step in range(100):
            boxes = start + np.float32(step)
            found = Detections(
                boxes_xyxy=boxes,
                landmarks=np.zeros((10, 5, 2), np.float32),
                scores=np.ones(10, np.float32),
            )
            tracks, _ = track(tracks, found, time_ns=step * 10**8, config=config)
        return tracks

    assert benchmark(follow).next_id == 10


def _unit(vectors):
    normed = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normed.astype(np.float32)
