"""What every gallery index must keep to, whatever its name."""

import threading
from pathlib import Path

import numpy as np
import pytest

import matcher.indexes  # noqa: F401 — importing registers
from matcher.errors import GalleryError
from matcher.fusion import unit_length
from matcher.gallery import Gallery
from matcher.index_config import (
    FaissHnswConfig,
    FaissIvfConfig,
    FaissSqConfig,
    IndexConfig,
    ShardedConfig,
)
from matcher.indexes.exact import ExactIndex
from matcher.indexes.kept import make_or_read
from matcher.indexes.live import LiveIndex
from matcher.indexes.products import best_of_products
from matcher.live_gallery import LiveGallery
from matcher.protocols import StoredIndex
from matcher.records import Embeddings, SubjectId
from matcher.registry import INDEX_READERS, INDEXES

# Settings that make each index find everything: what it leaves out then is a fault.
CONFIGS = {
    "exact": IndexConfig(name="exact"),
    "faiss_flat": IndexConfig(name="faiss_flat"),
    "faiss_sq": IndexConfig(name="faiss_sq"),
    "faiss_sq 8 bit": IndexConfig(
        name="faiss_sq", faiss_sq=FaissSqConfig(codes="8bit")
    ),
    "faiss_hnsw": IndexConfig(name="faiss_hnsw"),
    "faiss_ivf": IndexConfig(
        name="faiss_ivf",
        rescored=16,
        faiss_ivf=FaissIvfConfig(templates_per_cell=50, probed_share=1.0),
    ),
    "sharded": IndexConfig(name="sharded", sharded=ShardedConfig(shards=3)),
    "sharded hnsw": IndexConfig(
        name="sharded", sharded=ShardedConfig(shards=2, of="faiss_hnsw")
    ),
}


def _vectors(n: int, *, seed: int, d: int = 32) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit_length(rng.normal(size=(n, d)).astype(np.float32))


def _index(config: IndexConfig, templates: np.ndarray) -> StoredIndex:
    return INDEXES.make(config.name, config, templates)


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS.keys())
def config(request: pytest.FixtureRequest) -> IndexConfig:
    """Each registered index."""
    return request.param


def test_every_registered_index_is_tested() -> None:
    """A plug-in exists once this suite passes for its name."""
    assert {config.name for config in CONFIGS.values()} == set(INDEXES.names())
    assert INDEX_READERS.names() == INDEXES.names()


@pytest.mark.parametrize("n_probes", [1, 7, 64], ids="{} probes".format)
def test_index_agrees_with_the_exact_one(config: IndexConfig, n_probes: int) -> None:
    """Same scores; same rows but where scores tie, which may permute."""
    gallery, probes = _vectors(500, seed=1), _vectors(n_probes, seed=2)
    gallery[100:103] = gallery[7]
    probes[0] = gallery[7]
    found = _index(config, gallery).search(Embeddings(vectors=probes), k=5)
    exact = ExactIndex(gallery).search(Embeddings(vectors=probes), k=5)

    assert np.allclose(found.scores, exact.scores, atol=1e-5)
    told_apart = np.abs(np.diff(exact.scores, axis=1)) > 1e-4
    sure = np.pad(told_apart, ((0, 0), (1, 0)), constant_values=True)
    sure &= np.pad(told_apart, ((0, 0), (0, 1)), constant_values=True)
    sure[:, -1] = False
    assert np.array_equal(found.rows[sure], exact.rows[sure])
    assert set(found.rows[0, :4]) == {7, 100, 101, 102}


def test_index_returns_no_more_than_it_holds(config: IndexConfig) -> None:
    """K is cut to the gallery's size; the enrolled find themselves first."""
    gallery = _vectors(3, seed=3)
    found = _index(config, gallery).search(Embeddings(vectors=gallery.copy()), k=10)

    assert found.rows.shape == (3, 3)
    assert found.rows[:, 0].tolist() == [0, 1, 2]
    assert np.allclose(found.scores[:, 0], 1.0, atol=1e-5)


def test_no_probes_give_no_candidates(config: IndexConfig) -> None:
    """A frame without faces is searched like any other."""
    found = _index(config, _vectors(5, seed=7)).search(
        Embeddings(vectors=_vectors(0, seed=8)), k=1
    )

    assert found.rows.shape == found.scores.shape == (0, 1)


def test_order_of_the_gallery_does_not_matter(config: IndexConfig) -> None:
    """Permuting it permutes the rows and leaves the scores."""
    gallery, probes = _vectors(200, seed=4), _vectors(9, seed=5)
    order = np.random.default_rng(6).permutation(200)
    a = _index(config, gallery).search(Embeddings(vectors=probes), k=1)
    b = _index(config, gallery[order]).search(Embeddings(vectors=probes.copy()), k=1)

    assert np.array_equal(order[b.rows], a.rows)
    assert np.allclose(a.scores, b.scores, atol=1e-6)


