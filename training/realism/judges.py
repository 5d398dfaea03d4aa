"""The two judges: a detector and an embedder that learnt from photographs of people.

Owns how YuNet and dlib's ResNet are loaded and asked. Knows nothing of what they are
shown.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lfr_errors import BadInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DlibEmbedder", "YuNet"]

# Means of dlib's own face template over the points of each feature: right eye,
# left eye, nose tip, mouth corners; then a quarter of the face around it.
# Source: dlib/image_transforms/interpolation.h, mean_face_shape_x and _y.
_DLIB_TEMPLATE = np.array(
    [
        [0.22549, 0.21599],
        [0.75476, 0.21599],
        [0.49013, 0.51563],
        [0.25415, 0.78023],
        [0.72610, 0.78023],
    ]
)
_DLIB_CHIP_PX, _DLIB_PADDING = 150, 0.25

# OpenCV's default of 0.9 finds 62 % of faces at this quality; 0.6 is the value of
# the model's authors (opencv_zoo, face_detection_yunet/demo.py uses 0.6 to 0.9).
_YUNET_SCORE = 0.6


class YuNet:
    """OpenCV's face detector, with its weights from the OpenCV Zoo."""

    def __init__(self, weights: Path) -> None:
        if not weights.is_file():
            message = (
                f"realism needs YuNet's weights, found none at {weights}; fetch "
                "face_detection_yunet_2023mar.onnx from the OpenCV Zoo and pass "
                "its path as --yunet"
            )
            raise BadInputError(message)
        self._detector = cv2.FaceDetectorYN.create(
            str(weights), "", (320, 320), _YUNET_SCORE, 0.3, 500
        )

    def detect(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (n, 14): box xyxy and five landmarks, pixels."""
        self._detector.setInputSize((image_bgr.shape[1], image_bgr.shape[0]))
        _, rows = self._detector.detect(image_bgr)
        # OpenCV returns None where it finds nothing; its stubs do not say so.
        found = np.zeros((0, 15)) if rows is None else np.asarray(rows)
        faces: NDArray[np.float32] = found[:, :14].astype(np.float32)
        corners = faces[:, :2] + faces[:, 2:4]
        return np.concatenate([faces[:, :2], corners, faces[:, 4:]], axis=1)


class DlibEmbedder:
    """dlib's ResNet, trained on photographs of real people."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("face_recognition_models")
        if importlib.util.find_spec("dlib") is None or spec is None:
            message = (
                "realism needs dlib's embedder, found no dlib or no "
                "face_recognition_models; install the extra: pip install '.[dlib]'"
            )
            raise BadInputError(message)
        import dlib  # noqa: PLC0415  an extra: absent from most installations

        # Read beside the package, not through it: importing it needs pkg_resources.
        folder = Path(next(iter(spec.submodule_search_locations or ()))) / "models"
        weights = str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        self._network = dlib.face_recognition_model_v1(weights)  # type: ignore[attr-defined]  # dlib-bin ships no stubs

    def embed(
        self, image_bgr: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Embed the face with these (5, 2) landmarks as (128,)."""
        target = (_DLIB_TEMPLATE + _DLIB_PADDING) / (2 * _DLIB_PADDING + 1)
        wanted = target @ (1, 1j) * _DLIB_CHIP_PX
        given = landmarks.astype(np.float64) @ (1, 1j)
        spread = given - given.mean()
        # Least-squares similarity as complex numbers; see matcher.alignment.
        turn = np.vdot(spread, wanted - wanted.mean()) / np.vdot(spread, spread)
        shift = wanted.mean() - turn * given.mean()
        matrix = np.array(
            [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
        )
        chip = cv2.warpAffine(
            image_bgr, matrix, (_DLIB_CHIP_PX, _DLIB_CHIP_PX), flags=cv2.INTER_AREA
        )
        rgb = np.ascontiguousarray(chip[:, :, ::-1])
        return np.array(self._network.compute_face_descriptor(rgb), np.float32)
