"""What comes to a compiled worker: arrivals, its inbox, breakdowns, batches.

Owns the order in which frames come and are taken. Knows nothing of service times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.compiled import compiled
from sim.draws import own_key
from sim.records import FrameEnd
from sim.service import Gap, gap_s, is_lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.records import FrameLog, Node
    from sim.service import ServiceTables

__all__ = ["State", "break_down", "gather", "let_in", "settle", "upcoming"]

_DROPPED, _FAILED = int(FrameEnd.DROPPED), int(FrameEnd.FAILED)
_LOST = int(FrameEnd.LOST)
_WAY_IDLE, _WAY_BUSY = int(Gap.WAY_IDLE), int(Gap.WAY_BUSY)


class State(NamedTuple):
    """Where everybody stands.

    Attributes:
        arrivals: (n,) int64, rows of frames by worker, in order of capture.
        next, last: (w,) int64, places in `arrivals` of those on their way.
        queue: (n,) int64, rows of frames by worker, in the order of their turns.
        head, tail: (w,) int64, places in `queue` of those in the inbox.
        n_waiting: (k,) int64, frames of a camera in the inbox.
        downs: (d,) int64, rows of breakdowns by worker.
        next_down, last_down: (w,) int64, places in `downs` of those to come.
        turn_s: (w,) float64, when the worker is done with its turn.
        free_s: (w,) float64, when it can take the next: a broken one is repaired first.
        came_s: (w,) float64, when its last frame came.
        looked_s: (w,) float64, when it last detected.
        batch: (b,) int64, rows of the frames taken together.
        is_overtaken: (b,) bool, whether they are to be skipped.
    """

    arrivals: NDArray[np.int64]
    next: NDArray[np.int64]
    last: NDArray[np.int64]
    queue: NDArray[np.int64]
    head: NDArray[np.int64]
    tail: NDArray[np.int64]
    n_waiting: NDArray[np.int64]
    downs: NDArray[np.int64]
    next_down: NDArray[np.int64]
    last_down: NDArray[np.int64]
    turn_s: NDArray[np.float64]
    free_s: NDArray[np.float64]
    came_s: NDArray[np.float64]
    looked_s: NDArray[np.float64]
    batch: NDArray[np.int64]
    is_overtaken: NDArray[np.bool_]


@compiled()
def upcoming(
    key: np.uint64,
    worker: int,
    until_s: float,
    node: Node,
    tables: ServiceTables,
    state: State,
    log: FrameLog,
) -> int:
    """Return the next frame captured until a moment, and settle when it comes.

    Which way it has depends on whether the worker is at work when it is captured: so
    nobody may ask about frames that are captured after the worker's next step. Frames
    that the network loses end here. Returns -1 if there is none.
    """
    while state.next[worker] < state.last[worker]:
        row = state.arrivals[state.next[worker]]
        if node.frames.capture_s[row] > until_s:
            return -1
        _send(key, worker, row, node, tables, state, log)
        if log.end[row] != _LOST:
            return int(row)
        state.next[worker] += 1
    return -1


@compiled()
def settle(
    key: np.uint64,
    worker: int,
    until_s: float,
    node: Node,
    tables: ServiceTables,
    state: State,
    log: FrameLog,
) -> None:
    """Send everything on its way that is captured before the worker's next step.

    To be called before that step is taken: whoever is captured afterwards finds the
    worker at work, those before it as the step before left it.
    """
    for place in range(state.next[worker], state.last[worker]):
        row = state.arrivals[place]
        if node.frames.capture_s[row] >= until_s:
            break
        _send(key, worker, row, node, tables, state, log)


@compiled()
def _send(
    key: np.uint64,
    worker: int,
    row: int,
    node: Node,
    tables: ServiceTables,
    state: State,
    log: FrameLog,
) -> None:
    """Settle when a frame comes, or that it is lost, unless that is settled."""
    if log.end[row] == _LOST or not np.isnan(log.received_s[row]):
        return
    own, capture_s = own_key(key, row), node.frames.capture_s[row]
    if is_lost(own, node.rules.loss_share):
        log.end[row], log.done_s[row] = _LOST, capture_s
        return
    way = _WAY_BUSY if capture_s < state.free_s[worker] else _WAY_IDLE
    arrival_s = capture_s + gap_s(own, way, tables.gaps_s)
    # One line per worker: a frame held up holds up those behind it.
    came_s = max(state.came_s[worker], arrival_s)
    state.came_s[worker] = log.received_s[row] = came_s


@compiled()
def let_in(
    key: np.uint64,
    worker: int,
    until_s: float,
    node: Node,
    tables: ServiceTables,
    state: State,
    log: FrameLog,
) -> None:
    """Let everything into the inbox that has come until a moment."""
    while True:
        row = upcoming(key, worker, until_s, node, tables, state, log)
        if row < 0 or log.received_s[row] > until_s:
            break
        _admit(worker, row, node, state, log)


@compiled()
def _admit(worker: int, row: int, node: Node, state: State, log: FrameLog) -> None:
    """Put a frame that has come into its inbox; a full one drops."""
    camera_of, priority = node.frames.camera, node.cameras.priority
    state.next[worker] += 1
    if state.tail[worker] - state.head[worker] >= node.rules.capacity:
        if not node.rules.drops_oldest:
            log.end[row], log.done_s[row] = _DROPPED, log.received_s[row]
            return
        oldest = _leave(worker, node, state)
        log.end[oldest], log.done_s[oldest] = _DROPPED, log.received_s[row]
    # Frames come in order of capture; only priority lets one pass another.
    place, urgency = state.tail[worker], priority[camera_of[row]]
    while place > state.head[worker]:
        ahead = state.queue[place - 1]
        if priority[camera_of[ahead]] <= urgency:
            break
        state.queue[place] = ahead
        place -= 1
    state.queue[place] = row
    state.tail[worker] += 1
    state.n_waiting[camera_of[row]] += 1


@compiled()
def _leave(worker: int, node: Node, state: State) -> int:
    """Take the frame whose turn it is out of the inbox."""
    row = state.queue[state.head[worker]]
    state.head[worker] += 1
    state.n_waiting[node.frames.camera[row]] -= 1
    return int(row)


@compiled()
def break_down(
    key: np.uint64,
    worker: int,
    node: Node,
    tables: ServiceTables,
    state: State,
    log: FrameLog,
) -> None:
    """Fail what waits, and what comes before the repair."""
    which = state.downs[state.next_down[worker]]
    down_s, up_s = node.rules.down_s[which], node.rules.up_s[which]
    state.next_down[worker] += 1
    while state.head[worker] < state.tail[worker]:
        row = _leave(worker, node, state)
        log.end[row], log.done_s[row] = _FAILED, down_s
    state.free_s[worker] = max(up_s, state.free_s[worker])
    while True:
        row = upcoming(key, worker, up_s, node, tables, state, log)
        if row < 0 or log.received_s[row] >= up_s:
            break
        state.next[worker] += 1
        log.end[row], log.done_s[row] = _FAILED, log.received_s[row]


@compiled()
def gather(
    key: np.uint64,
    worker: int,
    now_s: float,
    down_s: float,
    node: Node,
    tables: ServiceTables,
    state: State,
    log: FrameLog,
) -> tuple[int, float]:
    """Take the frame whose turn it is, and company for it, into the batch.

    No two frames of one camera go together, and a frame behind may not overtake.
    Nobody waits for company beyond a breakdown: what comes then is not of the batch.

    Returns:
        How many there are, and when the last of them had come or was given up.
    """
    rules, camera_of = node.rules, node.frames.camera
    ends_s = min(now_s + rules.batch_wait_s, down_s)
    n_batch, begin_s = 0, now_s
    while n_batch < rules.batch_frames:
        if state.head[worker] == state.tail[worker]:
            if rules.batch_wait_s <= 0.0:
                break
            row = upcoming(key, worker, ends_s, node, tables, state, log)
            if row < 0 or log.received_s[row] > ends_s:
                begin_s = ends_s
                break
            begin_s = max(begin_s, log.received_s[row])
            # Those held up behind it come at the same moment.
            let_in(key, worker, log.received_s[row], node, tables, state, log)
            continue
        row = state.queue[state.head[worker]]
        if _is_among(camera_of[row], n_batch, node, state):
            break
        _leave(worker, node, state)
        n_newer = state.n_waiting[camera_of[row]]
        state.batch[n_batch] = row
        state.is_overtaken[n_batch] = rules.skips and n_newer >= rules.max_pending
        n_batch += 1
    return n_batch, begin_s


@compiled()
def _is_among(camera: int, n_batch: int, node: Node, state: State) -> bool:
    """Say whether the batch has a frame of a camera."""
    for place in range(n_batch):
        if node.frames.camera[state.batch[place]] == camera:
            return True
    return False
