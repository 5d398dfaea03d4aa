"""Marks on a frame: who is there, whom the matcher follows, what it raised.

Owns the drawing of boxes, labels and the legend. Colours are told apart by every kind
of colour vision, and every mark by its shape or word as well. Knows nothing of clips
or files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Box", "Kind", "Mark", "annotate", "crop_face"]

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

_INK: Colour = (38, 28, 20)
_WHITE: Colour = (255, 255, 255)
# TrueType, so that small words stay legible; OpenCV 5 carries the font itself.
_FONT = cv2.FontFace("sans")
_TEXT_PX = 16
_BOLD = 600
_LEGEND_PX = 38
# A face crop shows this much above and below the box, in box heights: the face then
# fills half the crop, about as in a watchlist picture beside it.
_CROP_MARGIN = 0.5
_CROP_ASPECT = 4 / 5


class Kind(Enum):
    """What a mark says: its word in the legend, colour (BGR) and line width."""

    TRUTH = ("face, in truth", (255, 255, 255), 1)
    TRACK = ("followed", (233, 180, 86), 2)
    TRUE_ALERT = ("true alert", (115, 158, 0), 3)
    FALSE_ALERT = ("false alert", (0, 94, 213), 3)

    @property
    def word(self) -> str:
        """How the legend calls it."""
        return self.value[0]

    @property
    def colour(self) -> Colour:
        """BGR."""
        return self.value[1]

    @property
    def line_px(self) -> int:
        """Width of its lines."""
        return self.value[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One box to draw.

    Attributes:
        kind: What it says.
        box_xyxy: Pixels of the frame; may reach beyond it.
        label: Words beside it; empty for none.
    """

    kind: Kind
    box_xyxy: Box
    label: str = ""


def annotate(
    image_bgr: NDArray[np.uint8], marks: tuple[Mark, ...], *, title: str
) -> NDArray[np.uint8]:
    """Draw marks on a copy of a frame and add a legend below it.

    Args:
        image_bgr: (h, w, 3) uint8.
        marks: Drawn in order, later ones on top.
        title: Stands at the right of the legend.

    Returns:
        (h + legend, w, 3) uint8.
    """
    drawn = image_bgr.copy()
    for mark in marks:
        _frame_box(drawn, mark)
    for mark in marks:
        if mark.label:
            _label_box(drawn, mark)
    return np.vstack((drawn, _legend(drawn.shape[1], title=title)))


def crop_face(
    image_bgr: NDArray[np.uint8], box_xyxy: Box, *, height_px: int
) -> NDArray[np.uint8]:
    """Cut a face with some of its surroundings, at one size.

    Beyond the edge of the frame the outermost pixels are repeated.

    Args:
        image_bgr: (h, w, 3) uint8.
        box_xyxy: The face, pixels.
        height_px: Of the result; its width is four fifths of that.
    """
    x1, y1, x2, y2 = box_xyxy
    crop_h = (y2 - y1) * (1 + 2 * _CROP_MARGIN)
    scale = height_px / max(crop_h, 1.0)
    width_px = round(height_px * _CROP_ASPECT)
    # One map from result to frame: crop, resize and pad without rounding between.
    to_frame = np.array(
        [
            [1 / scale, 0.0, (x1 + x2) / 2 - width_px / 2 / scale],
            [0.0, 1 / scale, (y1 + y2) / 2 - height_px / 2 / scale],
        ]
    )
    crop = cv2.warpAffine(
        image_bgr,
        to_frame,
        (width_px, height_px),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop, dtype=np.uint8)


def _frame_box(image: NDArray[np.uint8], mark: Mark) -> None:
    x1, y1, x2, y2 = (round(v) for v in mark.box_xyxy)
    kind = mark.kind
    if kind is not Kind.TRUTH:
        cv2.rectangle(image, (x1, y1), (x2, y2), _INK, kind.line_px + 2, cv2.LINE_AA)
        cv2.rectangle(image, (x1, y1), (x2, y2), kind.colour, kind.line_px, cv2.LINE_AA)
        return
    # Truth is drawn as corners only: the face stays in view, the shape says it.
    arm = max(4, round(0.22 * (x2 - x1)))
    for x, y, dx, dy in (
        (x1, y1, arm, arm),
        (x2, y1, -arm, arm),
        (x1, y2, arm, -arm),
        (x2, y2, -arm, -arm),
    ):
        corner = np.array([[x + dx, y], [x, y], [x, y + dy]], dtype=np.int32)
        cv2.polylines(image, [corner], False, _INK, 3, cv2.LINE_AA)  # noqa: FBT003 - OpenCV's signature
        cv2.polylines(image, [corner], False, _WHITE, 1, cv2.LINE_AA)  # noqa: FBT003


def _label_box(image: NDArray[np.uint8], mark: Mark) -> None:
    x1, y1, _, y2 = (round(v) for v in mark.box_xyxy)
    width, height = _text_px(mark.label), _TEXT_PX + 8
    # Above the box; below it where there is no room; never outside the frame.
    top = y1 - height - 2 if y1 - height - 2 >= 0 else y2 + 3
    left = min(max(x1 - 2, 0), max(image.shape[1] - width - 12, 0))
    cv2.rectangle(
        image, (left, top), (left + width + 11, top + height), mark.kind.colour, -1
    )
    text = _INK if mark.kind is Kind.TRACK else _WHITE
    _write(image, mark.label, (left + 6, top + _TEXT_PX + 2), text, weight=_BOLD)


def _legend(width_px: int, *, title: str) -> NDArray[np.uint8]:
    strip = np.full((_LEGEND_PX, width_px, 3), _INK, dtype=np.uint8)
    middle, x = _LEGEND_PX // 2, 14
    for kind in Kind:
        mark = Mark(kind=kind, box_xyxy=(x, middle - 7, x + 16, middle + 7))
        _frame_box(strip, mark)
        _write(strip, kind.word, (x + 26, middle + 5), _WHITE)
        x += _text_px(kind.word) + 54
    left = width_px - _text_px(title) - 14
    # A narrow frame has no room for both; its title stands in the caption too.
    if left > x:
        _write(strip, title, (left, middle + 5), (200, 190, 180))
    return strip


def _text_px(text: str) -> int:
    rect = cv2.getTextSize((0, 0), text, (0, 0), _FONT, _TEXT_PX, _BOLD)
    return int(rect[2])


def _write(
    image: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    colour: Colour,
    *,
    weight: int = 400,
) -> None:
    cv2.putText(image, text, at, colour, _FONT, _TEXT_PX, weight)
