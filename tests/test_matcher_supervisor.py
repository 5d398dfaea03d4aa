"""Claims about the crew of workers: real processes, real signals, real video."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np
import psutil
import pytest
from matcher_doubles import encoded, h264, painted
from matcher_workers import DEATH_CODE, serve_colours, serve_the_doomed

from matcher.config import EngineConfig
from matcher.messages import (
    Changed,
    ClockProbe,
    ClockReading,
    Crashed,
    Flush,
    Flushed,
    GalleryChange,
    Ready,
    Results,
    Stop,
    Stopped,
)
from matcher.records import CameraId, FrameResult, Outcome, SubjectId

UNHURRIED = EngineConfig().unhurried()


class _Driver:
    """Sends, and keeps everything that is said."""

    def __init__(self, connection: Connection, pid: int) -> None:
        self.connection = connection
        self.pid = pid
        self.results: list[FrameResult] = []

    def hear(self, kind: type) -> object:
        """Return the next message of a kind; keep the results that come before."""
        while True:
            assert self.connection.poll(30), f"silence instead of {kind.__name__}"
            message = self.connection.recv()
            if isinstance(message, Results):
                self.results += message.frames
            if isinstance(message, kind):
                return message

    def flush(self, token: int = 1) -> None:
        self.connection.send(Flush(token=token))
        assert self.hear(Flushed) == Flushed(token=token)

    def workers(self) -> list[psutil.Process]:
        return sorted(psutil.Process(self.pid).children(), key=lambda p: p.name())


@contextmanager
def _matcher(engine: EngineConfig, serve: object = serve_colours) -> Iterator[_Driver]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, engine))
    process.start()
    theirs.close()
    try:
        yield _Driver(ours, process.pid)
    finally:
        ours.close()
        process.join(30)
        assert not process.is_alive()


def _freeze(process: psutil.Process) -> None:
    """Stop a process and wait until it stands: on a busy machine it runs on a while."""
    process.suspend()
    while process.status() != psutil.STATUS_STOPPED:
        threading.Event().wait(0.01)


def _walk(n: int, channel: int = 0) -> list[bytes]:
    return h264(
        painted((10 + 2 * k, 30, 60 + 2 * k, 80), channel=channel) for k in range(n)
    )


def _send(driver: _Driver, packets: list[bytes], first: int, end: int) -> None:
    for index in range(first, end):
        for camera in ("a", "b", "c"):
            driver.connection.send(
                encoded(index, packets[index], camera_id=CameraId(camera))
            )


def _key(result: FrameResult) -> tuple[str, int]:
    return result.outcome.camera_id, result.outcome.frame_index


def _alerts(results: list[FrameResult]) -> list[tuple[str, str, int]]:
    return sorted(
        (a.camera_id, a.subject_id, a.frame_index) for r in results for a in r.alerts
    )


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_number_of_workers_changes_no_result(workers: int) -> None:
    """Equal frames give equal tracks, probes and alerts, however cameras are shared."""
    engine = UNHURRIED.model_copy(update={"workers": workers})
    packets = _walk(12)
    with _matcher(engine) as driver:
        ready = driver.hear(Ready)
        _send(driver, packets, 0, 12)
        driver.flush()
        driver.connection.send(Stop())
        stopped = driver.hear(Stopped)

    assert dict(ready.system.threads)["workers"] == workers
    assert stopped.use.n_frames == len(driver.results) == 36
    assert stopped.use.n_restarts == 0
    assert _alerts(driver.results) == [(c, "blue", 1) for c in "abc"]
    said = {
        _key(r): (r.boxes, [(p.track_id, p.comparison_score) for p in r.probes])
        for r in driver.results
    }
    assert all(said["a", i] == said["b", i] == said["c", i] for i in range(12))


def test_killed_worker_is_replaced_and_nothing_is_lost_unsaid() -> None:
    """After SIGKILL: one outcome a frame, no alert twice, no track number again."""
    packets = _walk(40)
    with _matcher(UNHURRIED.model_copy(update={"workers": 2})) as driver:
        driver.hear(Ready)
        _send(driver, packets, 0, 20)
        driver.flush(1)
        before = list(driver.results)
        victim, other = driver.workers()
        _freeze(victim)
        # Frames that the stopped worker holds when it dies are lost, and said to be.
        _send(driver, packets, 20, 23)
        os.kill(victim.pid, signal.SIGKILL)
        while not any(r.outcome.outcome is Outcome.FAILED for r in driver.results):
            driver.hear(Results)
        _send(driver, packets, 23, 40)
        driver.flush(2)
        after = driver.results[len(before) :]
        assert other.is_running()
        driver.connection.send(Stop())
        stopped = driver.hear(Stopped)

    assert stopped.use.n_restarts == 1
    assert Counter(map(_key, driver.results)) == {
        (camera, index): 1 for camera in "abc" for index in range(40)
    }
    # The victim carried the first and the third camera.
    # The last of their frames may reach the supervisor only after the victim's death:
    # then its successor has it.
    lost = [r for r in after if r.outcome.outcome is Outcome.FAILED]
    lost_keys = {_key(r) for r in lost}
    assert lost_keys >= {(c, i) for c in "ac" for i in range(20, 22)}
    assert lost_keys <= {(c, i) for c in "ac" for i in range(20, 23)}
    assert {r.outcome.cause for r in lost} == {"lost: worker 0 was killed by SIGKILL"}
    # The walk goes on without a key frame, and is seen again at once.
    resumed = {_key(r): r for r in after if r.outcome.outcome is Outcome.PROCESSED}
    assert {len(resumed[c, i].boxes) for c in "ac" for i in range(26, 40)} == {1}
    assert _alerts(driver.results) == [(c, "blue", 1) for c in "abc"]
    tracks = [{box[0] for r in part for box in r.boxes} for part in (before, after)]
    assert tracks[0] == {0}
    assert {resumed["a", i].boxes[0][0] for i in range(26, 40)} == {1}
    assert {r.boxes[0][0] for r in after if _key(r)[0] == "b"} == {0}


def _green_joins(number: int) -> GalleryChange:
    green = np.array([[-1.0, 2.0, -1.0]], np.float32)
    return GalleryChange(
        number=number,
        enrol=(SubjectId("green"),),
        templates=green / np.linalg.norm(green),
        withdraw=(SubjectId("blue"),),
    )


def test_change_of_the_gallery_is_in_effect_in_every_worker() -> None:
    """Each says so once; whom the change enrols is found, whom it withdraws is not."""
    blue, green = _walk(12), _walk(12, channel=1)
    with _matcher(UNHURRIED.model_copy(update={"workers": 2})) as driver:
        driver.hear(Ready)
        driver.connection.send(_green_joins(7))
        effects = [driver.hear(Changed), driver.hear(Changed)]
        for index in range(12):
            for camera, packets in (("a", blue), ("b", green)):
                frame = encoded(index, packets[index], camera_id=CameraId(camera))
                driver.connection.send(frame)
        driver.flush()

    assert {(e.number, e.worker, e.refusal) for e in effects} == {
        (7, 0, ""),
        (7, 1, ""),
    }
    assert _alerts(driver.results) == [("b", "green", 1)]


def test_successor_of_a_killed_worker_knows_every_change() -> None:
    """Changes asked for before its death and while nobody was there."""
    packets = _walk(12, channel=1)
    with _matcher(UNHURRIED) as driver:
        driver.hear(Ready)
        (victim,) = driver.workers()
        _freeze(victim)
        driver.connection.send(_green_joins(1))
        os.kill(victim.pid, signal.SIGKILL)
        effect = driver.hear(Changed)
        for index, packet in enumerate(packets):
            driver.connection.send(encoded(index, packet, camera_id=CameraId("a")))
        driver.flush()

    assert (effect.number, effect.refusal) == (1, "")
    assert _alerts(driver.results) == [("a", "green", 1)]


def test_change_that_cannot_be_done_is_refused_and_changes_nothing() -> None:
    """The same subject twice: a sentence in place of an effect, and work goes on."""
    packets = _walk(12, channel=1)
    with _matcher(UNHURRIED) as driver:
        driver.hear(Ready)
        for number in (1, 2):
            driver.connection.send(_green_joins(number))
        effects = [driver.hear(Changed), driver.hear(Changed)]
        for index, packet in enumerate(packets):
            driver.connection.send(encoded(index, packet, camera_id=CameraId("a")))
        driver.flush()

    told = {e.number: e.refusal for e in effects}
    assert told[1] == ""
    assert "must hold each subject once, got 'green' again" in told[2]
    assert _alerts(driver.results) == [("a", "green", 1)]


def test_worker_that_dies_over_and_over_ends_the_matcher() -> None:
    """A cause that does not go away is told, not tried for ever."""
    with _matcher(EngineConfig(max_restarts=2), serve_the_doomed) as driver:
        crashed = driver.hear(Crashed)

    assert f"ended with exit code {DEATH_CODE}" in crashed.sentence
    assert "3. time" in crashed.sentence


def test_workers_leave_with_their_supervisor() -> None:
    """A supervisor killed outright leaves no orphan at work."""
    with _matcher(UNHURRIED.model_copy(update={"workers": 2})) as driver:
        driver.hear(Ready)
        workers = driver.workers()
        os.kill(driver.pid, signal.SIGKILL)
        gone, alive = psutil.wait_procs(workers, timeout=20)

    assert len(gone) == 2
    assert not alive


def test_supervisor_answers_the_clock_between_frames() -> None:
    """The reading is of the clock that every process of the machine shares."""
    with _matcher(UNHURRIED) as driver:
        driver.hear(Ready)
        driver.connection.send(ClockProbe(sent_ns=5))
        reading = driver.hear(ClockReading)

    assert reading.sent_ns == 5
    assert reading.read_ns > 0


def test_pinned_workers_keep_to_one_core_each() -> None:
    """Where the system allows it; on fewer cores than workers they share."""
    engine = UNHURRIED.model_copy(update={"workers": 2, "pin_workers": True})
    with _matcher(engine) as driver:
        driver.hear(Ready)
        cores = [worker.cpu_affinity() for worker in driver.workers()]

    available = sorted(os.sched_getaffinity(0))
    assert cores == [[available[k % len(available)]] for k in range(2)]
