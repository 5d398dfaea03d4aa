"""Runs the real matcher at a few loads, and hands the simulator what they teach.

Owns which loads those are and the repetition of a load that was disturbed. Knows
nothing of virtual time.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bench.driving.session import hold_session
from bench.host.interference import busy_s, others_share
from bench.host.machine import this_machine
from bench.planning.calibration_fit import fit_service
from bench.planning.contention_fit import fit_slowdown
from bench.planning.crowd_fit import fit_crowd
from bench.planning.gaps_fit import fit_gaps
from bench.planning.measured import Measured
from bench.planning.observed import observe, speed_change
from bench.planning.replay import GAUGE_FPS, Replay, cut
from bench.planning.synthetic_gallery import gallery_of
from bench.planning.track_fit import fit_astray
from sim.calibration import Calibration, LookFit, Range
from sim.records import StageIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bench.driving.session import Progress, Session
    from bench.planning.replay import Footage
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery

__all__ = [
    "CALIBRATION_LOADS",
    "CalibrationConfig",
    "Driven",
    "calibrate",
    "drive_load",
    "fit",
    "paced_fps",
]

# Cameras, share of a worker's time, gallery, second of the clips at which they begin:
# light, usual, fast, slow with a large gallery, a very large one, overloaded. The first
# one, at a fixed rate, tells how fast the others may be.
_FIRST_FPS = 6.0
CALIBRATION_LOADS = (
    (3, 0.4, 1_000, 0),
    (5, 0.75, 1_000, 20),
    (3, 0.85, 1_000, 11),
    (6, 0.65, 20_000, 40),
    (3, 0.65, 100_000, 31),
    (7, 1.2, 1_000, 3),
)
# Several workers at once, on machines with cores for them: cameras of each worker,
# share of its time, gallery, second of the clips.
_SHARED_LOAD = (3, 0.7, 1_000, 22)
# That cameras may have, frames a second.
_RATES = tuple(half / 2.0 for half in range(2, 61))


class CalibrationConfig(BaseModel):
    """How loads are driven for a calibration or a validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(
        default=24.0, ge=5.0, le=600.0, description="Length of each load."
    )
    warm_up_s: float = Field(
        default=2.0, ge=0.0, le=60.0, description="Of it, how much no figure counts."
    )
    max_others: float = Field(
        default=0.05,
        gt=0.0,
        le=64.0,
        description="Cores that others may keep busy meanwhile; a load with more is "
        "driven again.",
    )
    max_change: float = Field(
        default=0.05,
        gt=0.0,
        le=10.0,
        description="Share by which the gauge's work may take longer in the later half "
        "of a load than in the earlier, or less long; a load with more is driven "
        "again.",
    )
    max_attempts: int = Field(
        default=4, ge=1, le=20, description="How often a load is driven at most."
    )
    seed: int = Field(default=1, ge=0, description="Of phases and jitter.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Driven:
    """A load that was driven, and what disturbed it.

    Attributes:
        run: Its frames.
        session: The matcher's own account.
        others: Cores that others kept busy; None where nobody can say.
        change: Of the time that detection takes the gauge, from a load's earlier half
            to its later one, as a share; 0 without a gauge.
        attempts: How often it was driven until it was quiet, or given up.
        is_quiet: Whether others kept within their limit, and the machine to its speed.
    """

    run: Measured
    session: Session
    others: float | None
    change: float
    attempts: int
    is_quiet: bool


class _Watch:
    """Reads the machine's account when the first and the last frame are sent.

    Args:
        progress: Told everything that this is told.

    Attributes:
        readings: Of `busy_s`, in order.
    """

    def __init__(self, progress: Progress) -> None:
        self.readings: list[float | None] = []
        self._progress = progress

    def __call__(self, task: str, done: int, total: int) -> None:
        if task == "send frames" and done in {1, total}:
            self.readings.append(busy_s())
        self._progress(task, done, total)


def drive_load(
    replay: Replay,
    footage: Sequence[Footage],
    gallery: Gallery,
    *,
    matcher: MatcherConfig,
    config: CalibrationConfig,
    clock: Callable[[], int],
    progress: Progress,
) -> Driven:
    """Drive the matcher with one load, again if it was disturbed.

    By others on the machine, or by the machine itself, where its speed is not its own:
    whether that changed is told from the gauge alone, never from the load.

    Args:
        replay: The load.
        footage: The clips that its cameras play.
        gallery: Whom the matcher looks for, of any size.
        matcher: Its settings.
        config: When to repeat.
        clock: Nanoseconds.
        progress: Told of frames sent.

    Raises:
        SystemStartError, SystemGoneError: If the matcher dies.
    """
    scene = cut(footage, replay)
    enrolled = gallery_of(gallery, replay.gallery_size)
    attempt = 0
    while True:
        attempt += 1
        watch = _Watch(progress)
        session = hold_session(
            scene.plan,
            scene.packets,
            config=_with_workers(matcher, replay.n_workers),
            gallery=enrolled,
            unhurried=False,
            clock=clock,
            progress=watch,
        )
        others = None
        if session.matcher is not None and len(watch.readings) > 1:
            others = others_share(
                watch.readings[0],
                watch.readings[-1],
                ours_s=session.harness.cpu_s + session.matcher.cpu_s,
                wall_s=session.drive_s,
            )
        observed = observe(scene, session.drive.sent, session.results)
        change = speed_change(scene, observed)
        is_quiet = abs(change) <= config.max_change and (
            others is None or others <= config.max_others
        )
        if is_quiet or attempt >= config.max_attempts:
            break
    return Driven(
        run=Measured(replay=replay, scene=scene, observed=observed),
        session=session,
        others=others,
        change=change,
        attempts=attempt,
        is_quiet=is_quiet,
    )


def calibrate(
    footage: Sequence[Footage],
    gallery: Gallery,
    *,
    matcher: MatcherConfig,
    config: CalibrationConfig,
    clock: Callable[[], int],
    progress: Progress,
) -> tuple[Calibration, tuple[Driven, ...]]:
    """Drive the loads of a calibration and fit it.

    Returns:
        The calibration, and the loads behind it.
    """
    driven: list[Driven] = []
    loads = [(*load, 1) for load in CALIBRATION_LOADS]
    for n_workers in _crews(len(os.sched_getaffinity(0))):
        cameras, busy, gallery_size, second = _SHARED_LOAD
        loads.append(
            (n_workers * cameras, n_workers * busy, gallery_size, second, n_workers)
        )
    for k, (n_cameras, busy, gallery_size, second, n_workers) in enumerate(loads):
        progress("calibrate", k, len(loads))
        fps = _FIRST_FPS
        if driven:
            service_s = _service_of(driven[0].run, matcher)
            # The gauge plays along, a camera of it for each worker.
            gauge = n_workers * GAUGE_FPS * service_s(GAUGE_FPS)
            fps = paced_fps(busy - gauge, n_cameras, service_s)
        replay = Replay(
            n_cameras=n_cameras,
            fps=fps,
            duration_s=config.seconds,
            gallery_size=gallery_size,
            first_second=second,
            seed=config.seed + k,
            n_workers=n_workers,
        )
        driven.append(
            drive_load(
                replay,
                footage,
                gallery,
                matcher=matcher,
                config=config,
                clock=clock,
                progress=progress,
            )
        )
    progress("calibrate", len(loads), len(loads))
    return fit(driven, footage, matcher=matcher), tuple(driven)


def _crews(n_cores: int) -> list[int]:
    """Say with how many workers to find out what they cost each other."""
    crews = [2**k for k in range(1, n_cores.bit_length()) if 2**k < n_cores]
    return [*crews, n_cores] if n_cores > 1 else []


def _with_workers(matcher: MatcherConfig, n_workers: int) -> MatcherConfig:
    engine = matcher.engine.model_copy(update={"workers": n_workers})
    return matcher.model_copy(update={"engine": engine})


def paced_fps(
    busy: float, n_cameras: float, service_s: float | Callable[[float], float]
) -> float:
    """Say how fast cameras must be to keep a worker busy for such a share.

    Args:
        busy: The share.
        n_cameras: Of the worker.
        service_s: Mean time of a frame, seconds, or that by frames a second.
    """

    def miss(fps: float) -> float:
        took_s = service_s(fps) if callable(service_s) else service_s
        return abs(n_cameras * fps * took_s - busy)

    return min(_RATES, key=miss)


def _service_of(run: Measured, matcher: MatcherConfig) -> Callable[[float], float]:
    """Guess a worker's mean time over a frame, for cameras of any rate.

    Faster cameras have fewer of their frames searched; the others are decoded.
    """
    seen = run.observed
    took_s = seen.done_s - seen.start_s
    searched_s = float(took_s[seen.is_searched].mean())
    decode_s = float(seen.stage_s[seen.is_searched, StageIndex.DECODE].mean())

    def service_s(fps: float) -> float:
        interval_frames = math.ceil(matcher.cadence.steady_interval_s * fps)
        share = 1.0 / max(interval_frames, 1)
        return decode_s + share * (searched_s - decode_s)

    return service_s


def fit(
    driven: Sequence[Driven], footage: Sequence[Footage], *, matcher: MatcherConfig
) -> Calibration:
    """Fit a calibration to loads that were driven."""
    runs, shared = (
        [each.run for each in driven if (each.run.replay.n_workers > 1) is several]
        for several in (False, True)
    )
    service, gaps_us = fit_service(runs), 1e6 * fit_gaps(runs)
    crowd = fit_crowd(footage)
    system = driven[0].session.system
    faces = [run.observed.n_faces[run.worked_on] for run in runs]
    rules = matcher.best_shot
    found = Calibration(
        machine=this_machine(),
        system={
            "detector": system.detector,
            "embedder": system.embedder,
            "index": system.index,
        },
        stages=service.stages,
        search=service.search,
        residuals=_rows(service.residuals, 4),
        gaps_us=_rows(gaps_us, 0),
        sway=_rows(service.sway, 5),
        look=LookFit(
            young_interval_s=matcher.cadence.young_interval_s,
            steady_interval_s=matcher.cadence.steady_interval_s,
            astray=0.0,
            confirm_hits=matcher.tracker.confirm_hits,
            max_gap_s=matcher.tracker.max_gap_s,
            min_quality=matcher.quality.min_quality,
            min_gain=rules.min_gain,
            interval_s=rules.interval_s,
            max_shots=rules.max_shots,
        ),
        max_pending=matcher.engine.max_pending,
        n_loads=len(driven),
        n_disturbed=sum(not each.is_quiet for each in driven),
        by_load=service.by_load,
        in_load=service.in_load,
        drift=service.drift,
        approaches=crowd.approaches,
        approaches_hz=crowd.approaches_hz,
        views_hz=crowd.views_hz,
        views_per_passage=crowd.views_per_passage,
        group_stop=crowd.group_stop,
        packets=crowd.packets,
        cores=len(os.sched_getaffinity(0)),
        slowdown=(1.0, 1.0),
        generator_cores=float(
            np.mean([e.session.harness.cpu_s / e.session.drive_s for e in driven])
        ),
        faces_per_frame=Range(
            low=float(min(n.min() for n in faces)),
            high=float(max(n.max() for n in faces)),
        ),
        gallery_sizes=_range([run.replay.gallery_size for run in runs]),
        fps=_range([run.replay.fps for run in runs]),
        pixels=_range([clip.pixels for clip in footage]),
        utilisation=_range([_utilisation(run) for run in runs]),
    )
    astray = {"astray": fit_astray(found, runs)}
    return found.model_copy(
        update={
            "look": found.look.model_copy(update=astray),
            "slowdown": fit_slowdown(found, shared),
        }
    )


def _rows(table: NDArray[np.float64], digits: int) -> tuple[tuple[float, ...], ...]:
    """Round a table to what matters."""
    return tuple(tuple(row) for row in np.round(table, digits).tolist())


def _utilisation(run: Measured) -> float:
    seen = run.observed
    span_s = np.nanmax(seen.done_s) - np.nanmin(seen.received_s)
    return float(np.nansum(seen.done_s - seen.start_s) / span_s)


def _range(values: Sequence[float]) -> Range:
    return Range(low=float(min(values)), high=float(max(values)))
