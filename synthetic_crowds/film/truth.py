"""The truth of a clip: from frames and walks to tables, to disk and back.

Owns how passages are summed up from faces, and the columns of the two truth files.
Knows nothing of pixels.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from synthetic_crowds.records import (
    NO_PASSAGE,
    CameraId,
    FaceTruth,
    Passage,
    PassageId,
    PersonId,
)
from synthetic_crowds.street.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from synthetic_crowds.picture.composer import FrameFaces
    from synthetic_crowds.street.plan import CameraPlan

__all__ = [
    "ClipTruth",
    "SeenFaces",
    "gather",
    "read_seen",
    "read_truth",
    "sum_up",
    "truth_sha256",
    "write_seen",
    "write_truth",
]

FACES_FILE, PASSAGES_FILE = "faces.parquet", "passages.parquet"
# A face counts as unoccluded from this share of its pixels on.
_UNOCCLUDED = 0.9
# Tables hold each coordinate in a column of its own, so that any tool can read them.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "box_xyxy": ("x1", "y1", "x2", "y2"),
    "landmarks": tuple(f"landmark{i}_{axis}" for i in range(5) for axis in "xy"),
    "yaw_pitch_roll_deg": ("yaw_deg", "pitch_deg", "roll_deg"),
    "body_box_xyxy": ("body_x1", "body_y1", "body_x2", "body_y2"),
}
_SEEN = (*_COLUMNS, "visibility")
_SHAPES: dict[str, tuple[int, ...]] = {"landmarks": (5, 2)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipTruth:
    """What a clip shows.

    Attributes:
        passages: By time of entry.
        faces: Their faces, by frame.
    """

    passages: tuple[Passage, ...]
    faces: FaceTruth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeenFaces:
    """Faces as frames showed them, before anybody knows how the walks went on.

    Attributes:
        frame_index: (n,) int32.
        walk_index: (n,) int32, into the camera's walks.
        columns: By name, the fields that `FrameFaces` and `FaceTruth` share.
    """

    frame_index: NDArray[np.int32]
    walk_index: NDArray[np.int32]
    columns: dict[str, NDArray[np.float32]]


def gather(
    frames: Sequence[tuple[Sequence[int], FrameFaces]], *, first_frame: int
) -> SeenFaces:
    """Put the faces of consecutive frames below each other.

    Args:
        frames: Of each frame, the walks in view, and the faces found among them.
        first_frame: Index of the first.
    """
    count = [len(faces.person_index) for _, faces in frames]
    numbers = np.arange(first_frame, first_frame + len(frames), dtype=np.int32)
    return SeenFaces(
        frame_index=np.repeat(numbers, count),
        walk_index=np.concatenate(
            [np.asarray(walks, np.int32)[faces.person_index] for walks, faces in frames]
        ),
        columns={
            name: np.concatenate([getattr(faces, name) for _, faces in frames])
            for name in _SEEN
        },
    )


def write_seen(seen: SeenFaces, path: Path) -> None:
    """Write the faces of a piece."""
    with path.open("wb") as file:
        np.savez(
            file,
            frame_index=seen.frame_index,
            walk_index=seen.walk_index,
            **seen.columns,  # type: ignore[arg-type]  # numpy types keywords as bool
        )


def read_seen(paths: Sequence[Path]) -> SeenFaces:
    """Read consecutive pieces."""
    pieces: list[dict[str, NDArray[np.generic]]] = []
    for path in paths:
        with np.load(path) as stored:
            pieces.append({name: stored[name] for name in stored.files})
    joined = {
        name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]
    }
    return SeenFaces(
        frame_index=joined["frame_index"].astype(np.int32),
        walk_index=joined["walk_index"].astype(np.int32),
        columns={name: joined[name].astype(np.float32) for name in _SEEN},
    )


def sum_up(plan: CameraPlan, names: Sequence[PersonId], seen: SeenFaces) -> ClipTruth:
    """Sum up passages from the faces of every frame.

    A passage is listed if the clip shows its face at least once, even if its time in
    the zone lies, wholly or partly, before the clip begins or after it ends: then
    `t_in_s` is negative or `t_out_s` lies beyond the end. Whoever never enters the
    zone makes no passage, but their faces are listed.

    Args:
        plan: The walks.
        names: Of each walk's walker.
        seen: What frames showed.
    """
    fps = plan.camera.fps
    layout = lay_out(plan.camera)
    walk_index = seen.walk_index
    spans = {
        walk: span
        for walk in np.unique(walk_index).tolist()
        if (span := plan.walks[walk].span_in(layout)) is not None
    }
    order = sorted(spans, key=lambda walk: (spans[walk], walk))
    number = np.full(len(plan.walks), NO_PASSAGE, np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    box = seen.columns["box_xyxy"]
    faces = FaceTruth(
        frame_index=seen.frame_index,
        passage_index=number[walk_index],
        face_height_px=box[:, 3] - box[:, 1],
        **seen.columns,
    )
    passages = tuple(
        _sum_up_passage(plan, place, names[walk], spans[walk], faces, fps)
        for place, walk in enumerate(order)
    )
    return ClipTruth(passages=passages, faces=faces)


def _sum_up_passage(
    plan: CameraPlan,
    place: int,
    name: PersonId,
    span: tuple[float, float],
    faces: FaceTruth,
    fps: float,
) -> Passage:
    time_s = faces.frame_index / fps
    within = (faces.passage_index == place) & (time_s >= span[0]) & (time_s <= span[1])
    visibility = faces.visibility[within]
    camera_id = plan.camera.camera_id
    return Passage(
        passage_id=PassageId(f"{camera_id}-{place:04d}"),
        person_id=name,
        camera_id=CameraId(camera_id),
        t_in_s=round(span[0], 6),
        t_out_s=round(span[1], 6),
        n_frames=int(within.sum()),
        max_face_height_px=float(faces.face_height_px[within].max(initial=0.0)),
        max_visibility=float(visibility.max(initial=0.0)),
        unoccluded_frames=int((visibility >= _UNOCCLUDED).sum()),
    )


def write_truth(truth: ClipTruth, folder: Path) -> None:
    """Write both tables."""
    columns: dict[str, NDArray[np.generic]] = {}
    for field in fields(FaceTruth):
        values = getattr(truth.faces, field.name)
        names = _COLUMNS.get(field.name)
        if names is None:
            columns[field.name] = values
        else:
            columns |= dict(zip(names, values.reshape(len(values), -1).T, strict=True))
    _write(columns, folder / FACES_FILE)
    rows = {
        field.name: [getattr(passage, field.name) for passage in truth.passages]
        for field in fields(Passage)
    }
    _write(rows, folder / PASSAGES_FILE)


def read_truth(folder: Path) -> ClipTruth:
    """Read what `write_truth` wrote."""
    table = _read(folder / FACES_FILE)
    arrays: dict[str, NDArray[np.generic]] = {}
    for field in fields(FaceTruth):
        names = _COLUMNS.get(field.name)
        if names is None:
            arrays[field.name] = table[field.name].to_numpy()
        else:
            stacked = np.column_stack([table[name].to_numpy() for name in names])
            shape = _SHAPES.get(field.name, (len(names),))
            arrays[field.name] = stacked.reshape(-1, *shape)
    passages = _read(folder / PASSAGES_FILE).to_pylist()
    return ClipTruth(
        passages=tuple(Passage(**row) for row in passages),
        faces=FaceTruth(**arrays),  # type: ignore[arg-type]  # columns know their types
    )


def truth_sha256(truths: Sequence[ClipTruth]) -> str:
    """Digest every passage and face; independent of how tables are stored."""
    digest = hashlib.sha256()
    for truth in truths:
        for passage in truth.passages:
            digest.update(repr(passage).encode())
        for field in fields(FaceTruth):
            digest.update(getattr(truth.faces, field.name).tobytes())
    return digest.hexdigest()


def _write(columns: Mapping[str, object], path: Path) -> None:
    table = pa.table(columns)
    parquet.write_table(table, path)


def _read(path: Path) -> pa.Table:
    return parquet.read_table(path)
