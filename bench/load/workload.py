"""The arrival plan: every planned capture time, drawn and stored before the run.

Owns the step from clips and `[load]` to an `ArrivalPlan`. Knows nothing of clocks,
packets or matchers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bench.errors import BenchError, LoadTooLongError
from bench.load.settings import LoadKind
from bench.load.shapes import share_on, silent
from bench.records import ArrivalPlan
from sim.arrivals import instants, periodic, phases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.load.settings import LoadConfig

__all__ = [
    "NS_PER_S",
    "CameraStream",
    "draw_plan",
    "offered_hz",
    "replayed",
    "resumed_at",
]

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
        load: How frames arrive; of kind `replay`, see `replayed`. The closed kinds
            and `offline` take the order of the plan and leave its times.
        rng: The stream of the arrivals.

    Returns:
        The plan, sorted by time; frames planned for one nanosecond stand in the
        order of the cameras.

    Raises:
        LoadTooLongError: If a clip is shorter than the load.
        BenchError: If the jitter reaches a camera's frame interval, or a camera that
            is to fall silent is not there.
    """
    _check_losses(streams, load)
    if load.kind is LoadKind.SERVER:
        return _random_arrivals(streams, load, rng=rng)
    starts_s = _phases(streams, load, rng=rng)
    times: list[NDArray[np.float64]] = []
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
        times.append(instants(ticks, n=_n_frames(stream, load)))
    duration_s = max(len(t) / s.fps for t, s in zip(times, streams, strict=True))
    rows = []
    for k, (stream, times_s) in enumerate(zip(streams, times, strict=True)):
        is_silent = silent(
            load,
            times_s,
            camera_id=stream.camera_id,
            position=k,
            n_cameras=len(streams),
            duration_s=duration_s,
        )
        index = np.flatnonzero(~is_silent)
        rows.append((times_s[index], np.full(len(index), k), index))
    time_s, camera, frame_index = (np.concatenate(c) for c in zip(*rows, strict=True))
    return _sorted_plan(streams, time_s, camera, frame_index)


def replayed(
    streams: Sequence[CameraStream], *, offset_ns: NDArray[np.int64], cameras: list[str]
) -> ArrivalPlan:
    """Plan the arrivals of a trace again; each camera's frames in their order.

    Args:
        streams: The cameras' clips.
        offset_ns: (n,) planned capture times of the trace.
        cameras: Of each, the camera.

    Raises:
        BenchError: If a camera of the trace is not there.
        LoadTooLongError: If a clip has fewer frames than the trace.
    """
    position = {str(stream.camera_id): k for k, stream in enumerate(streams)}
    unknown = sorted(set(cameras) - set(position))
    if unknown:
        message = (
            f"every camera of load.trace must be in the scenario, got '{unknown[0]}', "
            f"which has {', '.join(position)}; rename it or take another trace"
        )
        raise BenchError(message)
    camera = np.array([position[name] for name in cameras], dtype=np.int64)
    order = np.argsort(offset_ns, kind="stable")
    return _counted_plan(streams, offset_ns[order] / NS_PER_S, camera[order])


def resumed_at(
    plan: ArrivalPlan, keyframes: Sequence[NDArray[np.int64]]
) -> ArrivalPlan:
    """Let every camera begin, and come back from silence, with a key frame.

    What a decoder cannot read without the frames before it, an encoder does not send.

    Args:
        plan: With gaps where cameras are silent.
        keyframes: Of each camera, the frames that need no other.
    """
    keep = np.ones(len(plan), dtype=bool)
    for k, ready in enumerate(keyframes):
        rows = np.flatnonzero(plan.camera == k)
        index = plan.frame_index[rows]
        begins = np.flatnonzero(np.diff(index, prepend=-2) != 1)
        for first, end in zip(begins, (*begins[1:], len(index)), strict=True):
            later = ready[ready >= index[first]]
            resume = later[0] if len(later) > 0 else index[-1] + 1
            keep[rows[first:end][index[first:end] < resume]] = False
    return ArrivalPlan(
        camera_ids=plan.camera_ids,
        offset_ns=plan.offset_ns[keep],
        camera=plan.camera[keep],
        frame_index=plan.frame_index[keep],
    )


