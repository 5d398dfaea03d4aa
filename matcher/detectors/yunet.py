"""YuNet, the OpenCV Zoo's detector: a second opinion, not shipped.

Owns the reading of OpenCV's rows. `harness models fetch yunet` gets it.

Source:
    Wu, Peng, Yu, YuNet: a tiny millisecond-level face detector, Machine Intelligence
    Research 20, 2023; weights face_detection_yunet_2023mar.onnx of the OpenCV Zoo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from matcher.detectors.boxes import best_boxes
from matcher.errors import ModelFileError
from matcher.known_models import read_named_model
from matcher.picture import shrink
from matcher.registry import DETECTORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import DetectorConfig
    from matcher.records import Detections
    from matcher.weights import ModelFile

__all__ = ["YuNetDetector"]

# OpenCV's own default of 0.9 finds 62 % of synthetic faces, 0.6 finds 98.5 % at 0.025
# false detections a frame (1,320 faces, 1280x720).
_DEFAULT_SCORE_THRESHOLD = 0.6
_MOST_CANDIDATES = 5000


class YuNetDetector:
    """Finds faces with YuNet, through OpenCV's own decoder.

    Args:
        model: The ONNX file of the OpenCV Zoo.
        score_threshold: Least score of a face.
        detection_width_px: Wider images are shrunk to this first.
        nms_iou: See `best_boxes`.
    """

    def __init__(
        self,
        model: ModelFile,
        *,
        score_threshold: float,
        detection_width_px: int,
        nms_iou: float,
    ) -> None:
        try:
            self._network = cv2.FaceDetectorYN.create(
                "onnx",
                np.frombuffer(model.content, np.uint8),
                np.empty(0, np.uint8),
                (320, 320),
                score_threshold,
                nms_iou,
                _MOST_CANDIDATES,
            )
        except cv2.error as error:
            complaint = f"must be YuNet as ONNX, OpenCV says: {error}"
            raise ModelFileError(model.path, complaint) from error
        self._width_px = detection_width_px
        self._nms_iou = nms_iou

    def detect(self, image_bgr: NDArray[np.uint8]) -> Detections:
        """Find the faces of one (h, w, 3) uint8 image, in its own pixels."""
        view, scale = shrink(image_bgr, width_px=self._width_px)
        self._network.setInputSize((view.shape[1], view.shape[0]))
        _, found = self._network.detect(view)
        # OpenCV returns None for no face; else x, y, w, h, ten coordinates, score.
        rows = np.empty((0, 15), np.float32)
        if found is not None:
            rows = found.astype(np.float32)
        boxes = rows[:, :4] * np.float32(scale)
        boxes[:, 2:] += boxes[:, :2]
        return best_boxes(
            boxes,
            rows[:, 4:14].reshape(-1, 5, 2) * np.float32(scale),
            rows[:, 14].copy(),
            nms_iou=self._nms_iou,
        )


@DETECTORS.register("yunet")
def make(config: DetectorConfig) -> YuNetDetector:
    """Load YuNet from where it was fetched to, or the path in the settings.

    Raises:
        ModelFileError: If it is not there, or the file is not the one meant.
    """
    if config.score_threshold is None:
        score_threshold = _DEFAULT_SCORE_THRESHOLD
    else:
        score_threshold = config.score_threshold
    return YuNetDetector(
        read_named_model(config),
        score_threshold=score_threshold,
        detection_width_px=config.detection_width_px,
        nms_iou=config.nms_iou,
    )
