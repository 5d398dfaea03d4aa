"""Cameras that do as they are told: a script in place of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher_doubles import FRAME_NS, h264, painted

from matcher.ingest import is_key_frame
from matcher.streams.config import StreamConfig
from matcher.streams.reader import BrokenError, StalledError
from matcher.streams.records import Arrived
from matcher.streams.source import CameraSource
from matcher.streams.stamp import CaptureStamp, stamped

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from matcher.records import EncodedFrame

BOOT = "0123456789abcdef"
URL = "tcp://127.0.0.1:1"


def packets(n: int) -> list[bytes]:
    """A red square that moves a little; the first packet is the only key frame."""
    return h264(painted((20 + k, 30, 60 + k, 70), channel=2) for k in range(n))


def stamped_frames(
    units: Sequence[bytes], *, first: int = 0, shift_ns: int = 0, clock: str = BOOT
) -> list[Arrived]:
    """Frames as the harness's cameras send them, ten a second."""
    return [
        arrived(
            stamped(
                unit,
                CaptureStamp(
                    clock=clock,
                    index=first + k,
                    capture_time_ns=(first + k) * FRAME_NS + shift_ns,
                ),
            )
        )
        for k, unit in enumerate(units)
    ]


def arrived(unit: bytes, pts_ns: int | None = None) -> Arrived:
    """One frame off the wire."""
    return Arrived(access_unit=unit, is_key=is_key_frame(unit), pts_ns=pts_ns)


class Stage:
    """A clock that the script moves, and everything that a source did meanwhile.

    A script is a list of connections; each is a list of frames, seconds to let pass,
    and at its end maybe an error. After the last connection the source is ended.
    """

    def __init__(
        self,
        connections: Sequence[Sequence[Arrived | float | Exception]],
        *,
        config: StreamConfig | None = None,
        takes: Callable[[EncodedFrame], bool] = lambda _frame: True,
    ) -> None:
        self.now_ns = 1_000_000_000
        self.frames: list[EncodedFrame] = []
        self.pauses_s: list[float] = []
        self.rehearsed: list[str] = []
        self._connections = iter(connections)
        self._takes = takes
        self.source = CameraSource(
            config or StreamConfig(camera_id="cam1", url=URL),
            deliver=self._deliver,
            clock=lambda: self.now_ns,
            rehearsed=self.rehearsed.append,
            opening=self._open,
            pause=self._pause,
            boot=BOOT,
        )

    def play(self) -> None:
        """Let the source work through the script."""
        self.source.run()

    def _open(self, _config: StreamConfig) -> Iterator[Arrived]:
        script = next(self._connections, None)
        if script is None:
            self.source.end()
            message = "the script is over"
            raise BrokenError(message)
        for step in script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Arrived):
                self.now_ns += FRAME_NS
                yield step
            else:
                self.now_ns += round(step * 1e9)

    def _deliver(self, frame: EncodedFrame, _received_ns: int) -> bool:
        if not self._takes(frame):
            return False
        self.frames.append(frame)
        return True

    def _pause(self, _ended: threading.Event, seconds: float) -> None:
        self.pauses_s.append(seconds)
        self.now_ns += round(seconds * 1e9)


def stall() -> StalledError:
    """Nothing comes any more."""
    return StalledError("nothing came for 2 s")


def garbage() -> BrokenError:
    """What comes cannot be read."""
    return BrokenError("Invalid data found when processing input")
