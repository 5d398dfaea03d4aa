"""Every run's figures over time, in one embedded database.

Owns the tables, what is read into them from run folders, and their reading. Part of
the shell: it opens the database. Knows nothing of what a change means.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import BenchError, RunFolderError
from bench.regression.run_sample import read_sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.regression.run_sample import RunSample

__all__ = ["HistoryPoint", "kept_series", "read_series", "take_in"]

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, began TEXT NOT NULL, status TEXT NOT NULL,
    commit_sha TEXT NOT NULL, machine TEXT NOT NULL, title TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS figures (
    run_id TEXT NOT NULL REFERENCES runs, metric TEXT NOT NULL,
    value REAL NOT NULL, low REAL, high REAL, PRIMARY KEY (run_id, metric)
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """One figure of one run.

    Attributes:
        run_id, began, commit: Of the run.
        value, low, high: The figure; bounds None where there are none.
    """

    run_id: str
    began: str
    commit: str
    value: float
    low: float | None
    high: float | None


def take_in(database: Path, out: Path) -> int:
    """Read every run folder that the database does not know yet.

    A folder that holds no readable run is passed over: one may be being written.

    Args:
        database: Made if absent.
        out: Where run folders lie.

    Returns:
        How many runs were new.

    Raises:
        BenchError: If the database cannot be opened.
    """
    n_new = 0
    with _opened(database) as connection:
        known = {row[0] for row in connection.execute("SELECT run_id FROM runs")}
        for file in sorted(out.rglob("run.json")):
            if file.parent.name in known:
                continue
            try:
                sample = read_sample(file.parent)
            except RunFolderError:
                continue
            _insert(connection, file.parent.name, sample)
            n_new += 1
    return n_new


def read_series(
    database: Path, *, metric: str, title: str, machine: str
) -> tuple[HistoryPoint, ...]:
    """Read one figure of one scenario on one machine, in order of time.

    INVALID runs are left out: their figures must not be quoted.

    Args:
        database: As made by `take_in`.
        metric: Name in the metrics map.
        title: Of the scenario.
        machine: Times of different machines make no series.
    """
    query = (
        "SELECT run_id, began, commit_sha, value, low, high FROM figures "
        "JOIN runs USING (run_id) WHERE metric = ? AND title = ? AND machine = ? "
        "AND status != 'INVALID' ORDER BY began, run_id"
    )
    with _opened(database) as connection:
        rows = connection.execute(query, (metric, title, machine)).fetchall()
    return tuple(
        HistoryPoint(
            run_id=run_id, began=began, commit=commit, value=value, low=low, high=high
        )
        for run_id, began, commit, value, low, high in rows
    )


def kept_series(database: Path) -> tuple[tuple[str, str, int], ...]:
    """List the scenarios by title and machine, with how many sound runs each has."""
    query = (
        "SELECT title, machine, count(*) FROM runs WHERE status != 'INVALID' "
        "GROUP BY title, machine ORDER BY title, machine"
    )
    with _opened(database) as connection:
        return tuple((t, m, n) for t, m, n in connection.execute(query))


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.executescript(_TABLES)
            yield connection
    except (OSError, sqlite3.Error) as error:
        message = (
            f"the history must be a database that can be written, got '{error}' for "
            f"{database}; choose another with --database"
        )
        raise BenchError(message) from error


def _insert(connection: sqlite3.Connection, name: str, sample: RunSample) -> None:
    connection.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)",
        (
            name,
            sample.began,
            sample.status,
            sample.commit,
            sample.machine,
            sample.title,
        ),
    )
    connection.executemany(
        "INSERT INTO figures VALUES (?, ?, ?, ?, ?)",
        (
            (name, metric, figure.value, figure.low, figure.high)
            for metric, figure in sample.figures.items()
        ),
    )
