"""How well a face will embed, before it is embedded.

Owns four measures of a face and their product. Knows nothing of identities; that the
number predicts comparison scores is for evaluation to show, not for this module to
claim.

Each measure x has one setting h, the value at which it is worth one half:

    resolution  x / (x + h)         x: height of the face box, pixels
    frontality  1 / (1 + (x/h)^2)   x: misfit to the frontal template, eye distances
    sharpness   x / (x + h)         x: mean |Laplacian| of the chip / its deviation
    confidence  x                   x: the detector's score

Quality is their geometric mean: one hopeless measure spoils a face, as it should, and
the scale stays that of the measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from matcher.alignment import fit_residuals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import QualityConfig
    from matcher.records import Detections

__all__ = ["assess", "sharpness"]

# Chips whose grey values deviate less than this hold no face, only noise to divide by.
_LEAST_DEVIATION = 2.0


def assess(
    detections: Detections,
    rows: NDArray[np.int64],
    chips_grey: NDArray[np.uint8],
    *,
    config: QualityConfig,
) -> NDArray[np.float64]:
    """Grade some faces of a frame.

    Args:
        detections: All faces of the frame.
        rows: (m,) int64, which of them.
        chips_grey: (m, c, c) uint8, their chips, cut out of luma.
        config: Where each measure is worth one half.

    Returns:
        (m,) in [0, 1]; higher embeds better.

    Source:
        The measures are those of ISO/IEC 29794-5 (pose, sharpness, inter-eye
        distance), the combination is our own.
    """
    boxes = detections.boxes_xyxy[rows]
    height_px = np.maximum(boxes[:, 3] - boxes[:, 1], 0.0)
    residual = fit_residuals(detections.landmarks[rows])
    sharp = sharpness(chips_grey)
    resolution = height_px / (height_px + config.half_face_height_px)
    frontality = 1.0 / (1.0 + (residual / config.half_frontality_residual) ** 2)
    crispness = sharp / (sharp + config.half_sharpness)
    product = resolution * frontality * crispness * detections.scores[rows]
    quality: NDArray[np.float64] = np.maximum(product, 0.0) ** 0.25
    return quality


def sharpness(chips_grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Measure fine detail against contrast, chip by chip.

    Args:
        chips_grey: (m, c, c) uint8.

    Returns:
        (m,) mean absolute Laplacian over the standard deviation of the grey values:
        free of brightness and contrast.
    """
    values = np.zeros(len(chips_grey))
    for row, chip in enumerate(chips_grey):
        # A Laplacian of bytes stays within +-1020: 16 bits hold it, and its absolute
        # values sum in OpenCV's own loop.
        detail = cv2.norm(cv2.Laplacian(chip, cv2.CV_16S), cv2.NORM_L1) / chip.size
        _, deviation = cv2.meanStdDev(chip)
        values[row] = detail / max(float(deviation[0, 0]), _LEAST_DEVIATION)
    return values
