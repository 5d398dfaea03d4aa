"""Alerts on disk, for as long as they may be kept, and what people made of them.

Owns their rows and their end. The audit log says that there was an alert, with a
salted hash of what it said: while the alert is kept, the hash proves it unaltered;
once alert and salt are deleted, nothing can be learnt from it. Knows nothing of
matching.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.service.keeping.audit_chain import Entry
from matcher.service.refusals import RefusedError
from matcher.service.wire import StoredAlertWire

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from matcher.records import Alert
    from matcher.service.keeping.archive import Archive

__all__ = ["AlertStore"]

_SELECT = (
    "SELECT number, alert_id, unix_ns, delete_after_unix_ns, content, decision, "
    "reviewer FROM alerts"
)
# Integers of SQLite have 63 bits and a sign.
_LARGEST = 2**63 - 1


class AlertStore:
    """The alerts of one archive.

    Args:
        archive: Where they are.
        kept_s: For how long.
        unix_clock: Nanoseconds since 1970.
    """

    def __init__(
        self, archive: Archive, *, kept_s: float, unix_clock: Callable[[], int]
    ) -> None:
        self._archive = archive
        self._kept_ns = round(kept_s * 1e9)
        self._unix_clock = unix_clock

    def add(
        self,
        alerts: Sequence[Alert],
        *,
        watchlist: str,
        version: int,
        actor: str,
    ) -> list[StoredAlertWire]:
        """Keep alerts that were raised; they are on disk when this returns.

        Args:
            alerts: As raised.
            watchlist: Which was searched.
            version: Of it.
            actor: Who posted the frame.
        """
        now_ns = self._unix_clock()
        with self._archive.change() as change:
            return [
                self._insert(
                    change.database,
                    alert,
                    {"watchlist": watchlist, "watchlist_version": version},
                    now_ns=now_ns,
                    record=lambda data: change.record(
                        Entry(event="alert", actor=actor, data=data, unix_ns=now_ns)
                    ),
                )
                for alert in alerts
            ]

    def _insert(
        self,
        database: sqlite3.Connection,
        alert: Alert,
        searched: dict[str, object],
        *,
        now_ns: int,
        record: Callable[[dict[str, object]], None],
    ) -> StoredAlertWire:
        alert_id, salt = uuid.uuid4().hex, secrets.token_hex(32)
        content = json.dumps(
            {
                "camera_id": alert.camera_id,
                "frame_index": alert.frame_index,
                "track_id": alert.track_id,
                "subject_id": alert.subject_id,
                "comparison_score": alert.comparison_score,
                "threshold": alert.threshold,
                "box_xyxy": alert.box_xyxy,
                "capture_time_ns": alert.capture_time_ns,
                **searched,
            },
            sort_keys=True,
        )
        database.execute(
            "INSERT INTO alerts (alert_id, unix_ns, delete_after_unix_ns, content, "
            "salt) VALUES (?, ?, ?, ?, ?)",
            (alert_id, now_ns, now_ns + self._kept_ns, content, salt),
        )
        commitment = hashlib.sha256((salt + content).encode()).hexdigest()
        record({"alert_id": alert_id, "commitment": commitment, **searched})
        return _get(database, alert_id)

    def get(self, alert_id: str) -> StoredAlertWire:
        """Return one alert.

        Raises:
            RefusedError: If there is none of that name, or its time is over.
        """
        with self._archive.reading() as database:
            alert = _get(database, alert_id)
        if alert.delete_after_unix_ns <= self._unix_clock():
            raise _gone(alert_id)
        return alert

    def page(self, *, after: int, limit: int) -> list[StoredAlertWire]:
        """Return alerts whose number is above `after`, oldest first."""
        with self._archive.reading() as database:
            rows = database.execute(
                f"{_SELECT} WHERE number > ? AND delete_after_unix_ns > ? "
                "ORDER BY number LIMIT ?",
                (min(after, _LARGEST), self._unix_clock(), limit),
            ).fetchall()
        return [_stored(row) for row in rows]

    def newest(self) -> int:
        """Return the number of the newest alert there ever was; 0 if none."""
        with self._archive.reading() as database:
            row = database.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = 'alerts'"
            ).fetchone()
        return 0 if row is None else int(row[0])

    def decide(
        self, alert_id: str, *, decision: str, reviewer: str, note: str, actor: str
    ) -> StoredAlertWire:
        """Keep what a person made of an alert.

        Raises:
            RefusedError: If there is no such alert, or somebody has decided on it.
        """
        self.get(alert_id)
        with self._archive.change() as change:
            found = change.database.execute(
                "UPDATE alerts SET decision = ?, reviewer = ? "
                "WHERE alert_id = ? AND decision IS NULL",
                (decision, reviewer, alert_id),
            )
            if found.rowcount == 0:
                raise RefusedError(
                    HTTPStatus.CONFLICT,
                    "decided",
                    f"an alert must be open to be decided on, got {alert_id!r}, on "
                    "which somebody has decided; GET it to see who",
                )
            change.record(
                Entry(
                    event="decision",
                    actor=actor,
                    data={
                        "alert_id": alert_id,
                        "decision": decision,
                        "reviewer": reviewer,
                        "note": note,
                    },
                    unix_ns=self._unix_clock(),
                )
            )
            return _get(change.database, alert_id)

    def delete_over(self) -> int:
        """Delete alerts whose time is over, without a trace; return how many."""
        now_ns = self._unix_clock()
        with self._archive.reading() as database:
            (n_over,) = database.execute(
                "SELECT COUNT(*) FROM alerts WHERE delete_after_unix_ns <= ?",
                (now_ns,),
            ).fetchone()
        if n_over == 0:
            return 0
        with self._archive.change() as change:
            deleted = change.database.execute(
                "DELETE FROM alerts WHERE delete_after_unix_ns <= ?", (now_ns,)
            ).rowcount
            change.record(
                Entry(
                    event="alerts_deleted",
                    actor="service",
                    data={"n_alerts": deleted},
                    unix_ns=now_ns,
                )
            )
        self._archive.settle()
        return deleted


def _get(database: sqlite3.Connection, alert_id: str) -> StoredAlertWire:
    row = database.execute(f"{_SELECT} WHERE alert_id = ?", (alert_id,)).fetchone()
    if row is None:
        raise _gone(alert_id)
    return _stored(row)


def _gone(alert_id: str) -> RefusedError:
    return RefusedError(
        HTTPStatus.NOT_FOUND,
        "not_found",
        f"an alert must be kept to be read, got {alert_id!r}; there was none of that "
        "name, or its time is over",
    )


def _stored(
    row: tuple[int, str, int, int, str, str | None, str | None],
) -> StoredAlertWire:
    number, alert_id, unix_ns, delete_after_unix_ns, content, decision, reviewer = row
    return StoredAlertWire.model_validate(
        {
            "alert_id": alert_id,
            "number": number,
            "unix_ns": unix_ns,
            "delete_after_unix_ns": delete_after_unix_ns,
            **json.loads(content),
            "decision": decision,
            "reviewer": reviewer,
        }
    )
