"""The node model, compiled: millions of frames a second.

Owns the same queue as `system.py` without processes or an event list: a worker's next
step depends on what has arrived and on when it was free, so time can jump from frame
to frame. With the same random numbers it ends every frame at the same moment as the
SimPy model. Knows nothing of how frames or faces come about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from sim.records import FrameEnd, FrameLog, Node, StageIndex, empty_log
from sim.service import (
    Memory,
    Residual,
    ServiceTables,
    fresh_memory,
    look,
    residual_s,
    stage_s,
    uniform,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["serve_node", "simulate_node"]

_PROCESSED, _SKIPPED = int(FrameEnd.PROCESSED), int(FrameEnd.SKIPPED)
_DROPPED, _FAILED = int(FrameEnd.DROPPED), int(FrameEnd.FAILED)
_LOST = int(FrameEnd.LOST)
_DECODE, _DETECT = int(StageIndex.DECODE), int(StageIndex.DETECT)
_ALIGN, _DECIDE = int(StageIndex.ALIGN), int(StageIndex.DECIDE)
_TURNAROUND, _WAKE = int(Residual.TURNAROUND), int(Residual.WAKE)
_WAY_IDLE, _WAY_BUSY = int(Residual.WAY_IDLE), int(Residual.WAY_BUSY)
_LOSS = int(Residual.LOSS)


class _Lines(NamedTuple):
    """Who waits where.

    Attributes:
        arrivals: (n,) rows by worker, in order of capture.
        upcoming, last: (w,) place in `arrivals` of the next that has not come, and the
            end of each worker's part.
        waiting: (n,) rows by camera; those from `head` to `tail` wait.
        head, tail: (k,) places in `waiting`.
        own, own_start: Cameras by worker, and each worker's first.
        n_waiting: (w,) at each worker.
        free_s: (w,) when each is done with what it has in hand.
        received_s: (w,) when the last frame came to it.
        next_down, last_down, downs: Breakdowns by worker, as with arrivals.
    """

    arrivals: NDArray[np.int64]
    upcoming: NDArray[np.int64]
    last: NDArray[np.int64]
    waiting: NDArray[np.int64]
    head: NDArray[np.int64]
    tail: NDArray[np.int64]
    own: NDArray[np.int64]
    own_start: NDArray[np.int64]
    n_waiting: NDArray[np.int64]
    free_s: NDArray[np.float64]
    working_s: NDArray[np.float64]
    received_s: NDArray[np.float64]
    next_down: NDArray[np.int64]
    last_down: NDArray[np.int64]
    downs: NDArray[np.int64]


def simulate_node(node: Node, tables: ServiceTables, *, key: int) -> FrameLog:
    """Run one node from its first frame to its last.

    Args:
        node: The machine and what is sent to it.
        tables: Service times.
        key: 64 bits; equal keys give equal draws.

    Returns:
        What became of every frame and passage.
    """
    log = empty_log(
        len(node.frames.capture_s), len(node.passages.t_in_s), node.rules.n_workers
    )
    serve_node(np.uint64(key), node, tables, fresh_memory(node.passages), log)
    return log


@njit(cache=True, nogil=True)
def serve_node(
    key: np.uint64, node: Node, tables: ServiceTables, memory: Memory, log: FrameLog
) -> None:
    """Serve every frame of a node; see `simulate_node`.

    Args:
        key: Of the random numbers.
        node: The machine and what is sent to it.
        tables: Service times.
        memory: Of faces; changed.
        log: Written.
    """
    lines = _lines(node)
    alerted = np.empty(len(node.passages.t_in_s) + 1, np.int64)
    while True:
        worker, now_s = _next_worker(key, node, tables, lines, log)
        if worker < 0:
            break
        down_s = _next_down(worker, node, lines)
        if down_s <= now_s:
            _break_down(key, worker, node, tables, lines, log)
            continue
        _let_in(key, worker, now_s, node, tables, lines, log)
        _work(key, worker, now_s, down_s, node, tables, memory, lines, log, alerted)
    for passage in range(len(memory.n_shots)):
        log.n_shots[passage] = memory.n_shots[passage]


@njit(cache=True, nogil=True)
def _by(owner: NDArray[np.int32], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort rows by owner, keeping their order: first place of each, and the rows."""
    start = np.zeros(n + 1, np.int64)
    for each in owner:
        start[each + 1] += 1
    for each in range(n):
        start[each + 1] += start[each]
    rows = np.empty(len(owner), np.int64)
    place = start[:-1].copy()
    for row in range(len(owner)):
        rows[place[owner[row]]] = row
        place[owner[row]] += 1
    return start, rows


