"""Cameras that the service reads itself: their frames go the way of posted ones.

Owns the step from a camera's thread into the event loop, and what a full house means
to a stream: frames up to the next key frame are dropped with the refused one. Knows
nothing of how a stream is read (`matcher.streams`) or of what becomes of frames.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from matcher.service.desks.matching import Arrival
from matcher.service.errors import AuditUnavailableError
from matcher.service.gate.access import SERVICE
from matcher.service.refusals import RefusedError
from matcher.streams.room import open_cameras

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from prometheus_client.metrics_core import Metric

    from matcher.records import CameraId, EncodedFrame
    from matcher.service.service import Service
    from matcher.streams.config import StreamConfig
    from matcher.streams.room import CameraRoom

__all__ = ["CameraDesk", "reading_cameras"]

_LOG = logging.getLogger(__name__)
# Frames of one camera under way: the lane's own policy skips those that are overtaken;
# this only bounds what can pile up before it.
_MOST_UNDER_WAY = 16
# The threads end with the process; those that read look up with the next frame.
_PATIENCE_S = 1.0
_FULL = "full"


class CameraDesk:
    """Takes frames from cameras' threads, and hands them to the lane.

    Args:
        service: Running, in the loop that is running now.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loop = asyncio.get_running_loop()
        # Written by the loop's thread alone; read by the cameras'.
        self._under_way: Counter[CameraId] = Counter()
        self._is_broken: dict[CameraId, bool] = {}
        self._refusals: Counter[str] = Counter()

    @property
    def refusals(self) -> dict[str, int]:
        """How many frames were refused, by the word for why."""
        return dict(self._refusals)

    def deliver(self, frame: EncodedFrame, received_ns: int) -> bool:
        """Take a frame, on its camera's thread; say whether it was taken."""
        camera_id = frame.camera_id
        if self._is_broken.pop(camera_id, False):
            return False
        if self._under_way[camera_id] >= _MOST_UNDER_WAY:
            return False
        self._loop.call_soon_threadsafe(self._begin, frame, received_ns)
        return True

    def _begin(self, frame: EncodedFrame, received_ns: int) -> None:
        self._under_way[frame.camera_id] += 1
        task = self._loop.create_task(self._bring_to_its_end(frame, received_ns))
        task.add_done_callback(lambda _: self._ended(frame.camera_id))

    def _ended(self, camera_id: CameraId) -> None:
        self._under_way[camera_id] -= 1

    async def _bring_to_its_end(self, frame: EncodedFrame, received_ns: int) -> None:
        service = self._service
        if service.load.is_draining:
            return
        try:
            with service.load.frames.one():
                await service.matching.frame(
                    Arrival(
                        camera_id=frame.camera_id,
                        packet=frame.packet,
                        received_ns=received_ns,
                        actor=SERVICE,
                        frame_index=frame.index,
                        capture_time_ns=frame.capture_time_ns,
                    )
                )
        except RefusedError as refused:
            self._refusals[refused.code] += 1
            if refused.code == _FULL:
                # The decoder has not seen it: what builds on it would show nothing.
                self._is_broken[frame.camera_id] = True
            _LOG.info("camera %s: frame refused: %s", frame.camera_id, refused)
        except AuditUnavailableError as error:
            self._refusals["audit_unavailable"] += 1
            _LOG.warning("camera %s: %s", frame.camera_id, error)


class _StreamCounts(Collector):
    """All cameras' counts as one counter; no camera stands on the page."""

    def __init__(self, room: CameraRoom) -> None:
        self._room = room

    def collect(self) -> Iterable[Metric]:
        """Add up what has become of the streams."""
        family = CounterMetricFamily(
            "lfr_stream_events",
            "What has happened on the cameras that the service reads.",
            labels=("event",),
        )
        counts = self._room.counts
        for event in (
            "frames",
            "refused",
            "before_key",
            "missing",
            "connections",
            "failures",
            "stalls",
            "ends",
            "clock_jumps",
            "size_changes",
        ):
            total = sum(getattr(each, f"n_{event}") for each in counts)
            family.add_metric((event,), total)
        return [family]


@asynccontextmanager
async def reading_cameras(
    service: Service, streams: Sequence[StreamConfig]
) -> AsyncIterator[CameraDesk]:
    """Read cameras, beside whatever is posted, until the block ends.

    Args:
        service: Running.
        streams: One a camera; none reads none.

    Raises:
        StreamError: If two cameras have one name.
    """
    desk = CameraDesk(service)
    if not streams:
        yield desk
        return
    with open_cameras(
        streams,
        deliver=desk.deliver,
        clock=service.clocks.monotonic_ns,
        patience_s=_PATIENCE_S,
    ) as room:
        collector = _StreamCounts(room)
        service.metrics.registry.register(collector)
        try:
            yield desk
        finally:
            service.metrics.registry.unregister(collector)
