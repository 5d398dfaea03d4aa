"""From a camera's own times to ours: when was this frame captured?

Owns the mapping for one camera, and the noticing of clocks that jump. Pure but for one
reading of the machine's boot. Knows nothing of containers, threads or pictures.

Three cases:

- the stamp is of our own clock (the camera is a process of this machine): taken as is;
- the stamp is of no clock (`STATED_CLOCK`, unhurried runs): taken as is;
- another machine's stamp, or only the container's time stamp: mapped by the frame that
  came through fastest. What every frame spends on its way at least cannot be seen, so
  capture times are late by that, and latencies short by it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from matcher.streams.stamp import STATED_CLOCK

if TYPE_CHECKING:
    from matcher.streams.stamp import CaptureStamp

__all__ = ["CaptureClock", "Mapped", "this_boot"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Two windows of this length are looked back on for the fastest frame: long enough to
# hold one, short enough to follow clocks that drift (100 ppm make 1 ms in 10 s).
_WINDOW_NS = 10_000_000_000


@cache
def this_boot() -> str:
    """Name this machine's monotonic clock: it counts from the boot."""
    digest = hashlib.sha256(_BOOT_ID.read_bytes().strip())
    return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A capture time on our clock.

    Attributes:
        capture_time_ns: Later than that of the frame before.
        jumped_ns: How far the camera's clock jumped before this frame, ahead or back;
            0 if it did not.
    """

    capture_time_ns: int
    jumped_ns: int


class _FastestFrame:
    """The least way of a frame from its camera to us, of the last two windows."""

    def __init__(self) -> None:
        self._this_ns: int | None = None
        self._before_ns: int | None = None
        self._ends_ns = 0

    def offset_ns(self, way_ns: int, *, received_ns: int) -> int:
        """Take in one more frame's way; return the least."""
        if self._this_ns is None or received_ns >= self._ends_ns:
            self._before_ns, self._this_ns = self._this_ns, way_ns
            self._ends_ns = received_ns + _WINDOW_NS
        self._this_ns = min(self._this_ns, way_ns)
        return min(
            self._this_ns, way_ns if self._before_ns is None else self._before_ns
        )


class CaptureClock:
    """Maps the frames of one camera, in the order in which they arrive.

    Args:
        boot: Of the clock that `received_ns` is of.
        jump_s: A camera's clock that runs ahead of ours by more than this between two
            frames has jumped; one that goes back has in any case.
    """

    def __init__(self, *, boot: str, jump_s: float) -> None:
        self._boot = boot
        self._jump_ns = round(jump_s * 1e9)
        self._captured_ns: int | None = None
        self.restart()

    def restart(self) -> None:
        """Expect times of another origin: the stream has begun anew."""
        self._is_trusted = True
        self._shift_ns = 0
        self._fastest = _FastestFrame()
        self._last: tuple[int, int] | None = None

    def map(
        self, *, received_ns: int, pts_ns: int | None, stamp: CaptureStamp | None
    ) -> Mapped:
        """Say when a frame was captured.

        Args:
            received_ns: When it was there in whole, on our clock.
            pts_ns: The container's time stamp; None if it has none.
            stamp: The frame's own; None if it has none.
        """
        source_ns = pts_ns if stamp is None else stamp.capture_time_ns
        if source_ns is None:
            return self._out(received_ns, jumped_ns=0)
        jumped_ns = self._jump(source_ns, received_ns)
        self._last = source_ns, received_ns
        if jumped_ns != 0:
            self._fastest = _FastestFrame()
            self._is_trusted = False
        if stamp is not None and stamp.clock == STATED_CLOCK:
            # Nothing to measure it by: after a jump it goes on where it stood.
            if jumped_ns != 0 and self._captured_ns is not None:
                self._shift_ns = self._captured_ns + 1 - source_ns
            return self._out(source_ns + self._shift_ns, jumped_ns=jumped_ns)
        if stamp is not None and stamp.clock == self._boot and self._is_trusted:
            return self._out(source_ns, jumped_ns=0)
        offset_ns = self._fastest.offset_ns(
            received_ns - source_ns, received_ns=received_ns
        )
        return self._out(source_ns + offset_ns, jumped_ns=jumped_ns)

    def _jump(self, source_ns: int, received_ns: int) -> int:
        """Say by how much the camera's clock has jumped since the frame before."""
        if self._last is None:
            return 0
        step_ns = source_ns - self._last[0]
        if step_ns <= 0:
            return min(step_ns, -1)
        ahead_ns = step_ns - (received_ns - self._last[1])
        return ahead_ns if ahead_ns > self._jump_ns else 0

    def _out(self, capture_time_ns: int, *, jumped_ns: int) -> Mapped:
        if self._captured_ns is not None:
            capture_time_ns = max(capture_time_ns, self._captured_ns + 1)
        self._captured_ns = capture_time_ns
        return Mapped(capture_time_ns=capture_time_ns, jumped_ns=jumped_ns)
