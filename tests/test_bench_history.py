"""Runs over time: what is kept, and which steps are believed."""

from __future__ import annotations

import numpy as np
import pytest
from bench_doubles import make_record
from bench_world import make_plan, perfect_results

from bench.errors import BenchError
from bench.intervals.change_points import change_points
from bench.regression.history import kept_series, read_series, take_in
from bench.report.history_page import history_chart
from bench.running.folder import write_run


def write_runs(out, n):
    """Write the tiny run so many times."""
    record = make_record(perfect_results(make_plan()))
    for k in range(n):
        folder = out / f"tiny-{k}"
        folder.mkdir(parents=True)
        write_run(record, folder)
    return record


def test_every_run_is_taken_in_once(tmp_path):
    """A second look finds nothing new; a broken folder is passed over."""
    record = write_runs(tmp_path / "runs", 3)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{}")
    database = tmp_path / "history.sqlite"
    assert take_in(database, tmp_path / "runs") == 3
    assert take_in(database, tmp_path / "runs") == 0
    ((title, machine, n),) = kept_series(database)
    assert (title, n) == ("Tiny world", 3)
    metric = "glass_to_alert_s.p50"
    points = read_series(database, metric=metric, title=title, machine=machine)
    assert [p.value for p in points] == [record.metrics[metric].value] * 3
    assert "synthetic people" in history_chart(points, (), metric=metric)


def test_a_database_that_is_none_is_refused(tmp_path):
    """One sentence with the remedy."""
    path = tmp_path / "history.sqlite"
    path.write_text("no database, but long enough to be looked at as one" * 10)
    with pytest.raises(BenchError, match="choose another with --database"):
        take_in(path, tmp_path)


def test_a_step_is_found_where_it_is():
    """Ten per cent more from the 13th run on, against 2 % of noise."""
    rng = np.random.default_rng(1)
    values = np.r_[np.full(12, 0.100), np.full(12, 0.110)]
    values *= np.exp(rng.normal(0.0, 0.02, 24))
    (found,) = change_points(values.tolist(), rng=rng)
    assert found.position == 12
    assert found.before == pytest.approx(0.100, rel=0.02)
    assert found.after == pytest.approx(0.110, rel=0.02)


def test_two_steps_are_found_in_order():
    """Up, and down again."""
    rng = np.random.default_rng(2)
    values = np.r_[np.full(15, 1.0), np.full(15, 1.3), np.full(15, 0.9)]
    values = values + rng.normal(0.0, 0.03, 45)
    assert [c.position for c in change_points(values.tolist(), rng=rng)] == [15, 30]


def test_noise_alone_hardly_ever_steps():
    """100 series of 30 without a step, one with an outlier each."""
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(100):
        values = rng.normal(1.0, 0.05, 30)
        values[int(rng.integers(30))] = 5.0
        false += len(change_points(values.tolist(), rng=rng)) > 0
    assert false <= 4


def test_too_few_runs_have_no_step():
    """Three on a side are not a level."""
    rng = np.random.default_rng(4)
    assert change_points([1.0, 1.0, 1.0, 9.0, 9.0, 9.0], rng=rng) == ()
