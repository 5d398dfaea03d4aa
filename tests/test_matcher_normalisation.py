"""Scores that allow for the runners-up: the same order, one scale for all probes."""

import numpy as np
import pytest

from matcher.config import DecisionConfig
from matcher.fusion import unit_length
from matcher.indexes.exact import ExactIndex
from matcher.normalisation import NormalisedIndex, normalised
from matcher.records import Embeddings

_EYE = np.eye(3, dtype=np.float32)


def _unit(n, *, seed, dimension=16):
    drawn = np.random.default_rng(seed).standard_normal((n, dimension))
    return unit_length(drawn.astype(np.float32))


def test_half_of_what_the_runners_up_score_above_the_usual_is_taken_off() -> None:
    """By hand: 0.8 with runners-up 0.6 and 0.5 becomes 0.8 - 0.5 (0.55 - 0.5)."""
    gallery = np.diag([0.8, 0.6, 0.5, 0.1]).astype(np.float32)
    probe = Embeddings(vectors=np.ones((1, 4), np.float32))

    found = NormalisedIndex(ExactIndex(gallery), runners_up=2, weight=0.5).search(
        probe, k=1
    )

    assert found.rows.tolist() == [[0]]
    assert found.scores[0, 0] == pytest.approx(0.8 - 0.5 * (0.55 - 0.5))
    assert found.scores.dtype == np.float32


@pytest.mark.parametrize("k", [1, 2, 5, 40])
def test_candidates_and_their_order_and_distances_stay(k: int) -> None:
    """All scores of a probe move by the same amount, whatever k is asked for."""
    plain = ExactIndex(_unit(30, seed=1))
    probes = Embeddings(vectors=_unit(7, seed=2))

    cosines = plain.search(probes, k=k)
    found = NormalisedIndex(plain, runners_up=2, weight=0.5).search(probes, k=k)

    assert np.array_equal(found.rows, cosines.rows)
    moved = found.scores - cosines.scores
    assert np.allclose(moved, moved[:, :1], atol=1e-6)
    deep = plain.search(probes, k=3).scores[:, 1:].mean(axis=1)
    assert np.allclose(moved[:, 0], -0.5 * (deep - 0.5), atol=1e-6)


def test_a_probe_that_resembles_everybody_loses_against_one_that_resembles_one() -> (
    None
):
    """Of two equal best scores the one that stands alone is the higher in the end."""
    alone = np.array([[0.7, 0.2, 0.2], [0.7, 0.68, 0.66]], np.float32)
    index = NormalisedIndex(ExactIndex(_EYE), runners_up=2, weight=0.5)

    scores = index.search(Embeddings(vectors=alone), k=1).scores[:, 0]

    assert scores[0] > 0.7 > scores[1]


def test_a_gallery_of_one_keeps_its_cosine() -> None:
    """There is no runner-up to allow for; of two, there is one."""
    probe = Embeddings(vectors=np.array([[0.6, 0.8]], np.float32))
    one = NormalisedIndex(ExactIndex(_EYE[:1, :2]), runners_up=2, weight=0.5)
    two = NormalisedIndex(ExactIndex(_EYE[:2, :2]), runners_up=2, weight=0.5)

    assert one.search(probe, k=1).scores[0, 0] == pytest.approx(0.6)
    assert two.search(probe, k=1).scores[0, 0] == pytest.approx(0.8 - 0.5 * 0.1)


@pytest.mark.parametrize(
    "config", [DecisionConfig(runners_up=0), DecisionConfig(threshold_llr=5.0)]
)
def test_without_runners_up_and_for_likelihood_ratios_scores_stay_cosines(
    config: DecisionConfig,
) -> None:
    """A log-likelihood ratio speaks of two templates, not of who else is enrolled."""
    index = ExactIndex(_EYE)

    assert normalised(index, config) is index
    assert normalised(index, DecisionConfig()) is not index
