"""What can go wrong in a measurement, one sentence each.

Owns the failures that `bench` names. Those a user can mend inherit `BadInputError`;
the others tell of a run that broke, and the run keeps what it had.

    BadInputError
    └── BenchError
        ├── LoadTooLongError         the clips are shorter than the load
        ├── StreamFormatError        a clip is not one access unit per frame
        ├── OutputFolderError        the run folder cannot be written
        ├── RemoteError              a matcher over HTTP refuses what a run needs
        └── RunFolderError           a run folder cannot be read back
    LfrError
    ├── EmptyDenominatorError        a rate of nothing
    ├── ClockStoppedError            the harness's clock stands still
    ├── SystemStartError             the matcher did not become ready
    └── SystemGoneError              the matcher's process ended in the run
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lfr_errors import BadInputError, LfrError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BenchError",
    "ClockStoppedError",
    "EmptyDenominatorError",
    "LoadTooLongError",
    "OutputFolderError",
    "RemoteError",
    "RunFolderError",
    "StreamFormatError",
    "SystemGoneError",
    "SystemStartError",
]


class BenchError(BadInputError):
    """Any measurement that cannot be made as asked."""


class LoadTooLongError(BenchError):
    """The load asks for more seconds than a clip holds."""

    def __init__(self, *, camera_id: str, duration_s: float, clip_s: float) -> None:
        self.camera_id = camera_id
        self.duration_s = duration_s
        self.clip_s = clip_s
        super().__init__(
            f"load.duration_s must be at most the clip's {clip_s:g} s, got "
            f"{duration_s:g} s for camera '{camera_id}'; lower it or raise "
            "crowd.duration_s"
        )


class StreamFormatError(BenchError):
    """A clip's packets are not one displayable frame each, in order."""

    def __init__(self, *, path: Path, found: str) -> None:
        self.path = path
        self.found = found
        super().__init__(
            "a clip must hold one H.264 packet per frame in display order, got "
            f"{found} in {path}; delete it from the cache to have it made again"
        )


class OutputFolderError(BenchError):
    """The run folder cannot be written."""

    def __init__(self, *, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"the output folder must be writable, got '{reason}' for {path}; choose "
            "another with --out"
        )


class RemoteError(BenchError):
    """A matcher at the other end of HTTP refuses, or lacks, what a run needs."""

    def __init__(self, *, what: str, found: str, remedy: str) -> None:
        self.what = what
        self.found = found
        super().__init__(f"the matcher over there must {what}, but {found}; {remedy}")


class RunFolderError(BenchError):
    """A run folder lacks a file, or holds one that cannot be read."""

    def __init__(self, *, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"a run folder must hold the files of a finished run, got '{reason}' at "
            f"{path}; name a folder that `harness run` has written"
        )


class EmptyDenominatorError(LfrError, ZeroDivisionError):
    """A rate was asked of no cases; that is not zero."""

    def __init__(self, *, what: str) -> None:
        self.what = what
        super().__init__(f"{what} needs at least one case, got none")


class ClockStoppedError(LfrError, RuntimeError):
    """The clock by which frames are sent does not move."""

    def __init__(self, *, reading_ns: int) -> None:
        self.reading_ns = reading_ns
        super().__init__(
            f"the harness's clock must move on, but it stands at {reading_ns} ns"
        )


class SystemStartError(LfrError, RuntimeError):
    """The matcher's process did not become ready."""

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"the matcher must report ready before frames are sent, but {reason}"
        )


class SystemGoneError(LfrError, ConnectionError):
    """The matcher's process ended while it was needed."""

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the matcher must outlive the run, but {reason}")
