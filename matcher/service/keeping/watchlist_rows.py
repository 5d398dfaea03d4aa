"""The rows of watchlists: what one is in the database, and how it is read and written.

Owns the statements that several changes share. Knows nothing of transactions.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.service.refusals import RefusedError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from matcher.records import SubjectId

__all__ = [
    "SELECT",
    "Activation",
    "Watchlist",
    "active_row",
    "exists",
    "get_row",
    "insert_rows",
    "next_version",
    "number_of",
    "watchlist_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """A watchlist without its subjects.

    Attributes:
        name: Its only name.
        version: Grows by one with every change.
        n_subjects: How many are on it.
        origin: What it was made from at the start of a service; else empty.
        embedder_sha256: Of the embedder that made its templates.
    """

    name: str
    version: int
    n_subjects: int
    origin: str
    embedder_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Which watchlist is searched, and what was said of its threshold.

    Attributes:
        name: Of the watchlist.
        threshold: Given; None if one is to be calibrated.
        target_fpir: To calibrate for; None if the settings say it.
    """

    name: str
    threshold: float | None
    target_fpir: float | None


SELECT = (
    "SELECT w.name, w.version, COUNT(s.number), w.origin, w.embedder_sha256 "
    "FROM watchlists w LEFT JOIN subjects s ON s.watchlist = w.name"
)


def exists(subject_id: str, name: str) -> RefusedError:
    """Refuse a subject who is enrolled already."""
    return RefusedError(
        HTTPStatus.CONFLICT,
        "exists",
        f"a watchlist must hold each subject once, got {subject_id!r} again for "
        f"{name!r}; withdraw the subject first",
    )


def get_row(database: sqlite3.Connection, name: str) -> Watchlist:
    """Read one watchlist.

    Raises:
        RefusedError: If there is none of that name.
    """
    row = database.execute(
        f"{SELECT} WHERE w.name = ? GROUP BY w.name", (name,)
    ).fetchone()
    if row is None:
        raise RefusedError(
            HTTPStatus.NOT_FOUND,
            "not_found",
            f"a watchlist must exist, got {name!r}; GET /v1/watchlists lists them",
        )
    return watchlist_of(row)


def watchlist_of(row: tuple[str, int, int, str, str]) -> Watchlist:
    """Turn a row of `SELECT` into a watchlist."""
    name, version, n_subjects, origin, sha256 = row
    return Watchlist(
        name=name,
        version=version,
        n_subjects=n_subjects,
        origin=origin,
        embedder_sha256=sha256,
    )


def insert_rows(
    database: sqlite3.Connection,
    name: str,
    subject_ids: Sequence[SubjectId],
    templates: NDArray[np.float32],
) -> None:
    """Write subjects and their templates (m, d) float32.

    Raises:
        RefusedError: If one is on the watchlist already.
    """
    for subject_id, template in zip(subject_ids, templates, strict=True):
        found = database.execute(
            "INSERT OR IGNORE INTO subjects (watchlist, subject_id, template) "
            "VALUES (?, ?, ?)",
            (name, subject_id, template.astype("<f4").tobytes()),
        )
        if found.rowcount == 0:
            raise exists(subject_id, name)


def number_of(database: sqlite3.Connection, name: str, subject_id: str) -> int:
    """Return where a subject stands in the order of enrolment.

    Raises:
        RefusedError: If they are not on the watchlist.
    """
    row = database.execute(
        "SELECT number FROM subjects WHERE watchlist = ? AND subject_id = ?",
        (name, subject_id),
    ).fetchone()
    if row is None:
        raise RefusedError(
            HTTPStatus.NOT_FOUND,
            "not_found",
            f"a subject must be enrolled, got {subject_id!r}, who is not on {name!r}; "
            "check the identifier",
        )
    number: int = row[0]
    return number


def next_version(database: sqlite3.Connection, name: str) -> Watchlist:
    """Count a change; return the watchlist as it is now."""
    database.execute(
        "UPDATE watchlists SET version = version + 1 WHERE name = ?", (name,)
    )
    return get_row(database, name)


def active_row(database: sqlite3.Connection) -> Activation | None:
    """Read which watchlist is searched; None if none is."""
    row = database.execute(
        "SELECT watchlist, threshold, target_fpir FROM active"
    ).fetchone()
    if row is None:
        return None
    name, threshold, target_fpir = row
    return Activation(name=name, threshold=threshold, target_fpir=target_fpir)
