"""A folder of pictures as a watchlist: who is in it, and whether it has changed.

Owns the reading of it: the table that `harness crowd` writes, or one picture a subject,
named after them. Knows nothing of templates.
"""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lfr_errors import BadInputError
from matcher.records import SubjectId
from matcher.service.wire import SUBJECT_PATTERN

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WatchlistFolder", "WatchlistFolderError", "read_folder"]

_TABLE = "watchlist.csv"
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


class WatchlistFolderError(BadInputError):
    """A folder that is no watchlist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistFolder:
    """Subjects and their pictures.

    Attributes:
        pictures: Subject → files, in order of enrolment.
        sha256: Of names and files: another one means another watchlist.
    """

    pictures: dict[SubjectId, tuple[Path, ...]]
    sha256: str


def read_folder(folder: Path) -> WatchlistFolder:
    """Read who is in a folder; pictures are hashed, not decoded.

    Raises:
        WatchlistFolderError: If there is no picture, or a name is no identifier.
    """
    pictures = _from_table(folder) if (folder / _TABLE).is_file() else _by_name(folder)
    if not pictures:
        message = (
            f"a watchlist folder must hold {_TABLE} or pictures named after their "
            f"subjects (p-17.png, p-18.jpg), got none in {folder}; put them there"
        )
        raise WatchlistFolderError(message)
    digest = hashlib.sha256()
    for subject_id, paths in pictures.items():
        if re.match(SUBJECT_PATTERN, subject_id) is None:
            message = (
                f"a subject's identifier must match {SUBJECT_PATTERN}, got "
                f"{subject_id!r} in {folder}; rename it"
            )
            raise WatchlistFolderError(message)
        digest.update(subject_id.encode() + b"\0")
        try:
            for path in paths:
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            message = (
                f"every subject of {folder} must have a picture, but that of "
                f"{subject_id!r} cannot be read: {error}"
            )
            raise WatchlistFolderError(message) from error
    return WatchlistFolder(pictures=pictures, sha256=digest.hexdigest())


def _from_table(folder: Path) -> dict[SubjectId, tuple[Path, ...]]:
    """Read the table: a row a picture, of some subjects several."""
    found: dict[SubjectId, tuple[Path, ...]] = {}
    with (folder / _TABLE).open(encoding="utf-8", newline="") as file:
        try:
            for row in csv.DictReader(file):
                subject_id = SubjectId(row["subject_id"])
                found[subject_id] = (
                    *found.get(subject_id, ()),
                    folder / row["image"],
                )
        except KeyError as error:
            message = (
                f"{folder / _TABLE} must have the columns subject_id and image, got "
                f"none named {error}; `harness crowd` writes such a table"
            )
            raise WatchlistFolderError(message) from error
    return found


def _by_name(folder: Path) -> dict[SubjectId, tuple[Path, ...]]:
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
    except OSError as error:
        message = (
            f"a watchlist must be a folder of pictures or a scenario, got {folder} "
            f"({error.strerror}); check the path"
        )
        raise WatchlistFolderError(message) from error
    found: dict[SubjectId, tuple[Path, ...]] = {}
    for path in files:
        if SubjectId(path.stem) in found:
            message = (
                f"each subject of {folder} must have one picture, {path.stem!r} has "
                "two; rename or remove one"
            )
            raise WatchlistFolderError(message)
        found[SubjectId(path.stem)] = (path,)
    return found
