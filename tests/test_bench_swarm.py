"""Load by Locust: two workers against two replicas, and what is made of their rows."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgpack
import numpy as np
import pytest
from bench_world import make_plan
from http_doubles import ContractHandler, listening, tiny_rig

from bench.dialects.dialect import EnrolWay, FrameFormat
from bench.dialects.native import NativeDialect
from bench.driving.http_target import Remote
from bench.errors import BenchError
from bench.host.machine import read_boot_id
from bench.load.settings import LoadConfig, LoadKind, LoadShape
from bench.objectives import ObjectivesConfig
from bench.records import Status
from bench.running.run import Origin, Settings
from bench.swarm.brief import Brief, read_brief, write_brief
from bench.swarm.messages import FRAME, PROBE
from bench.swarm.outcome import (
    offered_reason,
    read_test,
    requests_table,
    swarm_metrics,
)
from bench.swarm.probes import ProbePicture, draw_probe_plan
from bench.swarm.run import prepared
from bench.swarm.sitting import sitting
from matcher.config import MatcherConfig

ROOT = Path(__file__).parents[1]
ORIGIN = Origin(run_id="tiny", scenario={"scenario": {"title": "T"}}, provenance={})
MS = 1_000_000


def settings_of(**load):
    return Settings(
        matcher=MatcherConfig(),
        load=LoadConfig(warm_up_s=0.0, **load),
        objectives=ObjectivesConfig(),
    )


def remote_at(url):
    return Remote(
        url=url,
        dialect=NativeDialect(matcher=MatcherConfig(), boot_id=read_boot_id()),
        picture=FrameFormat.H264,
        way=EnrolWay.PORTRAITS,
    )


def quiet(*_):
    """Show no progress."""


def first_rows(rig, rows):
    """Shorten a rig to the first rows of its plan."""
    plan = rig.plan
    return replace(
        rig,
        plan=replace(
            plan,
            offset_ns=plan.offset_ns[:rows],
            camera=plan.camera[:rows],
            frame_index=plan.frame_index[:rows],
        ),
    )


def test_two_workers_keep_to_the_plan_of_two_replicas(tmp_path):
    """Every frame and probe is posted once, each camera's at its own replica."""
    rig = first_rows(tiny_rig(tmp_path), 60)
    chosen = settings_of()
    probe_plan = draw_probe_plan(
        chosen.load,
        rate_hz=4.0,
        duration_s=3.0,
        n_users=2,
        rng=np.random.default_rng(1),
    )
    with listening(ContractHandler) as one, listening(ContractHandler) as two:
        remotes = [remote_at(one.url), remote_at(two.url)]
        with prepared(
            rig,
            chosen,
            ORIGIN,
            remotes=remotes,
            probe_plan=probe_plan,
            n_identify=2,
            progress=quiet,
        ) as ready:
            with sitting(
                ready.folder,
                tmp_path / "locust",
                n_workers=2,
                web_port=None,
                host=one.url,
                headers=(),
                stop_timeout_s=5.0,
            ) as watched:
                (number,) = watched.tests(quiet)
                watched.wait()
            record, requests = ready.conclude(number, chosen, ORIGIN, interrupted=False)
        assert sorted(one.frames.pop("cam1")) == list(range(30))
        assert sorted(two.frames.pop("cam2")) == list(range(30))
        assert one.frames == two.frames == {}
    metrics = record.metrics
    assert metrics["frames.processed"].value == 60
    assert metrics["offered.share_of_plan"].value == 1.0
    assert metrics["identify.searched"].value == len(probe_plan)
    assert requests.num_rows == 60 + len(probe_plan)
    assert metrics["headroom"].value > 0.0
    codes = {reason.code for reason in record.verdict.reasons}
    # How late frames went is this machine's affair; that none is missing is ours.
    assert codes <= {"schedule_delay", "starved", "headroom", "warm_up"}
    tables = {path.name for path in (tmp_path / "locust").iterdir()}
    assert {"locust_stats.csv", "locust_failures.csv", "locust.html"} <= tables
    text = (tmp_path / "locust" / "locust_stats.csv").read_text("utf-8")
    assert "PLANNED,/v1/frames,60,0" in text
    assert "POST,/v1/frames,60,0" in text
    assert f",Aggregated,{60 + len(probe_plan)},0" in text


def test_a_load_that_waits_for_answers_is_none_of_locusts(tmp_path):
    """Locust follows times; what else there is, `harness run` does."""
    with (
        listening(ContractHandler) as service,
        pytest.raises(BenchError, match="harness run"),
        prepared(
            tiny_rig(tmp_path),
            settings_of(kind=LoadKind.SINGLE_STREAM),
            ORIGIN,
            remotes=[remote_at(service.url)],
            probe_plan=make_plan(),
            n_identify=0,
            progress=quiet,
        ),
    ):
        pass


def test_probes_come_at_random_by_the_shape_of_the_load():
    """At the rate asked for where all is on, a quarter of it where little is."""
    load = LoadConfig(shape=LoadShape.SPIKE, low_share=0.25, warm_up_s=0.0)
    plan = draw_probe_plan(
        load, rate_hz=100.0, duration_s=50.0, n_users=3, rng=np.random.default_rng(2)
    )
    time_s = plan.offset_ns / 1e9
    peak = (time_s >= 20.0) & (time_s < 30.0)
    assert peak.sum() == pytest.approx(1000, rel=0.1)
    assert (~peak).sum() == pytest.approx(1000, rel=0.1)
    assert set(plan.camera.tolist()) == {0, 1, 2}
    none = draw_probe_plan(
        load, rate_hz=0.0, duration_s=50.0, n_users=3, rng=np.random.default_rng(2)
    )
    assert len(none) == 0


