"""The node model told as SimPy processes: cameras, network, workers, breakdowns.

Owns a slow, readable twin of the compiled kernel. Both read the same tables at the
same addresses of the random numbers, so they must agree frame by frame; this one says
what the model is, and the other one makes it fast. Knows nothing of how frames or
faces come about.

A worker is what the matcher's engine has: one process that decodes every packet of
its cameras in order, looks at the newest frame of each, and is done with a frame
before it takes the next. So the stages share one core by turns, and wait for each
other only through the worker's inbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.records import FrameEnd, StageIndex, empty_log
from sim.service import (
    Residual,
    fresh_memory,
    look,
    own_key,
    residual_s,
    stage_s,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from sim.records import FrameLog, Node
    from sim.service import Memory, ServiceTables

    Steps = Generator[simpy.Event, object, None]

__all__ = ["simulate_node_simpy"]


@dataclass(slots=True, kw_only=True)
class _Worker:
    """One worker process and its inbox.

    Attributes:
        index: Which worker.
        news: Tells an idle worker which frame has come.
        waiting: Rows of the frames that wait, in order of arrival.
        received_s: When the last frame came.
        in_hand: Row of the frame that is worked on; None between frames.
        is_working: From taking a frame until results are sent off.
        is_down: Broken, and not yet repaired.
    """

    index: int
    news: simpy.Event
    waiting: list[int] = field(default_factory=list)
    received_s: float = -np.inf
    in_hand: int | None = None
    taken_s: float = 0.0
    is_working: bool = False
    is_down: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class _Site:
    """What the processes share."""

    key: np.uint64
    node: Node
    tables: ServiceTables
    memory: Memory
    log: FrameLog
    workers: list[_Worker]
    alerted: NDArray[np.int64]


def simulate_node_simpy(node: Node, tables: ServiceTables, *, key: int) -> FrameLog:
    """Run one node from its first frame to its last; see `fast.simulate_node`."""
    env = simpy.Environment()
    n, p = len(node.frames.capture_s), len(node.passages.t_in_s)
    site = _Site(
        key=np.uint64(key),
        node=node,
        tables=tables,
        memory=fresh_memory(node.passages),
        log=empty_log(n, p, node.rules.n_workers),
        workers=[
            _Worker(index=k, news=env.event()) for k in range(node.rules.n_workers)
        ],
        alerted=np.empty(p + 1, np.int64),
    )
    running = [env.process(_work(env, site, worker)) for worker in site.workers]
    env.process(_cameras(env, site))
    for which, worker in enumerate(node.rules.down_worker.tolist()):
        env.process(_breakdown(env, site, which, running[worker]))
    env.run()
    site.log.n_shots[:] = site.memory.n_shots
    return site.log


def _own(site: _Site, row: int) -> np.uint64:
    """Key of a frame's own draws; what numba returns, Python takes for an int."""
    return np.uint64(own_key(site.key, row))


def _cameras(env: simpy.Environment, site: _Site) -> Steps:
    """Capture frames and send each on its way."""
    frames, log = site.node.frames, site.log
    for row, capture_s in enumerate(frames.capture_s.tolist()):
        yield env.timeout(max(capture_s - env.now, 0.0))
        if unit(_own(site, row), Residual.LOSS) < site.node.rules.loss_share:
            log.end[row], log.done_s[row] = FrameEnd.LOST, capture_s
            continue
        worker = site.workers[site.node.cameras.worker[frames.camera[row]]]
        is_busy = worker.is_working or worker.is_down
        way = Residual.WAY_BUSY if is_busy else Residual.WAY_IDLE
        arrival_s = capture_s + residual_s(
            _own(site, row), way, site.tables.residuals_s
        )
        worker.received_s = max(worker.received_s, arrival_s)
        log.received_s[row] = worker.received_s
        env.process(_way(env, site, worker, row))


def _way(env: simpy.Environment, site: _Site, worker: _Worker, row: int) -> Steps:
    """Carry one frame to its worker's inbox."""
    log, rules = site.log, site.node.rules
    yield env.timeout(max(log.received_s[row] - env.now, 0.0))
    if worker.is_down:
        log.end[row], log.done_s[row] = FrameEnd.FAILED, log.received_s[row]
        return
    if len(worker.waiting) >= rules.capacity:
        if not rules.drops_oldest:
            log.end[row], log.done_s[row] = FrameEnd.DROPPED, log.received_s[row]
            return
        oldest = _take(site, worker)
        log.end[oldest], log.done_s[oldest] = FrameEnd.DROPPED, log.received_s[row]
    worker.waiting.append(row)
    if not worker.news.triggered:
        worker.news.succeed(row)


