"""What passes between the parts of a camera's stream: frames off the wire, and counts.

Owns the records. Knows nothing of how they come about.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Arrived", "SourceCounts", "SourceState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One frame off the wire.

    Attributes:
        access_unit: H.264, Annex B; a key frame brings its parameter sets.
        is_key: A decoder can begin with it.
        pts_ns: The container's time stamp, nanoseconds; None if it has none.
    """

    access_unit: bytes
    is_key: bool
    pts_ns: int | None


class SourceState(StrEnum):
    """Where a camera stands."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCounts:
    """What has become of one camera's stream so far; every count only grows.

    Attributes:
        camera_id: Which camera.
        state: Where it stands now.
        n_frames: Handed on.
        n_refused: Not taken by whoever they were handed to, and those up to the next
            key frame, which without them show nothing.
        n_before_key: Came before the first key frame of a connection, and show nothing.
        n_missing: Numbers that a stamped stream left out: lost, or never sent.
        n_connections: That brought at least one frame.
        n_failures: Connections refused, or broken by what cannot be read.
        n_stalls: Connections given up because nothing came.
        n_ends: Connections that the camera closed.
        n_clock_jumps: Times that its clock went back, or far ahead.
        n_size_changes: Times that its pictures became larger or smaller.
        size_px: Width and height of its pictures; 0 until the first key frame.
        trouble: What went wrong last, in words; empty if nothing did.
    """

    camera_id: str
    state: SourceState = SourceState.CONNECTING
    n_frames: int = 0
    n_refused: int = 0
    n_before_key: int = 0
    n_missing: int = 0
    n_connections: int = 0
    n_failures: int = 0
    n_stalls: int = 0
    n_ends: int = 0
    n_clock_jumps: int = 0
    n_size_changes: int = 0
    size_px: tuple[int, int] = (0, 0)
    trouble: str = ""
