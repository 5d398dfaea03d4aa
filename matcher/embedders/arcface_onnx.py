"""Any ArcFace-style network that its owner has: 112 x 112 chips in, one vector out.

Owns the contract of such files. Nothing is shipped: give `model_path` and
`model_sha256`; see `ArcFaceConfig` for how pixels are scaled.

Source:
    Deng et al., ArcFace, CVPR 2019; insightface, model_zoo/arcface_onnx.py (RGB,
    less 127.5, over 127.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.embedders.chips import embed_each, planes
from matcher.errors import ModelFileError
from matcher.known_models import read_named_model
from matcher.registry import EMBEDDERS
from matcher.runtime import open_network
from matcher.weights import sole_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import EmbedderConfig
    from matcher.plugin_config import ArcFaceConfig, RuntimeConfig
    from matcher.records import Embeddings
    from matcher.weights import ModelFile

__all__ = ["ArcFaceEmbedder"]


class ArcFaceEmbedder:
    """Embeds chips with a network of one input and one output.

    Args:
        model: Takes (n, 3, c, c) float32 and gives (n, d), c and d fixed.
        pixels: How chips are scaled.
        runtime: What runs it.

    Raises:
        ModelFileError: If the network is of another shape.
    """

    def __init__(
        self,
        model: ModelFile,
        *,
        pixels: ArcFaceConfig,
        runtime: RuntimeConfig,
    ) -> None:
        self._input, self._output = sole_names(model)
        self._network = open_network(
            model, inputs=(self._input,), outputs=(self._output,), config=runtime
        )
        self._pixels = pixels
        chips = self._network.shape_of(self._input)
        templates = self._network.shape_of(self._output)
        match [*chips, *templates]:
            case [batch, 3, int(height), int(width), _, int(dimension)] if (
                height == width
            ):
                self._batch, self.chip_px, self.dimension = batch, height, dimension
            case _:
                complaint = (
                    f"must take chips (n, 3, c, c) and give templates (n, d), c and d "
                    f"fixed, it takes {chips} and gives {templates}; export it so"
                )
                raise ModelFileError(model.path, complaint)

    def embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:
        """Embed (n, chip_px, chip_px, 3) uint8 chips; n may be 0."""
        return embed_each(
            self._run, chips_bgr, dimension=self.dimension, at_once=self._batch
        )

    def _run(self, chips_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = planes(chips_bgr, rgb=self._pixels.order == "rgb")
        batch -= np.float32(self._pixels.mean)
        batch /= np.float32(self._pixels.deviation)
        (templates,) = self._network.run([self._output], {self._input: batch})
        return templates


@EMBEDDERS.register("arcface_onnx")
def make(config: EmbedderConfig) -> ArcFaceEmbedder:
    """Load the network that the settings name.

    Raises:
        ModelFileError: If no file is given, or it is not the one meant.
    """
    return ArcFaceEmbedder(
        read_named_model(config),
        pixels=config.arcface_onnx,
        runtime=config.runtime,
    )
