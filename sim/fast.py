"""The node model, compiled: millions of frames a second.

Owns the same queue as `system.py` without processes or an event list: a worker's next
step depends on what has arrived and on when it was free, so time can jump from turn to
turn. With the same random numbers it ends every frame at the same moment as the SimPy
model. How a turn goes stands in `fast_inbox.py` and `fast_turn.py`. Knows nothing of
how frames or faces come about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled import compiled
from sim.draws import own_key
from sim.fast_inbox import State, break_down, gather, let_in, settle, upcoming
from sim.fast_turn import work
from sim.looking import fresh_memory
from sim.records import empty_log
from sim.service import Gap, gap_s, sway

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.looking import Memory
    from sim.records import FrameLog, Node
    from sim.service import ServiceTables

__all__ = ["simulate_node"]

_WAKE = int(Gap.WAKE)


def simulate_node(node: Node, tables: ServiceTables, *, key: int) -> FrameLog:
    """Run one node from its first frame to its last.

    Args:
        node: The machine and what is sent to it.
        tables: Service times.
        key: 64 bits; equal keys give equal draws.

    Returns:
        What became of every frame and passage.
    """
    rules = node.rules
    log = empty_log(
        len(node.frames.capture_s), len(node.passages.t_in_s), rules.n_workers
    )
    memory = fresh_memory(node.passages, tables.look)
    _serve(np.uint64(key), node, tables, _line_up(node), memory, log)
    log.n_shots[:] = memory.n_shots
    return log


def _line_up(node: Node) -> State:
    """Sort frames and breakdowns by worker; nobody has begun."""
    rules = node.rules
    owner = node.cameras.worker[node.frames.camera]
    arriving, arrivals = _by(owner, rules.n_workers)
    breaking, downs = _by(rules.down_worker, rules.n_workers)
    never = np.full(rules.n_workers, -np.inf)
    return State(
        arrivals=arrivals,
        next=arriving[:-1].copy(),
        last=arriving[1:].copy(),
        queue=np.empty(len(arrivals), np.int64),
        head=arriving[:-1].copy(),
        tail=arriving[:-1].copy(),
        n_waiting=np.zeros(len(node.cameras.worker), np.int64),
        downs=downs,
        next_down=breaking[:-1].copy(),
        last_down=breaking[1:].copy(),
        turn_s=never,
        free_s=never.copy(),
        came_s=never.copy(),
        looked_s=never.copy(),
        batch=np.empty(rules.batch_frames, np.int64),
        is_overtaken=np.empty(rules.batch_frames, np.bool_),
    )


def _by(
    owner: NDArray[np.int32], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort rows by owner, keeping their order: first place of each, and the rows."""
    start = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n))])
    if n == 1:
        return start, np.arange(len(owner))
    return start, np.argsort(owner, kind="stable")


@compiled()
def _serve(
    key: np.uint64,
    node: Node,
    tables: ServiceTables,
    state: State,
    memory: Memory,
    log: FrameLog,
) -> None:
    """Take turn after turn until nothing is left."""
    rules, slowdown = node.rules, tables.slowdown
    while True:
        worker, now_s = _next_turn(key, node, tables, state, log)
        if worker < 0:
            break
        down_s = _down_s(worker, node, state)
        let_in(key, worker, min(now_s, down_s), node, tables, state, log)
        if down_s <= now_s:
            settle(key, worker, down_s, node, tables, state, log)
            break_down(key, worker, node, tables, state, log)
            continue
        n_active = 1
        for other in range(rules.n_workers):
            if other != worker and state.turn_s[other] > now_s:
                n_active += 1
        slow = slowdown[min(n_active, len(slowdown) - 1)]
        n_batch, begin_s = gather(key, worker, now_s, down_s, node, tables, state, log)
        settle(key, worker, begin_s, node, tables, state, log)
        slow *= sway(key, begin_s, tables.sway)
        work(
            key, worker, n_batch, begin_s, down_s, slow, node, tables, state, memory,
            log,
        )  # fmt: skip


@compiled()
def _down_s(worker: int, node: Node, state: State) -> float:
    """Say when a worker breaks down next."""
    if state.next_down[worker] < state.last_down[worker]:
        return float(node.rules.down_s[state.downs[state.next_down[worker]]])
    return np.inf


@compiled()
def _next_turn(
    key: np.uint64, node: Node, tables: ServiceTables, state: State, log: FrameLog
) -> tuple[int, float]:
    """Say which worker takes a frame or breaks down next, and when; -1 if none."""
    found, found_s = -1, np.inf
    for worker in range(node.rules.n_workers):
        begin_s = state.free_s[worker]
        if state.head[worker] == state.tail[worker]:
            down_s = _down_s(worker, node, state)
            row = upcoming(key, worker, down_s, node, tables, state, log)
            if row < 0:
                if state.next[worker] == state.last[worker]:
                    continue
                begin_s = down_s
            elif log.received_s[row] > begin_s:
                wake_s = gap_s(own_key(key, row), _WAKE, tables.gaps_s)
                begin_s = log.received_s[row] + wake_s
        if begin_s < found_s:
            found, found_s = worker, begin_s
    return found, found_s
