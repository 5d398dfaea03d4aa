"""Clips as the matcher takes them, and whose passage a box belongs to.

Owns the splitting of a clip into access units, and the join of boxes with truth for
calibration and evaluation. Knows nothing of rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
from av.bitstream import BitStreamFilterContext

from matcher.records import CameraId, EncodedFrame
from synthetic_crowds.records import NO_PASSAGE
from training.truth import found_faces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from synthetic_crowds.records import Clip

__all__ = ["PassageJoin", "encoded_frames"]

# A face with less than a fifth of it in view is not what a detector has found there.
_LEAST_VISIBILITY = 0.2


def encoded_frames(clip: Clip, *, camera_id: CameraId) -> Iterator[EncodedFrame]:
    """Split a clip into one access unit a frame, as a camera would send them.

    Args:
        clip: H.264 without B-frames.
        camera_id: What to call its camera; clips of several crowds may share names.
    """
    with av.open(str(clip.path)) as container:
        stream = container.streams.video[0]
        # MP4 keeps parameter sets aside; a decoder fed by packets needs them inline.
        annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = (p for p in container.demux(stream) if p.size > 0)
        for index, packet in enumerate(packets):
            yield EncodedFrame(
                camera_id=camera_id,
                index=index,
                capture_time_ns=round(index / clip.fps * 1e9),
                packet=b"".join(bytes(unit) for unit in annex_b.filter(packet)),
            )


class PassageJoin:
    """Whose passage the boxes of one clip's frames belong to."""

    def __init__(self, clip: Clip) -> None:
        self._truth = clip.faces
        n_frames = np.arange(clip.n_frames + 1)
        self._first = np.searchsorted(clip.faces.frame_index, n_frames)

    def passages(
        self, frame_index: int, boxes_xyxy: Sequence[tuple[float, float, float, float]]
    ) -> list[int | None]:
        """Name the passage of each box, by its position in the clip's passages.

        Each true face takes one box at most; a box on no visible face, or on that of
        someone who never enters the zone, has None.
        """
        rows = np.arange(self._first[frame_index], self._first[frame_index + 1])
        rows = rows[self._truth.visibility[rows] >= _LEAST_VISIBILITY]
        boxes = np.array(boxes_xyxy, np.float32).reshape(-1, 4)
        owner: list[int | None] = [None] * len(boxes)
        for row, box in zip(
            rows, found_faces(boxes, self._truth.box_xyxy[rows]), strict=True
        ):
            passage = int(self._truth.passage_index[row])
            if box >= 0 and passage != NO_PASSAGE:
                owner[box] = passage
        return owner
