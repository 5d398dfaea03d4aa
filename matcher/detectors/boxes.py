"""What detectors share: one box per face. Knows no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.records import Detections

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_boxes"]

# Candidates that enter suppression, best first; a frame holds far fewer faces, and
# the overlap matrix stays below a megabyte.
_MOST_CANDIDATES = 400


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
