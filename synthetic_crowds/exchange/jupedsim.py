"""Trajectory files of JuPedSim, and of experiments in the same text format.

Owns the two formats and what may be wrong with a file. Knows nothing of streets.

Source:
    JuPedSim 1.4, `sqlite_serialization.py` (database versions 1 and 2: tables
    `trajectory_data` and `metadata`), and the text format of JuPedSim and PedPy:
    comments that begin with #, one of them the frame rate, then rows of ID, FR, X, Y.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.errors import TrajectoryFileError
from synthetic_crowds.street.trajectories import Trajectories

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["read_trajectories"]

_SQLITE = b"SQLite format 3\0"
_VERSIONS = ("1", "2")
_TABLES = ("metadata", "trajectory_data")
_RATE = re.compile(r"#\s*frame\s*rate\s*[:=]?\s*([^\s#]+)", re.IGNORECASE)
_CENTIMETRES = re.compile(r"x\s*/\s*cm|\bin\s+cm\b", re.IGNORECASE)
_FASTEST_FPS = 1000.0


def read_trajectories(path: Path) -> Trajectories:
    """Read a recording.

    Args:
        path: A SQLite database or a text file; its first bytes say which.

    Raises:
        TrajectoryFileError: If it is absent, none of the two, or holds no paths.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        detail = error.strerror if error.strerror is not None else "cannot be read"
        raise TrajectoryFileError(
            path=path, detail=detail[:1].lower() + detail[1:], remedy="correct the path"
        ) from None
    if content.startswith(_SQLITE):
        fps, rows = _read_database(path)
    else:
        fps, rows = _read_text(path, content)
    rows = _sorted(path, rows)
    return Trajectories(
        name=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
        fps=fps,
        person=rows[:, 0].astype(np.int64),
        frame=rows[:, 1].astype(np.int64),
        place_m=rows[:, 2:].copy(),
    )


def _read_database(path: Path) -> tuple[float, NDArray[np.float64]]:
    """Frame rate, and rows of person, frame, x, y (n, 4)."""
    place = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(place, uri=True)) as database:
            found = {
                name for (name,) in database.execute("SELECT name FROM sqlite_master")
            }
            for table in _TABLES:
                if table not in found:
                    raise TrajectoryFileError(
                        path=path,
                        detail=f"has no table {table}",
                        remedy="write it with JuPedSim's SqliteTrajectoryWriter",
                    )
            said = dict(database.execute("SELECT key, value FROM metadata"))
            version = str(said.get("version", "none"))
            if version not in _VERSIONS:
                raise TrajectoryFileError(
                    path=path,
                    detail=f"is of database version {version}, and "
                    f"{' and '.join(_VERSIONS)} are known",
                    remedy="write it as version 2",
                )
            rows = database.execute(
                "SELECT id, frame, pos_x, pos_y FROM trajectory_data"
            ).fetchall()
    except sqlite3.Error as error:
        raise TrajectoryFileError(
            path=path, detail=f"is damaged ({error})", remedy="write it again"
        ) from error
    try:
        table_rows = np.asarray(rows, np.float64).reshape(-1, 4)
    except (TypeError, ValueError):
        raise TrajectoryFileError(
            path=path,
            detail="has places in trajectory_data that are no numbers",
            remedy="write it again",
        ) from None
    return _rate(path, said.get("fps")), table_rows


def _read_text(path: Path, content: bytes) -> tuple[float, NDArray[np.float64]]:
    """Frame rate, and rows of person, frame, x, y (n, 4)."""
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise TrajectoryFileError(
            path=path,
            detail="is neither a SQLite database nor text",
            remedy="name a file that JuPedSim wrote",
        ) from None
    comments = [line for line in lines if line.lstrip().startswith("#")]
    rows = [line.split() for line in lines if line.strip() and line not in comments]
    stated = next((m[1] for line in comments if (m := _RATE.search(line))), None)
    fps = _rate(path, stated)
    try:
        table = np.array([row[:4] for row in rows], np.float64).reshape(-1, 4)
    except ValueError:
        raise TrajectoryFileError(
            path=path,
            detail="has rows that are not ID FR X Y, all of them numbers",
            remedy="mend them",
        ) from None
    if any(_CENTIMETRES.search(line) for line in comments):
        table[:, 2:] /= 100.0
    return fps, table


def _rate(path: Path, stated: str | float | None) -> float:
    """Read a frame rate."""
    try:
        fps = float(stated) if stated is not None else float("nan")
    except ValueError:
        fps = float("nan")
    if not 0.0 < fps <= _FASTEST_FPS:
        got = "states no frame rate" if stated is None else f"states {stated} fps"
        raise TrajectoryFileError(
            path=path,
            detail=got,
            remedy="state one above 0: in a database as fps in metadata, in text as "
            "a line #framerate: 10",
        )
    return fps


def _sorted(path: Path, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Check rows (n, 4) and put them in order of person, then frame.

    Raises:
        TrajectoryFileError: If there are none, or some are nowhere or twice.
    """
    if not len(rows):
        raise TrajectoryFileError(
            path=path, detail="holds no paths", remedy="record somebody"
        )
    if not np.isfinite(rows).all():
        raise TrajectoryFileError(
            path=path,
            detail=f"has {int((~np.isfinite(rows)).any(axis=1).sum())} of {len(rows)} "
            "rows that are not finite (NaN)",
            remedy="take them out",
        )
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    if (np.diff(rows[:, :2], axis=0) == 0.0).all(axis=1).any():
        raise TrajectoryFileError(
            path=path,
            detail="has people who are in two places in one frame",
            remedy="give each person an ID of their own",
        )
    return rows
