"""Kinds and shapes of load, and the same clips shown by more cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench_world import N_FRAMES, make_clip, make_crowd
from pydantic import ValidationError

from bench.errors import BenchError, LoadTooLongError
from bench.load.feeds import Feed, repeated, turned, with_cameras
from bench.load.settings import CameraLoss, LoadConfig, LoadKind, LoadShape
from bench.load.shapes import share_on
from bench.load.sources import is_keyframe, read_trace
from bench.load.workload import draw_plan, offered_hz, replayed, resumed_at
from bench.running.rig import rig_of
from sim.arrivals import Phase

IDR = b"\x00\x00\x00\x01\x67sps\x00\x00\x01\x65idr"
OTHER = b"\x00\x00\x00\x01\x41slice"


def make_feed(camera_id="cam1"):
    """Feed of a clip with a key frame a second; each packet tells its frame."""
    packets = tuple(
        (IDR if k % 10 == 0 else OTHER) + bytes([k]) for k in range(N_FRAMES)
    )
    return Feed(
        clip=make_clip(camera_id),
        packets=packets,
        keyframes=np.arange(0, N_FRAMES, 10),
    )


def clips(n):
    """So many cameras of 100 frames at 10 a second."""
    return tuple(replace(make_clip("cam1"), camera_id=f"c{k}") for k in range(n))


def draw(load, *, n=2, seed=1):
    return draw_plan(clips(n), load, rng=np.random.default_rng(seed))


def test_key_frames_are_told_by_their_slice():
    """Parameter sets may stand before it; a slice of another kind is none."""
    assert is_keyframe(IDR)
    assert not is_keyframe(OTHER)
    assert not is_keyframe(b"")


@pytest.mark.parametrize(
    ("cv", "low", "high"),
    [(1.0, 0.9, 1.1), (3.0, 2.4, 3.6), (0.25, 0.22, 0.28)],
    ids=["poisson", "bursts", "nearly regular"],
)
def test_server_arrivals_have_the_rate_and_spread_asked_for(cv, low, high):
    """Half a minute at 100 frames a second; the gaps' spread over their mean."""
    streams = tuple(replace(clip, n_frames=4000) for clip in clips(2))
    load = LoadConfig(
        kind=LoadKind.SERVER, rate_hz=100.0, duration_s=30.0, interval_cv=cv
    )
    plan = draw_plan(streams, load, rng=np.random.default_rng(4))
    gaps = np.diff(plan.offset_ns) / 1e9
    assert len(plan) == pytest.approx(3000, rel=0.15)
    assert low < gaps.std() / gaps.mean() < high
    assert offered_hz(streams, load) == 100.0
    for camera in range(2):
        own = plan.frame_index[plan.camera == camera]
        np.testing.assert_array_equal(own, np.arange(len(own)))


def test_a_server_load_beyond_the_clips_is_refused():
    """A camera cannot send frames that were never filmed."""
    load = LoadConfig(kind=LoadKind.SERVER, rate_hz=200.0, duration_s=5.0)
    with pytest.raises(LoadTooLongError):
        draw(load)


@pytest.mark.parametrize("shape", list(LoadShape), ids=str)
def test_shapes_stay_between_low_share_and_all(shape):
    """And each has the peak where its name says."""
    duration_s = 8.0 if shape is LoadShape.SOAK else None
    load = LoadConfig(shape=shape, low_share=0.2, duration_s=duration_s)
    share = share_on(load, np.linspace(0.0, 0.999, 500))
    assert 0.2 - 1e-9 <= share.min() <= share.max() <= 1.0
    peak = {
        LoadShape.RAMP: 0.999,
        LoadShape.SPIKE: 0.5,
        LoadShape.DIURNAL: 0.5,
    }.get(shape, 0.0)
    assert share_on(load, np.array([peak]))[0] == pytest.approx(1.0, abs=0.01)


def test_a_ramp_of_cameras_lets_one_join_after_the_other():
    """Of four cameras the first is on from the start, the last at the end alone."""
    load = LoadConfig(shape=LoadShape.RAMP, low_share=0.25, phase=Phase.ALIGNED)
    plan = draw(load, n=4)
    began = [plan.offset_ns[plan.camera == k].min() / 1e9 for k in range(4)]
    assert began[0] < 0.1
    assert began == sorted(began)
    assert began[3] == pytest.approx(8.3, abs=0.3)


def test_a_spike_of_a_server_load_fills_the_middle_fifth():
    """There the rate is five times that of the rest."""
    streams = tuple(replace(clip, n_frames=4000) for clip in clips(1))
    load = LoadConfig(
        kind=LoadKind.SERVER,
        shape=LoadShape.SPIKE,
        low_share=0.2,
        rate_hz=100.0,
        duration_s=30.0,
    )
    plan = draw_plan(streams, load, rng=np.random.default_rng(5))
    time_s = plan.offset_ns / 1e9
    middle = ((time_s >= 12.0) & (time_s < 18.0)).sum() / 6.0
    rest = ((time_s < 12.0) | (time_s >= 18.0)).sum() / 24.0
    assert middle / rest == pytest.approx(5.0, rel=0.2)


def test_cameras_of_a_group_share_one_clock():
    """Two by two; without jitter they send in the same nanosecond."""
    plan = draw(LoadConfig(group_size=2, jitter_s=0.0, phase=Phase.RANDOM), n=4)
    first = [int(plan.offset_ns[plan.camera == k][0]) for k in range(4)]
    assert first[0] == first[1] != first[2] == first[3]


