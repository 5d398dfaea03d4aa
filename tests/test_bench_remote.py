"""A matcher at the other end of HTTP, by the contract: set-up, driving, refusals."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from bench_world import N_FRAMES, make_crowd
from http_doubles import EMBEDDER, ContractHandler, listening, tiny_rig

from bench.dialects.dialect import Answer, EnrolWay, FrameFormat, FrameLabel, Sought
from bench.dialects.native import NativeDialect
from bench.driving.http_client import MAX_UNDER_WAY
from bench.driving.http_exchange import converse, exchanging
from bench.driving.http_target import Remote, checked_url, http_target, readied
from bench.driving.null_service import null_service
from bench.driving.pacing import Pacing
from bench.driving.picture_store import PictureStore, write_store
from bench.driving.session import drive_target
from bench.driving.target import Ledger
from bench.errors import BenchError, RemoteError, SystemGoneError
from bench.host.machine import read_boot_id
from bench.objectives import LoadConfig, ObjectivesConfig
from bench.records import Status
from bench.running.folder import read_run, recompute, write_run
from bench.running.remote_run import measure_remote, sought_of
from bench.running.run import Origin, Settings
from matcher.config import MatcherConfig
from matcher.gallery import Gallery
from matcher.records import CameraId, EncodedFrame, Outcome, SubjectId

MATCHER = MatcherConfig()
LABEL = FrameLabel(
    camera_id=CameraId("cam1"),
    index=7,
    capture_time_ns=1_000,
    width_px=640,
    height_px=360,
)


def remote_at(url, *, boot_id=None, **changes):
    known = {
        "url": url,
        "dialect": NativeDialect(
            matcher=MATCHER, boot_id=read_boot_id() if boot_id is None else boot_id
        ),
        "picture": FrameFormat.H264,
        "way": EnrolWay.PORTRAITS,
    }
    return Remote(**{**known, **changes})


def measured(remote, folder, *, run_id="tiny"):
    """Run the tiny world, unhurried."""
    return measure_remote(
        tiny_rig(folder),
        Settings(
            matcher=MATCHER,
            load=LoadConfig(warm_up_s=1.0),
            objectives=ObjectivesConfig(),
        ),
        Origin(
            run_id=run_id, scenario={"scenario": {"title": "T"}}, provenance={"seed": 1}
        ),
        remote=remote,
        unhurried=True,
        progress=lambda *_: None,
    )


def quiet(*_):
    """Show no progress."""


def nobody(url, way=EnrolWay.PRESENT, **changes):
    """Return a remote and a watchlist that asks for no enrolment."""
    return remote_at(url, way=way, **changes), Sought(
        name="run-t", way=way, subject_ids=("somebody",)
    )


def test_an_oracle_over_network_makes_no_errors_and_is_left_as_it_was(tmp_path):
    """Portraits are enrolled, every frame is carried in order, nothing is changed."""
    with listening(ContractHandler) as service:
        record = measured(remote_at(service.url), tmp_path)
        assert service.active == "before"
        assert set(service.enrolled) == {"before"}
        assert service.frames == {c: list(range(N_FRAMES)) for c in ("cam1", "cam2")}
    metrics = record.metrics
    assert metrics["tpir"].value == 1.0
    assert metrics["fpir"].value == metrics["fta"].value == 0.0
    assert metrics["frames.processed"].value == 2 * N_FRAMES
    assert metrics["watchlist.fte"].value == 1
    assert record.verdict.status is Status.VALID, record.verdict.reasons
    assert any("tracker.confirm_hits = 3" in note for note in record.notes)
    assert any("zoe" in note for note in record.notes)
    assert record.provenance["target"]["watchlist"] == "portraits"


def test_metrics_of_a_run_over_network_come_out_of_its_folder_again(tmp_path):
    """The way back is among them, and the folder alone gives it."""
    with listening(ContractHandler) as service:
        record = measured(remote_at(service.url), tmp_path)
    (tmp_path / "run").mkdir()
    write_run(record, tmp_path / "run")
    assert recompute(tmp_path / "run") == record.metrics
    assert read_run(tmp_path / "run").metrics["way_back_s.p50"].value > 0.0


def test_templates_go_as_they_are_and_only_to_the_same_embedder():
    """To the last bit, or not at all."""
    templates = np.eye(4, dtype=np.float32)[:2]
    gallery = Gallery(
        templates=templates,
        subject_ids=(SubjectId("ann"), SubjectId("cat")),
        embedder_sha256=EMBEDDER,
    )
    sought = Sought(
        name="run-t",
        way=EnrolWay.TEMPLATES,
        subject_ids=("ann", "cat"),
        gallery=gallery,
    )
    with listening(ContractHandler) as service:
        with readied(
            remote_at(service.url), sought, clock=time.perf_counter_ns, progress=quiet
        ) as standing:
            assert service.enrolled["run-t"] == ["ann", "cat"]
            assert standing.n_enrolled == 2
            assert standing.pid == os.getpid()
        other = replace(sought, gallery=replace(gallery, embedder_sha256="f" * 64))
        with (
            pytest.raises(RemoteError, match="--enrol portraits"),
            readied(
                remote_at(service.url),
                other,
                clock=time.perf_counter_ns,
                progress=quiet,
            ),
        ):
            pass


def test_a_watchlist_that_is_present_must_be_the_scenarios():
    """Nobody missing, nobody else: FPIR depends on both."""
    with listening(ContractHandler) as service:
        remote, sought = nobody(service.url)
        with readied(
            remote, sought, clock=time.perf_counter_ns, progress=quiet
        ) as there:
            assert there.n_enrolled == 1
        wrong = replace(sought, subject_ids=("ann", "somebody"))
        with (
            pytest.raises(RemoteError, match="1 are missing and 0 are others"),
            readied(remote, wrong, clock=time.perf_counter_ns, progress=quiet),
        ):
            pass


def test_a_service_that_does_not_measure_is_refused_with_the_remedy():
    """Without stages and probes there would be holes in every figure."""
    with listening(ContractHandler) as service:
        service.measuring = False
        remote, sought = nobody(service.url)
        with (
            pytest.raises(RemoteError, match=r"service\.measuring=true"),
            readied(remote, sought, clock=time.perf_counter_ns, progress=quiet),
        ):
            pass


def test_nobody_listening_is_said_so():
    """A wrong port is the user's to mend."""
    remote, sought = nobody("http://127.0.0.1:9")
    with (
        pytest.raises(RemoteError, match="unreachable"),
        readied(remote, sought, clock=time.perf_counter_ns, progress=quiet),
    ):
        pass


