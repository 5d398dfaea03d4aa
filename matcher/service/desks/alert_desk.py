"""Where alerts go: to disk, to whoever listens, and away when their time is over.

Owns the order: first on disk, then heard of. Knows nothing of how one came about.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from matcher.records import Alert
    from matcher.service.keeping.alert_store import AlertStore
    from matcher.service.keeping.keeper import Keeper
    from matcher.service.lanes.watch import Watch
    from matcher.service.metrics import Metrics
    from matcher.service.wire import DecisionRequest, StoredAlertWire

__all__ = ["AlertDesk"]

_PAGE = 100


class AlertDesk:
    """Keeps alerts and tells of them.

    Args:
        store: Where they are kept.
        keeper: Writes.
        metrics: Counts what was deleted.
    """

    def __init__(self, store: AlertStore, keeper: Keeper, metrics: Metrics) -> None:
        self._store = store
        self._keeper = keeper
        self._metrics = metrics
        self._listeners: set[asyncio.Event] = set()
        self._is_closed = False

    @property
    def n_listeners(self) -> int:
        """Open alert streams."""
        return len(self._listeners)

    async def raise_alerts(
        self, alerts: Sequence[Alert], *, watch: Watch, actor: str
    ) -> tuple[str, ...]:
        """Keep alerts and tell of them; return their names once they are on disk.

        Raises:
            AuditUnavailableError: If the audit log cannot be written.
        """
        kept = await self._keeper.run(
            lambda: self._store.add(
                alerts, watchlist=watch.name, version=watch.version, actor=actor
            )
        )
        self._tell()
        return tuple(alert.alert_id for alert in kept)

    async def get(self, alert_id: str) -> StoredAlertWire:
        """Return one alert.

        Raises:
            RefusedError: If it is not kept.
        """
        return await self._keeper.run(lambda: self._store.get(alert_id))

    async def page(self, *, after: int, limit: int) -> list[StoredAlertWire]:
        """Return alerts whose number is above `after`, oldest first."""
        return await self._keeper.run(
            lambda: self._store.page(after=after, limit=limit)
        )

    async def decide(
        self, alert_id: str, request: DecisionRequest, *, actor: str
    ) -> StoredAlertWire:
        """Keep what a person made of an alert.

        Raises:
            RefusedError: If it is not kept, or somebody has decided on it.
        """
        return await self._keeper.run(
            lambda: self._store.decide(
                alert_id,
                decision=request.decision,
                reviewer=request.reviewer,
                note=request.note,
                actor=actor,
            )
        )

    async def sweep(self) -> None:
        """Delete what has been kept for its time."""
        n_deleted = await self._keeper.run(self._store.delete_over)
        self._metrics.alerts_deleted.inc(n_deleted)

    async def listen(
        self, *, after: int, heartbeat_s: float
    ) -> AsyncIterator[StoredAlertWire | None]:
        """Yield alerts above a number as they come; None when nothing has for a while.

        A slow listener misses nothing: alerts are read from disk at its own pace.
        """
        news = asyncio.Event()
        self._listeners.add(news)
        try:
            while not self._is_closed:
                news.clear()
                alerts = await self.page(after=after, limit=_PAGE)
                for alert in alerts:
                    yield alert
                    after = alert.number
                if not alerts and not self._is_closed:
                    try:
                        async with asyncio.timeout(heartbeat_s):
                            await news.wait()
                    except TimeoutError:
                        yield None
        finally:
            self._listeners.discard(news)

    async def newest(self) -> int:
        """Return the number after which alerts are still to come."""
        return await self._keeper.run(self._store.newest)

    def close(self) -> None:
        """Let every listener go."""
        self._is_closed = True
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener.set()
