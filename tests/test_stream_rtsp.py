"""RTSP against a real server, GStreamer's from the distribution's packages."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from matcher_doubles import encoded, painted

from matcher.ingest import CameraDecoder
from matcher.streams.config import StreamConfig
from matcher.streams.reader import BrokenError, open_stream
from matcher.streams.stamp import CaptureStamp, read_stamp, stamped

SYSTEM_PYTHON = Path("/usr/bin/python3")
NEEDS = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
    "assert Gst.ElementFactory.find('rtph264pay') and "
    "Gst.ElementFactory.find('qtdemux')"
)
N = 12


def _is_there() -> bool:
    if not SYSTEM_PYTHON.exists():
        return False
    done = subprocess.run(
        [str(SYSTEM_PYTHON), "-c", NEEDS], capture_output=True, check=False
    )
    return done.returncode == 0


pytestmark = pytest.mark.skipif(
    not _is_there(),
    reason="no GStreamer RTSP server: apt-get install gir1.2-gst-rtsp-server-1.0 "
    "gstreamer1.0-plugins-good python3-gi",
)


def _write_clip(path: Path) -> None:
    """Ten stamped frames a second, as H.264 in MP4."""
    with av.open(str(path), mode="w") as container:
        options = {"bf": "0", "preset": "ultrafast", "tune": "zerolatency"}
        stream = container.add_stream("libx264", rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for k in range(N):
            image = painted((20 + 4 * k, 30, 60 + 4 * k, 70), channel=2)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = k, Fraction(1, 10)
            for packet in stream.encode(frame):
                stamp = CaptureStamp(clock="camera", index=k, capture_time_ns=k)
                marked = av.Packet(stamped(bytes(packet), stamp))
                marked.stream, marked.time_base = stream, packet.time_base
                marked.pts = marked.dts = packet.pts
                marked.is_keyframe = packet.is_keyframe
                container.mux(marked)


@contextmanager
def rtsp_server(clip: Path):
    """Serve a clip; yield the port."""
    with subprocess.Popen(
        [
            str(SYSTEM_PYTHON),
            str(Path(__file__).with_name("rtsp_server.py")),
            str(clip),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.stdin.close()
            server.wait(20)


def test_frames_come_over_rtsp_with_their_stamps(tmp_path):
    """Pictures are those that were sent, and each says which it is."""
    _write_clip(tmp_path / "clip.mp4")
    with rtsp_server(tmp_path / "clip.mp4") as port:
        config = StreamConfig(
            camera_id="cam1", url=f"rtsp://127.0.0.1:{port}/camera", stall_s=5.0
        )
        came = list(open_stream(config))
    stamps = [read_stamp(frame.access_unit) for frame in came]
    assert [stamp.index for stamp in stamps if stamp is not None] == list(range(N))
    clip = StreamConfig(camera_id="cam1", url=str(tmp_path / "clip.mp4"))
    sent, got = CameraDecoder(), CameraDecoder()
    for k, (here, there) in enumerate(zip(open_stream(clip), came, strict=True)):
        assert np.array_equal(
            sent.decode(encoded(k, here.access_unit)).image_bgr,
            got.decode(encoded(k, there.access_unit)).image_bgr,
        )


def test_a_camera_that_the_server_does_not_know_is_an_error(tmp_path):
    """To be tried again, as any other trouble."""
    _write_clip(tmp_path / "clip.mp4")
    with rtsp_server(tmp_path / "clip.mp4") as port:
        config = StreamConfig(
            camera_id="cam1", url=f"rtsp://127.0.0.1:{port}/other", stall_s=5.0
        )
        with pytest.raises(BrokenError):
            list(open_stream(config))
