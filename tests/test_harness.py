"""The command line as a user meets it: what it writes, says and exits with."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import psutil
import pytest

import harness
from commands.table import COMMANDS, CommandTable, summary

ROOT = Path(__file__).parents[1]


def _command(*arguments):
    return [sys.executable, "-m", "harness", *map(str, arguments)]


def _harness(*arguments, cwd):
    return subprocess.run(
        _command(*arguments),
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """Call the command line within this process: exit code, output, complaint."""

    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            harness.main()
        return ended.value.code, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return tmp_path_factory.mktemp("workplace")


@pytest.fixture(scope="module")
def smoke(workplace):
    done = _harness("run", "smoke", "--unhurried", "--json", cwd=workplace)
    assert done.returncode in {0, 3}, done.stderr
    (folder,) = (workplace / "runs").iterdir()
    return done, folder


def test_run_leaves_a_complete_folder(smoke):
    """Everything that was measured is there, and so is the report."""
    _, folder = smoke
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "run.json",
        "plan.parquet",
        "events.parquet",
        "passages.parquet",
        "probes.parquet",
        "alerts.parquet",
        "report.html",
        "harness.log",
    }


def test_json_is_the_run_file_and_nothing_else(smoke):
    """Scripts read standard output as it comes."""
    done, folder = smoke
    stored = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == stored
    assert stored["scenario"]["scenario"]["title"] == "Smoke"


def test_every_offered_frame_is_processed_when_unhurried(smoke):
    """Without a clock nothing is skipped, and passages are found."""
    metrics = json.loads(smoke[0].stdout)["metrics"]
    assert metrics["frames.offered"]["value"] == 100
    assert metrics["frames.processed"]["value"] == 100
    counted = [metrics[f"passages.{kind}"]["value"] for kind in ("mated", "non_mated")]
    assert sum(counted) >= 1


def test_second_unhurried_run_is_identical(smoke, workplace):
    """Same seed: same truth, same clips, same alerts."""
    _, first = smoke
    again = _harness(
        "run", "smoke", "--unhurried", "--quiet", "--out", "again", cwd=workplace
    )
    assert again.returncode in {0, 3}, again.stderr
    (second,) = (workplace / "again").iterdir()
    assert _identity(first) == _identity(second)


def _identity(folder):
    import pyarrow.parquet as pq

    content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    hashes = {
        name: content["provenance"][name]
        for name in ("truth_sha256", "clips_sha256", "watchlist_sha256")
    }
    columns = ["camera_id", "frame_index", "subject_id", "comparison_score"]
    alerts = pq.read_table(folder / "alerts.parquet", columns=columns).to_pylist()
    probes = pq.read_table(folder / "probes.parquet", columns=columns).to_pylist()
    return hashes, alerts, probes


def test_report_is_written_again_from_the_folder_alone(smoke, workplace):
    """A lost page costs nothing."""
    _, folder = smoke
    page = folder / "report.html"
    page.unlink()
    done = _harness("report", folder, cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert page.stat().st_size > 10_000


@pytest.mark.usefixtures("smoke")
def test_corrupted_clip_is_made_again_and_said_so(workplace):
    """A damaged cache never becomes a result."""
    (clip,) = (workplace / ".cache").rglob("*.mp4")
    content = bytearray(clip.read_bytes())
    content[len(content) // 2] ^= 0xFF
    clip.write_bytes(content)
    done = _harness("crowd", "smoke", "--quiet", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert "made again" in done.stderr


BAD_INPUT = {
    "unknown key": (["--set", "crowd.footfal_per_min=3"], "footfall_per_min"),
    "wrong type": (["--set", "watchlist.size=many"], "whole number"),
    "negative rate": (["--set", "crowd.footfall_per_min=-1"], "greater than 0"),
    "zero cameras": (["--set", "cameras=[]"], "at least one"),
    "watchlist too large": (["--set", "watchlist.size=500"], "population_size"),
    "watchlist beyond the walkers": (
        ["--set", "watchlist.size=399", "--set", "watchlist.mated_share=0.0"],
        "population_size",
    ),
    "threshold off the scale": (
        ["--set", "matcher.decision.threshold=1.5"],
        "[-1, 1]",
    ),
    "wrong flag": (["--frobnicate"], "--help"),
    "model without its hash": (
        ["--set", "matcher.embedder.model_path='x.onnx'"],
        "together",
    ),
}


@pytest.mark.parametrize(("arguments", "word"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_one_sentence_and_exit_code_two(tmp_path, here, arguments, word):
    """No traceback, nothing written, and the remedy is in the sentence."""
    code, said, complaint = here("run", "smoke", *arguments)
    assert code == 2
    assert word in complaint
    assert len(complaint.strip().splitlines()) == 1
    assert not said
    assert not list(tmp_path.glob("runs/*/run.json"))


def test_bad_input_ends_a_process_of_its_own_alike(tmp_path):
    """What the shell sees is what the other tests see within this process."""
    done = _harness("run", "nosuch", cwd=tmp_path)
    assert done.returncode == 2
    assert not done.stdout
    assert len(done.stderr.strip().splitlines()) == 1


def test_every_command_has_a_line_in_the_help_and_loads():
    """The table names what is there, and the help needs none of it."""
    table = CommandTable()
    for name in COMMANDS:
        command = table.get_command(None, name)
        assert command.help.strip()
        assert "Raises:" not in command.help
        assert len(summary(name)) > 10
    assert table.get_command(None, "nosuch") is None


def test_help_and_version_load_no_command(tmp_path):
    """Whoever asks for help does not wait for a matcher."""
    code = (
        "import sys, harness\n"
        "try:\n    harness.main()\n"
        "finally:\n    print('numpy' in sys.modules)"
    )
    for asked in ("--help", "--version"):
        done = subprocess.run(
            [sys.executable, "-c", code, asked],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.endswith("False\n")
    assert done.stdout.splitlines()[0] == metadata.version("lfr-harness")


def test_file_in_place_of_output_folder_is_bad_input(tmp_path, here):
    """Found before any work begins."""
    (tmp_path / "runs").write_text("in the way", encoding="utf-8")
    code, _, complaint = here("run", "smoke")
    assert code == 2
    assert len(complaint.strip().splitlines()) == 1
    assert "runs" in complaint


@pytest.mark.usefixtures("smoke")
def test_model_file_that_does_not_match_its_hash_is_refused(workplace):
    """A result names its model, so another file under its name is no result."""
    weights = next((ROOT / "matcher" / "weights").glob("*.onnx"))
    shutil.copy(weights, workplace / "other.onnx")
    done = _harness(
        "run",
        "smoke",
        "--quiet",
        "--set",
        "matcher.embedder.model_path='other.onnx'",
        "--set",
        f"matcher.embedder.model_sha256='{'0' * 64}'",
        cwd=workplace,
    )
    assert done.returncode == 2
    assert "SHA-256" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.fixture
def heeded_interrupts():
    """Ctrl-C works in children even if we were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("smoke", "heeded_interrupts")
