"""Claims about which frames are searched for faces, and what stands in for the rest."""

import time

import numpy as np
import pytest
from matcher_doubles import FRAME_NS, encoded, h264, painted
from matcher_workers import colour_gallery, colour_pipeline

from matcher.cadence import is_detection_due
from matcher.config import (
    BestShotConfig,
    CadenceConfig,
    EngineConfig,
    MatcherConfig,
    QualityConfig,
)
from matcher.inbox import Inbox, Waiting
from matcher.records import CameraId, FrameResult, Stage
from matcher.tracking import Tracks
from matcher.worker import Worker, unhurried

STEADY = CadenceConfig(steady_interval_s=0.15)


def _tracks(*hits: int, seen_ns: int = 0) -> Tracks:
    n = len(hits)
    return Tracks(
        ids=np.arange(n),
        boxes=np.zeros((n, 4)),
        velocities=np.zeros((n, 4)),
        seen_ns=np.full(n, seen_ns),
        hits=np.array(hits, np.int64),
        next_id=n,
    )


@pytest.mark.parametrize(
    ("tracks", "time_s", "due"),
    [
        (_tracks(), 0.1, False),
        (_tracks(), 0.15, True),
        (_tracks(5, 2), 0.1, False),
        (_tracks(5, 2), 0.2, True),
        (_tracks(5, 1), 0.1, True),
        (_tracks(1, seen_ns=-1), 0.1, False),
    ],
    ids=[
        "nobody, soon",
        "nobody, later",
        "trusted, soon",
        "trusted, later",
        "one is young",
        "the young one is gone",
    ],
)
def test_young_tracks_are_looked_at_at_once_others_in_turn(
    tracks: Tracks, time_s: float, due: bool
) -> None:
    """An alert waits for a track to be trusted; nothing waits for a trusted one."""
    assert (
        is_detection_due(
            tracks,
            detected_ns=0,
            time_ns=round(time_s * 1e9),
            confirm_hits=2,
            config=STEADY,
        )
        is due
    )


def _run(cadence: CadenceConfig, n: int = 14) -> list[FrameResult]:
    config = MatcherConfig(
        cadence=cadence,
        quality=QualityConfig(min_quality=0.0),
        best_shot=BestShotConfig(interval_s=0.3, min_gain=1.0, max_shots=3),
    )
    packets = h264(painted((10 + 4 * k, 30, 60 + 4 * k, 80)) for k in range(n))
    worker = Worker(
        colour_pipeline(config, colour_gallery()), clock=time.perf_counter_ns
    )
    frames = [encoded(index, packet) for index, packet in enumerate(packets)]
    return list(unhurried(frames, worker, clock=time.perf_counter_ns))


def test_frames_between_searches_have_predicted_boxes_and_every_stage() -> None:
    """The track goes on where the walker must be; the log stays complete."""
    results = _run(STEADY)
    searched = [r.outcome.n_faces == 1 for r in results]

    # The first two confirm the track; from then on every other frame.
    assert searched == [True, True, *[False, True] * 6]
    assert all([e.stage for e in r.events] == list(Stage) for r in results)
    for result in results[4:]:
        (box,) = result.boxes
        assert box[0] == 0
        assert box[1] == pytest.approx(10 + 4 * result.outcome.frame_index, abs=2.5)


def test_sparing_search_raises_the_same_alert() -> None:
    """The face is embedded as soon as its track is trusted, at either cadence."""
    every = _run(CadenceConfig(steady_interval_s=0.0))
    spared = _run(STEADY)

    assert all(r.outcome.n_faces == 1 for r in every)
    assert [
        [(a.subject_id, a.frame_index) for r in some for a in r.alerts]
        for some in (every, spared)
    ] == [[("blue", 1)]] * 2


def test_cameras_handled_together_give_what_each_gives_alone() -> None:
    """A batch shares embedding and search, not tracks."""
    config = MatcherConfig(quality=QualityConfig(min_quality=0.0))
    packets = h264(painted((10 + 4 * k, 30, 60 + 4 * k, 80)) for k in range(6))
    worker = Worker(
        colour_pipeline(config, colour_gallery()), clock=time.perf_counter_ns
    )
    results = [
        result
        for index, packet in enumerate(packets)
        for result in worker.handle(
            [_waiting(index, packet, camera) for camera in ("a", "b")]
        )
    ]
    a, b = results[::2], results[1::2]

    assert [r.outcome.camera_id for r in results] == ["a", "b"] * 6
    assert [r.boxes for r in a] == [r.boxes for r in b]
    assert [len(r.probes) for r in a] == [len(r.probes) for r in b]
    assert [x.frame_index for r in a for x in r.alerts] == [1]
    for result in results:
        stamps = [(e.enqueued_ns, e.started_ns, e.ended_ns) for e in result.events]
        assert stamps == sorted(stamps)
        assert all(x <= y <= z for x, y, z in stamps)


def _waiting(index: int, packet: bytes, camera: str) -> Waiting:
    frame = encoded(index, packet, camera_id=CameraId(camera))
    return Waiting(frame=frame, received_ns=0, arrival=index, overtaken_by=0)


def test_batch_takes_one_frame_of_each_camera_and_keeps_turns() -> None:
    """A second frame of a camera ends the batch: nothing behind may overtake it."""
    inbox = Inbox(EngineConfig(drop_policy="none"))
    for camera, index in (("a", 0), ("b", 0), ("a", 1), ("c", 0)):
        inbox.put(encoded(index, camera_id=CameraId(camera)), received_ns=0)
    first = inbox.take()
    assert isinstance(first, Waiting)
    batch = inbox.take_company(first, at_most=8, wait_s=0.0)

    assert [w.frame.camera_id for w in batch] == ["a", "b"]


def test_batch_is_not_larger_than_asked_for_nor_waits_without_end() -> None:
    """One frame is a batch where no other comes."""
    inbox = Inbox(EngineConfig())
    for camera in "abc":
        inbox.put(encoded(0, camera_id=CameraId(camera)), received_ns=0)
    first = inbox.take()
    assert isinstance(first, Waiting)

    assert len(inbox.take_company(first, at_most=2, wait_s=0.0)) == 2
    last = inbox.take()
    assert isinstance(last, Waiting)
    assert inbox.take_company(last, at_most=2, wait_s=0.001) == [last]


def test_unhurried_settings_leave_nothing_to_time() -> None:
    """No frame is skipped and no batch depends on what else has come."""
    engine = EngineConfig(batch_frames=8, batch_wait_s=0.01, workers=3).unhurried()

    assert (engine.drop_policy, engine.batch_frames, engine.batch_wait_s) == (
        "none",
        1,
        0.0,
    )
    assert engine.workers == 3


def test_prediction_moves_with_the_track() -> None:
    """Constant velocity between capture times."""
    results = _run(STEADY, n=8)
    lefts = [r.boxes[0][1] for r in results[4:]]

    assert np.allclose(np.diff(lefts), 4.0, atol=2.0)
    assert FRAME_NS == 100_000_000
