"""Better, worse, equal or inconclusive, and how often each is said in error."""

from __future__ import annotations

import json

import numpy as np
import pytest
from bench_doubles import make_record
from bench_world import make_plan, perfect_results

from bench.regression.comparison import (
    Figure,
    Judgement,
    NoiseFloor,
    compare_figures,
    compare_rounds,
    conclude,
    noise_floor,
)
from bench.regression.error_comparison import PassageError, compare_errors
from bench.regression.run_sample import read_sample
from bench.running.folder import create_folder, write_run

FIGURES = {"service_s.embed.p50": 0.004, "service_s.detect.p50": 0.011}


def rounds(rng, *, n, slower=1.0, noise=0.03):
    """Draw interleaved rounds; the machine's mood is shared, the rest is not."""
    mood = rng.normal(0.0, 0.1, n)
    drawn = {}
    for name, typical in FIGURES.items():
        factor = slower if "embed" in name else 1.0
        own = rng.normal(0.0, noise, n)
        drawn[name] = (typical * factor * np.exp(mood + own)).tolist()
    return drawn, mood


def paired(rng, *, n, slower, noise=0.03):
    """Draw both arms under the same moods of the machine."""
    first, mood = rounds(rng, n=n, noise=noise)
    second = {
        name: (
            typical
            * (slower if "embed" in name else 1.0)
            * np.exp(mood + rng.normal(0.0, noise, n))
        ).tolist()
        for name, typical in FIGURES.items()
    }
    return first, second


def judged(rng, *, slower, n=4):
    """Measure the noise floor, then compare."""
    floor = noise_floor(*paired(rng, n=n, slower=1.0))
    both = paired(rng, n=n, slower=slower)
    return conclude(compare_rounds(*both, floor=floor, margin=0.02))


def test_the_same_twice_is_hardly_ever_called_better_or_worse():
    """A/A: equal or inconclusive in at least 19 of 20; here 200 repeats."""
    rng = np.random.default_rng(1)
    calm = {Judgement.EQUAL, Judgement.INCONCLUSIVE}
    said = [judged(rng, slower=1.0).judgement for _ in range(200)]
    assert sum(j in calm for j in said) >= 190


def test_a_fifth_more_in_one_stage_is_called_worse():
    """+20 % embed time, 3 % of noise a run, four rounds: in 95 of 100 repeats."""
    rng = np.random.default_rng(2)
    said = []
    for _ in range(100):
        found = judged(rng, slower=1.2)
        by_name = {c.metric: c.judgement for c in found.contrasts}
        said.append(by_name["service_s.embed.p50"])
        assert by_name["service_s.embed.p50"] is not Judgement.BETTER
    assert said.count(Judgement.WORSE) >= 95


def test_a_fifth_less_is_called_better():
    """The same the other way."""
    found = judged(np.random.default_rng(3), slower=0.8, n=6)
    assert found.judgement is Judgement.BETTER


def errors(rng, *, n, chance, n_runs=1):
    """Draw runs of mated passages that are missed with some chance, each its own."""
    uniform = rng.random(n)
    return [
        [
            PassageError(
                passage_id=f"c-{k}",
                person_id=f"p-{k // 2}",
                mated=True,
                is_error=bool(uniform[k] < chance),
            )
            for k in range(n)
        ]
        for _ in range(n_runs)
    ]


def test_a_threshold_that_misses_more_is_called_worse_on_accuracy():
    """Paired by passage: what one threshold misses, a higher one misses as well."""
    rng = np.random.default_rng(4)
    first = errors(np.random.default_rng(5), n=100, chance=0.30)
    second = errors(np.random.default_rng(5), n=100, chance=0.42)
    (found,) = compare_errors(first, second, margin=0.02, rng=rng)
    assert (found.metric, found.judgement) == ("fnir", Judgement.WORSE)
    assert found.change == pytest.approx(found.second - found.first)


