"""Single pictures to templates, several at once.

Owns the order: decode, find the largest face, cut, and embed all of a batch together.
Knows nothing of galleries, requests or threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matcher.ingest import UndecodableError
from matcher.portraits import largest_face, no_face
from matcher.stills import decode_still

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from matcher.portraits import Portrait
    from matcher.protocols import Detector, Embedder, LandmarkRefiner

__all__ = ["NoTemplate", "PhotoReader", "PhotoTemplate"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhotoTemplate:
    """A picture's largest face as a template.

    Attributes:
        template: (d,) float32, unit length.
        box_xyxy: Of the face, pixels.
        n_faces: In the picture.
    """

    template: NDArray[np.float32]
    box_xyxy: tuple[float, float, float, float]
    n_faces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTemplate:
    """A picture that gives no template.

    Attributes:
        decodable: Whether it is a picture at all.
        cause: What is wrong with it.
    """

    decodable: bool
    cause: str


class PhotoReader:
    """Turns pictures into templates.

    Args:
        detector, refiner, embedder: The plug-ins.
    """

    def __init__(
        self, *, detector: Detector, refiner: LandmarkRefiner, embedder: Embedder
    ) -> None:
        self._detector = detector
        self._refiner = refiner
        self._embedder = embedder

    def read(self, contents: Sequence[bytes]) -> list[PhotoTemplate | NoTemplate]:
        """Read JPEG or PNG files; one picture at a time is held decoded."""
        portraits = [self._portrait(content) for content in contents]
        chips = [p.chip_bgr for p in portraits if not isinstance(p, NoTemplate)]
        side = self._embedder.chip_px
        together = np.concatenate([np.empty((0, side, side, 3), np.uint8), *chips])
        vectors = iter(self._embedder.embed(together).vectors)
        return [
            portrait
            if isinstance(portrait, NoTemplate)
            else PhotoTemplate(
                template=next(vectors),
                box_xyxy=portrait.box_xyxy,
                n_faces=portrait.n_faces,
            )
            for portrait in portraits
        ]

    def _portrait(self, content: bytes) -> Portrait | NoTemplate:
        try:
            image_bgr = decode_still(content)
        except UndecodableError as error:
            return NoTemplate(decodable=False, cause=str(error))
        portrait = largest_face(
            image_bgr,
            detector=self._detector,
            refiner=self._refiner,
            chip_px=self._embedder.chip_px,
        )
        if portrait is None:
            return NoTemplate(decodable=True, cause=no_face(image_bgr))
        return portrait
