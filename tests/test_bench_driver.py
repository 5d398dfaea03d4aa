"""The open workload, and the talk with the matcher's process."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from bench_doubles import FakeClock, serve_double
from bench_workers import SYSTEM, serve_until_killed
from bench_world import MS, START_NS, make_plan

from bench.driving.driver import drive, wait_until
from bench.driving.headroom import measure_null_hz
from bench.driving.matcher_process import SystemLink, running
from bench.errors import BenchError, SystemGoneError, SystemStartError
from bench.host.clock import check_clock
from bench.host.resources import read_account
from matcher.messages import Crashed, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

PACKETS = ((b"x",) * 100, (b"y",) * 100)


def run_plan(send: Callable, *, clock: FakeClock, pace: Callable | None = None):
    """Drive the plan of the doubles against a fake clock."""
    on_time = partial(wait_until, clock=clock, sleep=clock.sleep)
    return drive(
        make_plan(),
        PACKETS,
        send,
        start_ns=START_NS,
        pace=on_time if pace is None else pace,
        clock=clock,
        progress=lambda _: None,
    )


def test_frames_go_out_at_their_planned_times():
    """With a quick matcher no frame is early, and none 0.1 ms late."""
    frames = []
    done = run_plan(frames.append, clock=FakeClock(step_ns=1000))
    late_ns = done.sent.sent_ns - done.sent.planned_ns
    assert late_ns.min() >= 0
    assert late_ns.max() < MS // 10
    assert [f.capture_time_ns for f in frames] == done.sent.planned_ns.tolist()
    assert frames[1].packet == b"y"


def test_a_slow_hand_over_delays_no_later_deadline():
    """One send that takes 120 ms makes two frames late, and the rest stay on time."""
    clock = FakeClock(step_ns=1000)
    calls = iter(range(200))

    def send(_frame: object) -> None:
        if next(calls) == 10:
            clock.sleep(0.120)

    done = run_plan(send, clock=clock)
    late_ms = (done.sent.sent_ns - done.sent.planned_ns) / MS
    assert np.flatnonzero(late_ms > 1.0).tolist() == [10, 11, 12]
    assert late_ms[10] == pytest.approx(120.0, abs=1.0)
    assert late_ms[13:].max() < 1.0


def test_ctrl_c_keeps_what_was_sent():
    """The plan's other rows say that they never were."""
    calls = iter(range(200))

    def send(_frame: object) -> None:
        if next(calls) == 7:
            raise KeyboardInterrupt

    done = run_plan(send, clock=FakeClock(step_ns=1000))
    assert done.interrupted
    assert (done.sent.sent_ns >= 0).sum() == 7
    assert np.all(done.sent.sent_ns[7:] == -1)


def test_a_dead_matcher_ends_the_sending_not_the_run():
    """The cause is kept with what was sent."""

    def send(frame: object) -> None:
        if frame.index == 3:
            raise SystemGoneError(reason="it was killed")

    done = run_plan(send, clock=FakeClock(step_ns=1000))
    assert done.lost == "it was killed"
    assert not done.interrupted
    assert (done.sent.sent_ns >= 0).sum() == 6


def test_unhurried_frames_wait_for_room_and_all_go():
    """The pace is the matcher's; the plan gives the order alone."""
    frames, room = [], []

    def pace(planned_ns: int) -> int:
        room.append(planned_ns)
        return planned_ns

    done = run_plan(frames.append, clock=FakeClock(), pace=pace)
    assert len(frames) == len(room) == 200
    assert np.all(done.sent.sent_ns == START_NS)


def test_one_clock_lies_within_every_round_trip():
    """A clock ahead by more than the round trip is found out, one within it is not."""
    clock = FakeClock(step_ns=1000)
    same = check_clock(lambda _: clock.now_ns + 500, clock=clock)
    assert same.passed
    assert same.shortest_ns == 1000
    other = check_clock(lambda _: clock.now_ns + 5_000_000, clock=clock)
    assert not other.passed
    assert other.disagreement_ns == 5_000_000 - 1000


def link_to(serve: Callable) -> SystemLink:
    """Run a worker in a thread, and link to it."""
    ours, theirs = multiprocessing.Pipe()
    worker = threading.Thread(target=serve, args=(theirs,), daemon=True)
    worker.start()
    return SystemLink(ours, pid=None, epitaph=lambda: "it left")


def test_everything_said_is_kept_and_the_worker_is_stopped():
    """Ready, clock, frames, flush and stop, over a real pipe."""
    link = link_to(serve_double)
    assert link.wait_ready() == SYSTEM
    clock = FakeClock(step_ns=1000)
    assert link.read_clock(clock()) > 0
    done = run_plan(link.issue, clock=clock)
    link.flush()
    use = link.stop()
    assert use is not None
    assert use.n_frames == len(link.ledger.results) == len(done.sent.sent_ns)
    assert link.has_stopped


def test_room_is_made_by_results():
    """At most so many frames are under way."""
    link = link_to(serve_double)
    in_flight = []

    def pace(planned_ns: int) -> int:
        link.ledger.wait_for_room(4)
        in_flight.append(link.ledger.n_in_flight)
        return planned_ns

    run_plan(link.issue, clock=FakeClock(), pace=pace)
    link.flush()
    assert max(in_flight) <= 3
    assert len(link.ledger.results) == 200


def test_a_worker_that_leaves_is_noticed_and_its_results_stay():
    """Nothing that was said before is lost."""
    link = link_to(partial(serve_double, die_after=5))

    def pace(planned_ns: int) -> int:
        link.ledger.wait_for_room(1)
        return planned_ns

    done = run_plan(link.issue, clock=FakeClock(), pace=pace)
    assert done.lost == "it left"
    assert len(link.ledger.results) == 5


@pytest.mark.parametrize(
    ("message", "error", "words"),
    [
        (Refused(sentence="weights must match"), BenchError, "weights must match"),
        (
            Crashed(sentence="boom", traceback="…"),
            SystemStartError,
            r"crashed \(boom\)",
        ),
        (None, SystemStartError, "it left"),
    ],
    ids=["refused", "crashed", "silent"],
)
def test_a_worker_that_does_not_start_says_why(message, error, words):
    """Bad input is the user's to mend, a crash is not."""

    def serve(connection):
        if message is not None:
            connection.send(message)
        connection.close()

    with pytest.raises(error, match=words):
        link_to(serve).wait_ready()


def test_the_null_run_counts_acknowledged_frames():
    """Throughput of the harness alone, over a fake second."""
    link = link_to(serve_double)
    link.wait_ready()
    clock = FakeClock(step_ns=MS)
    null_hz = measure_null_hz(
        link, link.ledger, make_plan(), PACKETS, duration_s=0.5, clock=clock
    )
    assert null_hz == pytest.approx(1000.0, rel=0.01)
    assert len(link.ledger.results) == 499


def test_no_process_outlives_its_block():
    """Ctrl-C in the block leaves no orphan; a killed worker is told by its signal."""
    with contextlib.suppress(KeyboardInterrupt):
        with running(serve_until_killed, name="double") as link:
            link.wait_ready()
            assert read_account(link.pid).cpu_s > 0.0
            os.kill(link.pid, signal.SIGKILL)
            with pytest.raises(SystemGoneError, match="SIGKILL"):
                link.ledger.wait_for_room(0)
        with running(serve_until_killed, name="double") as link:
            link.wait_ready()
            raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        read_account(link.pid)
