"""A crowd as a folder for other tools.

Owns which files there are and the page that explains them:

    SCHEMA.md                   what every column means
    <camera>/gt/gt.txt          MOTChallenge, with seqinfo.ini
    <camera>/img1/*.jpg         the frames, if asked for
    <camera>/clip.mp4           the video as the matcher gets it
    <camera>/faces.parquet      truth per face and frame
    <camera>/passages.parquet   truth per passage
    coco.json                   all cameras
    people.parquet              who walks: groups, never pixels
    watchlist/                  pictures and watchlist.csv
    manifest.json               where it comes from, and the SHA-256 of every file

Knows nothing of how a crowd is made.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from synthetic_crowds.exchange.coco import image_name, write_coco
from synthetic_crowds.exchange.mot import write_mot
from synthetic_crowds.exchange.supplied import PEOPLE_FILE, WATCHLIST_FOLDER
from synthetic_crowds.film.cache import MANIFEST, file_sha256
from synthetic_crowds.film.clips import VIDEO_FILE
from synthetic_crowds.film.truth import ClipTruth, write_truth
from synthetic_crowds.records import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synthetic_crowds.exchange.origin import Origin
    from synthetic_crowds.records import Clip, Crowd, Source

__all__ = ["export"]

_SCHEMA = "SCHEMA.md"
_JPEG_QUALITY = 95


def export(
    crowd: Crowd,
    folder: Path,
    *,
    origin: Origin,
    with_frames: bool,
    progress: Callable[[str, int, int], None],
) -> None:
    """Write a crowd into a folder.

    Args:
        crowd: What to write.
        folder: Where to; made if it is absent.
        origin: Stated in every file that has room for it.
        with_frames: Whether to write each frame as a picture, too.
        progress: Told how many cameras are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for done, clip in enumerate(crowd.clips):
        progress("export", done, len(crowd.clips))
        sequence = write_mot(clip, folder, origin=origin)
        shutil.copyfile(clip.path, sequence / VIDEO_FILE)
        write_truth(ClipTruth(passages=clip.passages, faces=clip.faces), sequence)
        for path in sequence.glob("*.parquet"):
            _stamp(path, origin)
        if with_frames:
            _write_frames(clip, folder)
    write_coco(crowd.clips, folder / "coco.json", origin=origin)
    _write_people(crowd, folder / PEOPLE_FILE, origin)
    sought = folder / WATCHLIST_FOLDER
    shutil.copytree(crowd.watchlist.folder, sought, dirs_exist_ok=True)
    (folder / _SCHEMA).write_text(_schema(origin), encoding="utf-8")
    _write_manifest(folder, origin, crowd.sources)
    progress("export", len(crowd.clips), len(crowd.clips))


def _stamp(path: Path, origin: Origin) -> None:
    """Write the origin into a Parquet file's own metadata."""
    table = parquet.read_table(path)
    metadata = {**(table.schema.metadata or {}), **origin.fields}
    parquet.write_table(table.replace_schema_metadata(metadata), path)


def _write_frames(clip: Clip, folder: Path) -> None:
    with av.open(str(clip.path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            path = folder / image_name(clip, index)
            path.parent.mkdir(exist_ok=True)
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])


def _write_people(crowd: Crowd, path: Path, origin: Origin) -> None:
    mated = crowd.watchlist.mated
    people = list(crowd.subjects.values())
    columns = {
        field.name: [getattr(person, field.name) for person in people]
        for field in fields(Subject)
    }
    columns["on_watchlist"] = [person.person_id in mated for person in people]
    parquet.write_table(pa.table(columns, metadata=origin.fields), path)


def _write_manifest(folder: Path, origin: Origin, sources: Sequence[Source]) -> None:
    files = {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }
    content: dict[str, object] = {**origin.fields, "synthetic": True, "files": files}
    if sources:
        content["sources"] = [asdict(source) for source in sources]
    text = json.dumps(content, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _schema(origin: Origin) -> str:
    text = Path(__file__).with_name(_SCHEMA).read_text(encoding="utf-8")
    return text.replace("ORIGIN", origin.sentence)
