"""One camera, for as long as it is wanted: connected, read, and connected again.

Owns the camera's thread, its patience, and the counting of everything that goes wrong;
whatever a camera does, the thread goes on. Knows nothing of what becomes of frames:
they are handed to `deliver`, which says at once whether it takes them.

What goes wrong, and what is done:

    the camera            counted as               then
    ───────────────────   ──────────────────────   ─────────────────────────────────
    refuses, or breaks    n_failures               connect anew, after a pause that
    falls silent          n_stalls                   doubles until frames come again
    ends its stream       n_ends                     (a file that ends is over)
    begins in mid-stream  n_before_key             wait for a key frame
    jumps in time         n_clock_jumps            map its clock anew; time goes on
    changes its pictures  n_size_changes           go on: decoders follow by themselves
    is not listened to    n_refused                drop up to the next key frame
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from matcher.records import CameraId, EncodedFrame
from matcher.streams.capture_clock import CaptureClock, this_boot
from matcher.streams.picture_size import SizeWatch
from matcher.streams.reader import BrokenError, StalledError, open_stream
from matcher.streams.records import SourceCounts, SourceState
from matcher.streams.stamp import read_stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from matcher.streams.config import StreamConfig
    from matcher.streams.reader import OpenStream
    from matcher.streams.records import Arrived
    from matcher.streams.stamp import CaptureStamp

__all__ = ["CameraSource", "real_pause"]

_LOG = logging.getLogger(__name__)


def real_pause(ended: threading.Event, seconds: float) -> None:
    """Wait, or less if the camera is no longer wanted; tests pass another."""
    ended.wait(seconds)


class CameraSource:
    """Reads one camera on a thread of its own.

    Args:
        config: Where the camera is.
        deliver: Takes a frame and when it was received, nanoseconds; returns whether
            it was taken. Called on the camera's thread; must not block for long.
        clock: Nanoseconds.
        rehearsed: Told of every rehearsal that arrives, on the same thread.
        opening: Opens the stream.
        pause: Waits between connections, and for frames of files to be due.
        boot: Names the machine whose monotonic clock `clock` is.
    """

    def __init__(
        self,
        config: StreamConfig,
        *,
        deliver: Callable[[EncodedFrame, int], bool],
        clock: Callable[[], int],
        rehearsed: Callable[[CameraId], None] = lambda _camera_id: None,
        opening: OpenStream = open_stream,
        pause: Callable[[threading.Event, float], None] = real_pause,
        boot: str | None = None,
    ) -> None:
        self._config = config
        self._camera_id = CameraId(config.camera_id)
        self._deliver = deliver
        self._clock = clock
        self._rehearsed = rehearsed
        self._opening = opening
        self._pause = pause
        self._ended = threading.Event()
        self._counts = SourceCounts(camera_id=config.camera_id)
        self._times = CaptureClock(
            boot=this_boot() if boot is None else boot, jump_s=config.jump_s
        )
        self._size = SizeWatch()
        self._needs_key = True
        self._last_index = -1
        self._index_shift = 0
        self._file_began_ns: int | None = None
        self._thread = threading.Thread(
            target=self.run, name=f"camera {config.camera_id}", daemon=True
        )

    @property
    def counts(self) -> SourceCounts:
        """What has become of the stream so far."""
        return self._counts

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def end(self) -> None:
        """Let it be read no more; the thread leaves when it next looks up."""
        self._ended.set()

    def join(self, patience_s: float) -> None:
        """Return once the thread has left, or cannot be waited for any longer."""
        if self._thread.is_alive():
            self._thread.join(patience_s)

    def run(self) -> None:
        """Connect and read, over and over, until the camera is no longer wanted."""
        backoff_s = self._config.first_backoff_s
        while not self._ended.is_set():
            self._note(state=SourceState.CONNECTING)
            n_before = self._counts.n_connections
            self._one_connection()
            if self._ended.is_set() or self._is_over():
                break
            if self._counts.n_connections > n_before:
                backoff_s = self._config.first_backoff_s
            self._note(state=SourceState.WAITING)
            _LOG.warning(
                "camera %s: %s; connecting anew in %.1f s",
                self._camera_id,
                self._counts.trouble,
                backoff_s,
            )
            self._pause(self._ended, backoff_s)
            backoff_s = min(2.0 * backoff_s, self._config.longest_backoff_s)
        self._note(state=SourceState.OVER)

    def _is_over(self) -> bool:
        """A file that came to its end is not expected to go on."""
        return not self._config.is_live and (
            self._counts.n_ends > 0 and not self._config.repeat
        )

    def _one_connection(self) -> None:
        """Read one connection to its end, and note how it ended."""
        is_first = True
        try:
            for arrived in self._opening(self._config):
                received_ns = self._clock()
                if self._ended.is_set():
                    return
                if is_first:
                    is_first = False
                    self._begin()
                self._take(arrived, received_ns)
        except StalledError as error:
            self._count("n_stalls", f"stalled: {error}")
        except BrokenError as error:
            self._count("n_failures", f"broken: {error}")
        else:
            self._count("n_ends", "the camera ended its stream")

    def _begin(self) -> None:
        """Expect nothing of what a new connection brings."""
        self._times.restart()
        self._needs_key = True
        self._file_began_ns = None
        self._count("n_connections")
        self._note(state=SourceState.LIVE)
        _LOG.info("camera %s is there", self._camera_id)

    def _take(self, arrived: Arrived, received_ns: int) -> None:
        stamp = read_stamp(arrived.access_unit)
        if stamp is not None and stamp.is_rehearsal:
            self._see_size(arrived)
            self._rehearsed(self._camera_id)
            return
        if not self._config.is_live:
            received_ns = self._hold_back(arrived, received_ns)
        mapped = self._times.map(
            received_ns=received_ns, pts_ns=arrived.pts_ns, stamp=stamp
        )
        if mapped.jumped_ns != 0:
            self._count(
                "n_clock_jumps", f"its clock jumped by {mapped.jumped_ns / 1e9:+.3f} s"
            )
            _LOG.warning("camera %s: %s", self._camera_id, self._counts.trouble)
        index = self._number(stamp)
        if self._needs_key and not arrived.is_key:
            self._count("n_before_key")
            return
        self._needs_key = False
        frame = EncodedFrame(
            camera_id=self._camera_id,
            index=index,
            capture_time_ns=mapped.capture_time_ns,
            packet=arrived.access_unit,
        )
        if self._deliver(frame, received_ns):
            self._count("n_frames")
        else:
            # The next ones build on it and would show nothing.
            self._needs_key = True
            self._count("n_refused", "frames were refused: too many wait already")
        # Afterwards: the frame need not wait for the decoding of a key frame.
        self._see_size(arrived)

    def _number(self, stamp: CaptureStamp | None) -> int:
        """Number a frame: by its stamp, or the next; never one twice."""
        index = self._last_index + 1
        if stamp is not None:
            if stamp.index + self._index_shift <= self._last_index:
                # The camera counts anew; we go on.
                self._index_shift = index - stamp.index
            index = stamp.index + self._index_shift
            n_missing = index - self._last_index - 1
            if self._last_index >= 0 and n_missing > 0:
                self._note(n_missing=self._counts.n_missing + n_missing)
        self._last_index = index
        return index

    def _hold_back(self, arrived: Arrived, received_ns: int) -> int:
        """Let a file's frame be due: it was captured when it is shown."""
        if arrived.pts_ns is None:
            return received_ns
        if self._file_began_ns is None:
            self._file_began_ns = received_ns - arrived.pts_ns
        left_ns = self._file_began_ns + arrived.pts_ns - self._clock()
        if left_ns > 0:
            self._pause(self._ended, left_ns / 1e9)
        return self._clock()

    def _see_size(self, arrived: Arrived) -> None:
        if not arrived.is_key:
            return
        before = self._size.size_px
        if self._size.see(arrived.access_unit):
            was, now = (f"{w}x{h}" for w, h in (before, self._size.size_px))
            self._count("n_size_changes", f"its pictures went from {was} to {now}")
            _LOG.warning("camera %s: %s", self._camera_id, self._counts.trouble)
        self._note(size_px=self._size.size_px)

    def _count(self, name: str, trouble: str = "") -> None:
        one_more = {name: getattr(self._counts, name) + 1}
        self._note(**one_more, trouble=trouble or self._counts.trouble)

    def _note(self, **changes: object) -> None:
        # One reference changes: whoever reads the counts sees all of a change or none.
        self._counts = replace(self._counts, **changes)  # type: ignore[arg-type]