@pytest.mark.parametrize(
    ("status", "code", "outcome", "cause"),
    [
        (503, "full", Outcome.SKIPPED, "service full"),
        (503, "draining", Outcome.SKIPPED, "service draining"),
        (410, "too_old", Outcome.SKIPPED, "too old"),
        (422, "undecodable_image", Outcome.FAILED, "undecodable image"),
        (401, "unauthenticated", Outcome.FAILED, "refused 401 unauthenticated"),
    ],
)
def test_refusals_are_outcomes_with_a_cause(status, code, outcome, cause):
    """Each frame has one end, and each kind of refusal is counted."""
    body = b'{"title": "t", "status": %d, "code": "%s", "detail": "why"}'
    answer = Answer(
        status=status, body=body % (status, code.encode()), sent_ns=2, answered_ns=9
    )
    dialect = NativeDialect(matcher=MATCHER, boot_id="")
    ended = dialect.frame_result(LABEL, answer).outcome
    assert ended.outcome is outcome
    assert ended.cause == f"{cause}: why"


def test_an_answer_that_is_none_of_the_contracts_fails_its_frame():
    """Whatever comes back, the frame has an end."""
    answer = Answer(status=200, body=b"<html>", sent_ns=2, answered_ns=9)
    dialect = NativeDialect(matcher=MATCHER, boot_id="")
    assert dialect.frame_result(LABEL, answer).outcome.cause.startswith("unreadable")


def test_a_clock_that_is_not_ours_is_brought_to_ours(tmp_path):
    """An hour ahead on another machine: the stamps come back within the round trip."""
    with listening(ContractHandler) as service:
        service.clock_ahead_ns = 3_600_000_000_000
        service.boot_id = "another machine's"
        record = measured(remote_at(service.url), tmp_path)
    assert record.verdict.status is Status.VALID, record.verdict.reasons
    assert record.metrics["matcher.cpu_share"].value is None  # its process is not here


def drive_live(service, folder, *, timeout_s=10.0, rows=40):
    """Send the first rows of the plan in real time."""
    rig = tiny_rig(folder)
    remote, sought = nobody(service.url, timeout_s=timeout_s)
    plan = replace(
        rig.plan,
        offset_ns=rig.plan.offset_ns[:rows],
        camera=rig.plan.camera[:rows],
        frame_index=rig.plan.frame_index[:rows],
    )
    with readied(
        remote, sought, clock=time.perf_counter_ns, progress=quiet
    ) as standing:
        return drive_target(
            plan,
            rig.packets,
            http_target(
                remote,
                standing,
                rig.crowd.clips,
                rig.packets,
                in_order=False,
                unhurried=False,
                progress=quiet,
            ),
            pacing=Pacing.OPEN,
            in_flight=1,
            clock=time.perf_counter_ns,
            progress=quiet,
        )


def test_in_real_time_stamps_move_on_and_refused_frames_are_skips(tmp_path):
    """From planned capture over receipt to the arrival of the answer."""
    with listening(ContractHandler) as service:
        service.refusals = {("cam1", 3): (503, "full"), ("cam2", 4): (410, "too_old")}
        session = drive_live(service, tmp_path)
        assert all(indices == sorted(indices) for indices in service.frames.values())
    ends = {
        (r.outcome.camera_id, r.outcome.frame_index): r.outcome for r in session.results
    }
    assert len(ends) == len(session.results) == 40
    skipped = {key for key, end in ends.items() if end.outcome is Outcome.SKIPPED}
    assert skipped == {("cam1", 3), ("cam2", 4)}
    for result in session.results:
        end = result.outcome
        assert end.capture_time_ns <= end.received_ns <= end.done_ns
        assert all(event.ended_ns <= end.done_ns for event in result.events)
    assert session.clock_check.passed
    assert session.harness.cpu_s > 0.0