def test_a_lost_camera_is_silent_and_returns_with_a_key_frame():
    """Silent from 2.5 to 4.2 s; the first key frame after that is at 5 s."""
    loss = CameraLoss(camera_id="c1", from_s=2.5, until_s=4.2)
    load = LoadConfig(camera_loss=(loss,), phase=Phase.ALIGNED, jitter_s=0.0)
    plan = resumed_at(draw(load), [np.arange(0, 100, 10)] * 2)
    own = plan.frame_index[plan.camera == 1]
    np.testing.assert_array_equal(own, np.r_[0:25, 50:100])
    assert (plan.camera == 0).sum() == 100
    with pytest.raises(BenchError, match="got 'c9' of c0, c1"):
        draw(LoadConfig(camera_loss=(replace_loss(loss, camera_id="c9"),)))


def replace_loss(loss, **changes):
    return loss.model_copy(update=changes)


def test_a_recorded_trace_is_sent_again(tmp_path):
    """The plan of one run is the load of another; a stranger is refused."""
    plan = draw(LoadConfig())
    path = tmp_path / "plan.parquet"
    ids = [plan.camera_ids[k] for k in plan.camera]
    pq.write_table(pa.table({"offset_ns": plan.offset_ns, "camera_id": ids}), path)
    offset_ns, cameras = read_trace(path)
    again = replayed(clips(2), offset_ns=offset_ns, cameras=cameras)
    np.testing.assert_array_equal(again.offset_ns, plan.offset_ns)
    np.testing.assert_array_equal(again.frame_index, plan.frame_index)
    with pytest.raises(BenchError, match="got 'c1', which has c0"):
        replayed(clips(1), offset_ns=offset_ns, cameras=cameras)
    with pytest.raises(BenchError, match="name the plan"):
        read_trace(tmp_path / "absent.parquet")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "replay"}, "load.trace must be given"),
        ({"shape": "soak"}, "say for how long"),
        ({"kind": "offline", "shape": "ramp"}, "make it 'constant'"),
        (
            {"camera_loss": [{"camera_id": "a", "from_s": 3.0, "until_s": 2.0}]},
            "swap or widen",
        ),
    ],
    ids=["no trace", "endless soak", "shapeless kind", "loss backwards"],
)
def test_settings_that_do_not_go_together_are_refused(table, words):
    """Before the first event, with the remedy."""
    with pytest.raises(ValidationError, match=words):
        LoadConfig(**table)


def test_a_copy_of_a_camera_begins_at_another_key_frame():
    """Its packets are the same ones, turned; so is its truth."""
    feed = make_feed()
    copy = turned(feed, 40, camera_id="cam1~1")
    assert [p[-1] for p in copy.packets] == [*range(40, 100), *range(40)]
    assert copy.keyframes.tolist() == list(range(0, 100, 10))
    faces, old = copy.clip.faces, feed.clip.faces
    assert len(faces.frame_index) == len(old.frame_index)
    assert np.all(np.diff(faces.frame_index) >= 0)
    for frame, row in ((45, 5), (20, 80)):
        was = old.box_xyxy[old.frame_index == frame]
        now = faces.box_xyxy[faces.frame_index == row]
        np.testing.assert_array_equal(np.sort(now, axis=0), np.sort(was, axis=0))


def test_whoever_walks_at_the_cut_does_not_count():
    """Ann walks from frame 20 to 50, Bob from 30 to 60, Eve to 30: a cut at 40."""
    copy = turned(make_feed(), 40, camera_id="cam1~1")
    times = {}
    for passage in copy.clip.passages:
        times.setdefault(passage.person_id, []).append(passage.t_in_s)
    assert times["ann"] == times["bob"] == [-np.inf, -np.inf]
    assert times["eve"] == [pytest.approx(6.0)]
    assert len({p.passage_id for p in copy.clip.passages}) == 5


def test_a_soak_shows_the_clips_as_often_as_it_takes():
    """25 s of a 10 s clip: three times, with passages of their own."""
    feed = repeated(make_feed(), 3)
    assert feed.clip.n_frames == len(feed.packets) == 300
    anns = [p for p in feed.clip.passages if p.person_id == "ann"]
    assert [p.t_in_s for p in anns] == pytest.approx([2.0, 12.0, 22.0])
    load = LoadConfig(shape=LoadShape.SOAK, duration_s=25.0)
    rig = rig_of(
        make_crowd(),
        [make_feed("cam1"), make_feed("cam2")],
        load,
        rng=np.random.default_rng(1),
    )
    assert rig.plan.frame_index.max() == 249
    assert len(rig.crowd.clips[0].passages) == 9


def test_more_cameras_than_clips_are_copies_that_start_apart():
    """Eight cameras of two clips: all names and starts of a clip differ."""
    feeds = [make_feed("cam1"), make_feed("cam2")]
    cameras = with_cameras(feeds, 8)
    assert [str(f.clip.camera_id) for f in cameras[:4]] == [
        "cam1",
        "cam2",
        "cam1~1",
        "cam2~1",
    ]
    starts = [f.packets[0][-1] for f in cameras if f.clip.camera_id.startswith("cam1")]
    assert len(set(starts[1:])) == 3
    assert with_cameras(feeds, 1)[0] is feeds[0]
    ids = [p.passage_id for f in cameras for p in f.clip.passages]
    assert len(set(ids)) == len(ids)


def test_the_plan_of_a_load_depends_on_its_seed_alone():
    """Every kind, drawn twice."""
    for kind in (LoadKind.CAMERA_STREAM, LoadKind.SERVER):
        load = LoadConfig(kind=kind, duration_s=4.0)
        one, two, other = draw(load), draw(load), draw(load, seed=2)
        np.testing.assert_array_equal(one.offset_ns, two.offset_ns)
        assert not np.array_equal(one.offset_ns, other.offset_ns)
