"""Landmarks, looked at a second time: from near, on the face's own chip.

Owns the correction of a detector's landmarks. A detector sees the whole frame small,
and its landmarks miss by a tenth of an eye distance; a template is only as good as
the chip that they cut. Knows nothing of detectors, embedders or tracks. The
reference network is built by `training/networks.py` to this contract:

    chips   (n, 3, c, c) float32, BGR, 0..255, cut by `matcher.alignment`
    shifts  (n, 5, 2) float32, from each landmark of the chip's template to where the
            face has it, in chip sides
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.alignment import align, fit_similarity, template
from matcher.errors import ModelFileError
from matcher.weights import WEIGHTS, ModelFile, open_session, read_manifest, read_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import AlignmentConfig
    from matcher.protocols import LandmarkRefiner

__all__ = [
    "AsDetected",
    "ReferenceRefiner",
    "make_refiner",
    "moved_landmarks",
    "refiner_name",
]


class AsDetected:
    """Leaves landmarks where the detector put them."""

    def refine(
        self,
        image_bgr: NDArray[np.uint8],  # noqa: ARG002 - a refiner may look; this does not
        landmarks: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Return the landmarks given."""
        return landmarks


class ReferenceRefiner:
    """Corrects landmarks with the reference network.

    Args:
        model: A network of the contract above.

    Raises:
        ModelFileError: If the network does not state its chip size.
    """

    def __init__(self, model: ModelFile) -> None:
        self._session = open_session(model, inputs=("chips",), outputs=("shifts",))
        match self._session.get_inputs()[0].shape:
            case [_, 3, int(height), int(width)] if height == width:
                self._chip_px = height
            case other:
                complaint = (
                    f"must take chips (n, 3, c, c), c fixed, it takes {other}; "
                    "export it with the batch alone dynamic"
                )
                raise ModelFileError(model.path, complaint)

    def refine(
        self, image_bgr: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Correct the landmarks (n, 5, 2), pixels of the image; n may be 0."""
        if len(landmarks) == 0:
            return landmarks
        chips = align(image_bgr, landmarks, chip_px=self._chip_px)
        planes = np.ascontiguousarray(chips.transpose(0, 3, 1, 2), np.float32)
        (shifts,) = self._session.run(["shifts"], {"chips": planes})
        return moved_landmarks(landmarks, shifts)


def moved_landmarks(
    landmarks: NDArray[np.float32], shifts: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Carry shifts on a chip back to the image that it was cut from.

    Args:
        landmarks: (n, 5, 2) pixels, by which the chips were cut.
        shifts: (n, 5, 2) from the chip's template, in chip sides.

    Returns:
        (n, 5, 2) pixels of the image.
    """
    # The size of the chip cancels out: a chip of side 1 serves.
    factor, origin = fit_similarity(landmarks, chip_px=1)
    on_chip = (template(1) + shifts) @ np.array([1.0, 1.0j])
    found = (on_chip - origin[:, None]) / factor[:, None]
    return np.stack((found.real, found.imag), axis=-1).astype(np.float32)


def refiner_name(config: AlignmentConfig) -> str:
    """Name what the settings ask for, with its hash; `none` if they ask for nothing."""
    return f"reference@{read_manifest().refiner.sha256}" if config.refine else "none"


def make_refiner(config: AlignmentConfig) -> LandmarkRefiner:
    """Make what the settings ask for.

    Raises:
        ModelFileError: If the shipped network is absent, altered or of another
            contract.
    """
    if not config.refine:
        return AsDetected()
    shipped = read_manifest().refiner
    return ReferenceRefiner(read_model(WEIGHTS / shipped.file, sha256=shipped.sha256))