def test_a_brief_is_read_as_it_was_laid_down(tmp_path):
    """Plan, pictures and probes; tokens are no part of it."""
    brief = Brief(
        urls=("http://a", "http://b"),
        clock_offsets_ns=(0, 5),
        pids=(1,),
        adapter="",
        media_type="video/h264",
        sizes=((64, 64), (64, 64)),
        frame_name="/v1/frames",
        identify_name="/v1/identify",
        timeout_s=10.0,
        null_url="http://c",
        n_identify=1,
    )
    plan = make_plan()
    write_brief(
        tmp_path,
        brief,
        plan=plan,
        pictures={"cam1": [b"x"] * 100, "cam2": [b"y"] * 100},
        probe_plan=plan,
        probes=[ProbePicture(person_id="ann", content=b"face")],
    )
    laid = read_brief(tmp_path)
    assert laid.brief == brief
    assert np.array_equal(laid.plan.offset_ns, plan.offset_ns)
    assert laid.pictures.picture("cam2", 7) == b"y"
    assert laid.probe(3) == b"face"


def heard_of(folder, rows):
    """Let a master have kept some rows."""
    told = {"number": 1, "start_ns": 1_000, "end_ns": 2_000_001_000, "null_hz": 900.0}
    told |= {"harness": [0.1, 0.0, 10], "matcher": None}
    (folder / "test-1.json").write_text(json.dumps(told), encoding="utf-8")
    content = b"".join(msgpack.packb(row) for row in rows)
    (folder / "answers-1.bin").write_bytes(content)
    return read_test(folder, 1)


def identified(subject_id, *, alerted):
    best = {"rank": 1, "subject_id": subject_id, "comparison_score": 0.9}
    content = {
        "candidates": [best | {"above_threshold": alerted}],
        "above_threshold": alerted,
        "threshold": 0.5,
        "box_xyxy": [0, 0, 1, 1],
        "n_faces": 1,
        "watchlist": "w",
        "watchlist_version": 1,
    }
    return json.dumps(content).encode()


def test_latency_counts_from_the_plan_beside_locusts_own(tmp_path):
    """A request sent 50 ms late and answered in 10 ms took 60, and 10 by Locust."""
    plan = make_plan()
    rows = [
        (FRAME, k, due + 50 * MS, due + 60 * MS, 503, "", b"")
        for k, due in enumerate((plan.offset_ns + 1_000).tolist())
    ]
    due = int(plan.offset_ns[0]) + 1_000
    rows += [
        (PROBE, 0, due, due + MS, 200, "", identified("ann", alerted=True)),
        (PROBE, 1, due, due + MS, 200, "", identified("cat", alerted=True)),
        (PROBE, 2, due, due + MS, 0, "timed out: no answer came", b""),
    ]
    heard = heard_of(tmp_path, rows)
    probes = [
        ProbePicture(person_id=person, content=b"") for person in ("ann", "bob", "eve")
    ]
    table = requests_table(
        heard,
        plan,
        plan,
        probes=probes,
        mated=frozenset({"ann"}),
        dialect=NativeDialect(matcher=MatcherConfig(), boot_id=""),
    )
    metrics = swarm_metrics(table, plan=plan, n_probes=3)
    assert metrics["response_s.planned.p50"].value == pytest.approx(0.060)
    assert metrics["response_s.locust.p50"].value == pytest.approx(0.010)
    assert metrics["offered.sent_hz"].value == pytest.approx(20.0)
    assert metrics["offered.share_of_plan"].value == 1.0
    assert (metrics["identify.tpir"].value, metrics["identify.tpir"].n) == (1.0, 1)
    assert (metrics["identify.fpir"].value, metrics["identify.fpir"].n) == (1.0, 1)
    assert metrics["identify.lost_to.timed_out"].value == 1
    assert offered_reason(table, plan) is None


def test_an_offered_load_off_the_plan_is_invalid(tmp_path):
    """One frame in twenty that was never posted is more than 2 %."""
    plan = make_plan()
    rows = [(FRAME, k, 1, 2, 200, "", b"") for k in range(len(plan)) if k % 20]
    heard = heard_of(tmp_path, rows)
    table = requests_table(
        heard,
        plan,
        plan,
        probes=(),
        mated=frozenset(),
        dialect=NativeDialect(matcher=MatcherConfig(), boot_id=""),
    )
    reason = offered_reason(table, plan)
    assert reason is not None
    assert reason.status is Status.INVALID
    assert "offered 190" in reason.message


def test_locust_stays_in_its_own_processes():
    """It patches the standard library: its own file and three modules import it."""
    importers = {
        str(path.relative_to(ROOT))
        for folder in ("bench", "commands", "scenarios", "matcher")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if name.split(".")[0] in {"locust", "gevent"}
    }
    assert importers == {
        "bench/locustfile.py",
        "bench/swarm/conductor.py",
        "bench/swarm/posting.py",
        "bench/swarm/users.py",
    }
    code = "import harness, sys; sys.exit('gevent' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0
