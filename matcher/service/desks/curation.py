"""Watchlists changed while they are searched.

Owns the order of a change: templates first, then the disk, then the running search.
So whatever is searched is on disk, and a crash leaves nothing behind that was not
promised. Changes go one at a time. Knows nothing of HTTP but the words of a refusal.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import numpy as np

from lfr_errors import BadInputError
from matcher.gallery import mean_templates
from matcher.photos import NoTemplate
from matcher.service.desks.matching import no_template
from matcher.service.keeping.watchlist_rows import Activation, exists
from matcher.service.lanes.watch import (
    make_watch,
    with_enrolled,
    with_threshold,
    without,
)
from matcher.service.refusals import RefusedError
from matcher.service.wire import (
    ActiveWatchlistWire,
    EnrolmentWire,
    FailureWire,
    WithdrawalWire,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from matcher.config import MatcherConfig
    from matcher.records import SubjectId
    from matcher.service.desks.matching import Matching
    from matcher.service.keeping.keeper import Keeper
    from matcher.service.keeping.watchlist_store import WatchlistStore
    from matcher.service.lanes.watch import CurrentWatch, Watch

__all__ = ["Curation", "NewSubject", "active_wire"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NewSubject:
    """Somebody to enrol, by pictures or by a template.

    Attributes:
        subject_id: Who.
        pictures: JPEG or PNG files; none if there is a template.
        template: (d,) float32, unit length; None if there are pictures.
    """

    subject_id: SubjectId
    pictures: tuple[bytes, ...]
    template: NDArray[np.float32] | None


class Curation:
    """Changes watchlists, and what is searched.

    Args:
        store: Where watchlists are kept.
        keeper: Writes.
        matching: Makes templates of pictures.
        config: The matcher's settings.
        current: What is searched.
    """

    def __init__(
        self,
        store: WatchlistStore,
        keeper: Keeper,
        matching: Matching,
        config: MatcherConfig,
        current: CurrentWatch,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._matching = matching
        self._config = config
        self._current = current
        self._changing = asyncio.Lock()

    async def delete(self, name: str, *, actor: str) -> None:
        """Delete a watchlist.

        Raises:
            RefusedError: If there is none of that name, or it is active.
        """
        async with self._changing:
            await self._keeper.run(lambda: self._store.delete(name, actor=actor))

    async def enrol(
        self, name: str, subjects: Sequence[NewSubject], *, actor: str
    ) -> EnrolmentWire:
        """Enrol subjects in one change; those whose pictures show nobody are failures.

        Raises:
            RefusedError: If there is no such watchlist, a subject is on it already or
                comes twice, or nobody could be enrolled.
        """
        counts = Counter(subject.subject_id for subject in subjects)
        twice = [subject_id for subject_id, n in counts.items() if n > 1]
        if twice:
            raise exists(twice[0], name)
        await self._keeper.run(lambda: self._store.get(name))
        ids, rows, failures = await self._templates(subjects)
        async with self._changing:
            changed = await self._keeper.run(
                lambda: self._store.enrol(name, ids, rows, actor=actor)
            )
            await self._renew(
                name,
                lambda watch: with_enrolled(watch, ids, rows, version=changed.version),
            )
        return EnrolmentWire(
            name=name,
            version=changed.version,
            n_subjects=changed.n_subjects,
            n_enrolled=len(ids),
            failures=failures,
        )

    async def replace(
        self,
        name: str,
        subjects: Sequence[NewSubject],
        *,
        origin: str,
        actor: str,
        progress: Callable[[int], None],
    ) -> EnrolmentWire:
        """Let a watchlist, new or not, hold these subjects and no others.

        Args:
            name: Of the watchlist.
            subjects: Different ones.
            origin: What they come from.
            actor: Who wants it.
            progress: Told how many pictures are done.

        Raises:
            RefusedError: If nobody could be enrolled.
        """
        ids, rows, failures = await self._templates(subjects, progress=progress)
        async with self._changing:
            changed = await self._keeper.run(
                lambda: self._store.replace(name, ids, rows, origin=origin, actor=actor)
            )
        return EnrolmentWire(
            name=name,
            version=changed.version,
            n_subjects=changed.n_subjects,
            n_enrolled=len(ids),
            failures=failures,
        )

    async def withdraw(
        self, name: str, subject_ids: Sequence[SubjectId], *, actor: str
    ) -> WithdrawalWire:
        """Withdraw subjects, all or nobody.

        Raises:
            RefusedError: If one is not on the watchlist, is named twice, or is the last
                of the active one.
        """
        async with self._changing:
            changed = await self._keeper.run(
                lambda: self._store.withdraw(name, subject_ids, actor=actor)
            )
            await self._renew(
                name,
                lambda watch: without(watch, subject_ids, version=changed.version),
            )
        return WithdrawalWire(
            name=name,
            version=changed.version,
            n_subjects=changed.n_subjects,
            n_withdrawn=len(subject_ids),
        )

    async def activate(
        self, activation: Activation, *, actor: str
    ) -> ActiveWatchlistWire:
        """Search another watchlist from the next frame on.

        Raises:
            RefusedError: If there is none of that name, it is empty, or no threshold
                can be found for it.
        """
        async with self._changing:
            previous = self._current.watch
            watch = await asyncio.to_thread(self._make_watch, activation)
            await self._keeper.run(
                lambda: self._store.activate(
                    activation,
                    actor=actor,
                    threshold=watch.threshold.value,
                    origin=watch.threshold.origin,
                )
            )
            self._current.watch = watch
        return active_wire(watch, previous=None if previous is None else previous.name)

    async def resume(self) -> Watch | None:
        """Search what was active when the service last stopped, if it still can be."""
        activation = await self._keeper.run(self._store.active)
        if activation is not None:
            try:
                self._current.watch = await asyncio.to_thread(self._build, activation)
            except BadInputError as error:
                _LOG.warning("watchlist %s is not searched: %s", activation.name, error)
        return self._current.watch

    async def _templates(
        self,
        subjects: Sequence[NewSubject],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> tuple[tuple[SubjectId, ...], NDArray[np.float32], tuple[FailureWire, ...]]:
        """Turn pictures into templates; keep the order in which subjects came.

        Returns:
            Who can be enrolled, their templates (m, d), and who cannot.

        Raises:
            RefusedError: If nobody can.
        """
        pictures = [(s.subject_id, file) for s in subjects for file in s.pictures]
        read = await self._matching.templates(
            [file for _, file in pictures], progress=progress
        )
        made: dict[SubjectId, list[NDArray[np.float32]]] = {}
        causes: dict[SubjectId, NoTemplate] = {}
        for (subject_id, _), found in zip(pictures, read, strict=True):
            if isinstance(found, NoTemplate):
                causes[subject_id] = found
            else:
                made.setdefault(subject_id, []).append(found.template)
        templates: dict[SubjectId, NDArray[np.float32]] = {}
        for subject in subjects:
            subject_id = subject.subject_id
            if subject.template is not None:
                templates[subject_id] = subject.template
            elif rows := made.get(subject_id):
                means, _ = mean_templates(np.stack(rows), [subject_id] * len(rows))
                templates[subject_id] = means[0]
        failures = tuple(
            FailureWire(subject_id=subject_id, cause=found.cause)
            for subject_id, found in causes.items()
            # One picture with a face is enough.
            if subject_id not in templates
        )
        if not templates:
            subject_id, first = next(iter(causes.items()))
            raise no_template(first, f"of {subject_id!r}")
        return tuple(templates), np.stack(list(templates.values())), failures

    async def _renew(self, name: str, change: Callable[[Watch], Watch]) -> None:
        """Let the running search know of a change to its watchlist."""
        watch = self._current.watch
        if watch is None or watch.name != name:
            return
        try:
            renewed = await asyncio.to_thread(change, watch)
        except BadInputError:
            _LOG.exception("watchlist %s is searched anew, as it is on disk", name)
            renewed = await asyncio.to_thread(self._rebuilt, name)
        else:
            if renewed.is_overgrown:
                renewed = await asyncio.to_thread(self._rebuilt, name)
        self._current.watch = renewed

    def _rebuilt(self, name: str) -> Watch:
        active = self._store.active()
        if active is None or active.name != name:
            message = f"watchlist {name!r} must be active to be searched"
            raise RuntimeError(message)
        return self._build(active)

    def _build(self, activation: Activation) -> Watch:
        return make_watch(
            self._store.gallery(activation.name),
            with_threshold(
                self._config,
                threshold=activation.threshold,
                target_fpir=activation.target_fpir,
            ),
            name=activation.name,
            version=self._store.get(activation.name).version,
        )

    def _make_watch(self, activation: Activation) -> Watch:
        try:
            return self._build(activation)
        except RefusedError:
            raise
        except BadInputError as error:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", str(error)
            ) from error


def active_wire(watch: Watch, *, previous: str | None) -> ActiveWatchlistWire:
    """Say what is searched."""
    return ActiveWatchlistWire(
        name=watch.name,
        version=watch.version,
        n_subjects=len(watch.live),
        index=watch.index,
        threshold=watch.threshold.value,
        threshold_origin=watch.threshold.origin,
        n_cohort=watch.threshold.n_cohort,
        previous=previous,
    )
