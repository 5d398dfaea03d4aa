"""A run on disk, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from bench_doubles import make_record
from bench_world import make_plan, perfect_results

from bench.errors import OutputFolderError, RunFolderError
from bench.objectives import ObjectivesConfig
from bench.running.folder import create_folder, read_run, recompute, run_json, write_run

# DESIGN.md, Command line: what every run.json has at least.
CONTRACT = [
    "glass_to_alert_s.p50",
    "glass_to_alert_s.p90",
    "glass_to_alert_s.p95",
    "glass_to_alert_s.p99",
    "glass_to_alert_s.max",
    "schedule_delay_s.p99",
    "frames.offered",
    "frames.processed",
    "frames.skipped",
    "frames.failed",
    "throughput_fps",
    "goodput_hz",
    "cameras",
    "watchlist.size",
    "passages.mated",
    "passages.non_mated",
    "tpir",
    "fnir",
    "fpir",
    "fta",
    "fpir.by_sex.female",
    "fpir.by_sex.male",
    "utilisation.detect",
    "waiting_s.detect.p99",
    "service_s.detect.p50",
    "truth.sha256",
    "clips.sha256",
]


@pytest.fixture
def record():
    """A run with an alert, judged by two objectives."""
    return make_record(
        perfect_results(make_plan()),
        objectives=ObjectivesConfig(tpir=0.8, glass_to_alert_p50_s=1.0),
    )


@pytest.fixture
def folder(record, tmp_path):
    """The same, written."""
    made = create_folder(tmp_path / "runs", name="tiny")
    write_run(record, made)
    return made


def test_what_was_written_is_what_is_read(record, folder):
    """Every record comes back equal, arrays included."""
    back = read_run(folder)
    for name in ("verdict", "objectives", "metrics", "results", "passages"):
        assert getattr(back, name) == getattr(record, name)
    for name in ("run_id", "scenario", "alerts", "probes", "notes"):
        assert getattr(back, name) == getattr(record, name)
    assert np.array_equal(back.plan.offset_ns, record.plan.offset_ns)
    assert np.array_equal(back.sent.sent_ns, record.sent.sent_ns)
    assert back.plan.camera_ids == record.plan.camera_ids


def test_metrics_can_be_computed_again_from_the_folder_alone(record, folder):
    """To the last bit: there is one way from records to figures."""
    assert recompute(folder) == record.metrics


def test_run_json_keeps_the_contract(folder):
    """Names, shapes and hashes that scripts rely on."""
    said = json.loads((folder / "run.json").read_text())
    assert said["schema_version"] == 3
    assert set(CONTRACT) <= set(said["metrics"])
    for metric in said["metrics"].values():
        assert list(metric) == ["value", "low", "high", "n", "unit"]
    assert said["metrics"]["truth.sha256"]["value"] == "2" * 64
    assert said["verdict"]["status"] == "INCONCLUSIVE"
    assert {"code", "message", "cure"} <= set(said["verdict"]["reasons"][0])
    assert said["objectives"][0]["metric"] == "glass_to_alert_s.p50"


def test_json_of_a_run_is_plain(record):
    """No NaN, no type of ours."""
    assert json.loads(json.dumps(run_json(record), allow_nan=False))
    assert asdict(record.verdict)["status"] == "INCONCLUSIVE"


def test_tables_say_which_passages_count(folder):
    """Readers without this program need not know the rule."""
    table = pq.read_table(folder / "passages.parquet")
    assert table.column("counted").to_pylist() == [True, True, False, True, False]


def test_a_run_without_results_can_be_written(tmp_path):
    """A matcher that died at once leaves tables without rows, not without columns."""
    record = make_record((), lost="it left")
    folder = create_folder(tmp_path, name="tiny")
    write_run(record, folder)
    assert read_run(folder).results == ()
    assert recompute(folder) == record.metrics


def test_two_runs_never_share_a_folder(tmp_path):
    """Not even in the same second."""
    made = {create_folder(tmp_path, name="tiny") for _ in range(3)}
    assert len(made) == 3


def test_an_unwritable_folder_is_refused_in_one_sentence():
    """Before any work is done; in /proc not even root may make one."""
    with pytest.raises(OutputFolderError, match="must be writable"):
        create_folder(Path("/proc/runs"), name="tiny")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    """The sentence names the path and the remedy."""
    blocked = tmp_path / "runs"
    blocked.write_text("")
    with pytest.raises(OutputFolderError, match="choose another with --out"):
        create_folder(blocked / "deeper", name="tiny")


@pytest.mark.parametrize("name", ["run.json", "events.parquet"])
def test_a_folder_with_a_file_missing_is_refused(folder, name):
    """The sentence names the folder."""
    (folder / name).unlink()
    with pytest.raises(RunFolderError, match="harness run"):
        read_run(folder)


def test_a_folder_of_another_version_is_refused(folder):
    """Rather than misread."""
    said = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**said, "schema_version": 99}))
    with pytest.raises(RunFolderError, match="schema_version 99"):
        read_run(folder)
