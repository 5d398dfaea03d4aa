"""Claims about the choice of score normalisation, on galleries made by hand."""

import numpy as np
import pytest

from matcher.config import DecisionConfig
from matcher.fusion import unit_length
from matcher.indexes.exact import ExactIndex
from matcher.normalisation import normalised
from matcher.records import Embeddings
from training.score_choice import Searches, scores_of

_RNG = np.random.default_rng(5)


def _drawn(n: int) -> np.ndarray:
    return unit_length(_RNG.standard_normal((n, 12)).astype(np.float32))


def _searches(templates: np.ndarray, own_rows: list[int]) -> Searches:
    return Searches(
        templates=templates,
        passages=np.arange(len(templates)),
        own_rows=np.array(own_rows),
        heights_px=np.full(len(templates), 70.0),
    )


@pytest.mark.parametrize("runners_up", [0, 1, 2, 5])
def test_scores_are_the_matchers_own(runners_up: int) -> None:
    """With the person enrolled, and without, as an index over either would say."""
    gallery = _drawn(40)
    probe = unit_length(gallery[7:8] + np.float32(0.4) * _drawn(1))
    config = DecisionConfig(runners_up=runners_up)

    mated, others = scores_of(
        _searches(probe, [7]), gallery, [(runners_up, config.runner_up_weight)]
    )

    for scores, enrolled in ((mated, gallery), (others, np.delete(gallery, 7, axis=0))):
        index = normalised(ExactIndex(enrolled), config)
        found = index.search(Embeddings(vectors=probe), k=1)
        assert scores[0, 0] == pytest.approx(float(found.scores[0, 0]), abs=1e-6)


def test_a_mate_who_is_not_the_first_candidate_is_no_hit() -> None:
    """The first candidate alone can alert."""
    gallery = np.eye(12, dtype=np.float32)
    probe = unit_length(np.array([[0.5, 0.8, *[0.0] * 10]], np.float32))

    mated, others = scores_of(_searches(probe, [0]), gallery, [(0, 0.0)])

    assert mated[0, 0] == -1.0
    assert others[0, 0] == pytest.approx(0.8 / np.hypot(0.5, 0.8))


def test_somebody_who_is_not_enrolled_is_never_found() -> None:
    """A failure to enrol leaves nobody to find, and everybody to be taken for."""
    mated, others = scores_of(_searches(_drawn(3), [-1] * 3), _drawn(20), [(2, 0.5)])

    assert (mated == -1.0).all()
    assert (others > -1.0).all()
