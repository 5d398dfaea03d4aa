"""Stand-ins for networks: detectors that follow a script, an embedder of colours.

They are honest about what they look at, so that a pipeline built of them can be right
or wrong: the painted face is found by its colour, and its template is its colour.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from matcher.alignment import template
from matcher.fusion import unit_length
from matcher.picture import ColourPicture
from matcher.records import CameraId, Detections, Embeddings, EncodedFrame, Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

CAMERA = CameraId("cam1")
FRAME_NS = 100_000_000
GREY = 60


class TickingClock:
    """Advances by one microsecond a reading."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        """Read the clock, nanoseconds."""
        self.now_ns += 1000
        return self.now_ns


def detections(
    boxes: Sequence[Sequence[float]], scores: Sequence[float] | None = None
) -> Detections:
    """Faces at boxes xyxy, landmarks where a frontal face has them."""
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    size = corners[:, None, 2:] - corners[:, None, :2]
    unit = template(112).astype(np.float32) / 112.0
    return Detections(
        boxes_xyxy=corners,
        landmarks=corners[:, None, :2] + unit[None] * size,
        scores=np.array([0.9] * len(corners) if scores is None else scores, np.float32),
    )


class ColourDetector:
    """Finds each square of one pure hue, by its colour."""

    def detect(self, image_bgr: NDArray[np.uint8]) -> Detections:
        """Find the blue, green and red squares of an image."""
        boxes = []
        for channel in range(3):
            others = np.delete(image_bgr, channel, axis=2).max(axis=2).astype(int)
            pure = image_bgr[..., channel].astype(int) - others > 60
            rows, columns = np.nonzero(pure)
            if len(rows) > 100:
                boxes.append(
                    [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                )
        return detections(boxes)


class ColourEmbedder:
    """A chip's template is its mean colour less grey, d = 3."""

    chip_px = 16
    dimension = 3

    def embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:
        """Average each chip."""
        if len(chips_bgr) == 0:
            return Embeddings(vectors=np.empty((0, 3), np.float32))
        means = chips_bgr.mean(axis=(1, 2), dtype=np.float32)
        return Embeddings(vectors=unit_length(means - np.float32(GREY)))


def painted(box: Sequence[int] | None, *, channel: int = 0) -> NDArray[np.uint8]:
    """A grey picture, 160x120, with one textured square of a colour."""
    image = np.full((120, 160, 3), GREY, np.uint8)
    if box is not None:
        x1, y1, x2, y2 = box
        image[y1:y2, x1:x2] = 0
        checks = np.indices((y2 - y1, x2 - x1)).sum(axis=0) // 4 % 2
        image[y1:y2, x1:x2, channel] = 200 + 40 * checks
    return image


def frame(image_bgr: NDArray[np.uint8], index: int) -> Frame:
    """The `index`-th picture of the camera, ten a second."""
    return Frame(
        camera_id=CAMERA,
        index=index,
        capture_time_ns=index * FRAME_NS,
        picture=ColourPicture(image_bgr),
    )


def encoded(
    index: int, packet: bytes = b"", camera_id: CameraId = CAMERA
) -> EncodedFrame:
    """The `index`-th packet of a camera, ten a second."""
    return EncodedFrame(
        camera_id=camera_id,
        index=index,
        capture_time_ns=index * FRAME_NS,
        packet=packet,
    )


def h264(images: Iterable[NDArray[np.uint8]]) -> list[bytes]:
    """Encode pictures of one size as a camera would: Annex B, no frames reordered."""
    images = list(images)
    context = av.CodecContext.create("libx264", "w")
    context.height, context.width = images[0].shape[:2]
    context.pix_fmt = "yuv420p"
    context.framerate, context.time_base = 10, Fraction(1, 10)
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "12"}
    packets = []
    for image in images:
        packets += context.encode(av.VideoFrame.from_ndarray(image, format="bgr24"))
    packets += context.encode(None)
    return [bytes(packet) for packet in packets]
