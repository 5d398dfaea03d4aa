"""The service and the matcher's process say the same of every frame."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[1]
# What of each table must be equal: everything but the times and what counts them.
SEEN = ("camera_id", "frame_index", "track_id", "subject_id", "comparison_score")
TABLES = {
    "alerts": [*SEEN, "threshold", "box_xyxy"],
    "probes": [*SEEN, "n_shots", "quality", "box_xyxy"],
    "frames": ["camera_id", "frame_index", "outcome", "cause", "n_faces"],
}


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


def rows(folder, name):
    table = pq.read_table(folder / f"{name}.parquet", columns=TABLES[name])
    return sorted(map(repr, table.to_pylist()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ("--enrol", "portraits", "--frames", "h264"),
        ("--enrol", "templates", "--frames", "png"),
    ],
    ids=["portraits and packets", "templates and stills"],
)
def test_alerts_over_network_are_those_of_the_process_frame_for_frame(
    tmp_path, options
):
    """Equal to the last bit: alerts, searches, and the end of every frame."""
    here = run(cwd=tmp_path, out="here")
    with served(tmp_path) as url:
        there = run("--target", url, *options, cwd=tmp_path, out="there")
    assert len(rows(here, "alerts")) > 0
    for name in TABLES:
        assert rows(here, name) == rows(there, name)
