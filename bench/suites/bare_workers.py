"""What the machine's cores can do at best: bare loops, pinned, alone and together.

Two workers can only be as good as two cores are. Here are no pipe, no supervisor and no
driver: each process holds its packets and works them off, on a core of its own. What
two of them do together over what they do alone is the ceiling for any engine.
"""

from __future__ import annotations

import os
import time
from multiprocessing import get_context

import cv2
import numpy as np

from matcher.assembly import assemble
from matcher.worker import Worker, unhurried

__all__ = ["ceiling"]


def _work(connection, core, frames, config, gallery):
    """Work off blocks when told to; say how many frames a second each one went at."""
    os.sched_setaffinity(0, {core})
    cv2.setNumThreads(1)
    clock = time.perf_counter_ns
    worker = Worker(assemble(config, gallery, clock=clock).pipeline, clock=clock)
    at = 0
    while (duration_s := connection.recv()) > 0.0:
        begun_s, n = time.perf_counter(), 0
        while time.perf_counter() - begun_s < duration_s:
            block = [frames(at + k) for k in range(10)]
            for _ in unhurried(block, worker, clock=clock):
                n += 1
            at += 10
        connection.send(n / (time.perf_counter() - begun_s))


class _Frames:
    """The frames of one camera, without end."""

    def __init__(self, clips, camera):
        self._clips, self._camera = clips, camera

    def __call__(self, index):
        return self._clips.frame(self._camera, index, index * 100_000_000)


def ceiling(clips, config, gallery, *, rounds=5, block_s=3.0):
    """Measure two processes together over the same two alone.

    Returns:
        (rounds,) frames a second of both together over the mean of each alone.
    """
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        return np.empty(0)
    context = get_context("spawn")
    pipes, processes = [], []
    for camera, core in enumerate(cores):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(theirs, core, _Frames(clips, camera), config, gallery)
        )
        process.start()
        pipes.append(ours)
        processes.append(process)

    def rates(some):
        for pipe in some:
            pipe.send(block_s)
        return sum(pipe.recv() for pipe in some)

    ratios = []
    for step in range(rounds + 1):
        alone = np.mean([rates([pipe]) for pipe in pipes])
        together = rates(pipes)
        # The first round warms up.
        if step > 0:
            ratios.append(together / alone)
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(0.0)
        process.join()
    return np.array(ratios)
