"""What every plug-in must keep to, whatever its name."""

from pathlib import Path

import numpy as np
import pytest

import matcher.detectors
import matcher.embedders
import matcher.indexes  # noqa: F401 — importing registers
from matcher.config import DetectorConfig, EmbedderConfig, IndexConfig
from matcher.errors import ModelFileError
from matcher.fusion import unit_length
from matcher.indexes.exact import ExactIndex
from matcher.protocols import Detector, Embedder
from matcher.records import Embeddings
from matcher.registry import DETECTORS, EMBEDDERS, INDEXES

_YUNET = Path(__file__).parents[2] / "shared/models/face_detection_yunet_2023mar.onnx"
_YUNET_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"


def _vectors(n: int, *, seed: int, d: int = 32) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit_length(rng.normal(size=(n, d)).astype(np.float32))


@pytest.fixture(params=DETECTORS.names())
def detector(request: pytest.FixtureRequest) -> Detector:
    """Each registered detector whose weights are here."""
    config = DetectorConfig(name=request.param)
    if request.param == "yunet":
        config = DetectorConfig(
            name="yunet", model_path=_YUNET, model_sha256=_YUNET_SHA256
        )
    try:
        return DETECTORS.make(request.param, config)
    except ModelFileError as error:
        pytest.skip(str(error))


@pytest.fixture(params=EMBEDDERS.names())
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """Each registered embedder whose weights are here."""
    try:
        return EMBEDDERS.make(request.param, EmbedderConfig(name=request.param))
    except ModelFileError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    "size", [(720, 1280), (360, 640), (256, 200), (33, 65)], ids=str
)
def test_detector_takes_any_size_and_finds_nothing_in_grey(
    detector: Detector, size: tuple[int, int]
) -> None:
    """Zero faces are a record with zero rows."""
    assert len(detector.detect(np.full((*size, 3), 128, np.uint8))) == 0


def test_detector_repeats_itself_and_sorts_by_score(detector: Detector) -> None:
    """Equal pictures give equal detections; scores fall and lie in [0, 1]."""
    noise = np.random.default_rng(0).integers(0, 255, (180, 320, 3), dtype=np.uint8)
    one, two = detector.detect(noise), detector.detect(noise)

    assert np.array_equal(one.boxes_xyxy, two.boxes_xyxy)
    assert np.all(np.diff(one.scores) <= 0)
    assert np.all((one.scores >= 0) & (one.scores <= 1))


def test_embedder_gives_unit_templates_of_its_dimension(embedder: Embedder) -> None:
    """Whatever the chip; none at all for no chips."""
    side = embedder.chip_px
    chips = np.random.default_rng(1).integers(0, 255, (3, side, side, 3), np.uint8)
    vectors = embedder.embed(chips).vectors

    assert vectors.shape == (3, embedder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert embedder.embed(chips[:0]).vectors.shape == (0, embedder.dimension)


def test_embedding_does_not_depend_on_the_company(embedder: Embedder) -> None:
    """A chip embeds alike alone and in a batch."""
    side = embedder.chip_px
    chips = np.random.default_rng(2).integers(0, 255, (4, side, side, 3), np.uint8)
    together = embedder.embed(chips).vectors
    alone = np.concatenate([embedder.embed(chip[None]).vectors for chip in chips])

    assert np.allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize("name", INDEXES.names())
@pytest.mark.parametrize("n_probes", [1, 7, 64], ids="{} probes".format)
def test_index_agrees_with_the_exact_one(name: str, n_probes: int) -> None:
    """Same scores; same rows but where scores tie, which may permute."""
    gallery, probes = _vectors(500, seed=1), _vectors(n_probes, seed=2)
    gallery[100:103] = gallery[7]
    probes[0] = gallery[7]
    index = INDEXES.make(name, IndexConfig(name=name), gallery)
    found = index.search(Embeddings(vectors=probes), k=5)
    exact = ExactIndex(gallery).search(Embeddings(vectors=probes), k=5)

    assert np.allclose(found.scores, exact.scores, atol=1e-5)
    told_apart = np.abs(np.diff(exact.scores, axis=1)) > 1e-4
    sure = np.pad(told_apart, ((0, 0), (1, 0)), constant_values=True)
    sure &= np.pad(told_apart, ((0, 0), (0, 1)), constant_values=True)
    sure[:, -1] = False
    assert np.array_equal(found.rows[sure], exact.rows[sure])
    assert set(found.rows[0, :4]) == {7, 100, 101, 102}


@pytest.mark.parametrize("name", INDEXES.names())
def test_index_returns_no_more_than_it_holds(name: str) -> None:
    """K is cut to the gallery's size; the enrolled find themselves first."""
    gallery = _vectors(3, seed=3)
    index = INDEXES.make(name, IndexConfig(name=name), gallery)
    found = index.search(Embeddings(vectors=gallery.copy()), k=10)

    assert found.rows.shape == (3, 3)
    assert found.rows[:, 0].tolist() == [0, 1, 2]
    assert np.allclose(found.scores[:, 0], 1.0, atol=1e-5)


@pytest.mark.parametrize("name", INDEXES.names())
def test_no_probes_give_no_candidates(name: str) -> None:
    """A frame without faces is searched like any other."""
    index = INDEXES.make(name, IndexConfig(name=name), _vectors(5, seed=7))
    found = index.search(Embeddings(vectors=_vectors(0, seed=8)), k=1)

    assert found.rows.shape == found.scores.shape == (0, 1)


@pytest.mark.parametrize("name", INDEXES.names())
def test_order_of_the_gallery_does_not_matter(name: str) -> None:
    """Permuting it permutes the rows and leaves the scores."""
    gallery, probes = _vectors(200, seed=4), _vectors(9, seed=5)
    order = np.random.default_rng(6).permutation(200)
    straight = INDEXES.make(name, IndexConfig(name=name), gallery)
    shuffled = INDEXES.make(name, IndexConfig(name=name), gallery[order])
    a = straight.search(Embeddings(vectors=probes), k=1)
    b = shuffled.search(Embeddings(vectors=probes.copy()), k=1)

    assert np.array_equal(order[b.rows], a.rows)
    assert np.allclose(a.scores, b.scores, atol=1e-6)
