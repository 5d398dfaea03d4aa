"""Whole streams against the clock: what is carried, remembered, and survived."""

from __future__ import annotations

import os
import pickle
import signal
import time
from dataclasses import dataclass, replace
from multiprocessing.reduction import ForkingPickler

import numpy as np
import psutil

from bench.driving.driver import real_sleep, wait_until
from bench.suites.five_in_view import FPS
from bench.suites.stream_rates import engine
from matcher.assembly import assemble
from matcher.messages import Results
from matcher.records import Outcome, Stage
from matcher.stamps import Stamps
from matcher.worker import Worker, unhurried

__all__ = [
    "Recovery",
    "Timed",
    "event_share",
    "memory_of_tree",
    "memory_per_camera",
    "recovery",
    "timed",
]

_IN_FLIGHT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A run against the clock.

    Attributes:
        streams: Cameras at 10 frames a second.
        p99_s: Glass-to-alert, of processed frames.
        skipped: Share of frames skipped or failed.
        n_frames: Behind both.
    """

    streams: int
    p99_s: float
    skipped: float
    n_frames: int

    @property
    def is_carried(self):
        """p99 at most a second, at most a frame in a thousand skipped."""
        return self.p99_s <= 1.0 and self.skipped <= 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a SIGKILL cost.

    Attributes:
        dark_s: From the signal to the first later frame that was looked at again,
            on the slowest of the worker's cameras.
        lost: Frames that were lost, each with its outcome.
        n_frames: All frames, each of which has one outcome.
        repeated_alerts: Alerts raised twice for one subject, camera and passage.
    """

    dark_s: float
    lost: int
    n_frames: int
    repeated_alerts: int


def timed(clips, config, gallery, *, cameras, duration_s):
    """Run so many cameras against the clock, phases spread evenly."""
    with engine(config, gallery) as link:
        start_ns = time.perf_counter_ns() + 200_000_000
        for index in range(round(duration_s * FPS)):
            _send_in_time(link, clips, index, cameras=cameras, start_ns=start_ns)
        link.flush()
        outcomes = [result.outcome for result in link.ledger.results]
    latency = [
        (o.done_ns - o.capture_time_ns) / 1e9
        for o in outcomes
        if o.outcome is Outcome.PROCESSED
    ]
    return Timed(
        streams=cameras,
        p99_s=float(np.quantile(latency, 0.99)),
        skipped=1.0 - len(latency) / len(outcomes),
        n_frames=len(outcomes),
    )


def memory_per_camera(clips, config, gallery, *, few, many, n_frames):
    """Measure what one camera more takes, bytes of the whole process tree."""
    unhurried_engine = config.model_copy(update={"engine": config.engine.unhurried()})
    sizes = []
    for cameras in (few, many):
        with engine(unhurried_engine, gallery) as link:
            for index in range(n_frames):
                for camera in range(cameras):
                    link.ledger.wait_for_room(_IN_FLIGHT)
                    link.issue(clips.frame(camera, index, round(index * 1e9 / FPS)))
            link.flush()
            sizes.append(memory_of_tree(link.pid))
    return (sizes[1] - sizes[0]) / (many - few)


def memory_of_tree(pid):
    """Add up the memory of a process and all below it; shared pages count once."""
    tree = psutil.Process(pid)
    return sum(
        process.memory_full_info().pss
        for process in (tree, *tree.children(recursive=True))
    )


def recovery(clips, config, gallery, *, cameras, duration_s):
    """Kill a worker halfway through a run against the clock; see what it cost."""
    with engine(config, gallery) as link:
        victim = psutil.Process(link.pid).children()[0]
        start_ns = time.perf_counter_ns() + 200_000_000
        n = round(duration_s * FPS)
        killed_ns = None
        for index in range(n):
            if index == n // 2:
                os.kill(victim.pid, signal.SIGKILL)
                killed_ns = time.perf_counter_ns()
            _send_in_time(link, clips, index, cameras=cameras, start_ns=start_ns)
        link.flush()
        results = link.ledger.results
    lost = {
        r.outcome.camera_id
        for r in results
        if r.outcome.outcome is Outcome.FAILED and "SIGKILL" in r.outcome.cause
    }
    back_ns = {}
    for result in results:
        said = result.outcome
        if said.outcome is Outcome.PROCESSED and said.done_ns > killed_ns:
            back_ns.setdefault(said.camera_id, said.done_ns)
    raised = [(a.camera_id, a.subject_id) for r in results for a in r.alerts]
    keys = {(r.outcome.camera_id, r.outcome.frame_index) for r in results}
    if len(keys) != len(results) or len(keys) != n * cameras:
        message = f"{n * cameras} frames must have one outcome each, got {len(results)}"
        raise RuntimeError(message)
    dark = [(back_ns[camera] - killed_ns) / 1e9 for camera in lost or back_ns]
    return Recovery(
        dark_s=max(dark),
        lost=sum(r.outcome.outcome is Outcome.FAILED for r in results),
        n_frames=len(results),
        repeated_alerts=len(raised) - len(set(raised)),
    )


def _send_in_time(link, clips, index, *, cameras, start_ns):
    """Send one frame of each camera when it is due."""
    for camera in range(cameras):
        due_ns = start_ns + round((index + camera / cameras) * 1e9 / FPS)
        wait_until(due_ns, clock=time.perf_counter_ns, sleep=real_sleep)
        link.issue(clips.frame(camera, index, due_ns))


def event_share(clips, config, gallery, *, n_frames, rounds=30):
    """Measure what stage events take: making, packing and unpacking them.

    Returns:
        Their processor time over that of the frames they came with, in one process.
    """
    clock = time.perf_counter_ns
    worker = Worker(assemble(config, gallery, clock=clock).pipeline, clock=clock)
    frames = [
        clips.frame(0, index, round(index * 1e9 / FPS)) for index in range(n_frames)
    ]
    begun = time.thread_time()
    results = tuple(unhurried(frames, worker, clock=clock))
    frame_s = (time.thread_time() - begun) / n_frames

    def make():
        for frame in frames:
            stamps = Stamps(frame, clock)
            for stage in Stage:
                stamps.ended(stage, n_faces=0)

    def carry(some):
        pickle.loads(ForkingPickler.dumps(Results(frames=some)))  # noqa: S301 — our own

    bare = tuple(replace(result, events=()) for result in results)
    events_s = (
        _thread_s(make, rounds)
        + _thread_s(lambda: carry(results), rounds)
        - _thread_s(lambda: carry(bare), rounds)
    ) / n_frames
    return events_s / frame_s


def _thread_s(call, rounds):
    taken = []
    for _ in range(rounds):
        begun = time.thread_time()
        call()
        taken.append(time.thread_time() - begun)
    return float(np.median(taken))
