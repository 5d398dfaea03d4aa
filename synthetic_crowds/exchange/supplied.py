"""Crowds and watchlists that come from a folder: the one door for other pictures.

Owns reading back what `export` wrote, and finding pictures that do not say where they
come from. Knows nothing of who may let such pictures in.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import av
from pyarrow import parquet

from synthetic_crowds.errors import SuppliedFolderError
from synthetic_crowds.film.cache import MANIFEST, file_sha256
from synthetic_crowds.film.clips import VIDEO_FILE
from synthetic_crowds.film.stamp import read_stamp
from synthetic_crowds.film.truth import read_truth, truth_sha256
from synthetic_crowds.film.watchlist import TABLE_FILE, read_watchlist
from synthetic_crowds.records import (
    Ancestry,
    CameraId,
    Clip,
    Crowd,
    PersonId,
    Sex,
    Source,
    Subject,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from synthetic_crowds.film.truth import ClipTruth
    from synthetic_crowds.records import Watchlist

__all__ = [
    "PEOPLE_FILE",
    "WATCHLIST_FOLDER",
    "read_crowd",
    "unstamped",
    "with_watchlist",
]

PEOPLE_FILE, WATCHLIST_FOLDER = "people.parquet", "watchlist"


def read_crowd(folder: Path, camera_ids: Sequence[str]) -> Crowd:
    """Read an exported crowd.

    Args:
        folder: As `export` wrote it.
        camera_ids: Whose clips to take, in order; each a folder of that name.

    Raises:
        SuppliedFolderError: If something is missing, or is not the file that the
            folder's manifest speaks of.
    """
    _require(folder, PEOPLE_FILE)
    rows = parquet.read_table(folder / PEOPLE_FILE).to_pylist()
    subjects = {PersonId(row["person_id"]): _subject(row) for row in rows}
    truths, clips = [], []
    for camera_id in camera_ids:
        place = folder / camera_id
        for name in (VIDEO_FILE, "faces.parquet", "passages.parquet"):
            _require(place, name)
        truth = read_truth(place)
        truths.append(truth)
        clips.append(_open(place / VIDEO_FILE, camera_id, truth))
    manifest = _check_manifest(folder)
    crowd = Crowd(
        subjects=subjects,
        clips=tuple(clips),
        watchlist=_read_list(folder / WATCHLIST_FOLDER, frozenset()),
        truth_sha256=truth_sha256(truths),
        clips_sha256=hashlib.sha256(
            "".join(clip.sha256 for clip in clips).encode()
        ).hexdigest(),
        sources=tuple(Source(**said) for said in manifest.get("sources", ())),
    )
    return with_watchlist(crowd, folder / WATCHLIST_FOLDER)


def with_watchlist(crowd: Crowd, folder: Path) -> Crowd:
    """Let other people be sought in a crowd.

    Args:
        crowd: Who walks.
        folder: With `watchlist.csv` and its pictures.

    Raises:
        SuppliedFolderError: If the folder holds no watchlist.
    """
    passing = frozenset(p.person_id for clip in crowd.clips for p in clip.passages)
    sought = _read_list(folder, frozenset())
    _check_manifest(folder)
    names = frozenset(subject.person_id for subject in sought.subjects)
    return replace(crowd, watchlist=replace(sought, mated=passing & names))


def unstamped(crowd: Crowd) -> tuple[Path, ...]:
    """Find every clip and portrait that does not say that it is synthetic."""
    pictures = (
        *(clip.path for clip in crowd.clips),
        *(image.path for image in crowd.watchlist.images),
    )
    return tuple(path for path in pictures if read_stamp(path) is None)


def _require(folder: Path, name: str) -> None:
    if not (folder / name).is_file():
        raise SuppliedFolderError(path=folder / name, detail="it is not there")


def _read_list(folder: Path, mated: frozenset[PersonId]) -> Watchlist:
    _require(folder, TABLE_FILE)
    try:
        return read_watchlist(folder, mated)
    except (KeyError, ValueError, OSError) as error:
        raise SuppliedFolderError(
            path=folder / TABLE_FILE, detail=f"it cannot be read ({error})"
        ) from error


def _check_manifest(folder: Path) -> dict[str, Any]:
    """Hold files against the hashes noted beside them; return all that is noted."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        files: dict[str, str] = manifest["files"]
    except (ValueError, KeyError) as error:
        raise SuppliedFolderError(path=path, detail="it is no manifest") from error
    for name, sha256 in files.items():
        file = folder / name
        if file.is_file() and file_sha256(file) != sha256:
            raise SuppliedFolderError(path=file, detail="it has changed since")
    return manifest


def _subject(row: dict[str, Any]) -> Subject:
    return Subject(
        person_id=PersonId(row["person_id"]),
        sex=Sex(row["sex"]),
        age_years=float(row["age_years"]),
        ancestry=Ancestry(row["ancestry"]),
        monk_tone=int(row["monk_tone"]),
        siblings=tuple(PersonId(name) for name in row["siblings"]),
        is_twin=bool(row["is_twin"]),
    )


def _open(path: Path, camera_id: str, truth: ClipTruth) -> Clip:
    """Read a clip's size and length."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate, n_frames = stream.average_rate, stream.frames
            width, height = stream.width, stream.height
    except (av.FFmpegError, IndexError) as error:
        raise SuppliedFolderError(path=path, detail="it is no video") from error
    if rate is None or n_frames == 0:
        raise SuppliedFolderError(path=path, detail="it states no rate or no length")
    return Clip(
        camera_id=CameraId(camera_id),
        path=path,
        sha256=file_sha256(path),
        fps=float(rate),
        width_px=width,
        height_px=height,
        n_frames=n_frames,
        passages=truth.passages,
        faces=truth.faces,
    )
