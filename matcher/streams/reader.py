"""From a URL to access units: one connection to one camera, while it lasts.

Owns the opening of containers with PyAV, the picking of their video, and the bringing
of everything into one form: H.264, Annex B, one access unit per frame, parameter sets
inline. Knows nothing of clocks, of trying again or of what frames are for.

FFmpeg's H.264 parser ends an access unit when the next begins, so a frame waits for its
successor unless the camera marks its end, as the harness's own do
(`bench.wire.multiplex`). That wait is the reader's, and counts as latency.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import av
import av.logging
from av.bitstream import BitStreamFilterContext

from matcher.ingest import is_key_frame
from matcher.streams.records import Arrived
from matcher.streams.stamp import first_slice
from matcher.streams.transcoder import Transcoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from matcher.streams.config import StreamConfig

__all__ = ["BrokenError", "OpenStream", "StalledError", "open_stream"]

_NS = 1_000_000_000
# Source: ITU-T H.264, table 7-1: a sequence parameter set.
_SPS = 7
# Headers alone are enough to begin with: whatever is read to find out more about a
# live stream is read late.
_BARE_OPTIONS = {"probesize": "32", "analyzeduration": "0"}
_OPTIONS: dict[str, dict[str, str]] = {
    "tcp": _BARE_OPTIONS,
    "srt": _BARE_OPTIONS,
    # The socket's buffer holds a burst while the thread that empties it is not up.
    "udp": {
        **_BARE_OPTIONS,
        "buffer_size": "4194304",
        "fifo_size": "65536",
        "overrun_nonfatal": "1",
    },
    "rtsp": {"rtsp_flags": "prefer_tcp", "analyzeduration": "1000000"},
    "rtsps": {"rtsp_flags": "prefer_tcp", "analyzeduration": "1000000"},
}


class StalledError(Exception):
    """Nothing came for longer than the settings allow."""


class BrokenError(Exception):
    """The stream cannot be opened, or not be read any further."""


class OpenStream(Protocol):
    """Opens a stream and yields its frames as they come."""

    def __call__(self, config: StreamConfig) -> Iterator[Arrived]:
        """Yield frames until the stream ends.

        Raises:
            StalledError: If it falls silent.
            BrokenError: If it cannot be opened or read.
        """
        ...


def open_stream(config: StreamConfig) -> Iterator[Arrived]:
    """Open a stream by PyAV and yield its frames; see `OpenStream`."""
    # Into exceptions, not to the terminal: whoever reads has a log of its own.
    av.logging.set_level(av.logging.PANIC)
    with _translated(config), _opened(config) as container:
        if not container.streams.video:
            message = "it holds no video"
            raise BrokenError(message)
        stream = container.streams.video[0]
        packets = _packets(container, stream)
        first = next(packets, None)
        if first is None:
            return
        # Frames shown in another order than they are sent cannot be passed on one by
        # one; whatever is not H.264 becomes it.
        as_is = stream.codec_context.name == "h264" and first.pts == first.dts
        units = _Passed(stream) if as_is else Transcoder(stream)
        yield from units.take(first)
        for packet in packets:
            yield from units.take(packet)
        yield from units.end()


class _Passed:
    """H.264 as it comes, made Annex B where it is not."""

    def __init__(self, stream: VideoStream) -> None:
        extradata = stream.codec_context.extradata or b""
        # Source: ISO/IEC 14496-15, 5.3.3.1: avcC begins with its version, 1.
        is_avcc = extradata[:1] == b"\x01"
        self._filter = (
            BitStreamFilterContext("h264_mp4toannexb", stream) if is_avcc else None
        )
        # RTSP may tell the parameter sets beforehand and never again.
        self._parameter_sets = b"" if is_avcc else bytes(extradata)

    def take(self, packet: Packet[VideoStream]) -> Iterator[Arrived]:
        """Yield the frame of a packet, if there is one in it."""
        units = [packet] if self._filter is None else self._filter.filter(packet)
        unit = b"".join(bytes(each) for each in units)
        if first_slice(unit) < 0:
            # A lone delimiter: the end of the frame before.
            return
        is_key = is_key_frame(unit)
        if is_key and not _holds_parameter_sets(unit):
            unit = self._parameter_sets + unit
        yield Arrived(access_unit=unit, is_key=is_key, pts_ns=_pts_ns(packet))

    def end(self) -> Iterator[Arrived]:
        """Nothing is held back."""
        return iter(())


def _packets(
    container: InputContainer, stream: VideoStream
) -> Iterator[Packet[VideoStream]]:
    for packet in container.demux(stream):
        if packet.size > 0:  # PyAV appends an empty one
            yield packet


@contextmanager
def _opened(config: StreamConfig) -> Iterator[InputContainer]:
    options = _OPTIONS.get(config.scheme, {})
    with av.open(
        config.url,
        format=config.format,
        options=dict(options),
        timeout=(config.open_s, config.stall_s),
    ) as container:
        yield container


@contextmanager
def _translated(config: StreamConfig) -> Iterator[None]:
    """Turn what PyAV raises into the two errors that matter here."""
    try:
        yield
    except av.error.ExitError as error:
        message = f"nothing came for {config.stall_s:g} s"
        raise StalledError(message) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        # The system's words, without the URL, which may hold a password.
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise BrokenError(str(reason).split(";", 1)[0]) from error


def _pts_ns(packet: Packet[VideoStream]) -> int | None:
    if packet.pts is None or packet.time_base is None:
        return None
    base = packet.time_base
    return packet.pts * base.numerator * _NS // base.denominator


def _holds_parameter_sets(unit: bytes) -> bool:
    at = unit.find(b"\x00\x00\x01")
    end = first_slice(unit)
    while 0 <= at < end:
        if unit[at + 3] & 0x1F == _SPS:
            return True
        at = unit.find(b"\x00\x00\x01", at + 3)
    return False
