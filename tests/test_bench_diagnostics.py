"""Diagnostics behind the rates: ranks, searches, frames; and why frames were late."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bench_doubles import make_passage, make_record
from bench_world import MS, make_plan, perfect_results

from bench.accuracy.diagnostics import frame_metrics, rank_metrics
from bench.records import ProbeOutcome
from bench.running.folder import create_folder, read_run, write_run


def probe_of(passage, *, subject, score, rank=None):
    return ProbeOutcome(
        camera_id=passage.camera_id,
        frame_index=3,
        track_id=1,
        n_shots=1,
        quality=0.9,
        subject_id=subject,
        comparison_score=score,
        passage_id=passage.passage_id,
        person_id=passage.person_id,
        rank=rank,
    )


def test_ranks_count_mates_wherever_they_stand():
    """Of four sought passages one stands first, one third, two nowhere."""
    passages = [
        make_passage(mated=True, best_rank=rank) for rank in (1, 3, None, None)
    ] + [make_passage(best_rank=None)]
    found = rank_metrics(passages, n_candidates=7)
    assert {name: m.value for name, m in found.items()} == {
        "identified.rank_1": 0.25,
        "identified.rank_5": 0.5,
        "identified.rank_7": 0.5,
    }
    assert {m.n for m in found.values()} == {4}
    assert list(rank_metrics(passages, n_candidates=1)) == ["identified.rank_1"]


def test_searches_and_frames_are_rated_by_themselves():
    """A sought person named in one of two searches; another named wrongly in one."""
    ann = make_passage(mated=True, n_frames_processed=10, n_frames_detected=8)
    bob = make_passage(
        passage_id="cam1-0001",
        person_id="bob",
        n_frames_processed=10,
        n_frames_detected=10,
    )
    probes = [
        probe_of(ann, subject="ann", score=0.5),
        probe_of(ann, subject="ann", score=0.4),
        probe_of(ann, subject="zoe", score=0.9),
        probe_of(bob, subject="ann", score=0.6),
        probe_of(bob, subject="ann", score=0.1),
    ]
    found = frame_metrics(
        [ann, bob], probes, threshold=0.5, rng=np.random.default_rng(1)
    )
    assert found["per_search.fnir"].value == pytest.approx(2 / 3)
    assert found["per_search.fpir"].value == 0.5
    assert found["per_frame.missed"].value == 0.1
    assert found["per_frame.missed"].n == 20


def slowed(result, *, wait_ms=0, service_ms=0, received_ms=0):
    """Let a frame be received later, wait longer, and be served longer."""
    said, events = result.outcome, list(result.events)
    shift = received_ms * MS
    moved = []
    for k, event in enumerate(events):
        start = event.started_ns + shift + (wait_ms if k == 0 else 0) * MS
        shift += (wait_ms + service_ms) * MS if k == 0 else 0
        moved.append(
            replace(
                event,
                enqueued_ns=event.enqueued_ns + received_ms * MS,
                started_ns=start,
                ended_ns=event.ended_ns + shift,
            )
        )
    return replace(
        result,
        outcome=replace(
            said,
            received_ns=said.received_ns + received_ms * MS,
            done_ns=said.done_ns + shift,
        ),
        events=tuple(moved),
    )


def test_late_frames_are_told_by_what_kept_them():
    """Three late on the way, two in a queue, one in work; the rest are in time."""
    results = list(perfect_results(make_plan()))
    for row in (100, 101, 102):
        results[row] = slowed(results[row], received_ms=200)
    for row in (110, 111):
        results[row] = slowed(results[row], wait_ms=200)
    results[120] = slowed(results[120], service_ms=200)
    metrics = make_record(tuple(results), deadline_s=0.1).metrics
    causes = ("sending", "transport", "waiting", "service")
    late = [metrics[f"frames.late_by.{cause}"].value for cause in causes]
    assert late == [0, 3, 2, 1]
    assert metrics["frames.late_share"].value == pytest.approx(6 / 180)


def test_only_alerts_in_time_are_good_for_an_operator():
    """The one alert comes 19 ms after its frame: inside 20 ms, not inside 10."""
    results = perfect_results(make_plan())
    for deadline_s, n in ((0.02, 1), (0.01, 0)):
        metrics = make_record(results, deadline_s=deadline_s).metrics
        assert metrics["alerts.in_time"].value == n
        assert metrics["alerts.in_time"].n == 1
        assert metrics["alert_goodput_hz"].value == pytest.approx(n / 9.05, abs=0.01)


def test_runners_up_and_ranks_come_back_from_the_run_folder(tmp_path):
    """Tuples of any length are columns too."""
    results = tuple(
        replace(
            r,
            probes=tuple(
                replace(p, subject_id="zoe", runners_up=("cat", "ann"))
                for p in r.probes
            ),
        )
        for r in perfect_results(make_plan())
    )
    record = make_record(results, n_candidates=3)
    assert [p.rank for p in record.probes] == [3]
    assert record.metrics["identified.rank_3"].value == 1.0
    assert record.metrics["identified.rank_1"].value == 0.0
    folder = create_folder(tmp_path, name="tiny")
    write_run(record, folder)
    back = read_run(folder)
    assert back.results == record.results
    assert back.passages == record.passages
