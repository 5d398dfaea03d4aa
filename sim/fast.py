"""The node model, compiled: millions of frames a second.

Owns the same queue as `system.py` without processes or an event list: a worker's next
step depends on what has arrived and on when it was free, so time can jump from frame
to frame. With the same random numbers it ends every frame at the same moment as the
SimPy model. Knows nothing of how frames or faces come about.

Deliberately one long loop over plain arrays: numba counts a reference for every array
that it takes out of a tuple, and in small functions over tuples that counting takes
ten times as long as the simulation. `system.py` tells the same in a readable way.
"""

# ruff: noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from sim.records import FrameEnd, FrameLog, Node, StageIndex, empty_log
from sim.service import (
    Memory,
    Residual,
    ServiceTables,
    fresh_memory,
    look_at,
    own_key,
    residual_s,
    stage_s,
    unit,
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
def _by(
    owner: NDArray[np.int32], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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


@njit(inline="always")
def _turn(
    worker: int,
    skips: bool,  # noqa: FBT001 - numba binds compiled arguments by position
    own_start: NDArray[np.int64],
    own: NDArray[np.int64],
    head: NDArray[np.int64],
    tail: NDArray[np.int64],
    waiting: NDArray[np.int64],
    priority: NDArray[np.int32],
    capture_s: NDArray[np.float64],
    received_s: NDArray[np.float64],
) -> int:
    """Find the camera whose frame is to be taken: by priority, then by age."""
    best, best_camera, best_priority, best_s = -1, -1, 0, 0.0
    for place in range(own_start[worker], own_start[worker + 1]):
        camera = own[place]
        if head[camera] >= tail[camera]:
            continue
        row = waiting[head[camera]]
        urgency = priority[camera]
        age_s = capture_s[row] if skips else received_s[row]
        is_first = best < 0 or urgency < best_priority
        if not is_first and urgency == best_priority:
            # Frames of one moment go in the order in which they came.
            is_first = age_s < best_s or (age_s == best_s and row < best)
        if is_first:
            best, best_camera, best_priority, best_s = row, camera, urgency, age_s
    return best_camera


@njit(inline="always")
def _upcoming(
    key: np.uint64,
    worker: int,
    until_s: float,
    free_s: NDArray[np.float64],
    upcoming: NDArray[np.int64],
    last: NDArray[np.int64],
    arrivals: NDArray[np.int64],
    came_s: NDArray[np.float64],
    capture_s: NDArray[np.float64],
    received_s: NDArray[np.float64],
    end: NDArray[np.int8],
    done_s: NDArray[np.float64],
    residuals_s: NDArray[np.float64],
    loss_share: float,
) -> int:
    """Return the next frame captured until a moment, and settle when it comes.

    Which way it has depends on whether the worker is at work when it is captured: so
    nobody may ask about frames that are captured after the worker's next step. Frames
    that the network loses end here. Returns -1 if there is none.
    """
    while upcoming[worker] < last[worker]:
        row = arrivals[upcoming[worker]]
        if not np.isnan(received_s[row]):
            return int(row)
        if capture_s[row] > until_s:
            return -1
        own = own_key(key, row)
        if loss_share > 0.0 and unit(own, _LOSS) < loss_share:
            end[row] = _LOST
            done_s[row] = capture_s[row]
            upcoming[worker] += 1
            continue
        way = _WAY_BUSY if capture_s[row] < free_s[worker] else _WAY_IDLE
        arrival_s = capture_s[row] + residual_s(own, way, residuals_s)
        # One line per worker: a frame held up holds up those behind it.
        came_s[worker] = max(came_s[worker], arrival_s)
        received_s[row] = came_s[worker]
        return int(row)
    return -1


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
    # Take every tuple apart, once.
    frames, rules, passages = node.frames, node.rules, node.passages
    camera_of, capture_s = frames.camera, frames.capture_s
    packet_bytes = frames.packet_bytes
    worker_of, priority = node.cameras.worker, node.cameras.priority
    n_workers, skips, max_pending = rules.n_workers, rules.skips, rules.max_pending
    capacity, drops_oldest = rules.capacity, rules.drops_oldest
    loss_share, all_down_s, all_up_s = rules.loss_share, rules.down_s, rules.up_s
    first, t_in_s, t_out_s = passages.start, passages.t_in_s, passages.t_out_s
    inverse_height, inverse_rate = passages.inverse_height, passages.inverse_rate
    alert_shot = passages.alert_shot
    last_s, n_shots, n_seen = memory.last_s, memory.n_shots, memory.n_seen
    n_refused, low, high = memory.n_refused, memory.low, memory.high
    costs_s, residuals_s = tables.costs_s, tables.residuals_s
    hazards, stray, slowdown = tables.hazards, tables.stray, tables.slowdown
    interval_s, max_shots = tables.interval_s, tables.max_shots
    end, received_s, start_s = log.end, log.received_s, log.start_s
    done_s, n_faces, n_embedded = log.done_s, log.n_faces, log.n_embedded
    alert_s, stage_total_s, busy_s = log.alert_s, log.stage_s, log.busy_s

    # Line everybody up: frames by worker on their way, frames by camera in the inbox.
    arriving, arrivals = _by(worker_of[camera_of], n_workers)
    upcoming, last = arriving[:-1].copy(), arriving[1:].copy()
    camera_start, waiting = _by(camera_of, len(worker_of))
    head, tail = camera_start[:-1].copy(), camera_start[:-1].copy()
    own_start, own = _by(worker_of, n_workers)
    down_start, downs = _by(rules.down_worker, n_workers)
    next_down, last_down = down_start[:-1].copy(), down_start[1:].copy()
    n_waiting = np.zeros(n_workers, np.int64)
    free_s = np.full(n_workers, -np.inf)
    working_s = np.full(n_workers, -np.inf)
    came_s = np.full(n_workers, -np.inf)
    alerted = np.empty(len(t_in_s) + 1, np.int64)

    while True:
        # Who takes the next frame, and when?
        worker, now_s, down_s = -1, np.inf, np.inf
        for each in range(n_workers):
            breaks_s = np.inf
            if next_down[each] < last_down[each]:
                breaks_s = all_down_s[downs[next_down[each]]]
            begin_s = free_s[each]
            if n_waiting[each] == 0:
                row = _upcoming(
                    key, each, breaks_s, free_s, upcoming, last, arrivals, came_s,
                    capture_s, received_s, end, done_s, residuals_s, loss_share,
                )  # fmt: skip
                if row < 0 and upcoming[each] == last[each]:
                    continue
                if row < 0:
                    begin_s = breaks_s
                elif received_s[row] > begin_s:
                    wake_s = residual_s(own_key(key, row), _WAKE, residuals_s)
                    begin_s = received_s[row] + wake_s
            if begin_s < now_s:
                worker, now_s, down_s = each, begin_s, breaks_s
        if worker < 0:
            break

        # Let in what has come until then; a full inbox drops.
        is_broken = down_s <= now_s
        until_s = down_s if is_broken else now_s
        while True:
            row = _upcoming(
                key, worker, until_s, free_s, upcoming, last, arrivals, came_s,
                capture_s, received_s, end, done_s, residuals_s, loss_share,
            )  # fmt: skip
            if row < 0 or received_s[row] > until_s:
                break
            upcoming[worker] += 1
            if n_waiting[worker] >= capacity:
                if not drops_oldest:
                    end[row] = _DROPPED
                    done_s[row] = received_s[row]
                    continue
                camera = _turn(
                    worker, skips, own_start, own, head, tail, waiting, priority,
                    capture_s, received_s,
                )  # fmt: skip
                oldest = waiting[head[camera]]
                head[camera] += 1
                n_waiting[worker] -= 1
                end[oldest] = _DROPPED
                done_s[oldest] = received_s[row]
            # Frames that never waited leave no gap: a line holds only those that do.
            waiting[tail[camera_of[row]]] = row
            tail[camera_of[row]] += 1
            n_waiting[worker] += 1

        # A breakdown fails what waits, and what comes before the repair.
        if is_broken:
            up_s = all_up_s[downs[next_down[worker]]]
            next_down[worker] += 1
            for place in range(own_start[worker], own_start[worker + 1]):
                camera = own[place]
                while head[camera] < tail[camera]:
                    row = waiting[head[camera]]
                    end[row] = _FAILED
                    done_s[row] = down_s
                    head[camera] += 1
            n_waiting[worker] = 0
            free_s[worker] = max(up_s, free_s[worker])
            while True:
                row = _upcoming(
                    key, worker, np.inf, free_s, upcoming, last, arrivals, came_s,
                    capture_s, received_s, end, done_s, residuals_s, loss_share,
                )  # fmt: skip
                if row < 0 or received_s[row] >= up_s:
                    break
                upcoming[worker] += 1
                end[row] = _FAILED
                done_s[row] = received_s[row]
            continue

        # Take a frame and bring it to its end.
        camera = _turn(
            worker, skips, own_start, own, head, tail, waiting, priority, capture_s,
            received_s,
        )  # fmt: skip
        row = waiting[head[camera]]
        head[camera] += 1
        n_waiting[worker] -= 1
        n_active = 1
        for other in range(n_workers):
            if other != worker and working_s[other] > now_s:
                n_active += 1
        factor = slowdown[min(n_active, len(slowdown) - 1)]
        start_s[row] = now_s
        own_draws = own_key(key, row)
        took_s = factor * stage_s(
            own_draws, _DECODE, packet_bytes[row], costs_s, residuals_s
        )
        stage_total_s[_DECODE] += took_s
        ends_s = now_s + took_s
        n_alerted = 0
        if skips and tail[camera] - head[camera] >= max_pending:
            end[row] = _SKIPPED
        elif ends_s < down_s:
            faces, embedded, n_alerted = look_at(
                own_draws, camera, capture_s[row], first, t_in_s, t_out_s,
                inverse_height, inverse_rate, alert_shot, last_s, n_shots, n_seen,
                n_refused, low, high, hazards, stray, interval_s, max_shots, alerted,
            )  # fmt: skip
            end[row] = _PROCESSED
            n_faces[row], n_embedded[row] = faces, embedded
            for stage in range(_DETECT, _DECIDE + 1):
                if ends_s >= down_s:
                    break
                units = faces if stage <= _ALIGN else embedded
                took_s = factor * stage_s(own_draws, stage, units, costs_s, residuals_s)
                stage_total_s[stage] += took_s
                ends_s += took_s
        after_s = ends_s + factor * residual_s(own_draws, _TURNAROUND, residuals_s)
        if down_s < ends_s:
            end[row] = _FAILED
            ends_s = down_s
            n_alerted = 0
        # The breakdown itself is dealt with at the worker's next turn.
        after_s = min(after_s, down_s)
        done_s[row] = ends_s
        busy_s[worker] += after_s - now_s
        free_s[worker] = working_s[worker] = after_s
        for place in range(n_alerted):
            alert_s[alerted[place]] = ends_s
    log.n_shots[:] = n_shots