def test_index_that_probes_little_still_returns_k(config: IndexConfig) -> None:
    """A partition whose nearest cell is too small is searched in full, not short."""
    sparing = config.model_copy(
        update={"faiss_ivf": FaissIvfConfig(templates_per_cell=2, probed_share=0.001)}
    )
    found = _index(sparing, _vectors(60, seed=9)).search(
        Embeddings(vectors=_vectors(5, seed=10)), k=20
    )

    assert found.rows.shape == (5, 20)
    assert found.rows.min() >= 0


def test_saved_index_is_mapped_back_and_finds_the_same(
    config: IndexConfig, tmp_path: Path
) -> None:
    """Rows and scores survive, bit for bit."""
    gallery = _vectors(300, seed=11)
    probes = Embeddings(vectors=_vectors(6, seed=12))
    made = _index(config, gallery)
    made.save(tmp_path / "index")
    read = INDEX_READERS.make(config.name, config, gallery, tmp_path / "index")
    a, b = made.search(probes, k=4), read.search(probes, k=4)

    assert np.array_equal(a.rows, b.rows)
    assert np.array_equal(a.scores, b.scores)
    assert made.n_bytes == read.n_bytes


def test_index_is_made_once_and_then_read(
    config: IndexConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is taken for the same templates and settings alone."""
    gallery, probes = _vectors(300, seed=11), Embeddings(vectors=_vectors(6, seed=12))
    folder = tmp_path / "kept"
    made = make_or_read(config.name, config, gallery, folder=folder)
    (kept,) = folder.iterdir()
    monkeypatch.setattr(INDEXES, "make", lambda *_: pytest.fail("made again"))
    read = make_or_read(config.name, config, gallery, folder=folder)
    a, b = made.search(probes, k=4), read.search(probes, k=4)

    assert kept.name.startswith(f"{config.name}-300-")
    assert np.array_equal(a.rows, b.rows)
    with pytest.raises(pytest.fail.Exception, match="made again"):
        make_or_read(config.name, config, gallery[::-1].copy(), folder=folder)


def test_setting_of_searches_alone_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    """More effort in searching needs no new graph; more links do."""
    gallery = _vectors(100, seed=14)
    for settings in (
        FaissHnswConfig(),
        FaissHnswConfig(search_effort=999),
        FaissHnswConfig(links=8),
    ):
        config = IndexConfig(name="faiss_hnsw", faiss_hnsw=settings)
        make_or_read(config.name, config, gallery, folder=tmp_path)

    assert len(list(tmp_path.iterdir())) == 2


def test_index_file_of_another_gallery_is_refused(
    config: IndexConfig, tmp_path: Path
) -> None:
    """Rows would be somebody else's."""
    if config.name == "exact":
        pytest.skip("has nothing in its file")
    _index(config, _vectors(60, seed=13)).save(tmp_path / "index")
    with pytest.raises(GalleryError, match="60 of 32"):
        INDEX_READERS.make(
            config.name, config, _vectors(61, seed=13), tmp_path / "index"
        )
    (tmp_path / "index").write_bytes(b"nonsense")
    with pytest.raises(GalleryError, match="cannot be read"):
        INDEX_READERS.make(
            config.name, config, _vectors(60, seed=13), tmp_path / "index"
        )


def test_live_index_agrees_with_one_made_afresh(config: IndexConfig) -> None:
    """After any additions and withdrawals, as if it had always been so."""
    first, later = _vectors(80, seed=14), _vectors(15, seed=15)
    probes = Embeddings(vectors=_vectors(12, seed=16))
    live = LiveIndex(_index(config, first))
    # The best of each probe go, so that withdrawn rows stand where they hurt most.
    top = live.search(probes, k=3)
    rows = live.add(later)
    gone = {*top.rows[:, :2].ravel().tolist(), int(rows[4])}
    live.withdraw(sorted(gone))
    stays = np.array([row for row in range(95) if row not in gone])
    fresh = ExactIndex(np.concatenate([first, later])[stays]).search(probes, k=5)
    found = live.search(probes, k=5)

    assert rows.tolist() == list(range(80, 95))
    assert len(live) == len(stays)
    assert np.array_equal(found.rows, stays[fresh.rows])
    assert np.allclose(found.scores, fresh.scores, atol=1e-5)


def test_live_index_never_returns_the_withdrawn(config: IndexConfig) -> None:
    """Not even when it is asked for more than are left."""
    live = LiveIndex(_index(config, _vectors(30, seed=17)))
    live.withdraw(range(28))
    found = live.search(Embeddings(vectors=_vectors(4, seed=18)), k=10)

    assert found.rows.shape == (4, 2)
    assert set(found.rows.ravel().tolist()) == {28, 29}
    assert np.isfinite(found.scores).all()


def test_searches_go_on_while_the_gallery_changes(config: IndexConfig) -> None:
    """Each sees one gallery whole: no pair is ever split."""
    live = LiveIndex(_index(config, _vectors(50, seed=19)))
    pair = _vectors(1, seed=20).repeat(2, axis=0)
    probe = Embeddings(vectors=pair[:1].copy())
    over = threading.Event()

    def change() -> None:
        while not over.is_set():
            live.withdraw(live.add(pair).tolist())

    changer = threading.Thread(target=change)
    changer.start()
    seen = {int((live.search(probe, k=3).scores[0] > 0.999).sum()) for _ in range(100)}
    over.set()
    changer.join()

    assert seen <= {0, 2}
    assert len(live) == 50


@pytest.mark.parametrize(
    ("templates", "complaint"),
    [
        (np.zeros((2, 32), np.float32), "unit length, got length 0 in row 0"),
        (np.full((1, 32), np.nan, np.float32), "got length nan"),
        (_vectors(2, seed=21, d=16), r"\(m, 32\) float32"),
        (_vectors(2, seed=21).astype(np.float64), "float64"),
        (_vectors(2, seed=21)[0], r"got \(32,\)"),
    ],
    ids=["zeros", "NaN", "dimension", "doubles", "one row"],
)
def test_template_that_cannot_be_compared_is_refused(
    config: IndexConfig, templates: np.ndarray, complaint: str
) -> None:
    """And the gallery stays as it was."""
    live = LiveIndex(_index(config, _vectors(40, seed=22)))
    with pytest.raises(GalleryError, match=complaint):
        live.add(templates)

    assert len(live) == 40


@pytest.mark.parametrize("rows", [[40], [-1], [3, 3], range(40)], ids=repr)
def test_withdrawal_that_cannot_be_done_changes_nothing(
    config: IndexConfig, rows: list[int]
) -> None:
    """Strangers, repetitions, and everybody."""
    live = LiveIndex(_index(config, _vectors(40, seed=23)))
    with pytest.raises(GalleryError):
        live.withdraw(rows)

    assert len(live) == 40


def _live_gallery() -> LiveGallery:
    templates = _vectors(5, seed=24)
    gallery = Gallery(
        templates=templates,
        subject_ids=tuple(SubjectId(f"s{k}") for k in range(5)),
        embedder_sha256="0" * 64,
    )
    return LiveGallery(gallery, ExactIndex(templates))


def test_subject_who_returns_has_a_new_row_and_is_found_by_name() -> None:
    """Rows are never used again; names are."""
    live = _live_gallery()
    (back,) = _vectors(1, seed=25)
    live.withdraw([SubjectId("s3")])
    live.enrol([SubjectId("s3")], back[None])
    found = live.index.search(Embeddings(vectors=back[None].copy()), k=1)

    assert found.rows[0, 0] == 5
    assert live.subject_ids[5] == "s3"
    assert len(live) == 5


@pytest.mark.parametrize(
    "names",
    [["s1"], ["new", "new"], ["a", "b", "c"]],
    ids=["enrolled", "twice", "many"],
)
def test_enrolment_that_cannot_be_is_all_or_nothing(
    names: list[str],
) -> None:
    """Duplicates, and names without templates."""
    live = _live_gallery()
    templates = _vectors(min(2, len(names)), seed=26)
    with pytest.raises(GalleryError):
        live.enrol([SubjectId(name) for name in names], templates)

    assert len(live) == len(live.index) == len(live.subject_ids) == 5


@pytest.mark.parametrize(("n_probes", "multiplies"), [(7, False), (8, True)])
def test_matrices_are_multiplied_from_so_many_probes_on(
    n_probes: int,
    multiplies: bool,
) -> None:
    """Which way a search went shows in the last digits: a product rounds otherwise."""
    gallery = np.random.default_rng(31).standard_normal((5000, 128), dtype=np.float32)
    vectors = gallery[:n_probes].copy()
    index = INDEXES.make("faiss_flat", IndexConfig(blas_from_probes=8), gallery)
    scores = index.search(Embeddings(vectors=vectors), k=50).scores
    multiplied = best_of_products(gallery, vectors, k=50).scores

    assert np.allclose(scores, multiplied, rtol=1e-5)
    assert np.array_equal(scores, multiplied) == multiplies


def test_threshold_of_inverted_files_grows_with_the_dimension() -> None:
    """FAISS's own threshold counts numbers, not probes."""
    import faiss

    before = faiss.cvar.distance_compute_blas_threshold
    try:
        INDEXES.make(
            "faiss_ivf", IndexConfig(blas_from_probes=8), _vectors(500, seed=3)
        )

        assert faiss.cvar.distance_compute_blas_threshold == 8 * 32
    finally:
        faiss.cvar.distance_compute_blas_threshold = before
