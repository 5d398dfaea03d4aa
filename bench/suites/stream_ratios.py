"""Whole streams: how many cameras a core carries, by the engine and by plain loops.

Every system runs in a process of its own behind the same pipe, on the same packets. Its
rate is measured with the next frame always waiting; a rate of 10 frames a second is one
stream. What the engine's rate promises is then tried against the clock.
"""

from __future__ import annotations

import os
import pickle
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from bench.driving.driver import real_sleep, wait_until
from bench.driving.matcher_process import running
from bench.load.sources import demux
from bench.running.enrolment import enrol_watchlist
from bench.suites.straightforward import serve_straightforward
from matcher.assembly import assemble
from matcher.engine import serve
from matcher.gallery import Gallery, save
from matcher.messages import Results
from matcher.records import CameraId, EncodedFrame, Outcome, Stage, SubjectId
from matcher.stamps import Stamps
from matcher.worker import Worker, unhurried
from scenarios import loader
from scenarios.streams import Stream, Streams
from synthetic_crowds.crowd import make_crowd

__all__ = [
    "FPS",
    "Recovery",
    "Streams5",
    "Timed",
    "engine",
    "engine_rate",
    "event_share",
    "five_in_view",
    "gallery_of",
    "loop_rate",
    "memory_per_camera",
    "recovery",
    "timed",
    "unit_gallery",
]

FPS = 10.0
_SCENARIO = Path(__file__).parent / "five_in_view.toml"
_CACHE = Path(".cache/crowds")
_IN_FLIGHT = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streams5:
    """Two clips with five people in view, as packets, and their watchlist."""

    crowd: object
    packets: tuple

    def frame(self, camera, index, capture_time_ns):
        """The `index`-th frame of a camera; odd ones walk one clip, even the other."""
        clip = self.packets[camera % 2]
        # Each camera enters its clip elsewhere, at a key frame; ten frames apart.
        at = (index + 10 * (camera // 2)) % len(clip)
        return EncodedFrame(
            camera_id=CameraId(f"camera-{camera}"),
            index=index,
            capture_time_ns=capture_time_ns,
            packet=clip[at],
        )


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


def five_in_view():
    """Make the clips, or read them from the cache."""
    settings = loader.load(str(_SCENARIO))
    crowd = make_crowd(
        settings.crowd,
        settings.cameras,
        settings.watchlist,
        seed=Streams(seed=settings.scenario.seed).seed_of(Stream.CROWD),
        cache_dir=_CACHE,
        workers=2,
        progress=lambda *_: None,
    )
    return Streams5(crowd=crowd, packets=tuple(demux(c) for c in crowd.clips))


def gallery_of(streams, config):
    """Enrol the watchlist with the models of some settings."""
    return enrol_watchlist(
        streams.crowd.watchlist, config, progress=lambda *_: None
    ).gallery


@contextmanager
def engine(config, gallery):
    """Run the matcher as a run does."""
    with TemporaryDirectory() as folder:
        save(gallery, Path(folder) / "gallery")
        with running(serve, config, Path(folder) / "gallery", name="matcher") as link:
            link.wait_ready()
            yield link


def _push(link, streams, *, cameras, n_frames, warm_up):
    """Send frames as they are taken; return frames a second after the warm-up."""
    begun = None
    for index in count():
        for camera in range(cameras):
            link.wait_for_room(_IN_FLIGHT)
            link.send(streams.frame(camera, index, round(index * 1e9 / FPS)))
        sent = (index + 1) * cameras
        if begun is None and sent >= warm_up:
            begun, before = time.perf_counter(), len(link.results)
        if sent >= warm_up + n_frames:
            break
    done = len(link.results) - before
    rate = done / (time.perf_counter() - begun)
    link.finish()
    return rate


def engine_rate(streams, config, gallery, *, cameras, n_frames):
    """Measure the engine, frames a second, no frame ever skipped."""
    config = config.model_copy(update={"engine": config.engine.unhurried()})
    with engine(config, gallery) as link:
        return _push(
            link, streams, cameras=cameras, n_frames=n_frames, warm_up=10 * cameras
        )


def loop_rate(streams, config, gallery, *, n_frames):
    """Measure the straightforward loop on one camera, frames a second."""
    config = config.model_copy(update={"engine": config.engine.unhurried()})
    with running(serve_straightforward, config, gallery, name="loop") as link:
        link.wait_ready()
        return _push(link, streams, cameras=1, n_frames=n_frames, warm_up=_IN_FLIGHT)


def timed(streams, config, gallery, *, cameras, duration_s):
    """Run so many cameras against the clock, phases spread evenly."""
    with engine(config, gallery) as link:
        start_ns = time.perf_counter_ns() + 200_000_000
        for index in range(round(duration_s * FPS)):
            for camera in range(cameras):
                due_ns = start_ns + round((index + camera / cameras) * 1e9 / FPS)
                wait_until(due_ns, clock=time.perf_counter_ns, sleep=real_sleep)
                link.send(streams.frame(camera, index, due_ns))
        link.finish()
        outcomes = [result.outcome for result in link.results]
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


def memory_per_camera(streams, config, gallery, *, few, many, n_frames):
    """Measure what one camera more takes, bytes of the whole process tree."""
    sizes = []
    for cameras in (few, many):
        unhurried = config.model_copy(update={"engine": config.engine.unhurried()})
        with engine(unhurried, gallery) as link:
            for index in range(n_frames):
                for camera in range(cameras):
                    link.wait_for_room(_IN_FLIGHT)
                    link.send(streams.frame(camera, index, round(index * 1e9 / FPS)))
            link.wait_for_room(1)
            tree = psutil.Process(link.pid)
            sizes.append(
                sum(
                    process.memory_full_info().pss
                    for process in (tree, *tree.children(recursive=True))
                )
            )
            link.finish()
    return (sizes[1] - sizes[0]) / (many - few)


def recovery(streams, config, gallery, *, cameras, duration_s):
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
            for camera in range(cameras):
                due_ns = start_ns + round((index + camera / cameras) * 1e9 / FPS)
                wait_until(due_ns, clock=time.perf_counter_ns, sleep=real_sleep)
                link.send(streams.frame(camera, index, due_ns))
        link.finish()
        results = link.results
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


def event_share(streams, config, gallery, *, n_frames, rounds=30):
    """Measure what stage events take: making, packing and unpacking them.

    Returns:
        Their processor time over that of the frames they came with, in one process.
    """
    clock = time.perf_counter_ns
    worker = Worker(assemble(config, gallery, clock=clock).pipeline, clock=clock)
    frames = [
        streams.frame(0, index, round(index * 1e9 / FPS)) for index in range(n_frames)
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


def unit_gallery(dimension, *, n=300):
    """A gallery of nobody, where only the time of searching matters."""
    vectors = np.random.default_rng(5).standard_normal((n, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Gallery(
        templates=vectors.astype(np.float32),
        subject_ids=tuple(SubjectId(f"nobody-{row}") for row in range(n)),
        embedder_sha256="0" * 64,
    )
