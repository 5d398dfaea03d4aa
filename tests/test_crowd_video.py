"""A video shows the frames that were given, whatever their size."""

from __future__ import annotations

import av
import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.film.stamp import Stamp
from synthetic_crowds.film.video import encode


def sweep(width_px, height_px, n_frames):
    """Soft colours that change from frame to frame, and from edge to edge."""
    y, x = np.mgrid[:height_px, :width_px]
    for i in range(n_frames):
        blue, red = 40 + 160 * x / width_px, 40 + 160 * y / height_px
        green = np.full_like(blue, 60 + 10 * i)
        yield np.dstack((blue, green, red)).astype(np.uint8)


@pytest.mark.parametrize(
    "size_px", [(320, 240), (162, 122)], ids=["whole blocks", "parts of blocks"]
)
def test_frames_come_back(tmp_path, size_px):
    """Each in its place, with its colours, though one buffer serves them all."""
    width_px, height_px = size_px
    camera = CameraConfig(width_px=width_px, height_px=height_px)
    frames = list(sweep(width_px, height_px, 5))
    path = tmp_path / "a.mp4"
    assert encode(frames, camera, path, stamp=Stamp.of(1)) == len(frames)
    with av.open(str(path)) as video:
        seen = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    assert len(seen) == len(frames)
    for given, came in zip(frames, seen, strict=True):
        assert np.abs(given.astype(int) - came).mean() < 2.5
