"""Watchlists on disk: who is on which, with which template, and which is active.

Owns their rows and the refusals that follow from what is there. Each change is one
transaction with its audit entry: after a crash a watchlist is as it was before the
change or as it is after, never between. Knows nothing of pictures or of searching.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import numpy as np

from matcher.gallery import Gallery
from matcher.records import SubjectId
from matcher.service.keeping.audit_chain import Entry
from matcher.service.keeping.watchlist_rows import (
    SELECT,
    Activation,
    Watchlist,
    active_row,
    get_row,
    insert_rows,
    next_version,
    number_of,
    watchlist_of,
)
from matcher.service.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from matcher.service.keeping.archive import Archive

__all__ = ["WatchlistStore"]


class WatchlistStore:
    """The watchlists of one archive.

    Args:
        archive: Where they are.
        embedder_sha256: Of the embedder in use.
        dimension: Of its templates.
        unix_clock: Nanoseconds since 1970.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        embedder_sha256: str,
        dimension: int,
        unix_clock: Callable[[], int],
    ) -> None:
        self._archive = archive
        self._embedder_sha256 = embedder_sha256
        self._dimension = dimension
        self._unix_clock = unix_clock

    def list_all(self) -> list[Watchlist]:
        """Return all watchlists, by name."""
        with self._archive.reading() as database:
            rows = database.execute(f"{SELECT} GROUP BY w.name ORDER BY w.name")
            return [watchlist_of(row) for row in rows.fetchall()]

    def get(self, name: str) -> Watchlist:
        """Return one watchlist.

        Raises:
            RefusedError: If there is none of that name.
        """
        with self._archive.reading() as database:
            return get_row(database, name)

    def subjects(self, name: str, *, after: str | None, limit: int) -> list[SubjectId]:
        """Return a page of subjects, in order of enrolment.

        Raises:
            RefusedError: If there is no such watchlist, or `after` is not on it.
        """
        with self._archive.reading() as database:
            get_row(database, name)
            first = 0
            if after is not None:
                first = number_of(database, name, after)
            rows = database.execute(
                "SELECT subject_id FROM subjects WHERE watchlist = ? AND number > ? "
                "ORDER BY number LIMIT ?",
                (name, first, limit),
            )
            return [SubjectId(subject_id) for (subject_id,) in rows.fetchall()]

    def gallery(self, name: str) -> Gallery:
        """Return a watchlist as what is searched.

        Raises:
            RefusedError: If there is none of that name, or nobody is on it.
        """
        with self._archive.reading() as database:
            watchlist = get_row(database, name)
            rows = database.execute(
                "SELECT subject_id, template FROM subjects WHERE watchlist = ? "
                "ORDER BY number",
                (name,),
            ).fetchall()
        if not rows:
            raise RefusedError(
                HTTPStatus.CONFLICT,
                "empty",
                f"a watchlist must hold somebody to be searched, got nobody on "
                f"{name!r}; enrol at least one subject",
            )
        templates = np.frombuffer(b"".join(t for _, t in rows), "<f4")
        return Gallery(
            templates=templates.reshape(len(rows), -1).astype(np.float32),
            subject_ids=tuple(SubjectId(subject_id) for subject_id, _ in rows),
            embedder_sha256=watchlist.embedder_sha256,
        )

    def create(self, name: str, *, actor: str, origin: str = "") -> Watchlist:
        """Make an empty watchlist.

        Raises:
            RefusedError: If there is one of that name.
        """
        with self._archive.change() as change:
            found = change.database.execute(
                "INSERT OR IGNORE INTO watchlists VALUES (?, 1, ?, ?, ?)",
                (name, origin, self._embedder_sha256, self._dimension),
            )
            if found.rowcount == 0:
                raise RefusedError(
                    HTTPStatus.CONFLICT,
                    "exists",
                    f"a watchlist's name must be new, got {name!r}; choose another "
                    "or delete that one",
                )
            change.record(self._entry("watchlist_created", actor, {"watchlist": name}))
            return get_row(change.database, name)

    def delete(self, name: str, *, actor: str) -> None:
        """Delete a watchlist with all templates.

        Raises:
            RefusedError: If there is none of that name, or it is active.
        """
        with self._archive.change() as change:
            watchlist = get_row(change.database, name)
            active = active_row(change.database)
            if active is not None and active.name == name:
                raise RefusedError(
                    HTTPStatus.CONFLICT,
                    "active",
                    f"a watchlist must not be in use to be deleted, got {name!r}, "
                    "which is active; activate another first",
                )
            change.database.execute("DELETE FROM watchlists WHERE name = ?", (name,))
            change.record(
                self._entry(
                    "watchlist_deleted",
                    actor,
                    {"watchlist": name, "n_subjects": watchlist.n_subjects},
                )
            )
        # Templates must not live on in SQLite's own log.
        self._archive.settle()

    def enrol(
        self,
        name: str,
        subject_ids: Sequence[SubjectId],
        templates: NDArray[np.float32],
        *,
        actor: str,
    ) -> Watchlist:
        """Enrol subjects with a template (m, d) each, all or nobody.

        Raises:
            RefusedError: If there is no such watchlist, or somebody is on it already.
        """
        with self._archive.change() as change:
            self._check_embedder(get_row(change.database, name))
            insert_rows(change.database, name, subject_ids, templates)
            watchlist = next_version(change.database, name)
            change.record(
                self._entry(
                    "enrolled",
                    actor,
                    {
                        "watchlist": name,
                        "version": watchlist.version,
                        "subject_ids": list(subject_ids),
                    },
                )
            )
            return watchlist

    def replace(
        self,
        name: str,
        subject_ids: Sequence[SubjectId],
        templates: NDArray[np.float32],
        *,
        origin: str,
        actor: str,
    ) -> Watchlist:
        """Let a watchlist, new or not, hold these subjects and no others."""
        with self._archive.change() as change:
            change.database.execute(
                "INSERT INTO watchlists VALUES (?, 0, ?, ?, ?) ON CONFLICT (name) "
                "DO UPDATE SET origin = excluded.origin, "
                "embedder_sha256 = excluded.embedder_sha256, "
                "dimension = excluded.dimension",
                (name, origin, self._embedder_sha256, self._dimension),
            )
            change.database.execute("DELETE FROM subjects WHERE watchlist = ?", (name,))
            insert_rows(change.database, name, subject_ids, templates)
            watchlist = next_version(change.database, name)
            change.record(
                self._entry(
                    "replaced",
                    actor,
                    {
                        "watchlist": name,
                        "version": watchlist.version,
                        "origin": origin,
                        "subject_ids": list(subject_ids),
                    },
                )
            )
        self._archive.settle()
        return watchlist

    def withdraw(
        self, name: str, subject_ids: Sequence[SubjectId], *, actor: str
    ) -> Watchlist:
        """Withdraw subjects and their templates, all or nobody.

        Raises:
            RefusedError: If one is not on the watchlist, is named twice, or is the last
                of the active one.
        """
        with self._archive.change() as change:
            get_row(change.database, name)
            for subject_id in subject_ids:
                change.database.execute(
                    "DELETE FROM subjects WHERE number = ?",
                    (number_of(change.database, name, subject_id),),
                )
            watchlist = next_version(change.database, name)
            active = active_row(change.database)
            if watchlist.n_subjects == 0 and active is not None and active.name == name:
                raise RefusedError(
                    HTTPStatus.CONFLICT,
                    "empty",
                    f"the active watchlist must hold somebody, got a withdrawal of all "
                    f"of {name!r}; activate another first",
                )
            change.record(
                self._entry(
                    "withdrawn",
                    actor,
                    {
                        "watchlist": name,
                        "version": watchlist.version,
                        "subject_ids": list(subject_ids),
                    },
                )
            )
        self._archive.settle()
        return watchlist

    def active(self) -> Activation | None:
        """Return which watchlist is searched; None if none is."""
        with self._archive.reading() as database:
            return active_row(database)

    def activate(
        self, activation: Activation, *, actor: str, threshold: float, origin: str
    ) -> None:
        """Remember which watchlist is searched.

        Args:
            activation: What was asked for.
            actor: By whom.
            threshold: That came of it.
            origin: How it came about.

        Raises:
            RefusedError: If there is no such watchlist.
        """
        with self._archive.change() as change:
            watchlist = get_row(change.database, activation.name)
            before = active_row(change.database)
            change.database.execute(
                "INSERT OR REPLACE INTO active VALUES (1, ?, ?, ?)",
                (activation.name, activation.threshold, activation.target_fpir),
            )
            change.record(
                self._entry(
                    "activated",
                    actor,
                    {
                        "watchlist": watchlist.name,
                        "version": watchlist.version,
                        "n_subjects": watchlist.n_subjects,
                        "previous": None if before is None else before.name,
                        "threshold": threshold,
                        "threshold_origin": origin,
                    },
                )
            )

    def _check_embedder(self, watchlist: Watchlist) -> None:
        if watchlist.embedder_sha256 != self._embedder_sha256:
            raise RefusedError(
                HTTPStatus.CONFLICT,
                "other_embedder",
                f"a watchlist must be of the embedder in use, got {watchlist.name!r} "
                f"of {watchlist.embedder_sha256[:12]}; enrol its subjects on a new one",
            )

    def _entry(self, event: str, actor: str, data: dict[str, object]) -> Entry:
        return Entry(event=event, actor=actor, data=data, unix_ns=self._unix_clock())
