"""Frames in, H.264 out: one MP4 file a camera.

Owns the encoder's settings, and joining pieces without encoding them again. Equal
frames give equal bytes on one machine: one thread, no B-frames, a key frame a second.
Knows nothing of what frames show.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from synthetic_crowds.camera_config import CameraConfig
    from synthetic_crowds.film.stamp import Stamp

__all__ = ["encode", "join"]


def encode(
    frames: Iterable[NDArray[np.uint8]],
    camera: CameraConfig,
    path: Path,
    *,
    stamp: Stamp,
) -> int:
    """Write frames (h, w, 3), sRGB B, G, R, as a video.

    Args:
        frames: In order.
        camera: Its size, rate and bitrate.
        path: The file to write.
        stamp: What the file says of its origin.

    Returns:
        How many frames were written.
    """
    rate = Fraction(camera.fps).limit_denominator(1001)
    bits = round(camera.bitrate_mbps * 1e6)
    count = 0
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = stamp.text
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height = camera.width_px, camera.height_px
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = bits
        stream.thread_count = 1
        stream.options = {
            # At these bitrates as near to the frames as slower ones, at half their
            # price or less.
            "preset": "ultrafast",
            "bf": "0",
            "g": str(max(round(camera.fps), 1)),
            "sc_threshold": "0",
            "maxrate": str(bits),
            "bufsize": str(bits),
        }
        # The encoder copies what it is shown, so one frame does for all: memory new to
        # a process costs more than the conversion.
        frame = av.VideoFrame(camera.width_px, camera.height_px, "yuv420p")
        frame.time_base = 1 / rate
        planes = _planes(frame)
        room = np.empty((camera.height_px * 3 // 2, camera.width_px), np.uint8)
        for image in frames:
            packed = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420, dst=room)
            for plane, part in zip(planes, _split(np.asarray(packed)), strict=True):
                np.copyto(plane, part)
            frame.pts = count
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
    return count


def _planes(frame: av.VideoFrame) -> list[NDArray[np.uint8]]:
    """The planes Y, U, V of a frame, to be written to, without the ends of rows."""
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            : plane.height, : plane.width
        ]
        for plane in frame.planes
    ]


def _split(packed: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The planes Y, U, V of an I420 picture (h * 3 / 2, w), which has no gaps."""
    height, width = packed.shape[0] * 2 // 3, packed.shape[1]
    luma, *chroma = np.split(
        packed.reshape(-1), [height * width, height * width * 5 // 4]
    )
    half = height // 2, width // 2
    return [luma.reshape(height, width), *(part.reshape(half) for part in chroma)]


def join(
    pieces: Sequence[Path], camera: CameraConfig, path: Path, *, stamp: Stamp
) -> None:
    """Put videos of `encode` one after the other, packet by packet.

    Args:
        pieces: In order; each begins with a key frame.
        camera: The same for all.
        path: Where to.
        stamp: What the file says of its origin.
    """
    rate = Fraction(camera.fps).limit_denominator(1001)
    count = 0
    with av.open(str(path), "w") as container:
        container.metadata["comment"] = stamp.text
        output = None
        for piece in pieces:
            with av.open(str(piece)) as source:
                video = source.streams.video[0]
                if output is None:
                    output = container.add_stream_from_template(video)
                    output.time_base = 1 / rate
                for packet in source.demux(video):
                    # The last one only says that there are no more.
                    if packet.dts is None:
                        continue
                    # Without B-frames, packets come in the order of the frames.
                    packet.pts = packet.dts = count
                    packet.duration = 1
                    packet.time_base = 1 / rate
                    packet.stream = output
                    container.mux(packet)
                    count += 1
