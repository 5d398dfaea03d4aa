"""The shipped embedder: a small residual network, run by onnxruntime.

Owns the network's contract and the unit length of its templates. Knows nothing of how
it was trained; `training/networks.py` builds it to this contract:

    chips      (n, 3, c, c) float32, BGR, 0..255, cut by `matcher.alignment`
    templates  (n, d) float32, of any length
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.errors import ModelFileError
from matcher.fusion import unit_length
from matcher.records import Embeddings
from matcher.registry import EMBEDDERS
from matcher.weights import WEIGHTS, ModelFile, open_session, read_manifest, read_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import EmbedderConfig

__all__ = ["ReferenceEmbedder"]


class ReferenceEmbedder:
    """Embeds chips with the reference network.

    Args:
        model: A network of the contract above.
        with_mirror: Average the templates of a chip and its mirror image.

    Raises:
        ModelFileError: If the network does not state its chip size and dimension.
    """

    def __init__(self, model: ModelFile, *, with_mirror: bool) -> None:
        self._session = open_session(model, inputs=("chips",), outputs=("templates",))
        self._with_mirror = with_mirror
        chips, templates = self._session.get_inputs()[0], self._session.get_outputs()[0]
        match [*chips.shape, *templates.shape]:
            case [_, 3, int(height), int(width), _, int(dimension)] if height == width:
                self._chip_px, self._dimension = height, dimension
            case _:
                complaint = (
                    f"must take chips (n, 3, c, c) and give templates (n, d), c and d "
                    f"fixed, it takes {chips.shape} and gives {templates.shape}; "
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
        if len(chips_bgr) == 0:
            return Embeddings(vectors=np.empty((0, self._dimension), np.float32))
        vectors = self._run(chips_bgr)
        if self._with_mirror:
            vectors = vectors + self._run(chips_bgr[:, :, ::-1])
        return Embeddings(vectors=unit_length(vectors))

    def _run(self, chips_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        planes = np.ascontiguousarray(chips_bgr.transpose(0, 3, 1, 2), np.float32)
        (templates,) = self._session.run(["templates"], {"chips": planes})
        return unit_length(templates)


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
    return ReferenceEmbedder(
        read_model(path, sha256=sha256), with_mirror=config.with_mirror
    )
