"""Claims about hits and false alerts of the same searches, made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from matcher.fusion import unit_length
from matcher.indexes.exact import ExactIndex
from matcher.records import Embeddings
from training.searches import Searches, scores_of

_RNG = np.random.default_rng(5)


def _drawn(n: int) -> np.ndarray:
    return unit_length(_RNG.standard_normal((n, 12)).astype(np.float32))


def _searches(templates: np.ndarray, own_rows: list[int]) -> Searches:
    return Searches(
        templates=templates,
        passages=np.arange(len(templates)),
        own_rows=np.array(own_rows),
        kin_rows=np.full((len(templates), 1), -1),
        heights_px=np.full(len(templates), 70.0),
    )


def test_scores_are_those_of_an_index_with_the_person_and_without() -> None:
    """One search tells of a hit and, without the person, of a false alert."""
    gallery = _drawn(40)
    probe = unit_length(gallery[7:8] + np.float32(0.4) * _drawn(1))

    mated, others = scores_of(_searches(probe, [7]), gallery)

    for scores, enrolled in ((mated, gallery), (others, np.delete(gallery, 7, axis=0))):
        found = ExactIndex(enrolled).search(Embeddings(vectors=probe), k=1)
        assert scores[0] == pytest.approx(float(found.scores[0, 0]), abs=1e-6)


def test_a_passage_has_the_best_of_its_searches() -> None:
    """Two searches of one passage: the higher score stands, for either gallery."""
    gallery = np.eye(12, dtype=np.float32)
    probes = unit_length(
        np.array([[0.8, 0.5, *[0.0] * 10], [0.9, 0.2, *[0.0] * 10]], np.float32)
    )
    both = Searches(
        templates=probes,
        passages=np.array([0, 0]),
        own_rows=np.array([0]),
        kin_rows=np.array([[-1]]),
        heights_px=np.array([70.0]),
    )

    mated, others = scores_of(both, gallery)

    assert mated[0] == pytest.approx(0.9 / np.hypot(0.9, 0.2))
    assert others[0] == pytest.approx(0.5 / np.hypot(0.8, 0.5))


def test_a_mate_who_is_not_the_first_candidate_is_no_hit() -> None:
    """The first candidate alone can alert."""
    gallery = np.eye(12, dtype=np.float32)
    probe = unit_length(np.array([[0.5, 0.8, *[0.0] * 10]], np.float32))

    mated, others = scores_of(_searches(probe, [0]), gallery)

    assert mated[0] == -1.0
    assert others[0] == pytest.approx(0.8 / np.hypot(0.5, 0.8))


def test_somebody_who_is_not_enrolled_is_never_found() -> None:
    """A failure to enrol leaves nobody to find, and everybody to be taken for."""
    mated, others = scores_of(_searches(_drawn(3), [-1] * 3), _drawn(20))

    assert (mated == -1.0).all()
    assert (others > -1.0).all()


def test_siblings_may_take_a_mates_place_but_are_no_strangers() -> None:
    """Who passes unlisted has a family that is unlisted, too."""
    gallery = np.eye(12, dtype=np.float32)
    probe = unit_length(np.array([[0.5, 0.8, 0.3, *[0.0] * 9]], np.float32))
    searches = replace(_searches(probe, [0]), kin_rows=np.array([[1, -1]]))

    mated, others = scores_of(searches, gallery)

    assert mated[0] == -1.0
    assert others[0] == pytest.approx(0.3 / np.sqrt(0.98))
