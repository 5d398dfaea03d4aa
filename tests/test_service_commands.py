"""Claims about `harness serve` and `harness token`, as a person meets them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import typer
from service_doubles import PNG, portrait
from typer.testing import CliRunner

import harness
from bench.suites.service_process import serving
from lfr_errors import BadInputError
from matcher.config import EngineConfig
from matcher.service.desks.watchlist_folder import WatchlistFolderError, read_folder
from matcher.service.gate.tokens import Role, Standing, read_tokens
from matcher.service.keeping.audit_chain import verify
from scenarios.errors import ScenarioError
from scenarios.serve_loader import load_serve

ROOT = Path(__file__).parents[1]


def said(*words):
    """Run a command; return its exit code and what it printed."""
    found = CliRunner().invoke(harness.app, words)
    if isinstance(found.exception, BadInputError | typer.BadParameter):
        return 2, str(found.exception)
    return found.exit_code, found.stdout


def test_token_command_makes_what_the_service_reads(tmp_path):
    """The token is shown once; the file has its hash, its roles and its end."""
    path = tmp_path / "tokens.toml"
    code, words = said(
        "token", "van-1", "--role", "operator", "--role", "curator", "--file", str(path)
    )
    secret = words.split()[0]
    standing, token = read_tokens(path).find(secret, unix_ns=0)
    assert (code, standing) == (0, Standing.VALID)
    assert token.roles == (Role.OPERATOR, Role.CURATOR)
    assert secret not in path.read_text("utf-8")
    assert path.stat().st_mode & 0o077 == 0

    assert said("token", "van-2", "--role", "curator", "--file", str(path))[0] == 0
    assert read_tokens(path).find(secret, unix_ns=0)[0] is Standing.VALID
    before = path.read_bytes()
    code, words = said("token", "van-1", "--role", "operator", "--file", str(path))
    assert (code, "must be new" in words) == (2, True)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--host", "0.0.0.0"), "must listen on loopback"),  # noqa: S104 - refused
        (("--set", "service.frames.max_waitin=3"), "max_waiting"),
        (("--set", "service.photos.max_batch=0"), "service.photos.max_batch"),
        (("--scenario", "high_stret"), "high_street"),
        (("--settings", "absent.toml"), "absent.toml"),
        (("--watchlist", "nowhere"), "nowhere"),
    ],
    ids=["wide", "unknown key", "out of range", "scenario", "settings", "watchlist"],
)
def test_what_cannot_be_meant_ends_with_2_and_a_sentence(tmp_path, words, complaint):
    """Before anything is loaded, listened on or written."""
    data = tmp_path / "data"
    code, sentence = said("serve", "--data", str(data), "--port", "0", *words)
    assert code == 2
    assert complaint in sentence
    assert not data.exists()


def test_settings_come_from_scenario_file_and_flags_and_flags_win(tmp_path):
    """A scenario says how the matcher matches, a file how the service serves."""
    path = tmp_path / "service.toml"
    path.write_text("[service.frames]\nmax_waiting = 7\nidle_s = 5.0\n", "utf-8")
    told = load_serve(
        scenario="high_street",
        path=path,
        overrides=["service.frames.max_waiting=9", "matcher.decision.min_shots=2"],
    )
    assert told.service.frames.max_waiting == 9
    assert told.service.frames.idle_s == 5.0
    assert told.matcher.decision.min_shots == 2
    assert told.matcher.engine == EngineConfig()

    path.write_text("[matcher.decision]\nthreshold = 0.5\n", "utf-8")
    assert load_serve(
        scenario=None, path=path, overrides=[]
    ).matcher.decision.threshold == pytest.approx(0.5)
    with pytest.raises(ScenarioError, match="must be said once"):
        load_serve(scenario="smoke", path=path, overrides=[])
    with pytest.raises(ScenarioError, match=r"service.*workers"):
        load_serve(scenario=None, path=None, overrides=["matcher.engine.workers=2"])


def test_watchlist_folder_is_read_by_table_or_by_name(tmp_path):
    """Of a subject several, by the table; a changed picture changes the hash."""
    for name in ("b.png", "a.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(name.encode())
    by_name = read_folder(tmp_path)
    assert list(by_name.pictures) == ["a", "b"]

    table = "subject_id,image\nzoe,b.png\nann,a.jpg\nzoe,a.jpg\n"
    (tmp_path / "watchlist.csv").write_text(table, "utf-8")
    by_table = read_folder(tmp_path)
    assert list(by_table.pictures) == ["zoe", "ann"]
    assert len(by_table.pictures["zoe"]) == 2
    (tmp_path / "b.png").write_bytes(b"another")
    assert read_folder(tmp_path).sha256 != by_table.sha256

    (tmp_path / "watchlist.csv").write_text("subject_id,image\n../x,b.png\n", "utf-8")
    with pytest.raises(WatchlistFolderError, match="must match"):
        read_folder(tmp_path)


@pytest.mark.slow
def test_served_matcher_starts_answers_and_leaves_with_0(tmp_path):
    """The real matcher in a process: asked, told to leave, and its log is whole."""
    with (
        serving(data=tmp_path / "data") as served,
        httpx.Client(base_url=served.url) as client,
    ):
        system = client.get("/v1/system").json()
        assert system["pid"] == served.pid
        client.post("/v1/watchlists", json={"name": "main"}).raise_for_status()
        answer = client.put(
            "/v1/watchlists/main/subjects/p", content=portrait(0), headers=PNG
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "no_face")
    with (tmp_path / "data" / "audit.jsonl").open("rb") as file:
        assert verify(file).fault is None


def _templates(client, count, *, first):
    dimension = client.get("/v1/system").json()["template_dimension"]
    return [
        {
            "subject_id": f"s{k}",
            "template": [1.0 if d == k % dimension else 0.0 for d in range(dimension)],
        }
        for k in range(first, first + count)
    ]


def enrol_and_withdraw_for_ever(client, batch):
    """Enrol a batch and withdraw it, again and again, until nobody answers."""
    ids = [subject["subject_id"] for subject in batch["subjects"]]
    while True:
        client.post("/v1/watchlists/main/subjects", json=batch).raise_for_status()
        client.post(
            "/v1/watchlists/main/withdrawals", json={"subject_ids": ids}
        ).raise_for_status()


@pytest.mark.slow
@pytest.mark.parametrize("wait_s", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_service_killed_while_enrolling_has_the_batch_or_has_it_not(tmp_path, wait_s):
    """SIGKILL to the whole service while thousands are on their way to the disk."""
    data = tmp_path / "data"
    command = [
        sys.executable,
        str(ROOT / "harness.py"),
        *("serve", "--data", str(data), "--port", "0", "--json"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as old:
        url = json.loads(old.stdout.readline())["url"]
        with httpx.Client(base_url=url, timeout=60) as client:
            sha256 = client.get("/v1/system").json()["embedder_sha256"]
            client.post("/v1/watchlists", json={"name": "main"}).raise_for_status()
            path = "/v1/watchlists/main/subjects"
            client.post(
                path,
                json={
                    "subjects": _templates(client, 100, first=0),
                    "embedder_sha256": sha256,
                },
            ).raise_for_status()
            batch = {
                "subjects": _templates(client, 5000, first=100),
                "embedder_sha256": sha256,
            }
            killer = subprocess.Popen(
                ["/bin/sh", "-c", f"sleep {wait_s}; kill -9 {old.pid}"]
            )
            with pytest.raises(httpx.TransportError):
                enrol_and_withdraw_for_ever(client, batch)
            killer.wait()
    assert old.returncode == -signal.SIGKILL

    with serving(data=data) as served, httpx.Client(base_url=served.url) as client:
        n_subjects = client.get("/v1/watchlists/main").json()["n_subjects"]
        assert n_subjects in {100, 5100}
    with (data / "audit.jsonl").open("rb") as file:
        found = verify(file)
    assert found.fault is None
    assert found.n_torn_bytes == 0
    lines = (data / "audit.jsonl").read_bytes().splitlines()
    changes = [
        e for e in map(json.loads, lines) if e["event"] in {"enrolled", "withdrawn"}
    ]
    counted = sum(
        len(e["data"]["subject_ids"]) * (1 if e["event"] == "enrolled" else -1)
        for e in changes
    )
    assert counted == n_subjects