@njit(cache=True, nogil=True)
def _lines(node: Node) -> _Lines:
    """Line everybody up before the first frame."""
    n_workers, n_cameras = node.rules.n_workers, len(node.cameras.worker)
    start, arrivals = _by(node.cameras.worker[node.frames.camera], n_workers)
    camera_start, waiting = _by(node.frames.camera, n_cameras)
    own_start, own = _by(node.cameras.worker, n_workers)
    down_start, downs = _by(node.rules.down_worker, n_workers)
    return _Lines(
        arrivals=arrivals,
        upcoming=start[:-1].copy(),
        last=start[1:].copy(),
        waiting=waiting,
        head=camera_start[:-1].copy(),
        tail=camera_start[:-1].copy(),
        own=own,
        own_start=own_start,
        n_waiting=np.zeros(n_workers, np.int64),
        free_s=np.full(n_workers, -np.inf),
        working_s=np.full(n_workers, -np.inf),
        received_s=np.full(n_workers, -np.inf),
        next_down=down_start[:-1].copy(),
        last_down=down_start[1:].copy(),
        downs=downs,
    )


@njit(inline="always")
def _upcoming(
    key: np.uint64,
    worker: int,
    until_s: float,
    node: Node,
    tables: ServiceTables,
    lines: _Lines,
    log: FrameLog,
) -> int:
    """Return the next frame captured until a moment, and settle when it comes.

    Which way it has depends on whether the worker is at work when it is captured: so
    nobody may ask about frames that are captured after the worker's next step. Frames
    that the network loses end here. Returns -1 if there is none.
    """
    while lines.upcoming[worker] < lines.last[worker]:
        row = lines.arrivals[lines.upcoming[worker]]
        if not np.isnan(log.received_s[row]):
            return int(row)
        capture_s = node.frames.capture_s[row]
        if capture_s > until_s:
            return -1
        if uniform(key, row, _LOSS) < node.rules.loss_share:
            log.end[row] = _LOST
            log.done_s[row] = capture_s
            lines.upcoming[worker] += 1
            continue
        way = _WAY_BUSY if capture_s < lines.free_s[worker] else _WAY_IDLE
        arrival_s = capture_s + residual_s(key, row, way, tables)
        # One line per worker: a frame held up holds up those behind it.
        lines.received_s[worker] = max(lines.received_s[worker], arrival_s)
        log.received_s[row] = lines.received_s[worker]
        return int(row)
    return -1


@njit(inline="always")
def _next_down(worker: int, node: Node, lines: _Lines) -> float:
    """When a worker breaks down next; inf if it never does."""
    if lines.next_down[worker] == lines.last_down[worker]:
        return np.inf
    return float(node.rules.down_s[lines.downs[lines.next_down[worker]]])


@njit(inline="always")
def _next_worker(
    key: np.uint64, node: Node, tables: ServiceTables, lines: _Lines, log: FrameLog
) -> tuple[int, float]:
    """Find the worker that takes the next frame, and when; -1 if none ever will."""
    worker, now_s = -1, np.inf
    for each in range(node.rules.n_workers):
        begin_s = lines.free_s[each]
        if lines.n_waiting[each] == 0:
            down_s = _next_down(each, node, lines)
            row = _upcoming(key, each, down_s, node, tables, lines, log)
            if row < 0 and lines.upcoming[each] == lines.last[each]:
                continue
            if row < 0:
                begin_s = down_s
            elif log.received_s[row] > begin_s:
                begin_s = log.received_s[row] + residual_s(key, row, _WAKE, tables)
        if begin_s < now_s:
            worker, now_s = each, begin_s
    return worker, now_s


@njit(inline="always")
def _let_in(
    key: np.uint64,
    worker: int,
    now_s: float,
    node: Node,
    tables: ServiceTables,
    lines: _Lines,
    log: FrameLog,
) -> None:
    """Let in what has come to a worker until now; a full inbox drops."""
    while True:
        row = _upcoming(key, worker, now_s, node, tables, lines, log)
        if row < 0 or log.received_s[row] > now_s:
            return
        lines.upcoming[worker] += 1
        if lines.n_waiting[worker] >= node.rules.capacity:
            if not node.rules.drops_oldest:
                log.end[row] = _DROPPED
                log.done_s[row] = log.received_s[row]
                continue
            oldest = _take(worker, node, lines, log)
            log.end[oldest] = _DROPPED
            log.done_s[oldest] = log.received_s[row]
        camera = node.frames.camera[row]
        # Frames that never waited leave no gap: a line holds only those that do.
        lines.waiting[lines.tail[camera]] = row
        lines.tail[camera] += 1
        lines.n_waiting[worker] += 1