def offered_hz(streams: Sequence[CameraStream], load: LoadConfig) -> float:
    """Frames per second that are offered when all of the load is on."""
    if load.kind is LoadKind.SERVER and load.rate_hz is not None:
        return load.rate_hz
    return sum(stream.fps for stream in streams)


def _phases(
    streams: Sequence[CameraStream], load: LoadConfig, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw one phase per group of cameras that share a clock."""
    periods_s = np.array([1.0 / stream.fps for stream in streams])
    leaders = np.arange(0, len(streams), load.group_size)
    shared = phases(load.phase, periods_s[leaders], rng=rng) / periods_s[leaders]
    of_each = np.repeat(shared, load.group_size)[: len(streams)]
    return np.asarray(of_each * periods_s)


def _random_arrivals(
    streams: Sequence[CameraStream], load: LoadConfig, *, rng: np.random.Generator
) -> ArrivalPlan:
    """Let frames of random cameras come by a renewal process of gamma gaps.

    The shape is put on by stretching time: where half of the load is on, a gap takes
    twice as long.
    """
    rate_hz = offered_hz(streams, load)
    seconds = min(stream.n_frames / stream.fps for stream in streams)
    duration_s = seconds if load.duration_s is None else load.duration_s
    # Work done by the shape up to each moment, in seconds of full load.
    moments_s = np.linspace(0.0, duration_s, 10_001)
    shares = share_on(load, np.linspace(0.0, 1.0, 10_000, endpoint=False))
    work_s = np.concatenate(([0.0], np.cumsum(shares))) * (duration_s / 10_000)
    form = 1.0 / load.interval_cv**2
    gaps: list[NDArray[np.float64]] = []
    total_s = 0.0
    while total_s < work_s[-1]:
        gaps.append(rng.gamma(form, 1.0 / (form * rate_hz), size=1024))
        total_s += float(gaps[-1].sum())
    arrived_s = np.cumsum(np.concatenate(gaps))
    arrived_s = arrived_s[arrived_s < work_s[-1]]
    time_s = np.interp(arrived_s, work_s, moments_s)
    camera = rng.integers(len(streams), size=len(time_s))
    return _counted_plan(streams, time_s, camera)


def _counted_plan(
    streams: Sequence[CameraStream],
    time_s: NDArray[np.float64],
    camera: NDArray[np.int64],
) -> ArrivalPlan:
    """Give each arrival the next frame of its camera; times must be in order."""
    frame_index = np.empty(len(time_s), dtype=np.int64)
    for k, stream in enumerate(streams):
        rows = np.flatnonzero(camera == k)
        if len(rows) > stream.n_frames:
            raise LoadTooLongError(
                camera_id=stream.camera_id,
                duration_s=len(rows) / stream.fps,
                clip_s=stream.n_frames / stream.fps,
            )
        frame_index[rows] = np.arange(len(rows))
    return _sorted_plan(streams, time_s, camera, frame_index)


def _sorted_plan(
    streams: Sequence[CameraStream],
    time_s: NDArray[np.float64],
    camera: NDArray[np.int64],
    frame_index: NDArray[np.int64],
) -> ArrivalPlan:
    offset_ns = np.rint(time_s * NS_PER_S).astype(np.int64)
    order = np.lexsort((frame_index, camera, offset_ns))
    return ArrivalPlan(
        camera_ids=tuple(stream.camera_id for stream in streams),
        offset_ns=offset_ns[order],
        camera=camera[order].astype(np.int32),
        frame_index=frame_index[order].astype(np.int32),
    )


def _check_losses(streams: Sequence[CameraStream], load: LoadConfig) -> None:
    known = [str(stream.camera_id) for stream in streams]
    for loss in load.camera_loss:
        if loss.camera_id not in known:
            message = (
                "load.camera_loss.camera_id must name a camera of the run, got "
                f"'{loss.camera_id}' of {', '.join(known)}; name one of them"
            )
            raise BenchError(message)


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
