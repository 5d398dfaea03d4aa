"""The node model told as SimPy processes: cameras, network, workers, breakdowns.

Owns a slow, readable twin of the compiled kernel. Both read the same tables at the
same addresses of the random numbers, so they must agree frame by frame; this one says
what the model is, and the other one makes it fast. Knows nothing of how frames or
faces come about.

A worker is what the matcher's engine has: one process that decodes every packet of
its cameras in order, looks at the newest frame of each, and is done with a frame, or
with a batch of frames, before it takes the next. So the stages share one core by turns,
and wait for each other only through the worker's inbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.draws import own_key
from sim.looking import fresh_memory, is_due, look_at
from sim.records import FrameEnd, StageIndex, empty_log
from sim.service import Gap, coldness, gap_s, is_lost, stage_s, sway

if TYPE_CHECKING:
    from collections.abc import Generator

    from sim.looking import Memory
    from sim.records import FrameLog, Node
    from sim.service import ServiceTables

    Steps = Generator[simpy.Event, object, None]

__all__ = ["simulate_node_simpy"]


@dataclass(slots=True, kw_only=True)
class _Worker:
    """One worker process and its inbox.

    Attributes:
        index: Which worker.
        news: Tells it that a frame has come.
        waiting: Rows of the frames that wait, in order of arrival.
        received_s: When the last frame came.
        looked_s: When it last detected.
        in_hand: Rows of the frames that have not ended.
        has_turn: From taking a frame until results are sent off.
        is_working: The same, without the wait for company.
        is_down: Broken, and not yet repaired.
    """

    index: int
    news: simpy.Event
    waiting: list[int] = field(default_factory=list)
    received_s: float = -np.inf
    looked_s: float = -np.inf
    in_hand: list[int] = field(default_factory=list)
    began_s: float = 0.0
    has_turn: bool = False
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

    def own(self, row: int) -> np.uint64:
        """Key of a frame's own draws; what numba returns, Python takes for an int."""
        return np.uint64(own_key(self.key, row))

    def gap_s(self, row: int, gap: Gap) -> float:
        """Draw one of a frame's gaps."""
        return float(gap_s(self.own(row), int(gap), self.tables.gaps_s))


def simulate_node_simpy(node: Node, tables: ServiceTables, *, key: int) -> FrameLog:
    """Run one node from its first frame to its last; see `fast.simulate_node`."""
    env = simpy.Environment()
    n, p = len(node.frames.capture_s), len(node.passages.t_in_s)
    site = _Site(
        key=np.uint64(key),
        node=node,
        tables=tables,
        memory=fresh_memory(node.passages, tables.look),
        log=empty_log(n, p, node.rules.n_workers),
        workers=[
            _Worker(index=k, news=env.event()) for k in range(node.rules.n_workers)
        ],
    )
    running = [env.process(_work(env, site, worker)) for worker in site.workers]
    env.process(_cameras(env, site))
    for which, worker in enumerate(node.rules.down_worker.tolist()):
        env.process(_breakdown(env, site, which, running[worker]))
    env.run()
    site.log.n_shots[:] = site.memory.n_shots
    return site.log


def _cameras(env: simpy.Environment, site: _Site) -> Steps:
    """Capture frames and send each on its way."""
    frames, log, rules = site.node.frames, site.log, site.node.rules
    for row, capture_s in enumerate(frames.capture_s.tolist()):
        yield env.timeout(max(capture_s - env.now, 0.0))
        if is_lost(site.own(row), rules.loss_share):
            log.end[row], log.done_s[row] = FrameEnd.LOST, capture_s
            continue
        worker = site.workers[site.node.cameras.worker[frames.camera[row]]]
        is_busy = worker.is_working or worker.is_down
        way_s = site.gap_s(row, Gap.WAY_BUSY if is_busy else Gap.WAY_IDLE)
        worker.received_s = max(worker.received_s, capture_s + way_s)
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
        oldest = _first(site, worker)
        worker.waiting.remove(oldest)
        log.end[oldest], log.done_s[oldest] = FrameEnd.DROPPED, log.received_s[row]
    worker.waiting.append(row)
    if not worker.news.triggered:
        worker.news.succeed(row)


def _first(site: _Site, worker: _Worker) -> int:
    """Say whose turn it is: by priority, then by capture."""
    priority, camera = site.node.cameras.priority, site.node.frames.camera
    return min(worker.waiting, key=lambda row: (int(priority[camera[row]]), row))


def _work(env: simpy.Environment, site: _Site, worker: _Worker) -> Steps:
    """Be a worker: wait, take, work, send off; break down and be repaired."""
    while True:
        try:
            if not worker.waiting:
                worker.news = env.event()
                row = yield worker.news
                yield env.timeout(site.gap_s(int(str(row)), Gap.WAKE))
            yield from _turn(env, site, worker)
        except simpy.Interrupt as broken:
            yield from _lie_down(env, site, worker, up_s=float(str(broken.cause)))


