"""The search for the most cameras: climbs, bisects, confirms; and its confidence."""

from __future__ import annotations

import numpy as np
import pytest

from bench.capacity_search import Trial, confidence, search_capacity


def sharp(edge):
    """A machine that carries so many cameras, always."""

    def trial(n_cameras):
        passed = n_cameras <= edge
        return Trial(n_cameras=n_cameras, passed=passed, why="" if passed else "slow")

    return trial


@pytest.mark.parametrize("edge", [0, 1, 2, 3, 7, 8, 9, 31, 64])
def test_a_sharp_edge_is_found_and_confirmed_on_both_sides(edge):
    """Five runs passed at the answer and five failed at one camera more."""
    found = search_capacity(sharp(edge), at_most=64, confirmations=5)
    assert found.n_cameras == found.at_least == edge
    assert found.at_most == (edge if edge < 64 else None)
    runs = [t.n_cameras for t in found.trials]
    if edge > 0:
        assert runs.count(edge) == 5
    if edge < 64:
        assert runs.count(edge + 1) == 5
    assert all(t.passed is (t.n_cameras <= edge) for t in found.trials)


def test_the_search_is_short():
    """Climbing and bisecting takes about 2 log2 N runs, confirming eight more."""
    found = search_capacity(sharp(37), at_most=1024, confirmations=5)
    assert len(found.trials) <= 2 * 6 + 2 + 8


def test_five_confirmations_are_97_percent():
    """A coin shows five heads in a row once in 32."""
    assert confidence(5) == pytest.approx(0.969, abs=0.001)


def test_a_wide_edge_is_bounded_as_often_as_promised():
    """Passing grows unlikely from 12 to 20 cameras: the median edge is 16."""
    rng = np.random.default_rng(1)
    inside = twice = 0
    for _ in range(300):

        def trial(n_cameras):
            chance = 1.0 / (1.0 + np.exp((n_cameras - 16.5) / 1.0))
            return Trial(n_cameras=n_cameras, passed=rng.random() < chance, why="")

        answers = [search_capacity(trial, at_most=64, confirmations=5) for _ in "ab"]
        inside += all(a.at_least <= 16 <= a.at_most for a in answers)
        twice += abs(answers[0].n_cameras - answers[1].n_cameras) <= 2
    assert inside / 300 >= 0.94
    # Every trial is a coin toss near the edge, and still two searches agree.
    assert twice / 300 >= 0.85
