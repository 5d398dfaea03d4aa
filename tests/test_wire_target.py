"""A matcher over the wire: real sockets, real streams, stand-ins for networks."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
from bench_doubles import FakeClock
from matcher_doubles import h264, painted
from wire_workers import serve_colours_over_the_wire

from bench.driving.pacing import Pacing
from bench.driving.session import drive_target, run_null
from bench.driving.target import Ledger
from bench.driving.targets import TargetKind
from bench.driving.wire_ledger import WireLedger
from bench.driving.wire_opening import null_over_the_wire, opened_over
from bench.driving.wire_target import Cameras
from bench.errors import BenchError
from bench.records import ArrivalPlan
from bench.running.wire import check_network
from bench.wire.settings import NetworkConfig, Outage, WireConfig
from bench.wire.station import Transport
from matcher.config import EngineConfig
from matcher.null import NullSystem
from matcher.records import CameraId, EncodedFrame, Outcome

FPS = 20
N = 30
CAMERAS = ("cam1", "cam2")


def make_plan(n_frames: int = N) -> ArrivalPlan:
    """Both cameras at 20 frames a second, half an interval apart."""
    frame, camera = np.divmod(np.arange(2 * n_frames), 2)
    return ArrivalPlan(
        camera_ids=CAMERAS,
        camera=camera.astype(np.int32),
        frame_index=frame.astype(np.int32),
        offset_ns=(frame * 50_000_000 + camera * 25_000_000).astype(np.int64),
    )


def make_packets(n_frames: int = N) -> tuple[tuple[bytes, ...], ...]:
    """A subject each, walking; a key frame a second."""
    return tuple(
        tuple(
            unit
            for first in range(0, n_frames, 20)
            for unit in h264(
                painted((20 + k % 60, 30, 60 + k % 60, 70), channel=channel)
                for k in range(first, min(first + 20, n_frames))
            )
        )
        for channel in (0, 2)
    )


PLAN, PACKETS = make_plan(), make_packets()


def sit(
    *,
    network: NetworkConfig | None = None,
    transport: Transport = Transport.TCP,
    pacing: Pacing = Pacing.OPEN,
    progress=lambda *_: None,
):
    """Drive the plan through a matcher over the wire; return what came, and remarks."""
    cameras = Cameras(
        plan=PLAN,
        packets=PACKETS,
        transport=transport,
        network=network or NetworkConfig(),
        seed=3,
        is_timed=pacing is Pacing.OPEN,
    )
    engine = EngineConfig(drop_policy="none", results_interval_s=0.02)
    remarks: list[str] = []
    target = opened_over(
        cameras,
        lambda _folder, streams: (serve_colours_over_the_wire, (engine, streams)),
        name="colours",
        clock=time.perf_counter_ns,
        told=remarks.append,
    )
    session = drive_target(
        PLAN,
        PACKETS,
        target,
        pacing=pacing,
        in_flight=1,
        clock=time.perf_counter_ns,
        progress=progress,
    )
    return session, remarks


def ends(session) -> dict[tuple[str, int], tuple[Outcome, str]]:
    """How each frame ended; fails if any ended twice."""
    outcomes = [result.outcome for result in session.results]
    found = {(o.camera_id, o.frame_index): (o.outcome, o.cause) for o in outcomes}
    assert len(found) == len(outcomes)
    return found


def test_every_frame_arrives_with_its_own_number_and_capture_time():
    """Over a perfect wire the matcher sees what the driver has planned, no more."""
    session, remarks = sit()
    assert session.drive.lost == ""
    assert all(end[0] is Outcome.PROCESSED for end in ends(session).values())
    assert len(session.results) == 2 * N
    planned = {
        (CAMERAS[camera], index): int(planned_ns)
        for camera, index, planned_ns in zip(
            PLAN.camera, PLAN.frame_index, session.drive.sent.planned_ns, strict=True
        )
    }
    assert {
        (r.outcome.camera_id, r.outcome.frame_index): r.outcome.capture_time_ns
        for r in session.results
    } == planned
    assert session.clock_check.passed
    assert {a.subject_id for r in session.results for a in r.alerts} == {"blue", "red"}
    assert session.system.name == "colours over MPEG-TS/TCP"
    assert remarks == ["Frames travelled as MPEG-TS over TCP; 0 were lost on the wire."]


def test_unhurried_capture_times_are_the_plans_own():
    """So that results do not depend on when a run was."""
    session, _ = sit(pacing=Pacing.UNHURRIED)
    first = {r.outcome.camera_id: r.outcome for r in reversed(session.results)}
    assert first["cam1"].capture_time_ns == 0
    assert first["cam2"].capture_time_ns == 25_000_000
    assert len(ends(session)) == 2 * N


def test_lost_datagrams_cost_frames_that_are_counted():
    """Each frame has its end all the same; most come through, some whole are gone."""
    network = NetworkConfig(loss=0.1)
    session, remarks = sit(network=network, transport=Transport.UDP)
    found = ends(session)
    assert len(found) == 2 * N
    lost = [end for end in found.values() if end[1].startswith("lost on the wire")]
    assert lost
    assert any(end[0] is Outcome.PROCESSED for end in found.values())
    assert f"{len(lost)} were lost on the wire" in remarks[0]
    assert any("lost, 0 sent again" in remark for remark in remarks[1:])


def test_an_outage_of_datagrams_loses_just_the_frames_sent_in_it():
    """One camera is silent for half a second; the other never."""
    silent = WireConfig(outages=(Outage(from_s=0.5, until_s=1.0),))
    network = NetworkConfig(cameras={"cam1": silent})
    session, _ = sit(network=network, transport=Transport.UDP)
    found = ends(session)
    lost = {key for key, end in found.items() if end[1].startswith("lost on the")}
    assert {camera for camera, _ in lost} == {"cam1"}
    assert set(range(11, 19)) <= {index for _, index in lost} <= set(range(9, 22))


def test_a_delayed_stream_is_late_and_complete():
    """A tenth of a second on the way shows in every frame; none is lost."""
    network = NetworkConfig(delay_s=0.1, jitter_s=0.02, loss=0.01)
    session, _ = sit(network=network)
    late_ns = [
        r.outcome.received_ns - r.outcome.capture_time_ns for r in session.results
    ]
    assert len(ends(session)) == 2 * N
    assert all(end[0] is Outcome.PROCESSED for end in ends(session).values())
    assert min(late_ns) >= 80_000_000


def test_a_cut_connection_is_made_again():
    """Frames under way are lost, and those up to the next key frame; then all go on."""
    cut = Outage(from_s=0.4, until_s=0.6, resets=True)
    session, remarks = sit(network=NetworkConfig(outages=(cut,)))
    found = ends(session)
    assert len(found) == 2 * N
    processed = {
        index for (_, index), end in found.items() if end[0] is Outcome.PROCESSED
    }
    assert {0, 1, 2} <= processed
    assert {27, 28, 29} <= processed
    assert any("connected anew" in remark for remark in remarks)


def test_a_matcher_that_dies_takes_only_what_it_had():
    """The run ends with what came until then, and says how."""

    def kill(task: str, done: int, _total: int) -> None:
        if task == "send frames" and done == 20:
            for pid in _children():
                os.kill(pid, signal.SIGKILL)

    session, _ = sit(progress=kill)
    assert "killed by SIGKILL" in session.drive.lost
    assert 0 < len(session.results) < 2 * N


def _children() -> list[int]:
    import psutil

    return [
        child.pid
        for child in psutil.Process().children()
        if "multiprocessing.spawn" in " ".join(child.cmdline())
    ]


def test_the_null_system_is_measured_over_the_same_wire():
    """Headroom is that of the whole way, multiplexing and sockets included."""
    cameras = Cameras(
        plan=PLAN,
        packets=PACKETS,
        transport=Transport.TCP,
        network=NetworkConfig(),
        seed=0,
        is_timed=True,
    )
    null_hz = run_null(
        PLAN,
        PACKETS,
        open_null=null_over_the_wire(cameras, clock=time.perf_counter_ns),
        clock=time.perf_counter_ns,
        progress=lambda *_: None,
    )
    # More than the plan has frames, or it would have stopped at their end.
    assert null_hz * 1.5 > 2 * N


def frame(index: int, camera_id: str = "cam1") -> EncodedFrame:
    """One of a camera."""
    return EncodedFrame(
        camera_id=CameraId(camera_id),
        index=index,
        capture_time_ns=index,
        packet=b"x",
    )


def ended(index: int):
    """The matcher's word that a frame has ended."""
    from matcher.inbox import Waiting

    (result,) = NullSystem(clock=FakeClock(step_ns=1)).handle(
        [Waiting(frame=frame(index), received_ns=0, arrival=0, overtaken_by=0)]
    )
    return result


