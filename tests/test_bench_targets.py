"""Targets behind one interface: the page of the docs, and the oracle."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path

from bench_doubles import make_instrument, make_record
from bench_world import (
    N_FRAMES,
    START_NS,
    frame_result,
    make_crowd,
    make_plan,
    send_all,
)

from bench.driving.pacing import Pacing
from bench.driving.session import drive_target
from bench.driving.targets import oracle
from bench.host.cores import split_cores
from bench.objectives import ObjectivesConfig
from bench.report.headline import summary
from bench.running.run import conclude
from bench.running.verdict import applicable

PACKETS = ((b"x",) * N_FRAMES, (b"y",) * N_FRAMES)
DOCS = Path(__file__).parents[1] / "docs" / "targets.md"


def sit(open_target, *, pacing=Pacing.UNHURRIED, in_flight=1):
    """Drive the tiny plan through a target."""
    return drive_target(
        make_plan(),
        PACKETS,
        open_target,
        pacing=pacing,
        in_flight=in_flight,
        clock=time.perf_counter_ns,
        progress=lambda *_: None,
    )


def judged(session, **instrument):
    """Conclude a sitting."""
    return conclude(
        make_crowd(),
        make_plan(),
        session,
        make_instrument(**instrument),
        objectives=(),
        run_id="target",
        scenario={"scenario": {"title": "Target"}},
        provenance={"seed": 1},
        notes=(),
    )


def test_the_page_in_the_docs_is_a_whole_target():
    """Its code, as it stands there, ends every frame and gives a sound run."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), flags=re.S)
    page = {}
    exec(compile(code, str(DOCS), "exec"), page)  # noqa: S102 - our own docs
    session = sit(page["open_mine"])
    assert session.system.name == "mine"
    assert len(session.results) == 2 * N_FRAMES
    assert judged(session, unhurried=True).verdict.reasons == ()


def test_the_oracle_proves_that_the_measuring_makes_no_errors():
    """Ann is found; nobody else is alerted on; nobody is missed or unsearched."""
    crowd = make_crowd()
    session = sit(oracle(crowd, clock=time.perf_counter_ns))
    metrics = judged(session, unhurried=True).metrics
    for rate in ("fnir", "fpir", "fta"):
        assert metrics[rate].value == 0.0
        assert metrics[rate].n >= 1
    assert metrics["alerts.false"].value == 0
    assert metrics["tpir"].value == 1.0


def test_a_closed_load_counts_latency_from_when_there_was_room():
    """One frame at a time: none is late, and none waits for another."""
    session = sit(
        oracle(make_crowd(), clock=time.perf_counter_ns), pacing=Pacing.CLOSED
    )
    ends = [r.outcome for r in session.results]
    assert all(a.done_ns <= b.capture_time_ns for a, b in pairwise(ends))
    record = judged(session, closed=True, null_hz=None)
    assert record.verdict.reasons == ()
    assert record.metrics["glass_to_alert_s.p50"].value > 0.0


def test_the_driver_keeps_a_core_where_there_are_enough():
    """Of four cores one; of two none."""
    assert split_cores({0, 1}) == ({0, 1}, {0, 1})
    assert split_cores({2, 3, 4, 5}) == ({2}, {3, 4, 5})


def test_a_null_run_measures_the_harness_and_nothing_else():
    """Sound without a stage logged or an error rate; but late frames are late."""
    plan = make_plan()
    ended = tuple(
        frame_result(plan.camera_ids[camera], index, START_NS + offset_ns, stages=())
        for camera, index, offset_ns in zip(
            plan.camera.tolist(),
            plan.frame_index.tolist(),
            plan.offset_ns.tolist(),
            strict=True,
        )
    )
    record = make_record(ended, is_null=True)
    assert record.verdict.reasons == ()
    assert record.passages == ()
    assert record.metrics["fnir"].value is None
    assert record.metrics["glass_to_alert_s.p50"].value is not None
    assert "the harness itself was measured" in record.notes[0]
    assert "a system that does nothing" in " ".join(summary(record))
    late = make_record(ended, sent=send_all(plan, late_ms=20.0), is_null=True)
    assert {r.code for r in late.verdict.reasons} == {"schedule_delay"}
    stated = ObjectivesConfig(tpir=0.9).stated()
    assert applicable(stated, unhurried=False, is_null=True) == ()
