"""The arrival plan: every planned capture time, drawn and stored before the run.

Owns the step from clips and `[load]` to an `ArrivalPlan`. Knows nothing of clocks,
packets or matchers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bench.errors import BenchError, LoadTooLongError
from bench.records import ArrivalPlan
from sim.arrivals import instants, periodic, phases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.config import LoadConfig

__all__ = ["NS_PER_S", "CameraStream", "draw_plan", "frame_interval_s", "offered_hz"]

NS_PER_S = 1_000_000_000


class CameraStream(Protocol):
    """What a plan needs to know of a camera's clip."""

    @property
    def camera_id(self) -> str:
        """Name of the camera."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second."""
        ...

    @property
    def n_frames(self) -> int:
        """Frames in the clip."""
        ...


def draw_plan(
    streams: Sequence[CameraStream], load: LoadConfig, *, rng: np.random.Generator
) -> ArrivalPlan:
    """Draw when each frame of each camera is captured.

    Args:
        streams: The cameras' clips, in scenario order; at least one.
        load: Duration, phase and jitter.
        rng: The stream of the arrivals.

    Returns:
        The plan, sorted by time; frames planned for one nanosecond stand in the
        order of the cameras.

    Raises:
        LoadTooLongError: If a clip is shorter than the load.
        BenchError: If the jitter reaches a camera's frame interval.
    """
    starts_s = phases(load.phase, np.array([1.0 / s.fps for s in streams]), rng=rng)
    offsets: list[np.ndarray] = []
    for stream, start_s in zip(streams, starts_s, strict=True):
        if load.jitter_s >= 1.0 / stream.fps:
            message = (
                f"load.jitter_s must be below one frame interval, {1.0 / stream.fps:g} "
                f"s for camera '{stream.camera_id}', got {load.jitter_s:g}; lower it"
            )
            raise BenchError(message)
        ticks = periodic(
            stream.fps, phase_s=float(start_s), jitter_s=load.jitter_s, rng=rng
        )
        times_s = instants(ticks, n=_n_frames(stream, load))
        offsets.append(np.rint(times_s * NS_PER_S).astype(np.int64))
    offset_ns = np.concatenate(offsets)
    camera = np.repeat(
        np.arange(len(offsets), dtype=np.int32), [len(o) for o in offsets]
    )
    frame_index = np.concatenate([np.arange(len(o), dtype=np.int32) for o in offsets])
    order = np.lexsort((camera, offset_ns))
    return ArrivalPlan(
        camera_ids=tuple(stream.camera_id for stream in streams),
        offset_ns=offset_ns[order],
        camera=camera[order],
        frame_index=frame_index[order],
    )


def frame_interval_s(streams: Sequence[CameraStream]) -> float:
    """Seconds between two frames of the fastest camera."""
    return min(1.0 / stream.fps for stream in streams)


def offered_hz(streams: Sequence[CameraStream]) -> float:
    """Frames per second of all cameras together."""
    return sum(stream.fps for stream in streams)


def _n_frames(stream: CameraStream, load: LoadConfig) -> int:
    if load.duration_s is None:
        return stream.n_frames
    # A hair less than a whole frame more is rounding, not another frame.
    n_frames = math.ceil(load.duration_s * stream.fps - 1e-9)
    if n_frames > stream.n_frames:
        raise LoadTooLongError(
            camera_id=stream.camera_id,
            duration_s=load.duration_s,
            clip_s=stream.n_frames / stream.fps,
        )
    return n_frames
