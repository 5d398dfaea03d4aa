"""Stand-ins: a harness in good order, a worker that only acts the part, a clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench_workers import SYSTEM
from bench_world import (
    FPS,
    START_NS,
    THRESHOLD,
    frame_result,
    make_crowd,
    make_plan,
    send_all,
)

from bench.driving.driver import Drive
from bench.driving.session import Session
from bench.host.clock import ClockCheck
from bench.host.resources import Account
from bench.objectives import ObjectivesConfig
from bench.records import (
    ArrivalPlan,
    PassageOutcome,
    RunRecord,
    SentFrames,
    WatchlistChange,
)
from bench.running.instrument import Instrument
from bench.running.run import conclude
from matcher.messages import (
    ClockProbe,
    ClockReading,
    Flush,
    Flushed,
    Ready,
    ResourceUse,
    Results,
    Stop,
    Stopped,
)
from matcher.records import EncodedFrame, FrameResult

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def make_instrument(**changes: object) -> Instrument:
    """Describe a harness in good order, but for the changes."""
    sound: dict[str, object] = {
        "unhurried": False,
        "interrupted": False,
        "lost": "",
        "clock_stopped": False,
        "closed": False,
        "offered_hz": 2 * FPS,
        "fps": (FPS, FPS),
        "warm_up_s": 1.0,
        "deadline_s": 1.0,
        "null_hz": 2000.0,
        "clock_shortest_ns": 60_000,
        "clock_disagreement_ns": 0,
        "drive_s": 10.0,
        "harness_cpu_s": 0.3,
        "harness_rss_bytes": 10**8,
        "matcher_cpu_s": 3.0,
        "matcher_wait_s": 0.01,
        "matcher_rss_bytes": 10**8,
        "n_watchlist": 3,
        "n_enrolled": 3,
        "threshold": THRESHOLD,
        "target_fpir": 0.01,
    }
    return Instrument(**{**sound, **changes})


def make_passage(*, mated: bool = False, **changes: object) -> PassageOutcome:
    """Make a passage of which one search was made, without an alert."""
    plain: dict[str, object] = {
        "passage_id": "cam1-0000",
        "person_id": "ann",
        "camera_id": "cam1",
        "sex": "female",
        "age_band": "18-29",
        "monk_tone": 2,
        "ancestry": "european",
        "mated": mated,
        "t_in_s": 2.0,
        "t_out_s": 5.0,
        "max_face_height_px": 80.0,
        "max_visibility": 1.0,
        "unoccluded_frames": 30,
        "n_frames": 31,
        "n_frames_processed": 31,
        "n_frames_detected": 31,
        "n_probes": 1,
        "best_score": 0.3,
        "mate_score": 0.3 if mated else None,
        "alerted": False,
        "true_alert": False,
        "false_alert": False,
        "time_to_alert_s": None,
        "latency_s": 0.02,
    }
    return PassageOutcome(**{**plain, **changes})


def serve_double(
    connection: Connection, clock_error_ns: int = 0, die_after: int = -1
) -> None:
    """Process every frame at once; or leave without a word after so many."""
    connection.send(Ready(system=SYSTEM))
    n = 0
    while True:
        try:
            message = connection.recv()
        except EOFError:
            return
        match message:
            case ClockProbe(sent_ns=sent_ns):
                read_ns = time.perf_counter_ns() + clock_error_ns
                connection.send(ClockReading(sent_ns=sent_ns, read_ns=read_ns))
            case EncodedFrame():
                if n == die_after:
                    connection.close()
                    return
                n += 1
                result = frame_result(
                    message.camera_id, message.index, message.capture_time_ns
                )
                connection.send(Results(frames=(result,)))
            case Flush(token=token):
                connection.send(Flushed(token=token))
            case Stop():
                use = ResourceUse(
                    cpu_s=0.1, wall_s=1.0, peak_rss_bytes=10**8, n_frames=n
                )
                connection.send(Stopped(use=use))
                return


def make_record(
    results: tuple[FrameResult, ...],
    *,
    sent: SentFrames | None = None,
    objectives: ObjectivesConfig | None = None,
    plan: ArrivalPlan | None = None,
    changes: tuple[WatchlistChange, ...] = (),
    **instrument: object,
) -> RunRecord:
    """Conclude a run of the tiny world from what a matcher is made to say."""
    plan = make_plan() if plan is None else plan
    stated = (ObjectivesConfig() if objectives is None else objectives).stated()
    idle = Account(cpu_s=0.3, wait_s=0.0, rss_bytes=10**8)
    session = Session(
        system=SYSTEM,
        clock_check=ClockCheck(n_round_trips=20, shortest_ns=60_000, disagreement_ns=0),
        drive=Drive(
            sent=send_all(plan) if sent is None else sent, interrupted=False, lost=""
        ),
        results=results,
        drive_s=10.0,
        harness=idle,
        matcher=idle,
        changes=changes,
    )
    return conclude(
        make_crowd(),
        plan,
        session,
        make_instrument(**instrument),
        objectives=stated,
        run_id="tiny",
        scenario={"scenario": {"title": "Tiny world"}},
        provenance={"seed": 1},
        notes=(),
    )


class FakeClock:
    """A clock that moves only when someone sleeps, or by a step per reading."""

    def __init__(self, *, step_ns: int = 0) -> None:
        self.now_ns = START_NS
        self.step_ns = step_ns

    def __call__(self) -> int:
        """Read the clock."""
        self.now_ns += self.step_ns
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Move the clock on."""
        self.now_ns += round(seconds * 1e9)
