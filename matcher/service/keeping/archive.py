"""What outlives the process: one SQLite database, and the audit log beside it.

Owns the file, its tables, and the rule that a change and its audit entry are one: the
entry is written into the database in the change's own transaction, and carried to the
log after it. A crash in between is made good at the next start, so the log neither
lacks a change nor has one that never was. Knows nothing of what the tables mean.

One connection and one lock: SQLite has one writer anyway. What is deleted is
overwritten (`secure_delete`), in the write-ahead log too.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from matcher.service.errors import DataFolderError
from matcher.service.keeping.audit_chain import Entry, Head
from matcher.service.keeping.audit_log import BEGINNING, Anchor, AuditLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Archive", "Change"]

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE anchor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL, sha256 TEXT NOT NULL,
    end_bytes INTEGER NOT NULL, n_bytes INTEGER NOT NULL
);
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL
);
CREATE TABLE configuration (
    one INTEGER PRIMARY KEY CHECK (one = 1), settings TEXT NOT NULL
);
CREATE TABLE watchlists (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL, origin TEXT NOT NULL,
    embedder_sha256 TEXT NOT NULL, dimension INTEGER NOT NULL
);
CREATE TABLE subjects (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    watchlist TEXT NOT NULL REFERENCES watchlists (name) ON DELETE CASCADE,
    subject_id TEXT NOT NULL, template BLOB NOT NULL,
    UNIQUE (watchlist, subject_id)
);
CREATE TABLE active (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    watchlist TEXT NOT NULL REFERENCES watchlists (name),
    threshold REAL, target_fpir REAL
);
CREATE TABLE alerts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, alert_id TEXT NOT NULL UNIQUE,
    unix_ns INTEGER NOT NULL, delete_after_unix_ns INTEGER NOT NULL,
    content TEXT NOT NULL, salt TEXT NOT NULL, decision TEXT, reviewer TEXT
);
CREATE INDEX alerts_by_end ON alerts (delete_after_unix_ns);
"""


class Change:
    """One transaction in the making: what is done, and what the log will say of it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def record(self, entry: Entry) -> None:
        """Let the audit log say this, if and only if the change is made."""
        content = {
            "event": entry.event,
            "actor": entry.actor,
            "data": dict(entry.data),
            "unix_ns": entry.unix_ns,
        }
        self.database.execute(
            "INSERT INTO outbox (entry) VALUES (?)", (json.dumps(content),)
        )


class Archive:
    """The database and the audit log of one service.

    Args:
        folder: Of the service's data; made if there is none, for its owner alone.

    Raises:
        DataFolderError: If another service uses it, or it is of another version.
        AuditLogError: If the log is not the one that the database knows.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._folder_lock = _claim(folder)
        try:
            self._database = _open(folder / "service.sqlite3")
            carried: set[int] = set()
            self.log = AuditLog(
                folder / "audit.jsonl",
                anchor=self._read_anchor(),
                on_known=lambda record: _note_carried(record, carried),
            )
            self._carry(already=carried)
            # From here on the log's end is known, so no change is ever carried twice.
            self.settle()
        except BaseException:
            os.close(self._folder_lock)
            raise

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Make one change, whole or not at all, with its audit entries.

        Raises:
            AuditUnavailableError: If the log cannot be written. The change is made,
                and its entries will be carried at the next start.
        """
        with self._lock:
            self.log.require_writable()
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield Change(self._database)
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
            self._carry(already=set())

    def note(self, entries: Sequence[Entry]) -> None:
        """Record what changed nothing in the database.

        Raises:
            AuditUnavailableError: If the log cannot be written.
        """
        with self._lock:
            self.log.append(entries)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read between two changes."""
        with self._lock:
            yield self._database

    def settle(self) -> None:
        """Remember where the log ends; empty SQLite's own log of what was deleted."""
        with self._lock:
            if self.log.is_writable:
                self._database.execute("BEGIN IMMEDIATE")
                self._write_anchor(self.log.anchor)
                self._database.execute("COMMIT")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Leave everything in order."""
        with self._lock:
            self.settle()
            self._database.close()
            self.log.close()
            os.close(self._folder_lock)

    def _carry(self, *, already: set[int]) -> None:
        """Carry the entries of changes that were made to the log.

        Args:
            already: Numbers of those that are there, although the database has not
                heard of it.
        """
        rows = self._database.execute(
            "SELECT number, entry FROM outbox ORDER BY number"
        ).fetchall()
        if not rows:
            return
        entries = [
            _entry(number, content) for number, content in rows if number not in already
        ]
        anchor = self.log.append(entries)
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("DELETE FROM outbox")
        self._write_anchor(anchor)
        self._database.execute("COMMIT")

    def _read_anchor(self) -> Anchor:
        row = self._database.execute(
            "SELECT number, sha256, end_bytes, n_bytes FROM anchor"
        ).fetchone()
        if row is None:
            return BEGINNING
        number, sha256, end_bytes, n_bytes = row
        return Anchor(
            head=Head(number=number, sha256=sha256),
            end_bytes=end_bytes,
            n_bytes=n_bytes,
        )

    def _write_anchor(self, anchor: Anchor) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO anchor VALUES (1, ?, ?, ?, ?)",
            (
                anchor.head.number,
                anchor.head.sha256,
                anchor.end_bytes,
                anchor.n_bytes,
            ),
        )


def _claim(folder: Path) -> int:
    """Make the folder ours until the process ends; return the lock's descriptor."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        message = f"the data folder {folder} must be writable, but: {error}"
        raise DataFolderError(message) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        message = (
            f"the data folder {folder} must be used by one service at a time, but "
            "another one runs on it; stop that one or name another folder with --data"
        )
        raise DataFolderError(message) from error
    return descriptor


def _open(path: Path) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "foreign_keys = ON",
        ):
            database.execute(f"PRAGMA {pragma}").fetchall()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;"
            )
        elif version != _SCHEMA_VERSION:
            message = (
                f"the data at {path} must be of version {_SCHEMA_VERSION}, got "
                f"{version}; start the program that wrote it, or name another folder"
            )
            raise DataFolderError(message)
    except sqlite3.Error as error:
        message = (
            f"the data at {path} must be a service's database, but: {error}; name "
            "another folder with --data"
        )
        raise DataFolderError(message) from error
    return database


def _entry(number: int, content: str) -> Entry:
    fields = json.loads(content)
    return Entry(
        event=fields["event"],
        actor=fields["actor"],
        data={**fields["data"], "change": number},
        unix_ns=fields["unix_ns"],
    )


def _note_carried(record: dict[str, object], carried: set[int]) -> None:
    data = record["data"]
    if isinstance(data, dict) and isinstance(data.get("change"), int):
        carried.add(data["change"])
