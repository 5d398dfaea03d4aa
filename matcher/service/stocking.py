"""A watchlist brought along when a service starts.

Owns when it is enrolled and when it is already there: a folder that has not changed is
not enrolled again. Knows nothing of folders' forms.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.service.desks.curation import NewSubject
from matcher.service.desks.watchlist_folder import WatchlistFolderError
from matcher.service.gate.access import LOCAL
from matcher.service.gate.pictures import check_still
from matcher.service.keeping.watchlist_rows import Activation
from matcher.service.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from matcher.service.desks.watchlist_folder import WatchlistFolder
    from matcher.service.keeping.watchlist_rows import Watchlist
    from matcher.service.service import Service
    from matcher.service.wire import EnrolmentWire

__all__ = ["stock"]


async def stock(
    service: Service,
    folder: WatchlistFolder,
    *,
    name: str,
    progress: Callable[[str, int, int], None],
) -> EnrolmentWire | None:
    """Enrol a folder under a name and search it; return what came of it.

    A watchlist of that name made of another folder, or of the same with other
    pictures, is replaced, in one change.

    Args:
        service: Running.
        folder: Subjects and pictures.
        name: Of the watchlist.
        progress: Told the task, how many pictures are done, and of how many.

    Returns:
        The enrolment; None if the watchlist was there already.

    Raises:
        WatchlistFolderError: If nobody could be enrolled, or the threshold not found.
    """
    curation, keeper, store = service.curation, service.keeper, service.watchlists
    known = {w.name: w for w in await keeper.run(store.list_all)}
    enrolled = None
    try:
        if not _is_there(service, known.get(name), folder):
            n = sum(len(paths) for paths in folder.pictures.values())
            progress("enrol watchlist", 0, n)
            enrolled = await curation.replace(
                name,
                _subjects(service, folder),
                origin=folder.sha256,
                actor=LOCAL,
                progress=lambda done: progress("enrol watchlist", done, n),
            )
        activation = Activation(name=name, threshold=None, target_fpir=None)
        active = await keeper.run(store.active)
        if active is None or active.name != name or enrolled is not None:
            await curation.activate(activation, actor=LOCAL)
    except RefusedError as error:
        if error.status is HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        message = f"watchlist {name!r} cannot be searched: {error.detail}"
        raise WatchlistFolderError(message) from error
    return enrolled


def _is_there(
    service: Service, known: Watchlist | None, folder: WatchlistFolder
) -> bool:
    """Say whether a watchlist was made of this folder, by the embedder in use."""
    return (
        known is not None
        and known.origin == folder.sha256
        and known.embedder_sha256 == service.stages.embedder_sha256
    )


def _subjects(service: Service, folder: WatchlistFolder) -> list[NewSubject]:
    subjects = []
    for subject_id, paths in folder.pictures.items():
        contents = tuple(path.read_bytes() for path in paths)
        for content in contents:
            check_still(content, service.config.limits)
        subjects.append(
            NewSubject(subject_id=subject_id, pictures=contents, template=None)
        )
    return subjects