@njit(inline="always")
def _take(worker: int, node: Node, lines: _Lines, log: FrameLog) -> int:
    """Take the frame whose turn it is: by priority, then by age."""
    best, best_camera, best_priority, best_s = -1, -1, 0, 0.0
    for place in range(lines.own_start[worker], lines.own_start[worker + 1]):
        camera = lines.own[place]
        if lines.head[camera] >= lines.tail[camera]:
            continue
        row = lines.waiting[lines.head[camera]]
        priority = node.cameras.priority[camera]
        age_s = node.frames.capture_s[row] if node.rules.skips else log.received_s[row]
        is_first = best < 0 or priority < best_priority
        if not is_first and priority == best_priority:
            # Frames of one moment go in the order in which they came.
            is_first = age_s < best_s or (age_s == best_s and row < best)
        if is_first:
            best, best_camera, best_priority, best_s = row, camera, priority, age_s
    lines.head[best_camera] += 1
    lines.n_waiting[worker] -= 1
    return int(best)


@njit(inline="always")
def _work(  # noqa: PLR0913, PLR0917 - a compiled loop's variables
    key: np.uint64,
    worker: int,
    now_s: float,
    down_s: float,
    node: Node,
    tables: ServiceTables,
    memory: Memory,
    lines: _Lines,
    log: FrameLog,
    alerted: NDArray[np.int64],
) -> None:
    """Take one frame and bring it to its end."""
    row = _take(worker, node, lines, log)
    camera = node.frames.camera[row]
    n_newer = lines.tail[camera] - lines.head[camera]
    n_active = 1
    for other in range(node.rules.n_workers):
        if other != worker and lines.working_s[other] > now_s:
            n_active += 1
    factor = tables.slowdown[min(n_active, len(tables.slowdown) - 1)]
    log.start_s[row] = now_s
    took_s = factor * stage_s(key, row, _DECODE, node.frames.packet_bytes[row], tables)
    log.stage_s[_DECODE] += took_s
    done_s = now_s + took_s
    n_alerted = 0
    if node.rules.skips and n_newer >= node.rules.max_pending:
        log.end[row] = _SKIPPED
    elif done_s < down_s:
        capture_s = node.frames.capture_s[row]
        n_faces, n_embedded, n_alerted = look(
            key, row, camera, capture_s, node.passages, memory, tables, alerted
        )
        log.end[row] = _PROCESSED
        log.n_faces[row], log.n_embedded[row] = n_faces, n_embedded
        for stage in range(_DETECT, _DECIDE + 1):
            if done_s >= down_s:
                break
            units = n_faces if stage <= _ALIGN else n_embedded
            took_s = factor * stage_s(key, row, stage, units, tables)
            log.stage_s[stage] += took_s
            done_s += took_s
    free_s = done_s + factor * residual_s(key, row, _TURNAROUND, tables)
    if down_s < done_s:
        log.end[row] = _FAILED
        done_s = down_s
        n_alerted = 0
    # The breakdown itself is dealt with at the worker's next turn.
    free_s = min(free_s, down_s)
    log.done_s[row] = done_s
    log.busy_s[worker] += free_s - now_s
    lines.free_s[worker] = free_s
    lines.working_s[worker] = free_s
    for place in range(n_alerted):
        log.alert_s[alerted[place]] = done_s


@njit(inline="always")
def _break_down(
    key: np.uint64,
    worker: int,
    node: Node,
    tables: ServiceTables,
    lines: _Lines,
    log: FrameLog,
) -> None:
    """Fail what waits at a worker, and what comes before it is repaired."""
    which = lines.downs[lines.next_down[worker]]
    lines.next_down[worker] += 1
    down_s, up_s = node.rules.down_s[which], node.rules.up_s[which]
    _let_in(key, worker, down_s, node, tables, lines, log)
    while lines.n_waiting[worker] > 0:
        row = _take(worker, node, lines, log)
        log.end[row] = _FAILED
        log.done_s[row] = down_s
    lines.free_s[worker] = max(up_s, lines.free_s[worker])
    while True:
        row = _upcoming(key, worker, np.inf, node, tables, lines, log)
        if row < 0 or log.received_s[row] >= up_s:
            return
        lines.upcoming[worker] += 1
        log.end[row] = _FAILED
        log.done_s[row] = log.received_s[row]