def test_interrupted_run_is_kept_and_marked_invalid(workplace):
    """Ctrl-C in the middle loses nothing that was measured."""
    out = workplace / "interrupted"
    process = subprocess.Popen(
        _command("run", "smoke", "--out", out),
        cwd=workplace,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any("send frames" in log.read_text() for log in out.glob("*/*.log")):
        assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=3)  # some frames go; the clip lasts ten seconds
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 3, said
    (folder,) = out.iterdir()
    content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert content["verdict"]["status"] == "INVALID"
    assert "interrupted" in {r["code"] for r in content["verdict"]["reasons"]}
    assert (folder / "report.html").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("smoke")
def test_killed_matcher_leaves_a_report_of_what_was_measured(workplace):
    """SIGKILL in the middle: INVALID, and nothing that was said is lost."""
    out = workplace / "killed"
    process = subprocess.Popen(
        _command("run", "smoke", "--out", out),
        cwd=workplace,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any("send frames" in log.read_text() for log in out.glob("*/*.log")):
        assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=3)
    # The tree of the matcher's processes is what is left of the null system's.
    for child in psutil.Process(process.pid).children(recursive=True):
        if "resource_tracker" not in " ".join(child.cmdline()):
            child.kill()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 3, said
    (folder,) = out.iterdir()
    content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert content["verdict"]["status"] == "INVALID"
    reasons = {r["code"]: r["message"] for r in content["verdict"]["reasons"]}
    assert "SIGKILL" in reasons["matcher_died"]
    assert content["metrics"]["frames.processed"]["value"] >= 1
    assert (folder / "report.html").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("smoke")
def test_more_cameras_than_clips_are_run_and_reported(workplace):
    """Three cameras of one clip, unhurried: each is counted by itself."""
    out = workplace / "three"
    done = _harness(
        *("run", "smoke", "--unhurried", "--json", "--out", out),
        *("--set", "load.cameras=3"),
        cwd=workplace,
    )
    assert done.returncode in {0, 3}, done.stderr
    metrics = json.loads(done.stdout)["metrics"]
    assert metrics["cameras"]["value"] == 3
    assert metrics["frames.processed"]["value"] == 300


@pytest.mark.usefixtures("smoke")
def test_a_run_is_equal_to_itself(smoke, workplace):
    """`compare` of a run with itself: nothing is worse; the exit code says so."""
    _, folder = smoke
    done = _harness("compare", folder, folder, "--json", cwd=workplace)
    found = json.loads(done.stdout)
    assert found["judgement"] in {"equal", "inconclusive"}
    assert done.returncode == (0 if found["judgement"] == "equal" else 3)
    assert all(c["change"] == 0.0 for c in found["contrasts"])


@pytest.mark.usefixtures("smoke")
def test_history_takes_in_what_lies_in_the_folder(workplace):
    """One sound run or more, and a picture of them."""
    done = _harness("history", "throughput_fps", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert (workplace / "runs" / "history-throughput_fps.svg").exists()


def test_scenarios_lists_what_is_shipped(tmp_path):
    """A newcomer finds the scenarios without reading the tree."""
    done = _harness("scenarios", cwd=tmp_path)
    assert done.returncode == 0
    for name in ("smoke", "high_street", "station_gate", "stadium_egress"):
        assert name in done.stdout


def test_doctor_finds_this_machine_fit(tmp_path):
    """The machine that passes the tests passes its own examination."""
    done = _harness("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "SHA-256 match" in done.stdout


def test_ctrl_c_in_a_command_ends_in_one_sentence(here, monkeypatch):
    """Typer would end in silence; nothing was measured, and that is said."""

    def interrupt(*_arguments, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("scenarios.loader.load", interrupt)
    code, _, complaint = here("run", "smoke")
    assert code == 3
    assert complaint.startswith("harness: interrupted before anything was measured")
