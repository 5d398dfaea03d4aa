"""Each way in which the instrument can fail ends in its own reason, with a cure.

Whole sittings with a target on a thread, or in a process that is killed; only the
clocks are made up.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from bench_doubles import FakeClock, make_instrument, make_passage
from bench_workers import SYSTEM, serve_frames
from bench_world import MS, N_FRAMES, START_NS, frame_result, make_crowd, make_plan

from bench.driving.driver import drive, wait_until
from bench.driving.matcher_process import running
from bench.driving.pacing import Pacing
from bench.driving.session import Session, drive_target
from bench.driving.targets import in_process
from bench.errors import ClockStoppedError
from bench.objectives import ObjectivesConfig
from bench.records import SentFrames, Status
from bench.running.audit_runs import with_reasons
from bench.running.audits import audit_accuracy, audit_caching, repeat_speed_up
from bench.running.folder import read_run, write_run
from bench.running.run import conclude
from matcher.config import EngineConfig
from matcher.records import Stage

PACKETS = ((b"x",) * N_FRAMES, (b"y",) * N_FRAMES)


class Handler:
    """Processes every frame at once; stages and clock may be tampered with."""

    def __init__(self, *, clock, stages=tuple(Stage)):
        self.clock = clock
        self.stages = stages

    def handle(self, batch):
        """End some frames."""
        return [self._end(waiting) for waiting in batch]

    def _end(self, waiting):
        frame = waiting.frame
        said = frame_result(frame.camera_id, frame.index, frame.capture_time_ns)
        stamp_ns = self.clock()
        return replace(
            said,
            outcome=replace(
                said.outcome, received_ns=waiting.received_ns, done_ns=stamp_ns
            ),
            events=tuple(
                replace(e, enqueued_ns=stamp_ns, started_ns=stamp_ns, ended_ns=stamp_ns)
                for e in said.events
                if e.stage in self.stages
            ),
        )


def sit(*, stages=tuple(Stage), their_clock=None, plan=None):
    """Hold a sitting as fast as an unhurried target takes frames."""
    plan = make_plan() if plan is None else plan
    clock = time.perf_counter_ns

    @contextmanager
    def opened(ledger):
        theirs = clock if their_clock is None else their_clock
        handler = Handler(clock=theirs, stages=stages)
        config = EngineConfig(drop_policy="none")
        with in_process(
            handler, ledger, system=SYSTEM, config=config, clock=theirs
        ) as target:
            yield target

    return plan, drive_target(
        plan,
        PACKETS,
        opened,
        pacing=Pacing.UNHURRIED,
        in_flight=1,
        clock=clock,
        progress=lambda *_: None,
    )


def judged(plan, session, *, objectives=None, **instrument):
    """Conclude a sitting and return its record."""
    stated = (ObjectivesConfig() if objectives is None else objectives).stated()
    return conclude(
        make_crowd(),
        plan,
        session,
        make_instrument(
            unhurried=True,
            lost=session.drive.lost,
            clock_stopped=session.drive.clock_stopped,
            clock_shortest_ns=session.clock_check.shortest_ns,
            clock_disagreement_ns=session.clock_check.disagreement_ns,
            **instrument,
        ),
        objectives=stated,
        run_id="audit",
        scenario={"scenario": {"title": "Audit"}},
        provenance={"seed": 1},
        notes=(),
    )


def codes(record):
    """List the reasons of a verdict by code."""
    return {reason.code for reason in record.verdict.reasons}


def test_a_sitting_in_good_order_is_valid():
    """The control: without a fault there is no reason."""
    record = judged(*sit())
    assert record.verdict.status is Status.VALID
    assert record.metrics["frames.processed"].value == 2 * N_FRAMES


def test_a_dropped_stage_log_is_found():
    """A matcher that keeps one stage to itself."""
    kept = tuple(s for s in Stage if s is not Stage.EMBED)
    record = judged(*sit(stages=kept))
    assert record.verdict.status is Status.INVALID
    assert codes(record) == {"incomplete_log"}
    assert f"{2 * N_FRAMES} lack a stage" in record.verdict.reasons[0].message
    assert record.verdict.reasons[0].cure


def test_a_matcher_clock_that_stands_still_is_found():
    """Its readings lie outside every round trip, and no stamp moves on."""
    standing = START_NS
    record = judged(*sit(their_clock=lambda: standing))
    assert record.verdict.status is Status.INVALID
    assert "clock" in codes(record)


def test_a_matcher_clock_that_stops_in_the_run_is_found():
    """Right at the first check, wrong at the second."""
    readings = []

    def stops():
        readings.append(time.perf_counter_ns() if len(readings) < 50 else readings[-1])
        return readings[-1]

    record = judged(*sit(their_clock=stops))
    assert record.verdict.status is Status.INVALID
    assert codes(record) == {"clock"}


def test_stamps_that_run_backwards_are_found():
    """A clock that is now and then a second or two behind."""
    readings = iter(range(10**6))

    def set_back():
        return time.perf_counter_ns() - 10**9 * (next(readings) % 3)

    record = judged(*sit(their_clock=set_back))
    assert "clock_backwards" in codes(record)


def test_a_harness_clock_that_stops_ends_the_sending():
    """A driver that waits for a moment that never comes would wait for ever."""
    clock = FakeClock()
    with pytest.raises(ClockStoppedError):
        wait_until(START_NS + MS, clock=clock, sleep=lambda _: None)
    done = drive(
        make_plan(),
        PACKETS,
        lambda _: None,
        start_ns=START_NS + MS,
        pace=partial(wait_until, clock=clock, sleep=lambda _: None),
        clock=clock,
        progress=lambda _: None,
    )
    assert done.clock_stopped
    assert np.all(done.sent.sent_ns == -1)
    plan, session = sit()
    record = judged(plan, replace(session, drive=done, results=()))
    assert "clock_stopped" in codes(record)


def test_a_starved_generator_is_found():
    """A driver that gets the processor 20 ms late at every send."""
    clock = FakeClock(step_ns=1000)

    def starved_sleep(seconds):
        clock.sleep(seconds + 0.020)

    plan = make_plan()
    _, session = sit()
    done = drive(
        plan,
        PACKETS,
        lambda _: None,
        start_ns=START_NS,
        pace=partial(wait_until, clock=clock, sleep=starved_sleep),
        clock=clock,
        progress=lambda _: None,
    )
    record = conclude(
        make_crowd(),
        plan,
        replace(session, drive=done, results=in_time(done.sent)),
        make_instrument(),
        objectives=(),
        run_id="starved",
        scenario={"scenario": {"title": "Starved"}},
        provenance={"seed": 1},
        notes=(),
    )
    assert record.verdict.status is Status.INVALID
    assert codes(record) == {"schedule_delay"}
    assert "stop other work" in record.verdict.reasons[0].cure


def in_time(sent: SentFrames):
    """Answer each planned frame 20 ms after its capture."""
    plan = make_plan()
    return tuple(
        frame_result(plan.camera_ids[c], int(k), int(ns))
        for c, k, ns in zip(plan.camera, plan.frame_index, sent.planned_ns, strict=True)
    )


def test_too_few_samples_leave_a_run_inconclusive():
    """The wanted percentile cannot be quoted; the cure says from how many it can."""
    record = judged(*sit(), objectives=ObjectivesConfig(fpir=0.01))
    assert record.verdict.status is Status.INCONCLUSIVE
    assert codes(record) == {"undecided"}
    assert "more passages" in record.verdict.reasons[0].cure


def test_a_matcher_killed_in_the_run_loses_nothing_that_it_said(tmp_path):
    """SIGKILL after 60 frames: INVALID, every earlier result kept, folder readable."""
    plan = make_plan()
    reported = []

    @contextmanager
    def opened(ledger):
        report = ledger.report

        def kill_after_sixty(results):
            reported.extend(results)
            report(results)
            if len(reported) == 60:
                os.kill(link.pid, signal.SIGKILL)

        ledger.report = kill_after_sixty
        with running(serve_frames, name="double", ledger=ledger) as link:
            link.wait_ready()
            yield link

    session: Session = drive_target(
        plan,
        PACKETS,
        opened,
        pacing=Pacing.CLOSED,
        in_flight=1,
        clock=time.perf_counter_ns,
        progress=lambda *_: None,
    )
    assert "SIGKILL" in session.drive.lost
    assert len(session.results) == len(reported) >= 60
    record = judged(plan, session)
    assert record.verdict.status is Status.INVALID
    assert {"matcher_died"} <= codes(record)
    assert "SIGKILL" in record.verdict.reasons[0].message
    write_run(record, tmp_path)
    kept = read_run(tmp_path)
    assert len(kept.results) == len(reported)
    assert kept.verdict == record.verdict


def alerted(n, *, right, whole=True):
    """Make mated passages, the first so many with a true alert."""
    return [
        make_passage(
            mated=True,
            passage_id=f"p{k}",
            alerted=k < right,
            true_alert=k < right,
            n_frames=30,
            n_frames_processed=30 if whole else 20,
        )
        for k in range(n)
    ]


def test_a_matcher_that_does_less_under_the_clock_is_found():
    """Ten of fifty passages, all processed whole, are found only when unhurried."""
    reason = audit_accuracy(alerted(50, right=30), alerted(50, right=40))
    assert reason.status is Status.INVALID
    assert "10 of 50 differ" in reason.message
    assert audit_accuracy(alerted(50, right=40), alerted(50, right=40)) is None


def test_skipped_frames_are_load_and_no_fault_of_accuracy():
    """Passages that a skip touched are not compared; without others nothing is said."""
    skipped = alerted(50, right=10, whole=False)
    reason = audit_accuracy(skipped, alerted(50, right=40))
    assert reason.status is Status.INCONCLUSIVE


def shown_twice(*, second_ms):
    """Answer 60 frames and the same again, at 2 ms and at so much a stage."""
    made = []
    for index in range(120):
        result = frame_result("cam1", index, START_NS)
        ms = 2.0 if index < 60 else second_ms
        events = tuple(
            replace(e, ended_ns=e.started_ns + round(ms * MS)) for e in result.events
        )
        made.append(replace(result, events=events))
    return made


def test_a_matcher_that_remembers_frames_is_found():
    """Half the time at the second showing is caching; as much is not."""
    reason = audit_caching(shown_twice(second_ms=1.0), n_frames=60)
    assert reason.status is Status.INVALID
    assert "2.00 times as fast" in reason.message
    assert audit_caching(shown_twice(second_ms=1.95), n_frames=60) is None
    assert repeat_speed_up(shown_twice(second_ms=1.0)[:70], n_frames=60) is None


def test_an_audit_can_turn_a_valid_run_invalid():
    """The worst of all reasons decides."""
    record = judged(*sit())
    reason = audit_caching(shown_twice(second_ms=1.0), n_frames=60)
    assert with_reasons(record.verdict, []).status is Status.VALID
    assert with_reasons(record.verdict, [reason]).status is Status.INVALID
