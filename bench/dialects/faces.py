"""Faces in a vendor's answer: found by path, brought to pixels and corners.

Owns the forms and scales of boxes. Knows nothing of alerts: a face is a face.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import jmespath

from bench.dialects.adapter_settings import BoxForm, BoxScale

if TYPE_CHECKING:
    from bench.dialects.adapter_settings import FacesConfig
    from bench.dialects.dialect import FrameLabel

__all__ = ["Face", "read_faces"]

Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face as an answer tells it.

    Attributes:
        track: Its track's number; where there are no tracks, its place in a frame of
            its own: no two frames share a number.
        box_xyxy: Pixels.
        subject_id: First candidate; empty if there is none.
        score: Its score, in the API's own scale; None likewise.
    """

    track: int
    box_xyxy: Box
    subject_id: str
    score: float | None


# Without tracks, faces of one frame are numbered from its index times this.
_FACES_A_FRAME = 1_000


def read_faces(
    said: object, config: FacesConfig, label: FrameLabel, *, first: int = 0
) -> tuple[Face, ...]:
    """Read one list of faces.

    Args:
        said: The answer, as JSON values.
        config: Paths and forms.
        label: Of the frame.
        first: Place of the first face in its frame, where there are no tracks: two
            lists of one frame must not share numbers.

    Raises:
        ValueError: If the answer does not hold what the paths promise.
    """
    rows = jmespath.search(config.faces, said)
    if rows is None:
        return ()
    if not isinstance(rows, list):
        message = f"'{config.faces}' must be a list, got {type(rows).__name__}"
        raise ValueError(message)  # noqa: TRY004 - what arrived is data, not a type
    return tuple(
        _face(row, config, label, place=place)
        for place, row in enumerate(rows, start=first)
    )


def _face(row: object, config: FacesConfig, label: FrameLabel, *, place: int) -> Face:
    track: object = None
    if config.track is not None:
        track = jmespath.search(config.track, row)
    subject: object = None
    score: object = None
    if config.subject is not None and config.score is not None:
        subject = jmespath.search(config.subject, row)
        score = jmespath.search(config.score, row)
    nobody = subject is None or score is None
    return Face(
        track=(
            label.index * _FACES_A_FRAME + place if track is None else _number(track)
        ),
        box_xyxy=_box(jmespath.search(config.box, row), config, label),
        subject_id="" if nobody else str(subject),
        score=None if nobody else float(str(score)),
    )


def _number(track: object) -> int:
    """Number a track; names become numbers that stay the same from frame to frame."""
    if isinstance(track, int):
        return track
    text = str(track)
    if text.isdecimal():
        return int(text)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:7], "big")


def _box(numbers: object, config: FacesConfig, label: FrameLabel) -> Box:
    if (
        not isinstance(numbers, list)
        or len(numbers) != 4
        or not all(isinstance(n, int | float) for n in numbers)
    ):
        message = f"'{config.box}' must be four numbers, got {numbers!r}"
        raise ValueError(message)
    a, b, c, d = (float(n) for n in numbers)
    x1, y1, x2, y2 = {
        BoxForm.XYXY: (a, b, c, d),
        BoxForm.XYWH: (a, b, a + c, b + d),
        BoxForm.CXCYWH: (a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0),
    }[config.box_form]
    if config.box_scale is BoxScale.FRACTION:
        w, h = float(label.width_px), float(label.height_px)
        return (x1 * w, y1 * h, x2 * w, y2 * h)
    return (x1, y1, x2, y2)
