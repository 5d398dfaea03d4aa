"""Runs that take turns: their order, and the verdict over all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError
from bench.regression.comparison import Figure, Judgement
from bench.regression.error_comparison import PassageError
from bench.regression.interleaved import Arm, compare_arms, run_arm, take_turns
from bench.regression.run_sample import RunSample

A = Arm(checkout=Path("a"), overrides=())
B = Arm(checkout=Path("b"), overrides=("matcher.decision.threshold=0.6",))


def sample(rng, *, embed_s=0.004, missed=0.3, noise=0.02):
    """Draw one run: two figures of speed, and 200 mated passages of 100 people."""

    def figure(value):
        drawn = value * float(np.exp(rng.normal(0.0, noise)))
        return Figure(value=drawn, low=None, high=None)

    # A passage's difficulty is its own: a run misses the hardest ones.
    difficulty = np.random.default_rng(9).random(200)
    return RunSample(
        run_id="r",
        began="",
        status="VALID",
        commit="",
        machine="m",
        truth_sha256="t",
        title="Tiny",
        figures={
            "service_s.embed.p50": figure(embed_s),
            "glass_to_alert_s.p50": figure(0.020),
            "cameras": Figure(value=2.0, low=None, high=None),
        },
        passages=tuple(
            PassageError(
                passage_id=f"c-{k}",
                person_id=f"p-{k % 100}",
                mated=True,
                is_error=bool(hard < missed),
            )
            for k, hard in enumerate(difficulty)
        ),
    )


def compared(*, seed, rounds=5, **of_b):
    """Let A take turns with itself, then with a B that may differ."""
    rng = np.random.default_rng(seed)
    turns = take_turns(
        A,
        B,
        lambda arm: sample(rng, **(of_b if arm is B else {})),
        rounds=rounds,
        progress=lambda *_: None,
    )
    found, _ = compare_arms(turns, margin=0.05, error_margin=0.03, rng=rng)
    return found


def test_the_two_take_turns_and_change_who_goes_first():
    """First A against itself, then A B, B A, A B."""
    order = []
    rng = np.random.default_rng(1)

    def run(arm):
        order.append("A" if arm is A else "B")
        return sample(rng)

    take_turns(A, B, run, rounds=3, progress=lambda *_: None)
    assert "".join(order) == "AAAAAA" + "ABBAAB"


def test_too_few_rounds_are_refused():
    """Two differences have no interval worth the name."""
    with pytest.raises(BenchError, match="rounds must be 3 or more"):
        take_turns(A, B, lambda _: None, rounds=2, progress=lambda *_: None)


def test_a_slower_stage_is_worse_and_a_stage_alike_is_not():
    """+20 % in one stage, 2 % of noise a run."""
    found = compared(seed=2, embed_s=0.0048)
    said = {c.metric: c.judgement for c in found.contrasts}
    assert found.judgement is Judgement.WORSE
    assert said["service_s.embed.p50"] is Judgement.WORSE
    assert said["glass_to_alert_s.p50"] is not Judgement.WORSE
    assert "cameras" not in said


def test_a_higher_threshold_is_worse_on_accuracy_alone():
    """Twelve points more are missed; the times are alike."""
    found = compared(seed=3, missed=0.42)
    said = {c.metric: c.judgement for c in found.contrasts}
    assert found.judgement is Judgement.WORSE
    assert said["fnir"] is Judgement.WORSE
    assert said["service_s.embed.p50"] is not Judgement.WORSE


def test_a_build_against_itself_is_calm_in_19_of_20():
    """60 interleaved comparisons of the same thing."""
    calm = {Judgement.EQUAL, Judgement.INCONCLUSIVE}
    said = [compared(seed=100 + k).judgement for k in range(60)]
    assert sum(j in calm for j in said) >= 57


def test_a_checkout_that_cannot_run_says_why(tmp_path):
    """The last words of the failed run are kept."""
    (tmp_path / "harness.py").write_text("raise SystemExit('no such matcher')")
    arm = Arm(checkout=tmp_path, overrides=())
    with pytest.raises(BenchError, match="no such matcher"):
        run_arm(arm, "smoke", out=tmp_path / "runs", cache=tmp_path, options=())