def test_a_frame_that_a_later_one_overtook_is_lost():
    """The rest is written off at the end; nothing is reported twice."""
    ledger = Ledger()
    wire = WireLedger(ledger, clock=FakeClock(step_ns=1))
    for index in range(5):
        wire.left(frame(index))
    wire.stayed(frame(4), "nobody is connected to the camera")
    wire.report([ended(2)])
    wire.report([ended(1)])  # too late: it has been written off
    wire.write_off()
    causes = [r.outcome.cause for r in ledger.results]
    indices = [r.outcome.frame_index for r in ledger.results]
    assert indices == [4, 0, 1, 2, 3]
    assert causes[0] == "not sent: nobody is connected to the camera"
    assert causes[1] == causes[2] == causes[4]
    assert causes[3] == ""
    assert wire.n_lost == 3
    assert ledger.n_in_flight == 0


@pytest.mark.parametrize(
    ("network", "target", "pacing", "complaint"),
    [
        ({"loss": 0.1}, "process", "open", "frames travel to"),
        ({}, "mpegts-udp", "unhurried", "must not lose any"),
        ({"loss": 0.1}, "mpegts", "closed", "must be perfect"),
    ],
    ids=["no wire", "datagrams", "losses"],
)
def test_a_network_that_could_not_act_or_not_be_judged_is_refused(
    network, target, pacing, complaint
):
    """With the remedy."""
    with pytest.raises(BenchError, match=complaint):
        check_network(
            NetworkConfig.model_validate(network),
            TargetKind(target),
            pacing=Pacing(pacing),
        )
