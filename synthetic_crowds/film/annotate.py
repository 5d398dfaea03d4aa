"""Truth drawn on a frame, for people to look at.

Owns the colours and strokes. Knows nothing of alerts or matchers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.records import NO_PASSAGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.records import FaceTruth

__all__ = ["annotate"]

_CLEAR_BGR, _HIDDEN_BGR, _MARK_BGR = (96, 220, 96), (64, 176, 255), (255, 224, 64)
_CLEAR_FROM = 0.9


def annotate(
    frame_bgr: NDArray[np.uint8], faces: FaceTruth, *, frame_index: int
) -> NDArray[np.uint8]:
    """Draw the faces that a frame shows.

    Args:
        frame_bgr: (h, w, 3), left as it is.
        faces: The clip's truth.
        frame_index: Which of its frames this is.

    Returns:
        A copy with a box around each face, green if it is unoccluded and amber if
        not, its landmarks, and above it the passage's number (a dash for none) and
        the face's height.
    """
    image = frame_bgr.copy()
    thin = max(round(image.shape[1] / 1280), 1)
    for row in np.flatnonzero(faces.frame_index == frame_index):
        colour = _CLEAR_BGR if faces.visibility[row] >= _CLEAR_FROM else _HIDDEN_BGR
        left, top, right, bottom = np.rint(faces.box_xyxy[row]).astype(int).tolist()
        cv2.rectangle(image, (left, top), (right, bottom), colour, thin, cv2.LINE_AA)
        for x, y in np.rint(faces.landmarks[row]).astype(int).tolist():
            cv2.circle(image, (x, y), thin, _MARK_BGR, -1, cv2.LINE_AA)
        passage = int(faces.passage_index[row])
        name = "-" if passage == NO_PASSAGE else str(passage)
        text = f"{name} {faces.face_height_px[row]:.0f} px"
        cv2.putText(
            image,
            text,
            (left, top - 5 * thin),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.4 * thin,
            colour,
            thin,
            cv2.LINE_AA,
        )
    return image
