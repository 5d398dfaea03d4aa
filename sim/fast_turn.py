"""One turn of a compiled worker: look at each frame of a batch, then identify all.

Owns what happens between taking frames and being free again. Knows nothing of where
frames come from.
"""

# ruff: noqa: PLR0913, PLR0917 - compiled functions are told what they change, one by one

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.compiled import compiled
from sim.draws import own_key
from sim.looking import is_due, look_at
from sim.records import FrameEnd, StageIndex
from sim.service import Gap, coldness, gap_s, stage_s

if TYPE_CHECKING:
    from sim.fast_inbox import State
    from sim.looking import Memory
    from sim.records import FrameLog, Node
    from sim.service import ServiceTables

__all__ = ["work"]

_PROCESSED, _SKIPPED = int(FrameEnd.PROCESSED), int(FrameEnd.SKIPPED)
_FAILED = int(FrameEnd.FAILED)
_DECODE, _DETECT = int(StageIndex.DECODE), int(StageIndex.DETECT)
_ALIGN, _EMBED = int(StageIndex.ALIGN), int(StageIndex.EMBED)
_SEARCH, _DECIDE = int(StageIndex.SEARCH), int(StageIndex.DECIDE)
_TURNAROUND = int(Gap.TURNAROUND)


@compiled()
def work(
    key: np.uint64,
    worker: int,
    n_batch: int,
    begin_s: float,
    down_s: float,
    slow: float,
    node: Node,
    tables: ServiceTables,
    state: State,
    memory: Memory,
    log: FrameLog,
) -> None:
    """Bring the frames of the batch to their ends; `slow` is a factor on all times."""
    clock_s, cold, n_looked, n_alerted, total = begin_s, 1.0, 0, 0, 0
    for place in range(n_batch):
        if clock_s >= down_s:
            break
        row = state.batch[place]
        log.start_s[row] = clock_s
        cold = coldness(clock_s - state.looked_s[worker])
        own, is_overtaken = own_key(key, row), state.is_overtaken[place]
        camera, capture_s = node.frames.camera[row], node.frames.capture_s[row]
        is_searched = not is_overtaken and is_due(
            camera, capture_s, memory, tables.look
        )
        log.is_searched[row] = is_searched
        size, searched = node.frames.packet_bytes[row], int(is_searched)
        clock_s += _spend(own, _DECODE, size, searched, slow, cold, tables, log)
        if clock_s >= down_s:
            break
        if is_overtaken:
            log.end[row], log.done_s[row] = _SKIPPED, clock_s
            continue
        n_looked += 1
        clock_s, n_alerted = _look(
            own, row, worker, clock_s, down_s, slow, cold, n_alerted, node, tables,
            state, memory, log,
        )  # fmt: skip
        total += log.n_embedded[row]
    first = own_key(key, state.batch[0])
    for stage in range(_EMBED, _SEARCH + 1):
        if n_looked > 0 and clock_s < down_s:
            clock_s += _spend(first, stage, 0.0, total, slow, cold, tables, log)
    clock_s = _decide(key, n_batch, clock_s, down_s, slow, cold, tables, state, log)
    for which in range(n_alerted):
        row = int(log.alert_s[memory.alerted[which]])
        alert_s = log.done_s[row] if log.end[row] == _PROCESSED else np.nan
        log.alert_s[memory.alerted[which]] = alert_s
    after_s = clock_s + slow * gap_s(first, _TURNAROUND, tables.gaps_s)
    # The breakdown itself is dealt with at the worker's next turn.
    after_s = min(after_s, down_s)
    log.busy_s[worker] += max(after_s - begin_s, 0.0)
    state.turn_s[worker] = state.free_s[worker] = after_s


@compiled()
def _look(
    own: np.uint64,
    row: int,
    worker: int,
    clock_s: float,
    down_s: float,
    slow: float,
    cold: float,
    n_alerted: int,
    node: Node,
    tables: ServiceTables,
    state: State,
    memory: Memory,
    log: FrameLog,
) -> tuple[float, int]:
    """Detect, track and align the faces of one frame, or let its tracks coast.

    Returns:
        When that is done, and how many passages alert so far.
    """
    n_before, n_faces, n_embedded = n_alerted, 0, 0
    is_searched = log.is_searched[row]
    if is_searched:
        n_faces, n_embedded, n_alerted = look_at(
            own, node.frames.camera[row], node.frames.capture_s[row], node.passages,
            memory, tables.look, n_alerted,
        )  # fmt: skip
    log.n_faces[row], log.n_embedded[row] = n_faces, n_embedded
    for which in range(n_before, n_alerted):
        # For now: on which frame. When, is known at its end.
        log.alert_s[memory.alerted[which]] = row
    for stage in range(_DETECT, _ALIGN + 1):
        faces = n_embedded if stage == _ALIGN else int(is_searched)
        if clock_s < down_s:
            clock_s += _spend(own, stage, n_faces, faces, slow, cold, tables, log)
        if stage == _DETECT and is_searched and clock_s < down_s:
            state.looked_s[worker] = clock_s
    return clock_s, n_alerted


@compiled()
def _decide(
    key: np.uint64,
    n_batch: int,
    clock_s: float,
    down_s: float,
    slow: float,
    cold: float,
    tables: ServiceTables,
    state: State,
    log: FrameLog,
) -> float:
    """Decide frame by frame; a breakdown fails the rest. Return when that is done."""
    for place in range(n_batch):
        row = state.batch[place]
        if log.end[row] != _SKIPPED and clock_s < down_s:
            own, n = own_key(key, row), log.n_embedded[row]
            clock_s += _spend(own, _DECIDE, 0.0, n, slow, cold, tables, log)
            if clock_s <= down_s:
                log.end[row], log.done_s[row] = _PROCESSED, clock_s
        if log.end[row] < 0:
            log.end[row], log.done_s[row] = _FAILED, down_s
    return clock_s


@compiled()
def _spend(
    own: np.uint64,
    stage: int,
    units: float,
    faces: int,
    slow: float,
    cold: float,
    tables: ServiceTables,
    log: FrameLog,
) -> float:
    """Draw the time of a stage, and book it."""
    took_s = stage_s(own, stage, units, faces, tables.costs_s, tables.residuals)
    took_s *= slow * (1.0 + tables.rest[stage] * cold)
    log.stage_s[stage] += took_s
    return float(took_s)
