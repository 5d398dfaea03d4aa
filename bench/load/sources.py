"""The cameras' packets: each clip's H.264 stream, split once and held in memory.

Owns the way from a cached clip to one Annex B access unit per frame, so that the
load driver never touches a disk; and the reading of a recorded trace. Knows nothing of
clocks or of matchers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from av.bitstream import BitStreamFilterContext

from bench.errors import BenchError, StreamFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from synthetic_crowds.records import Clip

__all__ = ["demux", "is_keyframe", "read_trace"]

# ITU-T H.264, table 7-1: a coded slice of a picture that refers to no other.
_IDR_SLICE = 5


def demux(clip: Clip) -> tuple[bytes, ...]:
    """Split a clip into one H.264 access unit (Annex B) per frame.

    Args:
        clip: A clip of the crowd.

    Returns:
        `clip.n_frames` packets, in order of decoding, which is that of display.

    Raises:
        StreamFormatError: If the file is no H.264 video, or its packets are not one
            frame each in display order.
    """
    try:
        packets = _packets(clip.path)
    except (av.FFmpegError, OSError, IndexError) as error:
        found = f"'{error}'"
        raise StreamFormatError(path=clip.path, found=found) from error
    if len(packets) != clip.n_frames:
        found = f"{len(packets)} packets for {clip.n_frames} frames"
        raise StreamFormatError(path=clip.path, found=found)
    return packets


def is_keyframe(packet: bytes) -> bool:
    """Say whether an access unit (Annex B) can be decoded by itself."""
    start = packet.find(b"\x00\x00\x01")
    while start >= 0:
        header = packet[start + 3 : start + 4]
        if header and header[0] & 0x1F == _IDR_SLICE:
            return True
        start = packet.find(b"\x00\x00\x01", start + 3)
    return False


def read_trace(path: Path) -> tuple[NDArray[np.int64], list[str]]:
    """Read when frames came, and of which cameras, from a run's `plan.parquet`.

    Returns:
        `offset_ns` (n,) int64 from the start, and n camera ids.

    Raises:
        BenchError: If the file is no such table.
    """
    try:
        table = pq.read_table(path, columns=["offset_ns", "camera_id"])
    except (OSError, KeyError, pa.ArrowException) as error:
        message = (
            "load.trace must be a table with the columns offset_ns and camera_id, "
            f"got '{error}' for {path}; name the plan.parquet of a run"
        )
        raise BenchError(message) from error
    offset_ns = np.array(table.column("offset_ns").to_numpy(), dtype=np.int64)
    return offset_ns, table.column("camera_id").to_pylist()


def _packets(path: Path) -> tuple[bytes, ...]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "h264":
            found = f"codec '{stream.codec_context.name}'"
            raise StreamFormatError(path=path, found=found)
        # MP4 keeps the parameter sets aside and prefixes lengths; a decoder that is
        # fed packet by packet needs them inline, behind start codes.
        annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        packets: list[bytes] = []
        shown: int | None = None
        for packet in container.demux(stream):
            if packet.size == 0:  # the flush that PyAV appends
                continue
            # A B-frame would be decoded before and shown after its successor: its
            # packet would arrive before it was captured.
            if packet.pts is None or packet.pts != packet.dts:
                found = f"pts {packet.pts} beside dts {packet.dts} (a B-frame)"
                raise StreamFormatError(path=path, found=found)
            if shown is not None and packet.pts <= shown:
                found = f"pts {packet.pts} after {shown}"
                raise StreamFormatError(path=path, found=found)
            shown = packet.pts
            units = annex_b.filter(packet)
            packets.append(b"".join(bytes(unit) for unit in units))
        return tuple(packets)
