"""Claims about the error rates of verification."""

import numpy as np
import pytest

from training.truth import found_faces
from training.verification import pair_scores, separation


def test_d_prime_of_two_normals_is_their_distance_in_deviations() -> None:
    """Two unit normals 3 apart have d' 3 and an EER of the tail beyond 1.5."""
    rng = np.random.default_rng(0)
    result = separation(
        rng.normal(3.0, 1.0, 50_000).astype(np.float32),
        rng.normal(0.0, 1.0, 50_000).astype(np.float32),
    )
    assert result.d_prime == pytest.approx(3.0, abs=0.03)
    assert result.eer == pytest.approx(0.0668, abs=0.003)


def test_fnmr_is_the_share_of_mated_scores_below_the_threshold() -> None:
    """At FMR 1 % of 1,000 non-mated scores 0..999 the threshold passes 989."""
    non_mated = np.arange(1000, dtype=np.float32)
    mated = np.array([100.0, 989.0, 990.0, 2000.0], np.float32)
    assert separation(mated, non_mated, fmr=(0.01,)).fnmr_at_fmr == ((0.01, 0.5),)


def test_rates_that_the_data_cannot_resolve_are_left_out() -> None:
    """Fewer than ten non-mated scores above a threshold say nothing of its FMR."""
    scores = np.linspace(-1, 1, 500, dtype=np.float32)
    rates = separation(scores, scores, fmr=(0.1, 0.01)).fnmr_at_fmr
    assert [fmr for fmr, _ in rates] == [0.1]


def test_separation_refuses_an_empty_set() -> None:
    """No mated scores is no result."""
    with pytest.raises(ValueError, match="mated and non-mated scores"):
        separation(np.zeros(0, np.float32), np.zeros(3, np.float32))


def test_every_pair_is_compared_once() -> None:
    """Two people, two views on each of two days: 4, 8 and 16 of the 28 pairs."""
    vectors = np.eye(8, dtype=np.float32)
    person = np.repeat([0, 1], 4)
    day = np.tile([0, 0, 1, 1], 2)
    same_day, other_day, non_mated = pair_scores(vectors, person, day)
    assert (len(same_day), len(other_day), len(non_mated)) == (4, 8, 16)


def test_a_detection_finds_one_face_at_most() -> None:
    """Of two faces under one box the better covered is found, the other is not."""
    found = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    true = np.array([[0, 0, 10, 14], [0, 0, 10, 10], [80, 80, 90, 90]], np.float32)
    assert found_faces(found, true).tolist() == [-1, 0, -1]
