"""Whatever PyAV opens becomes H.264, one access unit a frame; the rest is an error."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest
from matcher_doubles import encoded, painted
from stream_doubles import BOOT, packets

from bench.wire.multiplex import TsMultiplexer
from matcher.ingest import CameraDecoder
from matcher.streams.config import StreamConfig
from matcher.streams.reader import BrokenError, StalledError, open_stream
from matcher.streams.stamp import CaptureStamp, read_stamp, stamped

UNITS = packets(8)
MS = 1_000_000


def transport_stream(units, *, marks_ends=True) -> list[bytes]:
    """The packets of each frame, ten a second."""
    multiplexer = TsMultiplexer(marks_ends=marks_ends)
    return [
        multiplexer.multiplex(
            stamped(unit, CaptureStamp(clock=BOOT, index=k, capture_time_ns=k)),
            capture_time_ns=k * 100 * MS,
            next_time_ns=(k + 1) * 100 * MS,
        )
        for k, unit in enumerate(units)
    ]


@contextmanager
def camera(*chunks: bytes, stays: bool = False):
    """A TCP camera that sends this to whoever connects, and hangs up unless it stays.

    Yields:
        Its settings, with little patience; and what makes it hang up if it stays.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    leave = threading.Event()

    def serve() -> None:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            for chunk in chunks:
                peer.sendall(chunk)
            if stays:
                leave.wait(20)

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    url = f"tcp://127.0.0.1:{port}"
    config = StreamConfig(camera_id="cam1", url=url, open_s=1.0, stall_s=0.5)
    try:
        yield config, leave
    finally:
        leave.set()
        listener.close()
        thread.join()


def pictures(units):
    """Decode access units one by one."""
    decoder = CameraDecoder()
    return [decoder.decode(encoded(k, u)).image_bgr for k, u in enumerate(units)]


def test_mpegts_over_tcp_arrives_frame_by_frame_unharmed():
    """Pictures and stamps are those that were sent; nothing is encoded again."""
    with camera(*transport_stream(UNITS)) as (config, _):
        came = list(open_stream(config))
    assert [a.is_key for a in came] == [True] + [False] * 7
    assert [read_stamp(a.access_unit).index for a in came] == list(range(8))
    sent, got = pictures(UNITS), pictures([a.access_unit for a in came])
    assert all(np.array_equal(a, b) for a, b in zip(sent, got, strict=True))


def test_a_marked_frame_need_not_wait_for_the_next_one():
    """The last frame comes while the camera is silent; unmarked, it does not."""
    _hang_up_on_the_last(transport_stream(UNITS))
    with pytest.raises(StalledError):
        _hang_up_on_the_last(transport_stream(UNITS, marks_ends=False))


def _hang_up_on_the_last(stream) -> None:
    """Read a camera that sends no more until its last frame has come."""
    with camera(*stream, stays=True) as (config, leave):
        for k, _ in enumerate(open_stream(config)):
            if k == len(UNITS) - 1:
                leave.set()


def test_time_stamps_are_those_of_the_capture():
    """Receivers that know nothing of our stamps still find the right times."""
    with camera(*transport_stream(UNITS)) as (config, _):
        pts_ms = [a.pts_ns / MS for a in open_stream(config)]
    assert np.diff(pts_ms) == pytest.approx([100.0] * 7, abs=0.05)


def test_nobody_there_is_an_error_that_can_be_tried_again():
    """The words are the system's; a password in the URL is not repeated."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    config = StreamConfig(camera_id="c", url=f"tcp://user:secret@127.0.0.1:{port}")
    with pytest.raises(BrokenError, match="refused") as caught:
        list(open_stream(config))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("n_bytes", [10_000, 300_000])
def test_garbage_in_mid_stream_costs_no_frame_after_it(n_bytes):
    """The reader finds its feet again, in the same connection."""
    noise = np.random.default_rng(1).bytes(n_bytes)
    stream = transport_stream([*UNITS, *UNITS])
    with camera(*stream[:8], noise, *stream[8:]) as (config, _):
        came = [read_stamp(a.access_unit) for a in open_stream(config)]
    indices = [stamp.index for stamp in came if stamp is not None]
    assert set(range(9, 16)) <= set(indices)
    assert set(range(7)) <= set(indices)


def test_nothing_but_garbage_is_an_error():
    """It is told from a camera that is merely slow."""
    with camera(os.urandom(500_000)) as (config, _), pytest.raises(BrokenError):
        list(open_stream(config))


def _file(path, codec, *, options=None, size=(160, 120), n=10, pix_fmt="yuv420p"):
    """Write a film of a moving square."""
    with av.open(str(path), mode="w") as container:
        stream = container.add_stream(codec, rate=10, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.time_base = Fraction(1, 10)
        for k in range(n):
            frame = av.VideoFrame.from_ndarray(
                painted((20 + 4 * k, 30, 60 + 4 * k, 70), channel=2), format="bgr24"
            ).reformat(*size, format=pix_fmt)
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return StreamConfig(camera_id="cam1", url=str(path))


def _red_columns(units) -> list[float]:
    """Where the red square stands in each picture, of its width."""
    places = []
    for image in pictures(units):
        red = image[..., 2].astype(int) - image[..., :2].max(axis=2) > 60
        places.append(np.nonzero(red)[1].mean() / image.shape[1])
    return places


def test_mp4_is_made_annex_b_without_encoding(tmp_path):
    """Its packets have lengths in place of start codes, and parameter sets aside."""
    options = {"bf": "0", "preset": "ultrafast", "x264-params": "keyint=4"}
    came = list(open_stream(_file(tmp_path / "a.mp4", "libx264", options=options)))
    assert [a.is_key for a in came] == [k % 4 == 0 for k in range(10)]
    assert np.diff(_red_columns([a.access_unit for a in came])) == pytest.approx(
        [4 / 160] * 9, abs=0.01
    )


@pytest.mark.parametrize(
    ("name", "codec", "size", "pix_fmt", "options"),
    [
        ("a.mp4", "libx264", (160, 120), "yuv420p", {"bf": "2"}),
        ("a.mkv", "mjpeg", (160, 120), "yuvj420p", None),
        ("a.mkv", "libx265", (160, 120), "yuv420p", {"x265-params": "log-level=0"}),
        ("a.avi", "mpeg4", (162, 122), "yuv420p", None),
    ],
    ids=["B-frames", "MJPEG", "HEVC", "MPEG-4, odd size"],
)
def test_what_cannot_be_passed_on_becomes_h264(
    tmp_path, name, codec, size, pix_fmt, options
):
    """One access unit a frame, in the order of display, with its time stamp."""
    config = _file(tmp_path / name, codec, size=size, pix_fmt=pix_fmt, options=options)
    came = list(open_stream(config))
    assert len(came) == 10
    assert came[0].is_key
    assert np.diff([a.pts_ns / MS for a in came]) == pytest.approx([100.0] * 9, abs=2)
    assert np.diff(_red_columns([a.access_unit for a in came])) == pytest.approx(
        [4 / 160] * 9, abs=0.015
    )


def test_a_file_without_video_is_an_error(tmp_path):
    """What is there instead is not taken for a camera."""
    path = tmp_path / "sound.wav"
    with av.open(str(path), mode="w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        samples = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), "s16", "mono"
        )
        samples.rate = 8000
        container.mux(stream.encode(samples))
    with pytest.raises(BrokenError, match="no video"):
        list(open_stream(StreamConfig(camera_id="cam1", url=str(path))))
