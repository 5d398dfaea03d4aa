"""A service put together: every part made once, before those that need it.

Owns the wiring, the start and the end, and what is done now and then. Knows nothing of
HTTP.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matcher.service.desks.alert_desk import AlertDesk
from matcher.service.desks.curation import Curation
from matcher.service.desks.matching import Matching
from matcher.service.errors import AuditUnavailableError
from matcher.service.gate.access import SERVICE, Access
from matcher.service.gate.gate import Load
from matcher.service.gate.tokens import read_tokens
from matcher.service.keeping.alert_store import AlertStore
from matcher.service.keeping.archive import Archive
from matcher.service.keeping.audit_chain import Entry
from matcher.service.keeping.keeper import Keeper
from matcher.service.keeping.watchlist_store import WatchlistStore
from matcher.service.lanes.frame_lane import FrameLane
from matcher.service.lanes.photo_lane import PhotoLane
from matcher.service.lanes.watch import CurrentWatch
from matcher.service.metrics import Metrics
from matcher.stills import PostedDecoder
from matcher.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from matcher.config import MatcherConfig
    from matcher.service.clocks import Clocks
    from matcher.service.config import ServiceConfig
    from matcher.service.lanes.stages import Stages
    from matcher.service.lanes.watch import Watch

__all__ = ["Service", "make_service", "running"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Service:
    """All parts of one service.

    Attributes:
        config: Of the service.
        matcher: Of the matcher.
        stages: The networks.
        clocks: What time it is.
        metrics: What is counted.
        access: Who may.
        load: What is under way.
        archive: What outlives the process.
        keeper: Who writes.
        watchlists: As they are kept.
        desk: Where alerts go.
        matching: Frames and pictures in, answers out.
        curation: Watchlists changed.
        current: What is searched.
    """

    config: ServiceConfig
    matcher: MatcherConfig
    stages: Stages
    clocks: Clocks
    metrics: Metrics
    access: Access
    load: Load
    archive: Archive
    keeper: Keeper
    watchlists: WatchlistStore
    desk: AlertDesk
    matching: Matching
    curation: Curation
    current: CurrentWatch

    @property
    def is_ready(self) -> bool:
        """Whether a frame would be taken."""
        return (
            self.current.watch is not None
            and not self.load.is_draining
            and self.archive.log.is_writable
        )


def make_service(
    config: ServiceConfig,
    matcher: MatcherConfig,
    stages: Stages,
    *,
    data: Path,
    clocks: Clocks,
) -> Service:
    """Put a service together; nothing runs yet.

    Raises:
        BadInputError: If tokens or data cannot be used.
    """
    tokens = None if config.token_file is None else read_tokens(config.token_file)
    metrics, load, current = Metrics(), Load(config), CurrentWatch()
    archive = Archive(data)
    keeper = Keeper(archive)
    watchlists = WatchlistStore(
        archive,
        embedder_sha256=stages.embedder_sha256,
        dimension=stages.dimension,
        unix_clock=clocks.unix_ns,
    )
    alerts = AlertStore(
        archive, kept_s=config.privacy.alerts_kept_s, unix_clock=clocks.unix_ns
    )
    desk = AlertDesk(alerts, keeper, metrics)
    worker = Worker(
        stages.pipeline,
        clock=clocks.monotonic_ns,
        make_decoder=lambda: PostedDecoder(max_pixels=config.limits.max_pixels),
    )
    matching = Matching(
        frame_lane=FrameLane(
            worker,
            stages.pipeline,
            current=current,
            frames=config.frames,
            engine=matcher.engine,
            clock=clocks.monotonic_ns,
            took=load.frames.took,
            restarted=metrics.camera_restarts.inc,
        ),
        photo_lane=PhotoLane(
            stages.reader,
            config.photos,
            took=load.photos.took,
            batched=metrics.photo_batch.observe,
        ),
        desk=desk,
        keeper=keeper,
        config=config,
        clocks=clocks,
        metrics=metrics,
        current=current,
    )
    service = Service(
        config=config,
        matcher=matcher,
        stages=stages,
        clocks=clocks,
        metrics=metrics,
        access=Access(tokens, host=config.host),
        load=load,
        archive=archive,
        keeper=keeper,
        watchlists=watchlists,
        desk=desk,
        matching=matching,
        curation=Curation(watchlists, keeper, matching, matcher, current),
        current=current,
    )
    metrics.watch_gauges(_gauges(service))
    return service


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """Run a service until the block ends; then end what is under way and close.

    Raises:
        BadInputError: If the active watchlist cannot be searched with these settings.
    """
    service.keeper.start()
    service.matching.start()
    try:
        await service.keeper.run(lambda: _record_settings(service))
        await service.curation.resume()
        sweeper = asyncio.create_task(_sweep(service))
        try:
            yield
        finally:
            sweeper.cancel()
            service.desk.close()
            if service.archive.log.is_writable:
                await service.keeper.note(_entry(service, "stopped", {}))
    finally:
        await asyncio.to_thread(service.matching.stop)
        await asyncio.to_thread(service.keeper.stop)
        service.archive.close()


async def _sweep(service: Service) -> None:
    """Now and then, let go of what is over."""
    while True:
        try:
            await service.desk.sweep()
            await service.matching.drop_idle()
            await service.keeper.run(service.archive.settle)
        except AuditUnavailableError:
            _LOG.exception("nothing can be deleted while it cannot be recorded")
        await asyncio.sleep(service.config.privacy.sweep_s)


def _record_settings(service: Service) -> None:
    """Record that the service starts, and which settings are others than before."""
    now = _flat(
        {
            "service": json.loads(service.config.model_dump_json()),
            "matcher": json.loads(service.matcher.model_dump_json()),
        }
    )
    archive = service.archive
    with archive.change() as change:
        row = change.database.execute("SELECT settings FROM configuration").fetchone()
        before = {} if row is None else json.loads(row[0])
        changed = {
            key: [before.get(key), now.get(key)]
            for key in sorted(before.keys() | now.keys())
            if before.get(key) != now.get(key)
        }
        change.database.execute(
            "INSERT OR REPLACE INTO configuration VALUES (1, ?)", (json.dumps(now),)
        )
        torn = archive.log.n_torn_bytes
        change.record(_entry(service, "started", {"n_torn_bytes": torn}))
        if changed:
            change.record(_entry(service, "configured", {"changed": changed}))


def _flat(settings: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Return settings by dotted key."""
    found: dict[str, object] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _entry(service: Service, event: str, data: dict[str, object]) -> Entry:
    return Entry(
        event=event, actor=SERVICE, data=data, unix_ns=service.clocks.unix_ns()
    )


