"""Frames of a clip beside their truth, and detections beside true faces.

Owns the reading of clips for training and evaluation, and the rule by which a
detection counts as a face found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synthetic_crowds.records import Clip

__all__ = [
    "LEAST_OVERLAP",
    "TrueFrame",
    "found_faces",
    "frames_with_truth",
    "is_fair",
]

# Detectors differ in where they think a face ends: YuNet leaves out the forehead,
# so its box overlaps ours by about a half where it is exactly in place.
LEAST_OVERLAP = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrueFrame:
    """One decoded frame and its m faces.

    Attributes:
        index: Of the frame in its clip, from 0.
        image_bgr: (h, w, 3) uint8.
        boxes_xyxy: (m, 4) float32, pixels.
        landmarks: (m, 5, 2) float32, pixels.
        yaw_deg, pitch_deg, face_height_px, visibility: (m,) float32.
    """

    index: int
    image_bgr: NDArray[np.uint8]
    boxes_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    yaw_deg: NDArray[np.float32]
    pitch_deg: NDArray[np.float32]
    face_height_px: NDArray[np.float32]
    visibility: NDArray[np.float32]


def frames_with_truth(clip: Clip, *, every: int) -> Iterator[TrueFrame]:
    """Decode a clip and yield each `every`-th frame with its truth, from frame 0."""
    truth = clip.faces
    with av.open(str(clip.path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every != 0:
                continue
            rows = np.flatnonzero(truth.frame_index == index)
            yield TrueFrame(
                index=index,
                image_bgr=np.asarray(frame.to_ndarray(format="bgr24"), np.uint8),
                boxes_xyxy=truth.box_xyxy[rows],
                landmarks=truth.landmarks[rows],
                yaw_deg=truth.yaw_pitch_roll_deg[rows, 0],
                pitch_deg=truth.yaw_pitch_roll_deg[rows, 1],
                face_height_px=truth.face_height_px[rows],
                visibility=truth.visibility[rows],
            )


def found_faces(
    found_xyxy: NDArray[np.float32], true_xyxy: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Pair detections with true faces, best overlap first, each at most once.

    Args:
        found_xyxy: (n, 4) pixels.
        true_xyxy: (m, 4) pixels.

    Returns:
        (m,) row of the detection that found each true face, -1 for none.
    """
    pair = np.full(len(true_xyxy), -1, np.int64)
    if len(found_xyxy) == 0 or len(true_xyxy) == 0:
        return pair
    top_left = np.maximum(found_xyxy[:, None, :2], true_xyxy[None, :, :2])
    bottom_right = np.minimum(found_xyxy[:, None, 2:], true_xyxy[None, :, 2:])
    common = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(axis=1) for b in (found_xyxy, true_xyxy)]
    overlap = common / (areas[0][:, None] + areas[1][None] - common)
    while overlap.max() >= LEAST_OVERLAP:
        row, face = np.unravel_index(int(overlap.argmax()), overlap.shape)
        pair[face] = row
        overlap[row, :] = overlap[:, face] = -1.0
    return pair


def is_fair(
    height_px: NDArray[np.float32],
    yaw_deg: NDArray[np.float32],
    visibility: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Say which faces a detector must find: near, turned little, in full view."""
    return (height_px >= 40.0) & (np.abs(yaw_deg) <= 45.0) & (visibility >= 0.9)
