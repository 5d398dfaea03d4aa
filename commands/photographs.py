"""Photographs as streets: which camera gets which, and nobody in them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lfr_errors import BadInputError
from matcher.assembly import make_detector
from matcher.config import DetectorConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from matcher.protocols import Detector
    from synthetic_crowds.film.photographs import FaceFinder

__all__ = ["BackgroundOptionError", "face_finder", "photographs_set"]

# The detector shrinks wider pictures; these tiles it sees as they are. They overlap by
# more than a face that would be lost between two of them.
_TILE_PX, _STEP_PX = 640, 440


class BackgroundOptionError(BadInputError):
    """A `--background` that names no camera or no photograph."""

    def __init__(self, *, text: str, detail: str) -> None:
        self.text = text
        super().__init__(
            f"--background takes NAME=PHOTO, such as cam1=site.png, got '{text}': "
            f"{detail}"
        )


def photographs_set(backgrounds: Sequence[str], names: Sequence[str]) -> list[str]:
    """Turn `NAME=PHOTO` texts into overrides of a scenario.

    Args:
        backgrounds: As given.
        names: Of the scenario's cameras, in order.

    Raises:
        BackgroundOptionError: If one names no photograph, or no camera of these.
    """
    overrides = []
    for text in backgrounds:
        name, equals, photo = text.partition("=")
        if not equals or not photo:
            raise BackgroundOptionError(text=text, detail="there is no photograph")
        if name not in names:
            raise BackgroundOptionError(
                text=text, detail=f"the cameras are {', '.join(names)}"
            )
        overrides.append(f"cameras.{names.index(name)}.background={json.dumps(photo)}")
    return overrides


def face_finder() -> FaceFinder:
    """A finder of faces in photographs: the shipped reference detector.

    It looks at the whole, for large faces, and at tiles in full size, for small ones.
    """
    return _find


@lru_cache(maxsize=1)
def _detector() -> Detector:
    return make_detector(DetectorConfig())


def _find(image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Find faces in a picture (h, w, 3), as boxes (n, 4), xyxy."""
    boxes = [_detector().detect(image_bgr).boxes_xyxy]
    for left, top in _corners(image_bgr.shape[1], image_bgr.shape[0]):
        tile = image_bgr[top : top + _TILE_PX, left : left + _TILE_PX]
        found = _detector().detect(np.ascontiguousarray(tile)).boxes_xyxy
        boxes.append(found + np.array([left, top, left, top], np.float32))
    return np.concatenate(boxes)


def _corners(width_px: int, height_px: int) -> Iterator[tuple[int, int]]:
    """Left and top of every tile; the last ones end with the picture."""
    for top in _starts(height_px):
        for left in _starts(width_px):
            yield left, top


def _starts(length_px: int) -> list[int]:
    last = max(length_px - _TILE_PX, 0)
    return [*range(0, last, _STEP_PX), last]