def _gauges(service: Service) -> dict[str, tuple[str, Callable[[], float]]]:
    load, current = service.load, service.current

    def of_watch(read: Callable[[Watch], float]) -> Callable[[], float]:
        return lambda: 0.0 if current.watch is None else read(current.watch)

    return {
        "lfr_frames_under_way": (
            "Frames let in that have not ended.",
            lambda: load.frames.n_under_way,
        ),
        "lfr_photos_under_way": (
            "Pictures let in that have not ended.",
            lambda: load.photos.n_under_way,
        ),
        "lfr_held_bytes": (
            "Bodies of requests in memory.",
            lambda: load.held.n_bytes,
        ),
        "lfr_alert_streams": (
            "Open alert streams.",
            lambda: service.desk.n_listeners,
        ),
        "lfr_watchlist_subjects": (
            "Subjects on the active watchlist.",
            of_watch(lambda watch: len(watch.live)),
        ),
        "lfr_watchlist_version": (
            "Version of the active watchlist.",
            of_watch(lambda watch: watch.version),
        ),
        "lfr_threshold": (
            "Least comparison score of an alert.",
            of_watch(lambda watch: watch.threshold.value),
        ),
        "lfr_audit_entries": (
            "Lines of the audit log.",
            lambda: service.archive.log.anchor.head.number,
        ),
        "lfr_ready": ("1 if a frame would be taken.", lambda: float(service.is_ready)),
    }