def _turn(env: simpy.Environment, site: _Site, worker: _Worker) -> Steps:
    """Take a frame, and company for it; bring them to their ends."""
    others = (each.has_turn for each in site.workers if each is not worker)
    n_active = 1 + sum(others)
    worker.has_turn = True
    slowdown = site.tables.slowdown
    slow = float(slowdown[min(n_active, len(slowdown) - 1)])
    overtaken: set[int] = set()
    yield from _gather(env, site, worker, overtaken)
    worker.is_working, worker.began_s = True, env.now
    slow *= float(sway(site.key, env.now, site.tables.sway))
    yield from _serve(env, site, worker, overtaken, slow)
    worker.is_working = worker.has_turn = False
    site.log.busy_s[worker.index] += env.now - worker.began_s


def _gather(
    env: simpy.Environment, site: _Site, worker: _Worker, overtaken: set[int]
) -> Steps:
    """Take the frame whose turn it is, and company; say who is to be skipped."""
    rules, camera_of = site.node.rules, site.node.frames.camera
    too_late = env.timeout(rules.batch_wait_s)
    while len(worker.in_hand) < rules.batch_frames:
        if not worker.waiting:
            if rules.batch_wait_s <= 0.0 or too_late.processed:
                return
            worker.news = env.event()
            yield worker.news | too_late
            continue
        row = _first(site, worker)
        camera = camera_of[row]
        if any(camera_of[other] == camera for other in worker.in_hand):
            return
        worker.waiting.remove(row)
        worker.in_hand.append(row)
        n_newer = sum(int(camera_of[other] == camera) for other in worker.waiting)
        if rules.skips and n_newer >= rules.max_pending:
            overtaken.add(row)


def _serve(
    env: simpy.Environment,
    site: _Site,
    worker: _Worker,
    overtaken: set[int],
    slow: float,
) -> Steps:
    """Look at each frame in hand, then identify them together; send off."""
    frames, log, tables = site.node.frames, site.log, site.tables
    cold = 1.0

    def spend(row: int, stage: StageIndex, units: float, faces: int) -> simpy.Event:
        took_s = stage_s(
            site.own(row), int(stage), units, faces, tables.costs_s, tables.residuals
        )
        took_s *= slow * (1.0 + tables.rest[stage] * cold)
        log.stage_s[stage] += took_s
        return env.timeout(took_s)

    batch, total = tuple(worker.in_hand), 0
    alerted: dict[int, list[int]] = {}
    for row in batch:
        log.start_s[row] = env.now
        cold = float(coldness(env.now - worker.looked_s))
        camera, capture_s = int(frames.camera[row]), float(frames.capture_s[row])
        is_searched = row not in overtaken and bool(
            is_due(camera, capture_s, site.memory, tables.look)
        )
        log.is_searched[row] = is_searched
        size = float(frames.packet_bytes[row])
        yield spend(row, StageIndex.DECODE, size, int(is_searched))
        if row in overtaken:
            log.end[row], log.done_s[row] = FrameEnd.SKIPPED, env.now
            worker.in_hand.remove(row)
            continue
        n_faces = n_embedded = n_alerted = 0
        if is_searched:
            n_faces, n_embedded, n_alerted = look_at(
                site.own(row), camera, capture_s, site.node.passages, site.memory,
                tables.look, 0,
            )  # fmt: skip
        alerted[row] = site.memory.alerted[:n_alerted].tolist()
        log.n_faces[row], log.n_embedded[row] = n_faces, n_embedded
        total += n_embedded
        for stage in (StageIndex.DETECT, StageIndex.TRACK, StageIndex.ALIGN):
            faces = n_embedded if stage is StageIndex.ALIGN else int(is_searched)
            yield spend(row, stage, float(n_faces), faces)
            if stage is StageIndex.DETECT and is_searched:
                worker.looked_s = env.now
    if worker.in_hand:
        for stage in (StageIndex.EMBED, StageIndex.SEARCH):
            yield spend(batch[0], stage, 0.0, total)
    for row in tuple(worker.in_hand):
        yield spend(row, StageIndex.DECIDE, 0.0, int(log.n_embedded[row]))
        log.end[row], log.done_s[row] = FrameEnd.PROCESSED, env.now
        log.alert_s[alerted[row]] = env.now
        worker.in_hand.remove(row)
    yield env.timeout(slow * site.gap_s(batch[0], Gap.TURNAROUND))


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
        log.busy_s[worker.index] += env.now - worker.began_s
    for row in (*worker.in_hand, *worker.waiting):
        log.end[row], log.done_s[row] = FrameEnd.FAILED, env.now
    worker.in_hand.clear()
    worker.waiting.clear()
    worker.has_turn, worker.is_working, worker.is_down = False, False, True
    yield env.timeout(max(up_s - env.now, 0.0))
    worker.is_down = False
