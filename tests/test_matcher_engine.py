"""Claims about the worker's conversation, over a real pipe."""

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from matcher_doubles import TickingClock, encoded

from matcher.config import DecisionConfig, EngineConfig, MatcherConfig
from matcher.engine import converse, serve
from matcher.inbox import Waiting
from matcher.messages import (
    ClockProbe,
    ClockReading,
    Flush,
    Flushed,
    Ready,
    Refused,
    Results,
    Stop,
    Stopped,
    SystemDescription,
)
from matcher.null import NullSystem
from matcher.outbox import Outbox
from matcher.records import Alert, CameraId, FrameResult, SubjectId, TrackId

SYSTEM = SystemDescription(
    name="null",
    detector="none",
    embedder="none",
    index="none",
    gallery_size=0,
    threshold=1.0,
    threshold_origin="none",
    threads=(),
    versions=(),
)


@contextmanager
def _conversation(config: EngineConfig) -> Iterator[Connection]:
    """The driver's end of a pipe to a worker in a thread of this process."""
    ours, theirs = multiprocessing.Pipe()
    worker = threading.Thread(
        target=converse,
        args=(theirs, NullSystem(clock=TickingClock())),
        kwargs={
            "system": SYSTEM,
            "config": config,
            "clock": TickingClock(),
            "change": lambda _: None,
        },
    )
    worker.start()
    assert ours.recv() == Ready(system=SYSTEM)
    yield ours
    ours.close()
    worker.join(timeout=10)
    assert not worker.is_alive()
    theirs.close()


def _hear_until(connection: Connection, last: object) -> list[object]:
    heard = []
    while not heard or heard[-1] != last:
        assert connection.poll(10), f"silence after {heard}"
        heard.append(connection.recv())
    return heard


def _frames(heard: list[object]) -> list[tuple[str, int]]:
    return [
        (result.outcome.camera_id, result.outcome.frame_index)
        for message in heard
        if isinstance(message, Results)
        for result in message.frames
    ]


@pytest.mark.parametrize("policy", ["latest_wins", "none"])
def test_every_frame_sent_before_a_flush_is_answered_before_it(policy: str) -> None:
    """Whether processed or skipped, each has exactly one result."""
    sent = [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2)]
    with _conversation(EngineConfig(drop_policy=policy)) as driver:
        for camera, index in sent:
            driver.send(encoded(index, camera_id=CameraId(camera)))
        driver.send(Flush(token=3))
        heard = _hear_until(driver, Flushed(token=3))
        driver.send(Stop())
        stopped = driver.recv()

    assert sorted(_frames(heard)) == sorted(sent)
    assert isinstance(stopped, Stopped)
    assert stopped.use.n_frames == len(sent)


def test_idle_worker_answers_without_being_flushed() -> None:
    """Batches are for a busy worker; an idle one holds nothing back."""
    with _conversation(EngineConfig(results_interval_s=1.0)) as driver:
        driver.send(encoded(0))
        assert driver.poll(10)
        assert _frames([driver.recv()]) == [("cam1", 0)]


def test_clock_probe_is_answered_with_its_own_stamp() -> None:
    """So that the driver can tell readings apart."""
    with _conversation(EngineConfig()) as driver:
        driver.send(ClockProbe(sent_ns=42))
        reading = driver.recv()

    assert isinstance(reading, ClockReading)
    assert reading.sent_ns == 42
    assert reading.read_ns > 0


def test_worker_leaves_when_the_driver_hangs_up() -> None:
    """No orphan waits on a pipe that nobody holds."""
    with _conversation(EngineConfig()) as driver:
        driver.send(encoded(0))
        driver.recv()


class _Pipe:
    """Records what is sent."""

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, message: object) -> None:
        self.sent.append(message)


def _result(index: int, *, alert: bool) -> FrameResult:
    waiting = Waiting(frame=encoded(index), received_ns=0, arrival=0, overtaken_by=0)
    (plain,) = NullSystem(clock=TickingClock()).handle((waiting,))
    raised = Alert(
        camera_id=CameraId("cam1"),
        track_id=TrackId(0),
        frame_index=index,
        subject_id=SubjectId("s"),
        comparison_score=0.9,
        threshold=0.5,
        box_xyxy=(0.0, 0.0, 1.0, 1.0),
        capture_time_ns=0,
        alert_time_ns=1,
    )
    return FrameResult(
        outcome=plain.outcome,
        events=(),
        boxes=(),
        probes=(),
        alerts=(raised,) if alert else (),
    )


def test_alert_is_sent_at_once_with_the_results_before_it() -> None:
    """Results wait for company; an alert does not, and order is kept."""
    pipe = _Pipe()
    outbox = Outbox(pipe, interval_ns=10**9, clock=TickingClock())  # type: ignore[arg-type]
    outbox.add(_result(0, alert=False))
    assert pipe.sent == []

    outbox.add(_result(1, alert=True))
    assert _frames(pipe.sent) == [("cam1", 0), ("cam1", 1)]


def test_results_are_sent_once_the_interval_is_over() -> None:
    """A busy worker still tells how it is doing."""
    pipe = _Pipe()
    outbox = Outbox(pipe, interval_ns=2500, clock=TickingClock())  # type: ignore[arg-type]
    for index in range(4):
        outbox.add(_result(index, alert=False))

    assert [len(m.frames) for m in pipe.sent if isinstance(m, Results)] == [3]


def test_worker_process_that_cannot_start_says_why_and_ends(tmp_path: Path) -> None:
    """One clear sentence for the driver, exit code 0: it did what it should."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    config = MatcherConfig(decision=DecisionConfig(threshold=0.5))
    worker = context.Process(target=serve, args=(theirs, config, tmp_path / "nowhere"))
    worker.start()
    theirs.close()
    assert ours.poll(60)
    said = ours.recv()
    worker.join(10)

    assert isinstance(said, Refused)
    assert "nowhere cannot be read" in said.sentence
    assert worker.exitcode == 0
