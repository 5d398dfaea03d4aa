"""One picture, one person: the largest face, cut out for a template.

Owns which face of a portrait counts. Knows nothing of galleries, tracks or thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matcher.alignment import align

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.protocols import Detector, LandmarkRefiner

__all__ = ["Portrait", "largest_face", "no_face"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portrait:
    """The largest face of a picture.

    Attributes:
        chip_bgr: (1, c, c, 3) uint8, aligned.
        box_xyxy: Pixels of the picture.
        n_faces: Faces in it.
    """

    chip_bgr: NDArray[np.uint8]
    box_xyxy: tuple[float, float, float, float]
    n_faces: int


def largest_face(
    image_bgr: NDArray[np.uint8],
    *,
    detector: Detector,
    refiner: LandmarkRefiner,
    chip_px: int,
) -> Portrait | None:
    """Cut the largest face out of a picture; None if there is none.

    Args:
        image_bgr: (h, w, 3) uint8.
        detector: Finds the faces.
        refiner: Corrects the landmarks of the one.
        chip_px: Side of the chip.
    """
    found = detector.detect(image_bgr)
    if len(found) == 0:
        return None
    boxes = found.boxes_xyxy
    largest = int(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1).argmax())
    landmarks = refiner.refine(image_bgr, found.landmarks[largest : largest + 1])
    x1, y1, x2, y2 = boxes[largest].tolist()
    return Portrait(
        chip_bgr=align(image_bgr, landmarks, chip_px=chip_px),
        box_xyxy=(x1, y1, x2, y2),
        n_faces=len(found),
    )


def no_face(image_bgr: NDArray[np.uint8]) -> str:
    """Say that a picture shows nobody."""
    return (
        f"no face found in an image of {image_bgr.shape[1]}x{image_bgr.shape[0]} pixels"
    )
