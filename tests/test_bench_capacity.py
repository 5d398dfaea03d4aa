"""The search for the most cameras: climbs, bisects, confirms; and its confidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bench_doubles import make_record
from bench_world import make_crowd, make_plan, perfect_results

from bench.errors import BenchError
from bench.objectives import LoadConfig, ObjectivesConfig
from bench.records import Metric, ObjectiveResult, Reason, Status, Verdict
from bench.running.run import Settings
from bench.search import find_cameras
from bench.search.capacity_search import Trial, confidence, search_capacity
from matcher.config import MatcherConfig
from matcher.records import Stage


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


@pytest.fixture
def bench_of(monkeypatch):
    """A bench on which 3 cameras are carried, and the instrument fails at times."""

    def make(*, fails_first):
        failures = {"left": fails_first}
        runs = []

        def measure(_rig, _enrolment, settings, _origin, **_):
            n_cameras = settings.load.cameras
            runs.append((n_cameras, settings.load.duration_s))
            record = make_record(perfect_results(make_plan()))
            metrics = {
                **record.metrics,
                "matcher.rss_bytes": Metric(value=1e8 + n_cameras * 1e6, unit="bytes"),
            }
            verdict = record.verdict
            if n_cameras == 2 and failures["left"] > 0:
                failures["left"] -= 1
                verdict = Verdict(status=Status.INVALID, reasons=(LATE,))
            met = ObjectiveResult(
                metric="frames.skipped_share",
                limit=0.1,
                at_most=True,
                value=0.0,
                met=n_cameras <= 3,
            )
            return replace(record, metrics=metrics, verdict=verdict, objectives=(met,))

        monkeypatch.setattr(find_cameras, "measure", measure)
        monkeypatch.setattr(find_cameras, "feed_of", lambda clip: clip)
        monkeypatch.setattr(find_cameras, "rig_of", lambda *_, **__: None)
        monkeypatch.setattr(find_cameras, "enrol_watchlist", lambda *_, **__: None)
        return runs

    return make


LATE = Reason(
    code="schedule_delay", status=Status.INVALID, message="late", cure="stop others"
)


def found_by(**objectives):
    """Search on the fake bench."""
    load = LoadConfig(find="max_cameras", find_confirmations=2, find_at_most=16)
    return find_cameras.find_max_cameras(
        make_crowd(),
        Settings(
            matcher=MatcherConfig(),
            load=load,
            objectives=ObjectivesConfig(**objectives),
        ),
        rng_of=np.random.default_rng,
        progress=lambda *_: None,
        scenario={},
        provenance={},
    )


def test_memory_is_probed_before_the_search(bench_of):
    """A megabyte a camera, from one and five cameras for two seconds."""
    runs = bench_of(fails_first=0)
    found, shown = found_by(skipped_share=0.1)
    assert runs[:2] == [(1, 2.0), (5, 2.0)]
    assert found.memory_per_camera_bytes == pytest.approx(1e6)
    assert (found.n_cameras, found.at_most) == (3, 3)
    assert found.bottleneck in set(Stage)
    assert shown.objectives[0].met


def test_an_invalid_trial_is_made_again(bench_of):
    """The instrument failed twice at two cameras; the matcher carries three."""
    runs = bench_of(fails_first=2)
    found, _ = found_by(skipped_share=0.1)
    assert found.n_cameras == 3
    assert [n for n, _ in runs].count(2) == 3


def test_a_search_without_an_objective_is_refused(bench_of):
    """Nothing could be held against any number of cameras."""
    bench_of(fails_first=0)
    with pytest.raises(BenchError, match="state at least one"):
        found_by()
