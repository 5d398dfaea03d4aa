"""What a simulated site is made of, and what became of each frame.

Owns the columns that the SimPy model and the compiled kernel both read and write:
named tuples of arrays, because numba reads those. Knows nothing of how they are
drawn or served.

All times are seconds of virtual time, float64.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Cameras",
    "FrameEnd",
    "FrameLog",
    "Frames",
    "Node",
    "Passages",
    "Rules",
    "StageIndex",
    "empty_log",
    "node_of",
]


class StageIndex(IntEnum):
    """The stages of one frame in the order in which a worker does them."""

    DECODE = 0
    DETECT = 1
    TRACK = 2
    ALIGN = 3
    EMBED = 4
    SEARCH = 5
    DECIDE = 6


class FrameEnd(IntEnum):
    """What became of a frame; every frame has exactly one end."""

    PROCESSED = 0
    SKIPPED = 1
    DROPPED = 2
    FAILED = 3
    LOST = 4


class Frames(NamedTuple):
    """Frames that cameras send, n rows in order of capture.

    Attributes:
        camera: (n,) int32.
        capture_s: (n,) float64, ascending.
        packet_bytes: (n,) float64, size of the encoded frame.
    """

    camera: NDArray[np.int32]
    capture_s: NDArray[np.float64]
    packet_bytes: NDArray[np.float64]


class Cameras(NamedTuple):
    """The cameras of one node, k rows.

    Attributes:
        worker: (k,) int32, the worker that serves each.
        priority: (k,) int32, lower is served first.
    """

    worker: NDArray[np.int32]
    priority: NDArray[np.int32]


class Passages(NamedTuple):
    """Faces that cross the cameras' views, p rows, sorted by camera, then entry.

    What an unhurried matcher makes of a face is a series of samples at an even rate;
    any number of passages may share one.

    Attributes:
        start: (k + 1,) int64, the first row of each camera.
        t_in_s, t_out_s: (p,) float64, from when to when there is a sample of it.
        first: (p,) int64, its first sample.
        rate_hz: (p,) float64, samples a second.
        alert_shot: (p,) int32, the embedding that raises an alert; 0 if none does.
        quality: (s,) float32, samples: a quality in [0, 1], or `TOO_SMALL` or
            `UNSEEN` of `sim.looking`.
    """

    start: NDArray[np.int64]
    t_in_s: NDArray[np.float64]
    t_out_s: NDArray[np.float64]
    first: NDArray[np.int64]
    rate_hz: NDArray[np.float64]
    alert_shot: NDArray[np.int32]
    quality: NDArray[np.float32]


class Rules(NamedTuple):
    """How a node's workers take frames.

    Attributes:
        n_workers: Worker processes.
        max_pending: Frames of one camera that may wait before the oldest is skipped.
        skips: Skip a frame once `max_pending` newer ones of its camera wait.
        capacity: Frames that may wait at one worker.
        drops_oldest: A full inbox drops its oldest frame, else the newest.
        batch_frames: Frames of different cameras that are embedded together.
        batch_wait_s: Longest wait for that many to come.
        loss_share: Share of frames that the network loses.
        down_worker: (d,) int32, whose breakdowns follow, ascending by time.
        down_s, up_s: (d,) float64, when it breaks down and is repaired.
    """

    n_workers: int
    max_pending: int
    skips: bool
    capacity: int
    drops_oldest: bool
    batch_frames: int
    batch_wait_s: float
    loss_share: float
    down_worker: NDArray[np.int32]
    down_s: NDArray[np.float64]
    up_s: NDArray[np.float64]


class FrameLog(NamedTuple):
    """What became of frames and passages.

    Attributes:
        end: (n,) int8, a `FrameEnd`; -1 before it is known.
        received_s: (n,) float64, when the node had the frame; NaN if lost on the way.
        start_s: (n,) float64, when a worker took it; NaN if none did.
        done_s: (n,) float64, when its end came.
        is_searched: (n,) bool, whether faces were looked for; on other processed
            frames tracks are only predicted.
        n_faces: (n,) int32, faces found; 0 unless searched.
        n_embedded: (n,) int32, of those, how many were embedded.
        alert_s: (p,) float64, when the passage raised its alert; NaN if it did not.
        n_shots: (p,) int32, embeddings of the passage.
        stage_s: (7,) float64, time spent in each stage, all workers.
        busy_s: (w,) float64, time in which each worker was at work.
    """

    end: NDArray[np.int8]
    received_s: NDArray[np.float64]
    start_s: NDArray[np.float64]
    done_s: NDArray[np.float64]
    is_searched: NDArray[np.bool_]
    n_faces: NDArray[np.int32]
    n_embedded: NDArray[np.int32]
    alert_s: NDArray[np.float64]
    n_shots: NDArray[np.int32]
    stage_s: NDArray[np.float64]
    busy_s: NDArray[np.float64]


class Node(NamedTuple):
    """One machine with everything that is sent to it."""

    frames: Frames
    cameras: Cameras
    passages: Passages
    rules: Rules


def node_of(  # noqa: PLR0913 - every rule of a node has a usual value
    frames: Frames,
    passages: Passages,
    *,
    worker: NDArray[np.int32] | None = None,
    priority: NDArray[np.int32] | None = None,
    n_workers: int = 1,
    max_pending: int = 1,
    skips: bool = True,
    capacity: int | None = None,
    drops_oldest: bool = False,
    batch_frames: int = 1,
    batch_wait_s: float = 0.0,
    loss_share: float = 0.0,
    breakdowns: tuple[tuple[int, float, float], ...] = (),
) -> Node:
    """Put a node together; what is not said is as the matcher's engine has it.

    Args:
        frames: What the cameras send.
        passages: Whom they see; its `start` says how many cameras there are.
        worker: (k,) assignment of cameras; None deals them out in turn.
        priority: (k,) lower first; None gives all the same.
        n_workers: Worker processes.
        max_pending: Of one camera, before the oldest is skipped.
        skips: Whether frames are skipped at all.
        capacity: Of one worker's inbox; None is without limit.
        drops_oldest: What a full inbox drops.
        batch_frames: Frames embedded together, at most.
        batch_wait_s: Longest wait for them.
        loss_share: Of the network.
        breakdowns: Worker, time of breakdown, time of repair; those of one worker
            must not overlap.

    Raises:
        ValueError: If columns disagree in length, or an assignment names no worker.
    """
    k = len(passages.start) - 1
    if worker is None:
        worker = (np.arange(k) % n_workers).astype(np.int32)
    if priority is None:
        priority = np.zeros(k, np.int32)
    n = len(frames.capture_s)
    lengths = {"camera": len(frames.camera), "packet_bytes": len(frames.packet_bytes)}
    wrong = {name: found for name, found in lengths.items() if found != n}
    if wrong or len(worker) != k or len(priority) != k:
        message = (
            f"a node needs columns of one length, {n} frames and {k} cameras, got "
            f"{wrong}, {len(worker)} assignments and {len(priority)} priorities"
        )
        raise ValueError(message)
    if k and not 0 <= int(worker.min()) <= int(worker.max()) < n_workers:
        message = f"cameras must be assigned to workers 0 to {n_workers - 1}"
        raise ValueError(message)
    if np.any(np.diff(frames.capture_s) < 0.0):
        message = "frames must come in order of capture"
        raise ValueError(message)
    downs = sorted(breakdowns, key=lambda down: down[1])
    return Node(
        frames=frames,
        cameras=Cameras(worker=worker, priority=priority),
        passages=passages,
        rules=Rules(
            n_workers=n_workers,
            max_pending=max_pending,
            skips=skips,
            capacity=n + 1 if capacity is None else capacity,
            drops_oldest=drops_oldest,
            batch_frames=batch_frames,
            batch_wait_s=batch_wait_s,
            loss_share=loss_share,
            down_worker=np.array([down[0] for down in downs], np.int32),
            down_s=np.array([down[1] for down in downs], np.float64),
            up_s=np.array([down[2] for down in downs], np.float64),
        ),
    )


def empty_log(n: int, p: int, n_workers: int) -> FrameLog:
    """Make room for the ends of `n` frames and `p` passages."""
    return FrameLog(
        end=np.full(n, -1, np.int8),
        received_s=np.full(n, np.nan),
        start_s=np.full(n, np.nan),
        done_s=np.full(n, np.nan),
        is_searched=np.zeros(n, np.bool_),
        n_faces=np.zeros(n, np.int32),
        n_embedded=np.zeros(n, np.int32),
        alert_s=np.full(p, np.nan),
        n_shots=np.zeros(p, np.int32),
        stage_s=np.zeros(len(StageIndex)),
        busy_s=np.zeros(n_workers),
    )
