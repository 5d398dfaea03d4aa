"""What the report says of load: the queue, the losses, groups in three states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import report_doubles
from bench_doubles import make_record
from bench_world import make_plan, perfect_results

from bench.records import PlannedChange
from bench.report import series
from bench.report.charts_latency import latency_series
from bench.report.charts_queue import losses, queue_over_time
from bench.report.headline import disparity_rows


def test_the_queue_counts_what_came_and_has_not_ended():
    """Each frame of the tiny world is held for 19 ms, alone."""
    queue = series.queue_of(make_record(perfect_results(make_plan())))
    assert queue.n_frames.min() == 0
    assert queue.n_frames.max() == 1
    assert queue.n_frames[-1] == 0
    assert np.all(np.diff(queue.time_s) >= 0)
    held_s = np.diff(queue.time_s)[queue.n_frames[:-1] == 1].sum()
    assert held_s == pytest.approx(200 * 0.019)


def test_the_queue_chart_tells_most_and_mean():
    """For those who cannot see it as well."""
    queue = series.queue_of(make_record(perfect_results(make_plan())))
    svg = queue_over_time(queue)
    assert "At most 1 frames were waiting or in work at a time" in svg
    assert "0.38 on average" in svg


def test_the_load_beside_frames_is_marked_where_it_happened():
    """Changes of the watchlist, and a camera that is lost and comes back."""
    record = report_doubles.make_record(seed=11)
    plan = replace(
        record.plan,
        changes=(
            PlannedChange(offset_ns=20 * 10**9, enrol=("a", "b"), withdraw=("c",)),
            PlannedChange(offset_ns=30 * 10**9, enrol=(), withdraw=("d",)),
        ),
    )
    loss = {"camera_id": "cam1", "from_s": 25.0, "until_s": 28.0}
    scenario = {**record.scenario, "load": {"camera_loss": [loss]}}
    marked = series.happenings_of(replace(record, plan=plan, scenario=scenario))
    assert [(h.time_s, h.words) for h in marked] == [
        (20.0, "2 join, 1 leave"),
        (25.0, "cam1 off"),
        (28.0, "cam1 back"),
        (30.0, "1 leave"),
    ]
    svg = latency_series(
        series.frames_of(record), alerts=(), warm_up_s=1.0, happenings=marked
    )
    assert "2 join, 1 leave" in svg
    assert "At 25 s: cam1 off." in svg
    assert series.happenings_of(record) == ()


def test_losses_are_told_by_kind_of_cause():
    """What follows the colon differs by frame and is left out."""
    record = report_doubles.make_record(seed=11)
    by_cause = dict(series.causes(record.results))
    assert sum(by_cause.values()) == record.metrics["frames.skipped"].value
    svg = losses({"overtaken": 30, "failed": 10}, n_offered=400)
    assert "30 frames, 7.5 %" in svg


def test_every_group_gets_an_answer():
    """Too small to tell: each says how many passages would."""
    rows = disparity_rows(report_doubles.make_record(seed=11))
    assert {row.rate for row in rows} == {"FNIR", "FPIR"}
    assert all(row.tells or "cannot tell" in row.answer for row in rows)
    assert any("more passages" in row.answer for row in rows)
