"""Other codecs, and frames out of order, made into what the matcher takes.

Owns the decoding of whatever PyAV decodes and its encoding as H.264, one access unit
per frame in order of display. Knows nothing of where packets come from.

It costs: some 10 ms a frame at 1280x720, and a loss that no eye sees. A camera that
sends H.264 without B-frames is passed through untouched instead.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.video.frame import PictureType

from matcher.ingest import is_key_frame
from matcher.streams.records import Arrived

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["Transcoder"]

_NS = 1_000_000_000
# A second or so of a camera, so that a decoder that has to begin anew soon can.
_KEY_INTERVAL_FRAMES = 12
_RATE = 25


class Transcoder:
    """Decodes a stream and encodes it again.

    Args:
        stream: Whose packets will come.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._decoder = stream.codec_context
        self._base = stream.time_base
        self._encoder: VideoCodecContext | None = None
        self._n_encoded = 0

    def take(self, packet: Packet[VideoStream]) -> Iterator[Arrived]:
        """Yield the frames that a packet completes; damaged packets yield none."""
        try:
            pictures = self._decoder.decode(packet)
        except av.error.InvalidDataError:
            return
        yield from self._encoded(pictures)

    def end(self) -> Iterator[Arrived]:
        """Yield the frames that were held back for their order."""
        yield from self._encoded(self._decoder.decode(None))

    def _encoded(self, pictures: Iterable[VideoFrame]) -> Iterator[Arrived]:
        for picture in pictures:
            # Before the picture is given a number of its own.
            pts_ns = self._pts_ns(picture)
            encoder = self._encoder_for(picture)
            even = picture.reformat(encoder.width, encoder.height, format="yuv420p")
            even.pict_type = PictureType.NONE
            # Numbers of its own: the container's may repeat or go back.
            even.pts, even.time_base = self._n_encoded, Fraction(1, _RATE)
            self._n_encoded += 1
            for packet in encoder.encode(even):
                unit = bytes(packet)
                yield Arrived(
                    access_unit=unit,
                    is_key=is_key_frame(unit),
                    pts_ns=pts_ns,
                )

    def _encoder_for(self, picture: VideoFrame) -> VideoCodecContext:
        """Return an encoder for a picture's size: a new one when it changes."""
        # 4:2:0 halves both sides.
        size = picture.width // 2 * 2, picture.height // 2 * 2
        encoder = self._encoder
        if encoder is None or (encoder.width, encoder.height) != size:
            encoder = av.CodecContext.create("libx264", "w")
            encoder.width, encoder.height = size
            encoder.pix_fmt = "yuv420p"
            encoder.framerate, encoder.time_base = Fraction(_RATE), Fraction(1, _RATE)
            encoder.gop_size = _KEY_INTERVAL_FRAMES
            encoder.thread_count = 1
            encoder.options = {
                "preset": "ultrafast",
                "tune": "zerolatency",
                "crf": "12",
            }
            self._encoder = encoder
        return encoder

    def _pts_ns(self, picture: VideoFrame) -> int | None:
        # A picture that comes of no packet, at the end, knows no base of its own.
        base = self._base
        if picture.pts is None or base is None:
            return None
        return picture.pts * base.numerator * _NS // base.denominator
