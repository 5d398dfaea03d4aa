"""dlib's ResNet, as the `face_recognition` package uses it.

Owns the way from our chips to dlib's. Needs the extra `[dlib]`. The network was trained
on photographs of real people; some 80 ms a face.

Source:
    King, Dlib-ml, JMLR 10, 2009; dlib_face_recognition_resnet_model_v1.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from matcher.alignment import align, template
from matcher.embedders.chips import embed_each
from matcher.errors import ModelFileError
from matcher.known_models import read_named_model
from matcher.registry import EMBEDDERS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import EmbedderConfig
    from matcher.records import Embeddings
    from matcher.weights import ModelFile

__all__ = ["DlibResnetEmbedder"]

# Means of dlib's face template over the points of each feature: right eye, left eye,
# nose tip, mouth corners; then a quarter of the face around it.
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
_PADDING = 0.25
_DLIB_PX = 150
# Of our chips: dlib's, cut out of one, then loses no detail.
_CHIP_PX = 170


class DlibResnetEmbedder:
    """Embeds chips with dlib's network.

    Our chips show the forehead and dlib's the chin: an eighth of dlib's chip lies
    below ours, and is filled with its last row.

    Args:
        model: The network.
    """

    chip_px = _CHIP_PX
    dimension = 128

    def __init__(self, model: ModelFile) -> None:
        if find_spec("dlib") is None:
            complaint = "needs dlib, which is not installed; install '.[dlib]'"
            raise ModelFileError(model.path, complaint)
        dlib: Any = import_module("dlib")
        self._network = dlib.face_recognition_model_v1(str(model.path))
        self._landmarks = _landmarks_for_dlib()

    def embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:
        """Embed (n, chip_px, chip_px, 3) uint8 chips; n may be 0."""
        return embed_each(self._run, chips_bgr, dimension=self.dimension, at_once=None)

    def _run(self, chips_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = np.empty((len(chips_bgr), self.dimension), np.float32)
        for row, chip in enumerate(chips_bgr):
            (again,) = align(chip, self._landmarks, chip_px=_DLIB_PX)
            rgb = np.ascontiguousarray(again[..., ::-1])
            vectors[row] = self._network.compute_face_descriptor(rgb)
        return vectors


def _landmarks_for_dlib() -> NDArray[np.float32]:
    """Place points in our chip such that `align` cuts dlib's chip out of it.

    The least-squares similarity from our template to dlib's is a fixed one; laying its
    inverse on our template's points makes `align` apply it.
    """
    ours = template(_CHIP_PX) @ np.array([1.0, 1.0j])
    wanted = (_DLIB_TEMPLATE + _PADDING) / (1.0 + 2.0 * _PADDING) * _DLIB_PX
    theirs = wanted @ np.array([1.0, 1.0j])
    spread = ours - ours.mean()
    turn = np.vdot(spread, theirs - theirs.mean()) / np.vdot(spread, spread)
    shift = theirs.mean() - turn * ours.mean()
    source = (template(_DLIB_PX) @ np.array([1.0, 1.0j]) - shift) / turn
    points = np.stack([source.real, source.imag], axis=1)
    return points[None].astype(np.float32)


@EMBEDDERS.register("dlib_resnet")
def make(config: EmbedderConfig) -> DlibResnetEmbedder:
    """Load dlib's network from the extra's package, or the path in the settings.

    Raises:
        ModelFileError: If dlib or its models are not installed.
    """
    return DlibResnetEmbedder(read_named_model(config))
