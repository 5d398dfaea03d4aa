"""The shipped embedder: a small residual network, run by `matcher.runtime`.

Owns the network's contract and the unit length of its templates. Knows nothing of how
it was trained; `training/networks.py` builds it to this contract:

    chips      (n, 3, c, c) float32, BGR, 0..255, cut by `matcher.alignment`
    templates  (n, d) float32, of any length
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher.embedders.chips import embed_each, planes
from matcher.errors import ModelFileError
from matcher.registry import EMBEDDERS
from matcher.runtime import open_network
from matcher.weights import WEIGHTS, ModelFile, read_manifest, read_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from matcher.config import EmbedderConfig
    from matcher.plugin_config import RuntimeConfig
    from matcher.records import Embeddings

__all__ = ["ReferenceEmbedder"]


class ReferenceEmbedder:
    """Embeds chips with the reference network.

    Args:
        model: A network of the contract above.
        runtime: What runs it.

    Raises:
        ModelFileError: If the network does not state its chip size and dimension.
    """

    def __init__(self, model: ModelFile, *, runtime: RuntimeConfig) -> None:
        self._network = open_network(
            model, inputs=("chips",), outputs=("templates",), config=runtime
        )
        chips = self._network.shape_of("chips")
        templates = self._network.shape_of("templates")
        match [*chips, *templates]:
            case [_, 3, int(height), int(width), _, int(dimension)] if height == width:
                self._chip_px, self._dimension = height, dimension
            case _:
                complaint = (
                    f"must take chips (n, 3, c, c) and give templates (n, d), c and d "
                    f"fixed, it takes {chips} and gives {templates}; "
                    "export it with the batch alone dynamic"
                )
                raise ModelFileError(model.path, complaint)

    @property
    def chip_px(self) -> int:
        """Side of the square chips it takes."""
        return self._chip_px

    @property
    def dimension(self) -> int:
        """Length d of its templates."""
        return self._dimension

    def embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:
        """Embed (n, chip_px, chip_px, 3) uint8 chips; n may be 0."""
        return embed_each(self._run, chips_bgr, dimension=self._dimension, at_once=None)

    def _run(self, chips_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        feeds = {"chips": planes(chips_bgr, rgb=False)}
        (templates,) = self._network.run(["templates"], feeds)
        return templates


@EMBEDDERS.register("reference")
def make(config: EmbedderConfig) -> ReferenceEmbedder:
    """Load the shipped network, or the one that the settings name.

    Raises:
        ModelFileError: If the file is absent, altered or of another contract.
    """
    if config.model_path is None or config.model_sha256 is None:
        shipped = read_manifest().embedder
        path, sha256 = WEIGHTS / shipped.file, shipped.sha256
    else:
        path, sha256 = config.model_path, config.model_sha256
    return ReferenceEmbedder(read_model(path, sha256=sha256), runtime=config.runtime)
