"""Truth as MOTChallenge reads it: one folder a camera, faces as the objects.

Owns that format: `gt/gt.txt`, comma-separated without a header, sorted by frame, one
row per face

    frame, identity, left, top, width, height, consider, class, visibility

and `seqinfo.ini`. Frames and identities count from 1; identity is the passage's place
in the clip plus one. Someone who never enters the zone of recognition has no passage
and the identity -1: their faces are marked 0, not to be considered, as the benchmark
marks what should neither be rewarded nor punished. The class is 1 throughout.

Source: Milan et al., MOT16, arXiv:1603.00831, section 3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.records import NO_PASSAGE

if TYPE_CHECKING:
    from pathlib import Path

    from synthetic_crowds.exchange.origin import Origin
    from synthetic_crowds.records import Clip

__all__ = ["write_mot"]

_FACE = 1


def write_mot(clip: Clip, folder: Path, *, origin: Origin) -> Path:
    """Write one camera's sequence.

    Args:
        clip: The camera's clip.
        folder: Of all sequences; receives one named after the camera.
        origin: Stated in `seqinfo.ini`.

    Returns:
        The sequence's folder.
    """
    sequence = folder / clip.camera_id
    (sequence / "gt").mkdir(parents=True, exist_ok=True)
    faces = clip.faces
    left, top, right, bottom = faces.box_xyxy.T.astype(np.float64)
    known = faces.passage_index != NO_PASSAGE
    # MOTChallenge counts pixels, frames and identities from 1.
    columns = (
        faces.frame_index + 1,
        np.where(known, faces.passage_index + 1, NO_PASSAGE),
        left + 1.0,
        top + 1.0,
        right - left,
        bottom - top,
        known.astype(int),
        np.full(len(known), _FACE),
        faces.visibility,
    )
    lines = [
        f"{frame},{identity},{x:.2f},{y:.2f},{w:.2f},{h:.2f},{consider},{kind},{seen:.4f}"
        for frame, identity, x, y, w, h, consider, kind, seen in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
    text = "\n".join(lines) + "\n"
    (sequence / "gt" / "gt.txt").write_text(text, encoding="utf-8")
    (sequence / "seqinfo.ini").write_text(_info(clip, origin), encoding="utf-8")
    return sequence


def _info(clip: Clip, origin: Origin) -> str:
    return "\n".join(
        (
            f"; {origin.sentence}",
            "[Sequence]",
            f"name={clip.camera_id}",
            "imDir=img1",
            f"frameRate={clip.fps:g}",
            f"seqLength={clip.n_frames}",
            f"imWidth={clip.width_px}",
            f"imHeight={clip.height_px}",
            "imExt=.jpg",
            "",
        )
    )
