"""What detectors share: the shrunken view of a frame, and one box per face.

Owns the scale between frame and network. Knows no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from matcher.records import Detections

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_boxes", "shrink"]

# Candidates that enter suppression, best first; a frame holds far fewer faces, and
# the overlap matrix stays below a megabyte.
_MOST_CANDIDATES = 400


def shrink(
    image_bgr: NDArray[np.uint8], *, width_px: int
) -> tuple[NDArray[np.uint8], float]:
    """Shrink an image to a width; a narrower one stays as it is.

    Returns:
        The view, and how many pixels of the image one of its pixels spans.
    """
    height, width = image_bgr.shape[:2]
    if width <= width_px:
        return image_bgr, 1.0
    scale = width / width_px
    view = np.empty((max(1, round(height / scale)), width_px, 3), np.uint8)
    cv2.resize(image_bgr, view.shape[1::-1], view, interpolation=cv2.INTER_AREA)
    return view, scale


def best_boxes(
    boxes_xyxy: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    scores: NDArray[np.float32],
    *,
    nms_iou: float,
) -> Detections:
    """Keep the best of boxes that overlap by more than `nms_iou`, best first.

    Greedy, as it has always been; equal scores keep the order in which they came.

    Args:
        boxes_xyxy: (n, 4) float32.
        landmarks: (n, 5, 2) float32.
        scores: (n,) float32.
        nms_iou: In (0, 1).

    Source:
        Rosenfeld and Thurston, Edge and curve detection for visual scene analysis,
        IEEE Trans. Computers C-20, 1971 (non-maximum suppression).
    """
    order = np.argsort(-scores, kind="stable")[:_MOST_CANDIDATES]
    boxes = boxes_xyxy[order]
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    extent = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - corner
    shared = np.prod(np.maximum(extent, 0.0), axis=2)
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1)
    overlaps = shared > nms_iou * (area[:, None] + area[None, :] - shared)
    keep = np.ones(len(order), bool)
    for row in range(len(order)):
        if keep[row]:
            keep[row + 1 :] &= ~overlaps[row, row + 1 :]
    chosen = order[keep]
    return Detections(
        boxes_xyxy=boxes_xyxy[chosen],
        landmarks=landmarks[chosen],
        scores=scores[chosen],
    )
