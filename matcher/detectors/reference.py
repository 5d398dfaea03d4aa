"""The shipped detector: a small network over three strides, run by `matcher.runtime`.

Owns the network's contract and the decoding of its maps. Knows nothing of how it was
trained; `training/networks.py` builds it to this contract:

    image     (1, 3, H, W) float32, BGR, 0..255; H and W multiples of 32, the image in
              the top left corner, zeros beyond it
    score_s   (1, 1, H/s, W/s), in [0, 1]; s is 8, 16 and 32
    box_s     (1, 4, H/s, W/s): left, top, right and bottom distances from the cell's
              centre ((i + 0.5) s, (j + 0.5) s), in units of s
    points_s  (1, 10, H/s, W/s): x, y of five landmarks from the same centre, in s
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.detectors.boxes import best_boxes
from matcher.errors import ModelFileError
from matcher.picture import shrink
from matcher.registry import DETECTORS
from matcher.runtime import open_network
from matcher.weights import WEIGHTS, ModelFile, read_manifest, read_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import DetectorConfig
    from matcher.plugin_config import RuntimeConfig
    from matcher.records import Detections

__all__ = ["STRIDES", "ReferenceDetector", "decode_maps"]

STRIDES = (8, 16, 32)
_OUTPUTS = tuple(f"{kind}_{s}" for s in STRIDES for kind in ("score", "box", "points"))


class ReferenceDetector:
    """Finds faces with the reference network.

    Args:
        model: A network of the contract above.
        score_threshold: Least score of a face.
        detection_width_px: Wider images are shrunk to this first.
        nms_iou: See `best_boxes`.
        runtime: What runs it.
    """

    def __init__(
        self,
        model: ModelFile,
        *,
        score_threshold: float,
        detection_width_px: int,
        nms_iou: float,
        runtime: RuntimeConfig,
    ) -> None:
        self._network = open_network(
            model, inputs=("image",), outputs=_OUTPUTS, config=runtime
        )
        self._score_threshold = score_threshold
        self._width_px = detection_width_px
        self._nms_iou = nms_iou
        self._canvas = _Canvas()

    def detect(self, image_bgr: NDArray[np.uint8]) -> Detections:
        """Find the faces of one (h, w, 3) uint8 image, in its own pixels."""
        view, scale = shrink(image_bgr, width_px=self._width_px)
        maps = self._network.run(_OUTPUTS, {"image": self._canvas.with_image(view)})
        boxes, landmarks, scores = decode_maps(
            maps, score_threshold=self._score_threshold
        )
        factor = np.float32(scale)
        return best_boxes(
            boxes * factor, landmarks * factor, scores, nms_iou=self._nms_iou
        )


def decode_maps(
    maps: list[NDArray[np.float32]], *, score_threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Read boxes off the network's maps, in its own pixels.

    Args:
        maps: Score, box and points of stride 8, then of 16, then of 32.
        score_threshold: Least score of a cell that is read.

    Returns:
        (n, 4) boxes xyxy, (n, 5, 2) landmarks, (n,) scores, all float32.
    """
    found = []
    for stride, (score, box, points) in zip(
        STRIDES, zip(*[iter(maps)] * 3, strict=True), strict=True
    ):
        row, column = np.nonzero(score[0, 0] >= score_threshold)
        centre = (np.stack([column, row], axis=1).astype(np.float32) + 0.5) * stride
        reach = box[0, :, row, column] * stride
        offset = points[0, :, row, column].reshape(-1, 5, 2) * stride
        corners = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], axis=1)
        found.append((corners, centre[:, None] + offset, score[0, 0, row, column]))
    boxes, landmarks, scores = (
        np.concatenate(part) for part in zip(*found, strict=True)
    )
    return boxes, landmarks, scores


class _Canvas:
    """The network's input, kept from frame to frame: zeros where no image is."""

    def __init__(self) -> None:
        self._blob = np.zeros((1, 3, 0, 0), np.float32)
        self._image = self._blob[0]

    def with_image(self, view: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Lay an image (h, w, 3) into the top left corner; the last one is gone."""
        height, width = view.shape[:2]
        if self._image.shape[1:] != (height, width):
            padded = (-(-height // 32) * 32, -(-width // 32) * 32)
            self._blob = np.zeros((1, 3, *padded), np.float32)
            self._image = self._blob[0, :, :height, :width]
        np.copyto(self._image, view.transpose(2, 0, 1))
        return self._blob


@DETECTORS.register("reference")
def make(config: DetectorConfig) -> ReferenceDetector:
    """Load the shipped network, or the one that the settings name.

    Raises:
        ModelFileError: If the file is absent, altered or of another contract, or is
            not the shipped one and no score threshold is stated for it.
    """
    if config.model_path is None or config.model_sha256 is None:
        shipped = read_manifest().detector
        path, sha256 = WEIGHTS / shipped.file, shipped.sha256
        score_threshold = shipped.score_threshold
    else:
        path, sha256 = config.model_path, config.model_sha256
        if config.score_threshold is None:
            complaint = "is not the shipped detector; state detector.score_threshold"
            raise ModelFileError(path, complaint)
    if config.score_threshold is not None:
        score_threshold = config.score_threshold
    return ReferenceDetector(
        read_model(path, sha256=sha256),
        score_threshold=score_threshold,
        detection_width_px=config.detection_width_px,
        nms_iou=config.nms_iou,
        runtime=config.runtime,
    )
