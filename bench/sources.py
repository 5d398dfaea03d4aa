"""The cameras' packets: each clip's H.264 stream, split once and held in memory.

Owns the way from a cached clip to one Annex B access unit per frame, so that the
load driver never touches a disk. Knows nothing of time or of matchers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from av.bitstream import BitStreamFilterContext

from bench.errors import StreamFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from synthetic_crowds.records import Clip

__all__ = ["demux"]


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
