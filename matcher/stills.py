"""Stills, JPEG or PNG, and frames of whatever kind that came one by one.

Owns what is known of a still before it is decoded, its size above all, and the refusal
of one that was cut short: OpenCV would make up the rest in grey. Knows nothing of
where stills come from or how large they may be.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import cv2
import numpy as np

from matcher.ingest import CameraDecoder, UndecodableError
from matcher.picture import ColourPicture
from matcher.records import Frame

if TYPE_CHECKING:
    import av
    from numpy.typing import NDArray

    from matcher.records import EncodedFrame

__all__ = ["PostedDecoder", "StillHeader", "StillKind", "decode_still", "read_header"]

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# Source: ITU-T T.81, table B.1: frames of every kind but those that are tables.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
# Source: ISO/IEC 15948, 11.2.2: the header comes first, the end has a CRC of its own.
_PNG_HEADER, _PNG_END = b"\0\0\0\rIHDR", b"IEND\xaeB`\x82"


class StillKind(StrEnum):
    """How a still is coded; the values are media types."""

    JPEG = "image/jpeg"
    PNG = "image/png"


@dataclass(frozen=True, slots=True, kw_only=True)
class StillHeader:
    """What a still says of itself.

    Attributes:
        kind: How it is coded.
        width_px, height_px: Of the picture, each at least 1.
    """

    kind: StillKind
    width_px: int
    height_px: int


def read_header(content: bytes) -> StillHeader:
    """Read a still's header; nothing is decoded, however large it claims to be.

    Raises:
        UndecodableError: If it is neither a whole JPEG nor a whole PNG file.
    """
    if content.startswith(_JPEG):
        kind, (width, height) = StillKind.JPEG, _jpeg_size(content)
        # Entropy-coded bytes never look like a marker (T.81, B.1.1.5). A whole file
        # is looked at near its two ends alone.
        end = content.rfind(_END_OF_IMAGE)
        whole = content.find(_START_OF_SCAN, 0, max(end, 0)) > 0 and (
            content.find(_START_OF_SCAN, end) < 0
        )
    elif content.startswith(_PNG):
        kind, (width, height) = StillKind.PNG, _png_size(content)
        whole = _PNG_END in content[-64:]
    else:
        message = "a still must be a JPEG or a PNG file, it begins like neither"
        raise UndecodableError(message)
    if width < 1 or height < 1:
        message = f"a still must have pixels, its header says {width}x{height}"
        raise UndecodableError(message)
    header = StillHeader(kind=kind, width_px=width, height_px=height)
    if not whole:
        message = f"a still must be whole, this {kind} of {width}x{height} ends early"
        raise UndecodableError(message)
    return header


def decode_still(content: bytes) -> NDArray[np.uint8]:
    """Decode a still to (h, w, 3) uint8, BGR, upright.

    Raises:
        UndecodableError: If it is none, or damaged.
    """
    kind = read_header(content).kind
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        message = f"undecodable {kind}: {error.err}"
        raise UndecodableError(message) from error
    if picture is None:
        message = f"undecodable {kind}: no picture came of it"
        raise UndecodableError(message)
    return np.asarray(picture, np.uint8)


class PostedDecoder:
    """One camera's frames as they are posted: stills, or H.264 access units.

    Args:
        max_pixels: Of a picture of H.264; larger ones are refused by the codec.
    """

    def __init__(self, *, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._video: CameraDecoder | None = None

    def advance(self, encoded: EncodedFrame) -> av.VideoFrame | None:
        """Decode an access unit; a still can wait until somebody looks at it."""
        if encoded.packet.startswith((_JPEG, _PNG)):
            return None
        if self._video is None:
            self._video = CameraDecoder(max_pixels=self._max_pixels)
        return self._video.advance(encoded)

    def convert(self, encoded: EncodedFrame, picture: av.VideoFrame | None) -> Frame:
        """Turn a still, or the picture of an access unit, into a frame."""
        if picture is not None and self._video is not None:
            return self._video.convert(encoded, picture)
        return Frame(
            camera_id=encoded.camera_id,
            index=encoded.index,
            capture_time_ns=encoded.capture_time_ns,
            picture=ColourPicture(decode_still(encoded.packet)),
        )


def _png_size(content: bytes) -> tuple[int, int]:
    if content[8:16] != _PNG_HEADER or len(content) < 24:
        message = "a PNG file must begin with its header, this one does not"
        raise UndecodableError(message)
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Go from marker to marker until one says the size."""
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            break
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _LONE_MARKERS:
            at += 2
        elif marker in _FRAME_HEADERS and at + 9 <= len(content):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    message = "a JPEG file must say its size before its picture, this one does not"
    raise UndecodableError(message)
