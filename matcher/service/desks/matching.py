"""Frames and pictures in, answers out: the matcher as routes and streams see it.

Owns the way of one frame or picture through its lane, and that whatever it raises is
on disk before it is answered. Who is let in is the gate's to say, beforehand. Knows
nothing of HTTP but the words of a refusal.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.decision import is_candidate
from matcher.photos import NoTemplate
from matcher.records import CameraId, Outcome
from matcher.service.keeping.audit_chain import Entry
from matcher.service.lanes.frame_lane import FrameEnd, PostedFrame
from matcher.service.lanes.photo_lane import Found, PhotoJob, PhotoOutcome
from matcher.service.lanes.promise import Promise
from matcher.service.refusals import RefusedError
from matcher.service.wire import CandidateWire, IdentificationWire, to_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matcher.photos import PhotoTemplate
    from matcher.service.clocks import Clocks
    from matcher.service.config import ServiceConfig
    from matcher.service.desks.alert_desk import AlertDesk
    from matcher.service.keeping.keeper import Keeper
    from matcher.service.lanes.frame_lane import FrameLane
    from matcher.service.lanes.photo_lane import PhotoLane
    from matcher.service.lanes.watch import CurrentWatch, Watch
    from matcher.service.metrics import Metrics
    from matcher.service.wire import FrameResultWire

__all__ = ["Arrival", "Matching", "no_template"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival:
    """A frame that somebody sent.

    Attributes:
        camera_id: Of which camera.
        packet: A still, or an access unit of H.264.
        received_ns: When its last byte had come.
        actor: Who sent it.
        frame_index: Its number; None for one more than the camera's last.
        capture_time_ns: When it was captured; None for when it was received.
        max_age_s: Not to be begun when older; None for the settings'.
        is_unhurried: Its capture time is a time of its own, and no deadline holds.
        in_full: Answer with stage events and probes.
    """

    camera_id: CameraId
    packet: bytes
    received_ns: int
    actor: str
    frame_index: int | None = None
    capture_time_ns: int | None = None
    max_age_s: float | None = None
    is_unhurried: bool = False
    in_full: bool = False


class Matching:
    """The two lanes and what they search.

    Args:
        frame_lane, photo_lane: Where the work is done.
        desk: Where alerts go.
        keeper: Writes what is decided.
        config: Of the service.
        clocks: What time it is.
        metrics: Counts.
        current: What is searched.
    """

    def __init__(
        self,
        *,
        frame_lane: FrameLane,
        photo_lane: PhotoLane,
        desk: AlertDesk,
        keeper: Keeper,
        config: ServiceConfig,
        clocks: Clocks,
        metrics: Metrics,
        current: CurrentWatch,
    ) -> None:
        self._current = current
        self._frame_lane = frame_lane
        self._photo_lane = photo_lane
        self._desk = desk
        self._keeper = keeper
        self._config = config
        self._clocks = clocks
        self._metrics = metrics
        self._next_index: dict[CameraId, int] = {}

    def start(self) -> None:
        """Begin to work."""
        self._frame_lane.start()
        self._photo_lane.start()

    def stop(self) -> None:
        """End what is under way, then stop."""
        self._frame_lane.stop()
        self._photo_lane.stop()

    async def frame(self, arrival: Arrival) -> FrameResultWire:
        """Bring one frame to its end.

        Raises:
            RefusedError: If it is too old, no picture comes of it, or nobody is sought.
            AuditUnavailableError: If its alerts cannot be recorded.
        """
        self._required_watch()
        promise = Promise[FrameEnd]()
        self._frame_lane.submit(
            self._posted(arrival, promise), received_ns=arrival.received_ns
        )
        end = await promise.kept()
        self._metrics.frame_ended(end.result, is_too_old=end.is_too_old)
        outcome = end.result.outcome
        if end.is_too_old:
            raise self._too_old(arrival, outcome.done_ns - outcome.capture_time_ns)
        if outcome.outcome is Outcome.FAILED:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "undecodable_image",
                f"a frame must be decodable, but: {outcome.cause}; check the camera",
            )
        if outcome.outcome is Outcome.PROCESSED and not arrival.is_unhurried:
            age_ns = outcome.done_ns - outcome.capture_time_ns
            self._metrics.frame_seconds.observe(age_ns / 1e9)
        alert_ids: tuple[str, ...] = ()
        if end.result.alerts:
            alert_ids = await self._desk.raise_alerts(
                end.result.alerts, watch=end.watch, actor=arrival.actor
            )
        return to_wire(end.result, alert_ids=alert_ids, full=arrival.in_full)

    async def identify(
        self, content: bytes, *, k: int, actor: str
    ) -> IdentificationWire:
        """Search for the largest face of a picture.

        Raises:
            RefusedError: If there is no picture, no face, or nothing to search.
            AuditUnavailableError: If the decision cannot be recorded.
        """
        watch = self._required_watch()
        end = await self._photo(content, (watch, k))
        if not isinstance(end, Found):
            raise no_template(end, "to be searched for")
        threshold = watch.threshold.value
        above = is_candidate(end.scores, threshold=threshold)
        answer = IdentificationWire(
            candidates=tuple(
                CandidateWire(
                    rank=rank,
                    subject_id=subject_id,
                    comparison_score=score,
                    above_threshold=bool(is_above),
                )
                for rank, (subject_id, score, is_above) in enumerate(
                    zip(end.subject_ids, end.scores, above, strict=True), start=1
                )
            ),
            above_threshold=bool(above[0]),
            threshold=threshold,
            box_xyxy=end.photo.box_xyxy,
            n_faces=end.photo.n_faces,
            watchlist=watch.name,
            watchlist_version=watch.version,
        )
        await self._keeper.note(
            Entry(
                event="identified",
                actor=actor,
                data={
                    "watchlist": watch.name,
                    "version": watch.version,
                    "above_threshold": answer.above_threshold,
                },
                unix_ns=self._clocks.unix_ns(),
            )
        )
        self._metrics.identifications.labels(str(answer.above_threshold).lower()).inc()
        return answer

    async def templates(
        self,
        contents: Sequence[bytes],
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> list[PhotoTemplate | NoTemplate]:
        """Make templates of pictures, a batch at a time: searches go in between.

        Args:
            contents: JPEG or PNG files.
            progress: Told how many are done.
        """
        found: list[PhotoTemplate | NoTemplate] = []
        at_once = self._config.photos.max_batch
        for first in range(0, len(contents), at_once):
            ends = await asyncio.gather(
                *(self._photo(c, None) for c in contents[first : first + at_once])
            )
            found += [end for end in ends if not isinstance(end, Found)]
            progress(len(found))
        return found

    async def forget(self, camera_id: CameraId | None) -> None:
        """Know nothing of one camera, or of all."""
        if camera_id is None:
            self._next_index.clear()
        else:
            self._next_index.pop(camera_id, None)
        await asyncio.wrap_future(self._frame_lane.forget(camera_id))

    async def drop_idle(self) -> None:
        """Drop what is remembered of cameras that have fallen silent."""
        await asyncio.wrap_future(self._frame_lane.drop_idle())
        for camera_id in list(self._next_index):
            if not self._frame_lane.knows(camera_id):
                del self._next_index[camera_id]

    def _posted(self, arrival: Arrival, promise: Promise[FrameEnd]) -> PostedFrame:
        """Complete what was left out, and refuse what cannot be in time."""
        frames, camera_id = self._config.frames, arrival.camera_id
        lane = self._frame_lane
        if not lane.knows(camera_id) and lane.n_cameras >= frames.max_cameras:
            raise RefusedError(
                HTTPStatus.CONFLICT,
                "cameras",
                f"at most {frames.max_cameras} cameras can be known at a time, got "
                f"another one; DELETE /v1/cameras/{{camera_id}} forgets one, "
                f"{frames.idle_s:g} s of silence too",
            )
        capture_ns = arrival.capture_time_ns
        if capture_ns is None:
            capture_ns = arrival.received_ns
        deadline_ns = None
        if not arrival.is_unhurried:
            deadline_ns = self._deadline(arrival, capture_ns)
        index = arrival.frame_index
        if index is None:
            index = self._next_index.get(camera_id, 0)
        self._next_index[camera_id] = index + 1
        return PostedFrame(
            camera_id=camera_id,
            index=index,
            capture_time_ns=capture_ns,
            packet=arrival.packet,
            deadline_ns=deadline_ns,
            ended=promise.keep,
        )

    def _deadline(self, arrival: Arrival, capture_ns: int) -> int:
        """Return until when a frame may be begun.

        Raises:
            RefusedError: If that is over, or its capture lies in the future.
        """
        now_ns = self._clocks.monotonic_ns()
        ahead_ns = capture_ns - now_ns
        if ahead_ns > self._config.frames.max_ahead_s * 1e9:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "invalid",
                f"capture_time_ns must lie on the service's clock, got one "
                f"{ahead_ns / 1e9:.3f} s ahead; read GET /v1/clock, or post with "
                "unhurried=true",
            )
        deadline_ns = capture_ns + round(self._max_age_s(arrival) * 1e9)
        if now_ns > deadline_ns:
            self._metrics.frames.labels("too_old").inc()
            raise self._too_old(arrival, -ahead_ns)
        return deadline_ns

    def _max_age_s(self, arrival: Arrival) -> float:
        given = arrival.max_age_s
        return self._config.frames.max_age_s if given is None else given

    def _too_old(self, arrival: Arrival, age_ns: int) -> RefusedError:
        return RefusedError(
            HTTPStatus.GONE,
            "too_old",
            f"a frame must be begun within {self._max_age_s(arrival):g} s of its "
            f"capture, this one was {age_ns / 1e9:.3f} s old; send fewer, or allow "
            "more with max_age_s",
        )

    async def _photo(
        self, content: bytes, search: tuple[Watch, int] | None
    ) -> PhotoOutcome:
        promise = Promise[PhotoOutcome]()
        self._photo_lane.submit(
            PhotoJob(content=content, search=search, ended=promise.keep)
        )
        return await promise.kept()

    def _required_watch(self) -> Watch:
        watch = self._current.watch
        if watch is None:
            raise RefusedError(
                HTTPStatus.CONFLICT,
                "no_watchlist",
                "a watchlist must be active to be searched, got none; "
                "PUT /v1/active-watchlist",
            )
        return watch


def no_template(end: PhotoOutcome, whose: str) -> Exception:
    """Refuse a picture that gives no template, and say why."""
    if not isinstance(end, NoTemplate):
        return TypeError(f"a picture must end otherwise, got {type(end).__name__}")
    code = "no_face" if end.decodable else "undecodable_image"
    return RefusedError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code,
        f"a picture {whose} must show a face, but: {end.cause}; send another",
    )
