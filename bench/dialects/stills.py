"""A camera's H.264 packets as stills, for matchers that take pictures.

Owns the way from packets to PNG, which loses nothing, or JPEG, which loses some. It
is gone before the run: encoding takes longer than matching. Knows nothing of who takes
the pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from bench.dialects.dialect import FrameFormat
from bench.errors import BenchError
from matcher.ingest import CameraDecoder, UndecodableError
from matcher.records import CameraId, EncodedFrame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["stills_of"]

# PNG of street scenes: level 1 is half as long again as the default, in a fifth of
# the time. JPEG as cameras send it.
_HOW = {
    FrameFormat.PNG: (".png", [cv2.IMWRITE_PNG_COMPRESSION, 1]),
    FrameFormat.JPEG: (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 92]),
}


def stills_of(
    packets: Sequence[bytes], *, camera_id: str, form: FrameFormat
) -> Iterator[bytes]:
    """Decode a camera's packets, in order, and encode each picture by itself.

    Args:
        packets: From a key frame on.
        camera_id: For the complaint.
        form: PNG or JPEG.

    Raises:
        BenchError: If a packet cannot be decoded.
    """
    ending, how = _HOW[form]
    decoder = CameraDecoder()
    for index, packet in enumerate(packets):
        frame = EncodedFrame(
            camera_id=CameraId(camera_id), index=index, capture_time_ns=0, packet=packet
        )
        try:
            picture = decoder.decode(frame)
        except UndecodableError as error:
            message = (
                f"every packet of a clip must decode, got '{error}' at frame {index} "
                f"of camera '{camera_id}'; delete the clip from the cache"
            )
            raise BenchError(message) from error
        _, encoded = cv2.imencode(ending, picture.image_bgr, how)
        yield encoded.tobytes()
