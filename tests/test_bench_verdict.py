"""When a run's figures may be quoted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bench_doubles import make_record
from bench_world import MS, make_plan, perfect_results, send_all

from bench.intervals.proportion import proportion
from bench.objectives import Objective, ObjectivesConfig
from bench.records import Metric, Status
from bench.running.verdict import applicable, judge_objectives
from matcher.records import Outcome, Stage


def codes(record):
    """List the reasons of a verdict by code."""
    return [reason.code for reason in record.verdict.reasons]


def test_a_sound_run_is_valid():
    """Every frame on time, ended once, with all its stages."""
    record = make_record(perfect_results(make_plan()))
    assert record.verdict.status is Status.VALID
    assert record.verdict.reasons == ()


def test_late_sends_make_a_run_invalid():
    """11 ms is more than a tenth of the interval of 100 ms; 9 ms is not."""
    plan = make_plan()
    late = make_record(perfect_results(plan), sent=send_all(plan, late_ms=11.0))
    assert late.verdict.status is Status.INVALID
    assert codes(late) == ["schedule_delay"]
    assert "0.0110 s" in late.verdict.reasons[0].message
    fine = make_record(perfect_results(plan), sent=send_all(plan, late_ms=9.0))
    assert fine.verdict.status is Status.VALID


def test_a_missing_stage_makes_a_run_invalid():
    """A processed frame must have logged all seven."""
    results = list(perfect_results(make_plan()))
    results[50] = replace(
        results[50],
        events=tuple(e for e in results[50].events if e.stage is not Stage.SEARCH),
    )
    record = make_record(tuple(results))
    assert codes(record) == ["incomplete_log"]
    assert "1 lack a stage" in record.verdict.reasons[0].message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[1:], "1 never ended"),
        (lambda rows: (*rows, rows[7]), "1 ended more than once"),
    ],
    ids=["lost", "twice"],
)
def test_every_frame_ends_exactly_once(change, words):
    """Frames neither vanish nor double."""
    record = make_record(change(perfect_results(make_plan())))
    assert codes(record) == ["incomplete_log"]
    assert words in record.verdict.reasons[0].message


def test_a_result_for_a_frame_never_sent_is_noticed():
    """The matcher may speak only of what it was given."""
    plan = make_plan()
    full = send_all(plan)
    sent = replace(full, sent_ns=np.where(np.arange(200) < 199, full.sent_ns, -1))
    record = make_record(perfect_results(plan), sent=sent)
    assert "1 were never sent" in record.verdict.reasons[0].message


def test_skipped_frames_need_no_stages():
    """Skipping is an outcome, and complete."""
    results = list(perfect_results(make_plan()))
    skipped = replace(results[150].outcome, outcome=Outcome.SKIPPED, cause="overtaken")
    results[150] = replace(results[150], outcome=skipped, events=(), boxes=())
    record = make_record(tuple(results))
    assert record.verdict.status is Status.VALID
    assert record.metrics["frames.skipped"].value == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"interrupted": True}, "interrupted"),
        ({"lost": "its process was killed by SIGKILL"}, "matcher_died"),
        ({"warm_up_s": 60.0}, "warm_up"),
        ({"clock_disagreement_ns": 5 * MS}, "clock"),
        ({"matcher_wait_s": 2.0, "harness_cpu_s": 0.8}, "starved"),
        ({"matcher_wait_s": None, "harness_cpu_s": 0.8}, "starved"),
        ({"null_hz": 59.0}, "headroom"),
        ({"null_hz": None}, "headroom"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_fault_makes_a_run_invalid_by_its_own_name(change, code):
    """And says what would cure it."""
    record = make_record(perfect_results(make_plan()), **change)
    assert record.verdict.status is Status.INVALID
    assert codes(record) == [code]
    assert record.verdict.reasons[0].cure


def test_a_busy_machine_alone_does_not_blame_the_harness():
    """What the matcher waited for others, the harness has not taken."""
    record = make_record(
        perfect_results(make_plan()), matcher_wait_s=5.0, harness_cpu_s=0.1
    )
    assert record.verdict.status is Status.VALID
    assert record.metrics["matcher.cpu_wait_share"].value == 0.5


def test_unhurried_runs_are_not_judged_by_the_clock():
    """No schedule, no headroom, no latencies; the log must still be whole."""
    record = make_record(perfect_results(make_plan()), unhurried=True, null_hz=None)
    assert record.verdict.status is Status.VALID
    assert record.metrics["glass_to_alert_s.p50"].value is None
    assert record.metrics["schedule_delay_s.p99"].value is None
    objectives = ObjectivesConfig(glass_to_alert_p99_s=1.0, tpir=0.8).stated()
    left = applicable(objectives, unhurried=True)
    assert [o.metric for o in left] == ["tpir"]


@pytest.mark.parametrize(
    ("low", "high", "met"),
    [(0.1, 0.4, True), (0.1, 0.6, None), (0.6, 0.9, False), (0.1, None, None)],
    ids=["below", "straddles", "above", "open"],
)
def test_an_objective_is_decided_by_the_whole_interval(low, high, met):
    """At most 0.5: a bound that is missing may lie anywhere."""
    metric = Metric(value=0.3, low=low, high=high, n=10)
    objective = Objective(metric="fpir", limit=0.5, at_most=True)
    (result,) = judge_objectives((objective,), {"fpir": metric})
    assert result.met is met


def test_too_few_passages_leave_a_run_inconclusive_and_say_how_many():
    """1 of 1 does not show 80 %; the cure names enough."""
    record = make_record(
        perfect_results(make_plan()), objectives=ObjectivesConfig(tpir=0.8)
    )
    assert record.verdict.status is Status.INCONCLUSIVE
    (reason,) = record.verdict.reasons
    assert reason.code == "undecided"
    needed = 1 + int(reason.cure.split()[1])
    assert proportion(needed, needed).low > 0.8
    assert proportion(needed - 1, needed - 1).low <= 0.8


def test_an_unquotable_percentile_is_inconclusive():
    """180 frames past the warm-up cannot show a p99; 1,000 could."""
    record = make_record(
        perfect_results(make_plan()),
        objectives=ObjectivesConfig(glass_to_alert_p99_s=1.0, glass_to_alert_p50_s=1.0),
    )
    assert [objective.met for objective in record.objectives] == [True, None]
    (reason,) = record.verdict.reasons
    assert "820 more frames" in reason.cure


def test_a_missed_objective_leaves_a_run_valid():
    """Its figures may be quoted: that is how one knows that it was missed."""
    record = make_record(
        perfect_results(make_plan()),
        objectives=ObjectivesConfig(glass_to_alert_p50_s=0.01),
    )
    assert record.verdict.status is Status.VALID
    assert [objective.met for objective in record.objectives] == [False]


def test_stage_figures_separate_waiting_from_service():
    """The doubles wait 1 ms and serve 2 ms in every stage."""
    metrics = make_record(perfect_results(make_plan())).metrics
    for stage in Stage:
        assert metrics[f"waiting_s.{stage}.p50"].value == pytest.approx(0.001)
        assert metrics[f"service_s.{stage}.p50"].value == pytest.approx(0.002)
    # 20 frames a second for 2 ms each; the last of 180 counted ends 20 ms late.
    assert metrics["utilisation.detect"].value == pytest.approx(0.04, rel=0.01)
    assert metrics["utilisation"].value == pytest.approx(0.28, rel=0.01)
    assert metrics["glass_to_alert_s.p50"].value == pytest.approx(0.020)
    assert metrics["throughput_fps"].value == pytest.approx(20.0, rel=0.01)
    assert metrics["goodput_hz"].value == metrics["throughput_fps"].value