def _take(site: _Site, worker: _Worker) -> int:
    """Take the frame whose turn it is: by priority, then by age."""
    frames, rules = site.node.frames, site.node.rules

    def turn(row: int) -> tuple[int, float, int]:
        age_s = frames.capture_s[row] if rules.skips else site.log.received_s[row]
        return int(site.node.cameras.priority[frames.camera[row]]), float(age_s), row

    row = min(worker.waiting, key=turn)
    worker.waiting.remove(row)
    return row


def _work(env: simpy.Environment, site: _Site, worker: _Worker) -> Steps:
    """Be a worker: wait, take, work, send off; break down and be repaired."""
    while True:
        try:
            if not worker.waiting:
                worker.news = env.event()
                row = yield worker.news
                yield env.timeout(
                    residual_s(
                        _own(site, int(str(row))),
                        Residual.WAKE,
                        site.tables.residuals_s,
                    )
                )
            yield from _serve(env, site, worker)
        except simpy.Interrupt as broken:
            yield from _lie_down(env, site, worker, up_s=float(str(broken.cause)))


def _serve(env: simpy.Environment, site: _Site, worker: _Worker) -> Steps:
    """Bring one frame to its end."""
    frames, log, tables = site.node.frames, site.log, site.tables
    row = _take(site, worker)
    camera = int(frames.camera[row])
    n_newer = sum(int(frames.camera[other]) == camera for other in worker.waiting)
    others = (each.is_working for each in site.workers if each is not worker)
    n_active = 1 + sum(others)
    factor = tables.slowdown[min(n_active, len(tables.slowdown) - 1)]
    worker.in_hand, worker.taken_s, worker.is_working = row, env.now, True
    log.start_s[row] = env.now
    own = _own(site, row)

    def spend(stage: StageIndex, units: float) -> simpy.Event:
        took_s = factor * stage_s(own, stage, units, tables.costs_s, tables.residuals_s)
        log.stage_s[stage] += took_s
        return env.timeout(took_s)

    yield spend(StageIndex.DECODE, float(frames.packet_bytes[row]))
    n_alerted, end = 0, FrameEnd.SKIPPED
    if not (site.node.rules.skips and n_newer >= site.node.rules.max_pending):
        end = FrameEnd.PROCESSED
        n_faces, n_embedded, n_alerted = look(
            own,
            camera,
            float(frames.capture_s[row]),
            site.node.passages,
            site.memory,
            tables,
            site.alerted,
        )
        alerted = site.alerted[:n_alerted].copy()
        log.n_faces[row], log.n_embedded[row] = n_faces, n_embedded
        for stage in StageIndex:
            if stage is not StageIndex.DECODE:
                units = n_faces if stage <= StageIndex.ALIGN else n_embedded
                yield spend(stage, float(units))
    log.end[row], log.done_s[row] = end, env.now
    if n_alerted:
        log.alert_s[alerted] = env.now
    worker.in_hand = None
    yield env.timeout(factor * residual_s(own, Residual.TURNAROUND, tables.residuals_s))
    worker.is_working = False
    log.busy_s[worker.index] += env.now - worker.taken_s


def _breakdown(
    env: simpy.Environment, site: _Site, which: int, victim: simpy.Process
) -> Steps:
    """Break a worker down at its appointed time."""
    rules = site.node.rules
    yield env.timeout(float(rules.down_s[which]))
    victim.interrupt(cause=float(rules.up_s[which]))


def _lie_down(
    env: simpy.Environment, site: _Site, worker: _Worker, *, up_s: float
) -> Steps:
    """Fail everything at hand and in the inbox, and wait for the repair."""
    log = site.log
    if worker.is_working:
        log.busy_s[worker.index] += env.now - worker.taken_s
    if worker.in_hand is not None:
        log.end[worker.in_hand] = FrameEnd.FAILED
        log.done_s[worker.in_hand] = env.now
        worker.in_hand = None
    while worker.waiting:
        row = worker.waiting.pop()
        log.end[row], log.done_s[row] = FrameEnd.FAILED, env.now
    worker.is_working, worker.is_down = False, True
    yield env.timeout(max(up_s - env.now, 0.0))
    worker.is_down = False