def test_equal_errors_are_equal_only_where_enough_passages_say_so():
    """No change among 20 people leaves 15 points open, among 300 one point."""
    rng = np.random.default_rng(6)
    few = errors(np.random.default_rng(7), n=40, chance=0.3)
    many = errors(np.random.default_rng(7), n=600, chance=0.3)
    (little,) = compare_errors(few, few, margin=0.02, rng=rng)
    (enough,) = compare_errors(many, many, margin=0.02, rng=rng)
    assert little.judgement is Judgement.INCONCLUSIVE
    assert enough.judgement is Judgement.EQUAL


@pytest.mark.parametrize(
    ("value", "judgement"),
    [(0.100, "equal"), (0.150, "worse"), (0.060, "better"), (0.109, "inconclusive")],
)
def test_single_runs_are_compared_by_their_intervals(value, judgement):
    """A p95 of 100 ms known to 2 %, with a margin of 10 %."""

    def p95(value):
        return {
            "glass_to_alert_s.p95": Figure(
                value=value, low=value * 0.98, high=value * 1.02
            )
        }

    (found,) = compare_figures(p95(0.100), p95(value), margin=0.10)
    assert found.judgement == judgement


def test_more_throughput_is_better():
    """Of all figures of speed, the one of which more is wanted."""
    (found,) = compare_rounds(
        {"throughput_fps": [30.0, 31.0, 30.5]},
        {"throughput_fps": [39.0, 40.0, 39.5]},
        floor={"throughput_fps": NoiseFloor(furthest=0.01, variance=1e-4, freedom=2)},
        margin=0.05,
    )
    assert found.judgement is Judgement.BETTER


def test_a_noisy_machine_calls_nothing_equal():
    """Where a build differs from itself by half, a quarter more is no equality."""
    (found,) = compare_rounds(
        {"service_s.embed.p50": [4.0, 7.0, 5.0]},
        {"service_s.embed.p50": [5.0, 6.0, 7.5]},
        floor={
            "service_s.embed.p50": NoiseFloor(furthest=0.5, variance=0.04, freedom=2)
        },
        margin=0.05,
    )
    assert found.judgement is Judgement.INCONCLUSIVE
    assert (found.margin, found.floor) == (0.05, 0.5)


def test_nothing_is_concluded_from_an_invalid_run():
    """However large the change looks: the instrument failed."""
    found = judged(np.random.default_rng(3), slower=0.8, n=6)
    assert found.judgement is Judgement.BETTER
    doubted = conclude(found.contrasts, n_invalid=1)
    assert doubted.judgement is Judgement.INCONCLUSIVE
    assert doubted.contrasts == found.contrasts


@pytest.mark.parametrize(
    ("n_cameras", "judgement"),
    [(20, "equal"), (12, "worse"), (30, "better"), (21, "inconclusive")],
)
def test_capacities_are_compared_with_their_bounds(tmp_path, n_cameras, judgement):
    """Of a search for cameras: twenty against others, with a margin of a tenth."""

    def searched(name, n):
        folder = create_folder(tmp_path, name=name)
        write_run(make_record(perfect_results(make_plan())), folder)
        capacity = {"n_cameras": n, "at_least": n, "at_most": n}
        text = json.dumps({"capacity": capacity})
        (folder / "capacity.json").write_text(text)
        return read_sample(folder).figures

    twenty, other = searched("a", 20), searched("b", n_cameras)
    margin = 0.10 if judgement == "inconclusive" else 0.16
    (found,) = (
        c
        for c in compare_figures(twenty, other, margin=margin)
        if c.metric == "max_cameras"
    )
    assert found.judgement == judgement


def test_a_sample_holds_what_the_run_folder_says(tmp_path):
    """Figures with values, counted passages, and whose they are."""
    record = make_record(perfect_results(make_plan()))
    write_run(record, tmp_path)
    sample = read_sample(tmp_path)
    assert sample.status == record.verdict.status
    p50 = record.metrics["glass_to_alert_s.p50"]
    assert sample.figures["glass_to_alert_s.p50"].value == p50.value
    assert {(p.person_id, p.is_error) for p in sample.passages} == {
        ("ann", False),
        ("bob", False),
    }
