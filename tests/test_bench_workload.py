"""The arrival plan, and the packets behind it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from bench_world import make_clip
from pydantic import ValidationError

from bench.errors import BenchError, LoadTooLongError, StreamFormatError
from bench.load.sources import demux
from bench.load.workload import draw_plan
from bench.objectives import LoadConfig, ObjectivesConfig
from sim.arrivals import Phase


def draw(load, *, seed=1):
    """Draw a plan for two cameras of 100 frames at 10 a second."""
    clips = (make_clip("cam1"), make_clip("cam2"))
    return draw_plan(clips, load, rng=np.random.default_rng(seed))


def test_every_frame_of_every_clip_is_planned_once():
    """Without a duration the whole clip is sent."""
    plan = draw(LoadConfig())
    frames = set(zip(plan.camera.tolist(), plan.frame_index.tolist(), strict=True))
    assert len(plan) == len(frames) == 200


def test_equal_seeds_draw_equal_plans():
    """The plan depends on its stream alone."""
    assert np.array_equal(draw(LoadConfig()).offset_ns, draw(LoadConfig()).offset_ns)
    other = draw(LoadConfig(), seed=2)
    assert not np.array_equal(draw(LoadConfig()).offset_ns, other.offset_ns)


def test_aligned_cameras_without_jitter_send_at_once():
    """The worst case: all frames of a tick come in the same nanosecond."""
    plan = draw(LoadConfig(phase=Phase.ALIGNED, jitter_s=0.0, duration_s=0.3))
    assert plan.offset_ns.tolist() == [0, 0, 10**8, 10**8, 2 * 10**8, 2 * 10**8]
    assert plan.camera.tolist() == [0, 1, 0, 1, 0, 1]


def test_a_load_longer_than_its_clip_is_refused():
    """The clip is 10 s long."""
    with pytest.raises(LoadTooLongError, match=r"at most the clip's 10 s, got 11 s"):
        draw(LoadConfig(duration_s=11.0))


def test_jitter_of_a_frame_interval_is_refused():
    """Frames of a camera must not overtake each other."""
    with pytest.raises(BenchError, match="below one frame interval"):
        draw(LoadConfig(jitter_s=0.1))


@pytest.mark.parametrize(
    "table",
    [{"warm_up_s": -1.0}, {"jitter_s": float("nan")}, {"phases": "random"}],
    ids=["negative", "not a number", "unknown key"],
)
def test_bad_loads_are_refused(table):
    """Settings are checked before the first event."""
    with pytest.raises(ValidationError):
        LoadConfig(**table)


def test_only_stated_objectives_are_judged():
    """A limit of zero is a limit; an absent one is none."""
    stated = ObjectivesConfig(skipped_share=0.0, tpir=0.8).stated()
    assert [(o.metric, o.limit, o.at_most) for o in stated] == [
        ("frames.skipped_share", 0.0, True),
        ("tpir", 0.8, False),
    ]


def encode(path, *, n_frames, b_frames):
    """Write a small H.264 clip of noise."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"preset": "medium", "bf": str(b_frames), "threads": "1"}
        stream.codec_context.max_b_frames = b_frames
        for _ in range(n_frames):
            image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "bgr24")))
        container.mux(stream.encode())


def test_every_packet_decodes_to_one_frame(tmp_path):
    """A decoder fed packet by packet returns as many frames, without the container."""
    path = tmp_path / "clip.mp4"
    encode(path, n_frames=12, b_frames=0)
    packets = demux(replace(make_clip("cam1"), path=path, n_frames=12))
    decoder = av.CodecContext.create("h264", "r")
    decoded = [f for data in packets for f in decoder.decode(av.Packet(data))]
    decoded += decoder.decode(None)
    assert len(packets) == len(decoded) == 12
    assert all(data.startswith(b"\x00\x00") for data in packets)


def test_reordered_frames_are_refused(tmp_path):
    """A B-frame's packet would arrive before it was captured."""
    path = tmp_path / "clip.mp4"
    encode(path, n_frames=12, b_frames=2)
    with pytest.raises(StreamFormatError, match="B-frame"):
        demux(replace(make_clip("cam1"), path=path, n_frames=12))


def test_missing_frames_are_refused(tmp_path):
    """The clip must hold what the crowd says it holds."""
    path = tmp_path / "clip.mp4"
    encode(path, n_frames=12, b_frames=0)
    with pytest.raises(StreamFormatError, match="12 packets for 13 frames"):
        demux(replace(make_clip("cam1"), path=path, n_frames=13))


def test_a_file_that_is_no_video_is_refused(tmp_path):
    """One clear sentence in place of FFmpeg's."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"no video at all")
    with pytest.raises(StreamFormatError, match="delete it from the cache"):
        demux(replace(make_clip("cam1"), path=path))
