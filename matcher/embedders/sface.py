"""SFace, the OpenCV Zoo's embedder: a second opinion, not shipped.

Owns the scaling of its pixels: RGB, 0 to 255, as OpenCV's `FaceRecognizerSF` feeds it.
`harness models fetch sface` gets it.

Source:
    Zhong et al., SFace: sigmoid-constrained hypersphere loss for robust face
    recognition, IEEE TIP 30, 2021; face_recognition_sface_2021dec.onnx of the zoo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher.embedders.arcface_onnx import ArcFaceEmbedder
from matcher.known_models import read_named_model
from matcher.plugin_config import ArcFaceConfig
from matcher.registry import EMBEDDERS

if TYPE_CHECKING:
    from matcher.config import EmbedderConfig

__all__ = ["make"]

_PIXELS = ArcFaceConfig(mean=0.0, deviation=1.0, order="rgb")


@EMBEDDERS.register("sface")
def make(config: EmbedderConfig) -> ArcFaceEmbedder:
    """Load SFace from where it was fetched to, or the path in the settings.

    Raises:
        ModelFileError: If it is not there, or the file is not the one meant.
    """
    return ArcFaceEmbedder(
        read_named_model(config), pixels=_PIXELS, runtime=config.runtime
    )
