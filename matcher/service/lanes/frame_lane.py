"""The thread that brings cameras' frames to their ends.

Owns what happens between a frame's arrival and the worker: which watchlist it meets,
whether it is too old, came late, or comes from a camera that has restarted, and when
a silent camera's tracks are dropped. The worker, the pipeline and the drop policy are
those of the matcher's processes. Knows nothing of HTTP.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from matcher.inbox import Inbox, Waiting
from matcher.messages import Flush, Stop
from matcher.records import EncodedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matcher.config import EngineConfig
    from matcher.pipeline import Pipeline
    from matcher.records import CameraId, FrameResult
    from matcher.service.config import FramesConfig
    from matcher.service.lanes.watch import CurrentWatch, Watch
    from matcher.worker import Worker

__all__ = ["FrameEnd", "FrameLane", "PostedFrame"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameEnd:
    """What became of a frame.

    Attributes:
        result: As the matcher says it.
        watch: What was searched.
        is_too_old: Its deadline passed before its turn came.
    """

    result: FrameResult
    watch: Watch
    is_too_old: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedFrame(EncodedFrame):
    """A frame that somebody waits for.

    Attributes:
        deadline_ns: Not to be begun after; None if its clock is not ours.
        ended: Called with what became of it, on the lane's thread.
    """

    deadline_ns: int | None
    ended: Callable[[FrameEnd | Exception], None]


@dataclass(slots=True)
class _Camera:
    """What the lane remembers of a camera."""

    newest_ns: int
    seen_ns: int


class FrameLane:
    """A thread with its inbox.

    Args:
        worker: Decodes, processes or skips.
        pipeline: The worker's.
        current: What is to be searched.
        frames: Settings of the service.
        engine: Drop policy and batching.
        clock: Nanoseconds.
        took: Told how long a frame took, seconds.
        restarted: Called when a camera has restarted.
    """

    def __init__(
        self,
        worker: Worker,
        pipeline: Pipeline,
        *,
        current: CurrentWatch,
        frames: FramesConfig,
        engine: EngineConfig,
        clock: Callable[[], int],
        took: Callable[[float], None],
        restarted: Callable[[], None],
    ) -> None:
        self._worker = worker
        self._pipeline = pipeline
        self._current = current
        self._frames = frames
        self._engine = engine
        self._clock = clock
        self._took = took
        self._restarted = restarted
        self._rewind_ns = round(frames.rewind_s * 1e9)
        self._served: Watch | None = None
        self._inbox = Inbox(engine)
        self._orders: deque[tuple[Callable[[], None], Future[None]]] = deque()
        self._cameras: dict[CameraId, _Camera] = {}
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)

    @property
    def n_cameras(self) -> int:
        """Cameras that are remembered."""
        return len(self._cameras)

    def knows(self, camera_id: CameraId) -> bool:
        """Whether a camera is remembered."""
        return camera_id in self._cameras

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, frame: PostedFrame, *, received_ns: int) -> None:
        """Add a frame."""
        self._inbox.put(frame, received_ns=received_ns)

    def forget(self, camera_id: CameraId | None) -> Future[None]:
        """Know nothing of one camera, or of all, before the next frame."""
        return self._order(lambda: self._forget(camera_id))

    def drop_idle(self) -> Future[None]:
        """Drop the tracks, and their templates, of cameras that have fallen silent."""
        return self._order(self._drop_idle)

    def stop(self) -> None:
        """End what is here, then leave."""
        self._inbox.request(Stop())
        self._thread.join()

    def _order(self, act: Callable[[], None]) -> Future[None]:
        done: Future[None] = Future()
        self._orders.append((act, done))
        # An idle lane waits in its inbox; this has it look up.
        self._inbox.request(Flush(token=0))
        return done

    def _run(self) -> None:
        while True:
            item = self._inbox.take()
            self._obey()
            match item:
                case Waiting():
                    batch = self._inbox.take_company(
                        item,
                        at_most=self._engine.batch_frames,
                        wait_s=self._engine.batch_wait_s,
                    )
                    self._handle(batch)
                case Flush():
                    continue
                case _:
                    return

    def _obey(self) -> None:
        while self._orders:
            act, done = self._orders.popleft()
            try:
                act()
            except Exception as error:  # noqa: BLE001 - whoever ordered it is told
                done.set_exception(error)
            else:
                done.set_result(None)

    def _handle(self, batch: Sequence[Waiting]) -> None:
        began_ns = self._clock()
        posted = [w.frame for w in batch if isinstance(w.frame, PostedFrame)]
        try:
            watch = self._serve()
            prepared = [self._prepared(w, began_ns) for w in batch]
            results = self._worker.handle(prepared)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            # One frame's misfortune must not end the lane; whoever waits is told, and
            # its camera begins anew, since nobody knows what it remembers.
            _LOG.exception("a batch of %d frames failed", len(batch))
            for frame in posted:
                self._forget(frame.camera_id)
                frame.ended(error)
            return
        self._took((self._clock() - began_ns) / 1e9 / len(batch))
        for frame, waiting, result in zip(posted, prepared, results, strict=True):
            too_old = waiting.unwanted == _TOO_OLD
            frame.ended(FrameEnd(result=result, watch=watch, is_too_old=too_old))

    def _serve(self) -> Watch:
        """Let the pipeline search what is to be searched now."""
        watch = self._current.watch
        if watch is None:
            message = "a watchlist must be active before a frame is let in"
            raise RuntimeError(message)
        if watch is not self._served:
            self._pipeline.watch(
                watch.live.index,
                watch.live.subject_ids,
                threshold=watch.threshold.value,
            )
            self._served = watch
        return watch

    def _prepared(self, waiting: Waiting, now_ns: int) -> Waiting:
        """Say of a frame whether it is wanted; notice a camera's restart."""
        frame = waiting.frame
        capture_ns = frame.capture_time_ns
        camera = self._cameras.get(frame.camera_id)
        if camera is None:
            camera = _Camera(newest_ns=capture_ns - 1, seen_ns=now_ns)
            self._cameras[frame.camera_id] = camera
        elif camera.newest_ns - capture_ns > self._rewind_ns:
            _LOG.warning(
                "camera %s went back by %.3f s: it begins anew",
                frame.camera_id,
                (camera.newest_ns - capture_ns) / 1e9,
            )
            self._worker.restart(frame.camera_id)
            self._restarted()
            camera.newest_ns = capture_ns - 1
        camera.seen_ns = now_ns
        if capture_ns <= camera.newest_ns:
            return replace(waiting, unwanted=_LATE)
        camera.newest_ns = capture_ns
        deadline_ns = frame.deadline_ns if isinstance(frame, PostedFrame) else None
        if deadline_ns is not None and now_ns > deadline_ns:
            return replace(waiting, unwanted=_TOO_OLD)
        return waiting

    def _forget(self, camera_id: CameraId | None) -> None:
        ids = list(self._cameras) if camera_id is None else [camera_id]
        for each in ids:
            self._worker.forget(each)
            self._cameras.pop(each, None)

    def _drop_idle(self) -> None:
        oldest_ns = self._clock() - round(self._frames.idle_s * 1e9)
        idle = [c for c, camera in self._cameras.items() if camera.seen_ns < oldest_ns]
        for camera_id in idle:
            self._forget(camera_id)


_LATE = "late: a newer frame of the camera came first"
_TOO_OLD = "too old: its deadline passed before its turn came"
