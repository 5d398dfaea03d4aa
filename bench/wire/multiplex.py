"""Access units into MPEG-TS, as a camera does it: live, frame by frame.

Owns one camera's transport stream. Nothing is encoded again. Knows nothing of sockets
or of when frames are due.

A camera that merely sends frames makes every FFmpeg-based receiver wait for the next
one to know where the last has ended: a whole frame interval. Ours therefore send the
next frame's delimiter ahead, in 188 bytes of its own, as soon as a frame is out. The
delimiter carries the time stamp of the frame that it opens, since receivers take it
from there.
"""

from __future__ import annotations

from fractions import Fraction

import av

__all__ = ["TsMultiplexer"]

# Source: ISO/IEC 13818-1, 2.4.3.7: presentation time stamps count at 90 kHz.
_PTS_HZ = 90_000
_BASE = Fraction(1, _PTS_HZ)
# Source: ITU-T H.264, 7.3.2.4: access unit delimiter, any kind of slice.
_DELIMITER = b"\x00\x00\x00\x01\x09\xf0"
_NS = 1_000_000_000
# Rehearsals come before; the first frame stands ten seconds from the start.
_FIRST_PTS = 10 * _PTS_HZ


class _Buffer:
    """A file that PyAV writes to and that can be emptied."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take what is written."""
        self._parts.append(bytes(data))
        return len(data)

    def empty(self) -> bytes:
        """Return what has been written since the last time."""
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


class TsMultiplexer:
    """One camera's transport stream.

    Args:
        marks_ends: Send the next frame's delimiter ahead.
    """

    def __init__(self, *, marks_ends: bool) -> None:
        self._marks_ends = marks_ends
        self._buffer = _Buffer()
        # A length in every packet that can have one: its end is then known at once.
        options = {"flush_packets": "1", "omit_video_pes_length": "0"}
        self._container = av.open(
            self._buffer, mode="w", format="mpegts", options=options
        )
        self._stream = self._container.add_mux_stream("h264")
        self._stream.time_base = _BASE
        self._origin_ns: int | None = None
        self._last_pts = 0

    def multiplex(
        self, access_unit: bytes, *, capture_time_ns: int, next_time_ns: int | None
    ) -> bytes:
        """Return the transport packets of one frame.

        Args:
            access_unit: H.264, Annex B.
            capture_time_ns: When it was captured; later than the frame before.
            next_time_ns: When the next will be; None if there is none, or nobody knows.
        """
        if self._origin_ns is None:
            self._origin_ns = capture_time_ns
        pts = self._write(access_unit, self._pts(capture_time_ns))
        if self._marks_ends:
            ahead = pts + 1 if next_time_ns is None else self._pts(next_time_ns) - 1
            self._write(_DELIMITER, ahead)
        return self._buffer.empty()

    def rehearse(self, access_unit: bytes) -> bytes:
        """Return the transport packets of a frame outside time, sent before all."""
        self._write(access_unit, self._last_pts + 2)
        self._write(_DELIMITER, self._last_pts + 1)
        return self._buffer.empty()

    def _pts(self, time_ns: int) -> int:
        origin_ns = time_ns if self._origin_ns is None else self._origin_ns
        return _FIRST_PTS + (time_ns - origin_ns) * _PTS_HZ // _NS

    def _write(self, data: bytes, pts: int) -> int:
        # MPEG-TS wants stamps that grow, by one at least.
        self._last_pts = pts = max(pts, self._last_pts + 1)
        packet = av.Packet(data)
        packet.stream = self._stream
        packet.time_base = _BASE
        packet.pts = packet.dts = pts
        self._container.mux(packet)
        return pts
