"""dlib's frontal face detector, as the `face_recognition` package uses it.

Owns the reading of dlib's rectangles and 68 points. Needs the extra `[dlib]`. A
classifier slid over gradients, not a network: it sees frontal faces from 80 px of the
view, or from 40 if that is doubled first.

Source:
    Dalal and Triggs, Histograms of oriented gradients for human detection, CVPR 2005;
    King, Max-margin object detection, arXiv:1502.00046, 2015; Kazemi and Sullivan,
    One millisecond face alignment with an ensemble of regression trees, CVPR 2014.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

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

__all__ = ["DlibHogDetector"]

# Which of the 68 points are averaged: right eye, left eye, nose tip, mouth corners.
_POINTS = (range(36, 42), range(42, 48), (30,), (48,), (54,))


class DlibHogDetector:
    """Finds frontal faces.

    Args:
        model: dlib's predictor of 68 points.
        score_threshold: Least score; dlib's margin m becomes 1 / (1 + exp(-m)), so
            its own threshold of 0 is 0.5 here.
        detection_width_px: Wider images are shrunk to this first.
        nms_iou: See `best_boxes`.
        upsample: Times the view is doubled first.
    """

    def __init__(
        self,
        model: ModelFile,
        *,
        score_threshold: float,
        detection_width_px: int,
        nms_iou: float,
        upsample: int,
    ) -> None:
        if find_spec("dlib") is None:
            complaint = "needs dlib, which is not installed; install '.[dlib]'"
            raise ModelFileError(model.path, complaint)
        dlib: Any = import_module("dlib")
        self._detector = dlib.get_frontal_face_detector()
        # dlib reads files, not bytes; what was verified is what lies there.
        self._predictor = dlib.shape_predictor(str(model.path))
        self._least_margin = float(np.log(score_threshold / (1.0 - score_threshold)))
        self._width_px = detection_width_px
        self._nms_iou = nms_iou
        self._upsample = upsample

    def detect(self, image_bgr: NDArray[np.uint8]) -> Detections:
        """Find the faces of one (h, w, 3) uint8 image, in its own pixels."""
        view, scale = shrink(image_bgr, width_px=self._width_px)
        grey = cv2.cvtColor(view, cv2.COLOR_BGR2GRAY)
        found, margins, _ = self._detector.run(grey, self._upsample, self._least_margin)
        boxes = np.empty((len(found), 4), np.float32)
        landmarks = np.empty((len(found), 5, 2), np.float32)
        for row, rectangle in enumerate(found):
            # dlib names the last pixel inside; the records name the edge after it.
            boxes[row] = (
                rectangle.left(),
                rectangle.top(),
                rectangle.right() + 1,
                rectangle.bottom() + 1,
            )
            shape = self._predictor(grey, rectangle)
            for k, points in enumerate(_POINTS):
                parts = [shape.part(i) for i in points]
                # dlib's pixels have their centres at whole numbers.
                landmarks[row, k, 0] = np.mean([p.x for p in parts]) + 0.5
                landmarks[row, k, 1] = np.mean([p.y for p in parts]) + 0.5
        factor = np.float32(scale)
        scores = (1.0 / (1.0 + np.exp(-np.array(margins)))).astype(np.float32)
        return best_boxes(
            boxes * factor, landmarks * factor, scores, nms_iou=self._nms_iou
        )


@DETECTORS.register("dlib_hog")
def make(config: DetectorConfig) -> DlibHogDetector:
    """Load dlib's detector and its predictor of points.

    Raises:
        ModelFileError: If dlib or its models are not installed.
    """
    return DlibHogDetector(
        read_named_model(config),
        score_threshold=(
            0.5 if config.score_threshold is None else config.score_threshold
        ),
        detection_width_px=config.detection_width_px,
        nms_iou=config.nms_iou,
        upsample=config.dlib_hog.upsample,
    )
