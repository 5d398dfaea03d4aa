"""The service and the matcher's process say the same of every frame."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[1]
# What of each table must be equal: everything but the times and what counts them.
WHO = ("camera_id", "frame_index", "track_id", "subject_id")
TABLES = {
    "alerts": [*WHO, "comparison_score", "threshold", "box_xyxy"],
    "probes": [*WHO, "comparison_score", "n_shots", "quality", "box_xyxy"],
    "frames": ["camera_id", "frame_index", "outcome", "cause", "n_faces"],
}
SCORES = ("comparison_score", "threshold")


def command(*arguments):
    return [sys.executable, "-m", "harness", *map(str, arguments)]


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}


def run(*arguments, cwd, out):
    """Run smoke unhurried, and return its folder."""
    done = subprocess.run(
        command("run", "smoke", "--unhurried", "--quiet", "--out", out, *arguments),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode in {0, 3}, done.stderr
    (folder,) = (cwd / out).iterdir()
    return folder


@contextmanager
def served(cwd):
    """Serve smoke's matcher on a free port until the block ends."""
    process = subprocess.Popen(
        command(
            "serve", "--scenario", "smoke", "--data", "data", "--port", "0", "--json"
        ),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


def table_of(folder, name):
    return pq.read_table(folder / f"{name}.parquet", columns=TABLES[name])


def rows(table):
    return sorted(map(repr, table.to_pylist()))


def scores(table):
    """Every score, in the order of who was searched for where."""
    table = table.sort_by([(name, "ascending") for name in WHO])
    return np.array(
        [table[name].to_pylist() for name in SCORES if name in table.column_names]
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The run in process."""
    return run(cwd=tmp_path_factory.mktemp("here"), out="here")


def over_network(folder, *options):
    with served(folder) as url:
        return run("--target", url, *options, cwd=folder, out="there")


@pytest.mark.slow
@pytest.mark.parametrize("enrol", ["templates", "portraits"])
def test_packets_give_the_same_alerts_frame_for_frame(tmp_path, here, enrol):
    """Alerts, searches, and the end of every frame; scores to their last digits.

    Products round by their size: of the batches in which portraits are embedded, and
    of the galleries against which the threshold is found.
    """
    there = over_network(tmp_path, "--enrol", enrol, "--frames", "h264")
    assert len(table_of(here, "alerts")) > 0
    for name, columns in TABLES.items():
        ours, theirs = (table_of(folder, name) for folder in (here, there))
        bare = [column for column in columns if column not in SCORES]
        assert rows(ours.select(bare)) == rows(theirs.select(bare))
        if name != "frames":
            assert np.allclose(scores(ours), scores(theirs), rtol=0.0, atol=1e-5)


@pytest.mark.slow
def test_stills_without_loss_are_all_processed(tmp_path, here):
    """Brightness comes from their colours, not from the codec, so scores differ."""
    there = over_network(tmp_path, "--enrol", "templates", "--frames", "png")
    bare = ["camera_id", "frame_index", "outcome", "cause"]
    ours, theirs = (table_of(folder, "frames").select(bare) for folder in (here, there))
    assert rows(ours) == rows(theirs)
