"""From packets to pictures.

Owns one H.264 decoder per camera. Knows nothing of when a frame was due or whether
anyone will look at it: every packet has to be decoded, since later ones build on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
from av.codec.context import Flags

from matcher.picture import Converter, DecodedPicture
from matcher.records import Frame

if TYPE_CHECKING:
    from matcher.records import EncodedFrame

__all__ = ["CameraDecoder", "UndecodableError", "is_key_frame"]

# Source: ITU-T H.264, table 7-1: a slice of an IDR picture, and of another one.
_IDR_SLICE, _OTHER_SLICE = 5, 1


class UndecodableError(Exception):
    """A packet that yields no whole picture; the frame fails, the stream goes on."""


def is_key_frame(packet: bytes) -> bool:
    """Say whether a decoder can begin with this access unit (Annex B)."""
    at = packet.find(b"\0\0\1")
    while 0 <= at < len(packet) - 3:
        kind = packet[at + 3] & 0x1F
        # The first slice decides; it stands near the front, so little is scanned.
        if kind in {_IDR_SLICE, _OTHER_SLICE}:
            return kind == _IDR_SLICE
        at = packet.find(b"\0\0\1", at + 3)
    return False


class CameraDecoder:
    """Decodes the packets of one camera, in order, on one thread.

    Args:
        max_pixels: Of a picture; the codec refuses larger ones before it makes room
            for them. None lets every size pass.
    """

    def __init__(self, *, max_pixels: int | None = None) -> None:
        context = av.CodecContext.create("h264", "r")
        context.thread_count = 1
        if max_pixels is not None:
            context.options = {"max_pixels": str(max_pixels)}
        # Else a decoder holds frames back, in case some arrive out of order.
        context.flags |= Flags.low_delay
        self._context = context
        self._converter = Converter()

    def decode(self, encoded: EncodedFrame) -> Frame:
        """Decode one access unit.

        Raises:
            UndecodableError: If it is corrupt, or no picture comes of it.
        """
        return self.convert(encoded, self.advance(encoded))

    def advance(self, encoded: EncodedFrame) -> av.VideoFrame:
        """Decode one access unit; its picture stays as the codec left it.

        Raises:
            UndecodableError: If it is corrupt, or no picture comes of it.
        """
        try:
            pictures = self._context.decode(av.Packet(encoded.packet))
        except av.FFmpegError as error:
            message = f"undecodable packet: {error.strerror}"
            raise UndecodableError(message) from error
        if not pictures:
            message = "undecodable packet: no picture came of it"
            raise UndecodableError(message)
        picture = pictures[-1]
        if picture.is_corrupt:
            message = "undecodable packet: the picture is damaged"
            raise UndecodableError(message)
        return picture

    def convert(self, encoded: EncodedFrame, picture: av.VideoFrame) -> Frame:
        """Make a frame of the picture of an access unit; nothing is copied yet."""
        return Frame(
            camera_id=encoded.camera_id,
            index=encoded.index,
            capture_time_ns=encoded.capture_time_ns,
            picture=DecodedPicture(picture, self._converter),
        )
