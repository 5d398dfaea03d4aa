"""Truth as COCO reads it: one JSON file, faces with five keypoints.

Owns that format. Images are named `<camera>/img1/<frame, from 1, six digits>.jpg`, as
`export` writes them when it is asked for pictures. Beside COCO's own fields an
annotation holds what a study of faces asks for: passage, person, pose, visibility.

Source: Lin et al., Microsoft COCO, arXiv:1405.0312; cocodataset.org, data format.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.records import LANDMARKS, NO_PASSAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from synthetic_crowds.exchange.origin import Origin
    from synthetic_crowds.records import Clip

__all__ = ["image_name", "write_coco"]

_FACE = 1
# A landmark that is in the image but may be covered, and one that can be seen.
_LABELLED, _VISIBLE = 1, 2
_VISIBLE_FROM = 0.9


def image_name(clip: Clip, frame_index: int) -> str:
    """Name the picture of a frame, relative to the export."""
    return f"{clip.camera_id}/img1/{frame_index + 1:06d}.jpg"


def write_coco(clips: Sequence[Clip], path: Path, *, origin: Origin) -> None:
    """Write every camera's frames and faces.

    Args:
        clips: The cameras' clips.
        path: The JSON file to write.
        origin: Stated under `info`.
    """
    offsets = np.cumsum([0, *(clip.n_frames for clip in clips)]).tolist()
    annotations = [
        annotation
        for clip, offset in zip(clips, offsets, strict=False)
        for annotation in _annotations(clip, offset)
    ]
    for number, annotation in enumerate(annotations, start=1):
        annotation["id"] = number
    content = {
        "info": {"description": origin.sentence, **origin.fields},
        "licenses": [],
        "categories": [
            {
                "id": _FACE,
                "name": "face",
                "supercategory": "person",
                "keypoints": list(LANDMARKS),
                "skeleton": [],
            }
        ],
        "images": [
            {
                "id": offset + index + 1,
                "file_name": image_name(clip, index),
                "width": clip.width_px,
                "height": clip.height_px,
                "camera_id": clip.camera_id,
                "frame_index": index,
                "time_s": round(index / clip.fps, 6),
            }
            for clip, offset in zip(clips, offsets, strict=False)
            for index in range(clip.n_frames)
        ],
        "annotations": annotations,
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def _annotations(clip: Clip, offset: int) -> Iterator[dict[str, object]]:
    """Yield each face of a clip, without its number."""
    faces = clip.faces
    for row in range(len(faces.frame_index)):
        left, top, right, bottom = faces.box_xyxy[row].astype(float).round(2).tolist()
        visibility = float(faces.visibility[row])
        passage_index = int(faces.passage_index[row])
        passage = None if passage_index == NO_PASSAGE else clip.passages[passage_index]
        yaw, pitch, roll = faces.yaw_pitch_roll_deg[row].astype(float).tolist()
        yield {
            "id": 0,
            "image_id": offset + int(faces.frame_index[row]) + 1,
            "category_id": _FACE,
            "bbox": [left, top, round(right - left, 2), round(bottom - top, 2)],
            "area": round((right - left) * (bottom - top), 2),
            "iscrowd": 0,
            "keypoints": _keypoints(clip, row, visibility),
            "num_keypoints": len(LANDMARKS),
            "visibility": round(visibility, 4),
            "yaw_deg": round(yaw, 2),
            "pitch_deg": round(pitch, 2),
            "roll_deg": round(roll, 2),
            "passage_id": None if passage is None else passage.passage_id,
            "person_id": None if passage is None else passage.person_id,
        }


def _keypoints(clip: Clip, row: int, visibility: float) -> list[float]:
    flag = _VISIBLE if visibility >= _VISIBLE_FROM else _LABELLED
    points = clip.faces.landmarks[row].astype(float).round(2).tolist()
    return [value for x, y in points for value in (x, y, flag)]