def test_a_service_that_dies_is_lost_and_its_frames_have_failed(tmp_path):
    """Frames that nobody answers fail with the cause, and the run is INVALID."""
    with listening(ContractHandler) as service:
        rig = tiny_rig(tmp_path)
        remote, sought = nobody(service.url)
        with exchanging(
            service.url, (), timeout_s=5.0, clock=time.perf_counter_ns
        ) as exchange:
            standing = converse(remote.dialect.set_up(sought), exchange)
    ledger = Ledger()
    opened = http_target(
        remote,
        standing,
        rig.crowd.clips,
        rig.packets,
        in_order=False,
        unhurried=False,
        progress=quiet,
    )
    with opened(ledger) as target:
        target.issue(
            EncodedFrame(
                camera_id=CameraId("cam1"), index=0, capture_time_ns=1, packet=b"x"
            )
        )
        with pytest.raises(SystemGoneError, match="nobody answers at"):
            target.flush()
    (result,) = ledger.results
    assert result.outcome.outcome is Outcome.FAILED
    assert result.outcome.cause.startswith("unreachable")


def test_a_camera_with_too_many_frames_under_way_posts_no_more(tmp_path):
    """The sending goes on: what could not be posted is skipped, with that cause."""
    n = MAX_UNDER_WAY + 4
    with listening(ContractHandler) as service:
        rig = tiny_rig(tmp_path)
        remote, sought = nobody(service.url)
        with readied(
            remote, sought, clock=time.perf_counter_ns, progress=quiet
        ) as standing:
            ledger = Ledger()
            opened = http_target(
                remote,
                standing,
                rig.crowd.clips,
                rig.packets,
                in_order=False,
                unhurried=False,
                progress=quiet,
            )
            with opened(ledger) as target:
                service.gate.clear()
                for index in range(n):
                    target.issue(
                        EncodedFrame(
                            camera_id=CameraId("cam1"),
                            index=index,
                            capture_time_ns=time.perf_counter_ns(),
                            packet=b"x",
                        )
                    )
                ledger.wait_for_room(n - 3)  # four have ended while the rest waits
                service.gate.set()
                target.flush()
    causes = [r.outcome.cause for r in ledger.results if r.outcome.cause]
    assert len(ledger.results) == n
    assert len(causes) == 4
    assert all(cause.startswith("not posted: 16 frames") for cause in causes)


def test_no_answer_in_time_is_a_failed_frame(tmp_path):
    """A service that hangs ends no run, and every frame says how long it was waited."""
    with listening(ContractHandler) as service:
        service.gate.clear()
        session = drive_live(service, tmp_path, timeout_s=0.2, rows=4)
    assert {r.outcome.cause for r in session.results} == {
        "timed out: no answer within 0.2 s"
    }
    assert session.drive.lost == ""


def test_the_null_service_speaks_the_contract():
    """Else the null run would measure the reading of refusals."""
    dialect = NativeDialect(matcher=MATCHER, boot_id="")
    with (
        null_service() as url,
        exchanging(url, (), timeout_s=5.0, clock=time.perf_counter_ns) as exchange,
    ):
        label = replace(LABEL, capture_time_ns=time.perf_counter_ns())
        call = dialect.frame_call(label, b"x", "video/h264", unhurried=False)
        result = dialect.frame_result(label, exchange(call))
        assert result.outcome.outcome is Outcome.PROCESSED
        assert len(result.events) == 7
        probe = dialect.identified(exchange(dialect.identify_call(b"x", "image/png")))
        assert probe.outcome is Outcome.PROCESSED
        reading = dialect.clock_reading(exchange(dialect.clock_call()))
        assert 0 < reading <= time.perf_counter_ns()


def test_pictures_come_out_of_the_store_as_they_went_in(tmp_path):
    """Of every camera, in order; one without pictures is no fault."""
    pictures = {"a": [b"one", b"", b"three"], "b": []}
    names = write_store(tmp_path, pictures)
    store = PictureStore(tmp_path, names)
    assert [store.picture("a", k) for k in range(3)] == pictures["a"]


def test_the_runs_watchlist_has_a_name_that_services_allow():
    """Lower case, no dots, 64 letters at most."""
    watchlist = replace(
        make_crowd().watchlist, images=(), subjects=(), mated=frozenset()
    )
    sought = sought_of(
        watchlist,
        MATCHER,
        way=EnrolWay.PORTRAITS,
        name="run-High.Street-20261126T101500Z-" + "x" * 64,
        progress=quiet,
    )
    assert sought.name.startswith("run-high-street-20261126t101500z-")
    assert len(sought.name) == 64


@pytest.mark.parametrize(
    "url", ["ftp://here", "http://", "http://here/?a=b", "here:80"]
)
def test_addresses_that_are_none_are_refused(url):
    """With the form that would do."""
    with pytest.raises(BenchError, match="http://HOST:PORT"):
        checked_url(url)
