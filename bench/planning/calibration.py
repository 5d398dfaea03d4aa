"""Runs the real matcher at a few loads, and hands the simulator what they teach.

Owns which loads those are, the gallery at each size, and the repetition of a load
that others on the machine disturbed. Knows nothing of virtual time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from bench.driving.session import hold_session
from bench.host.interference import busy_s, others_share
from bench.host.machine import this_machine
from bench.host.yardstick import Yardstick
from bench.planning.calibration_fit import (
    Measured,
    StageFits,
    fit_crowd,
    fit_gaps,
    fit_hazards,
    fit_stages,
    measured,
)
from bench.planning.replay import Replay, cut
from matcher.gallery import Gallery
from matcher.records import SubjectId
from sim.calibration import Calibration, Range
from sim.fast import simulate_node
from sim.records import FrameEnd, node_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.driving.session import Progress, Session
    from bench.planning.replay import Footage
    from matcher.config import MatcherConfig

__all__ = [
    "CALIBRATION_LOADS",
    "CalibrationConfig",
    "Driven",
    "calibrate",
    "drive_load",
    "fit",
    "gallery_of",
]

# Light, usual, fast, slow, overloaded; small, large and very large galleries.
CALIBRATION_LOADS = (
    (2, 10.0, 1_000, 0),
    (5, 10.0, 1_000, 20),
    (3, 15.0, 1_000, 11),
    (6, 5.0, 20_000, 40),
    (3, 10.0, 100_000, 31),
    (9, 10.0, 1_000, 3),
)
_TUNING_STEPS = 6
_TUNING_KEY = 7_001
# Above this a queue is never empty, and its skips feed back on who is embedded.
_SATURATED = 0.97


class CalibrationConfig(BaseModel):
    """How loads are driven for a calibration or a validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(
        default=15.0, ge=5.0, le=600.0, description="Length of each load."
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
    max_attempts: int = Field(
        default=2, ge=1, le=20, description="How often a load is driven at most."
    )
    seed: int = Field(default=1, ge=0, description="Of phases and jitter.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Driven:
    """A load that was driven, and what disturbed it.

    Attributes:
        run: Its frames.
        session: The matcher's own account.
        others: Cores that others kept busy; None where nobody can say.
        attempts: How often it was driven until it was quiet, or given up.
        is_quiet: Whether others kept within the limit.
    """

    run: Measured
    session: Session
    others: float | None
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


def gallery_of(gallery: Gallery, size: int) -> Gallery:
    """Shorten a gallery, or fill it up with templates of nobody.

    Strangers are drawn at random on the sphere: as costly to search as people, and
    far from everybody.

    Args:
        gallery: The enrolled.
        size: Templates wanted.
    """
    n, dimension = gallery.templates.shape
    if size <= n:
        return Gallery(
            templates=gallery.templates[:size].copy(),
            subject_ids=gallery.subject_ids[:size],
            embedder_sha256=gallery.embedder_sha256,
        )
    rng = np.random.default_rng(size)
    strangers = rng.standard_normal((size - n, dimension), dtype=np.float32)
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    return Gallery(
        templates=np.concatenate([gallery.templates, strangers]),
        subject_ids=(
            *gallery.subject_ids,
            *(SubjectId(f"stranger-{k}") for k in range(size - n)),
        ),
        embedder_sha256=gallery.embedder_sha256,
    )


def drive_load(
    replay: Replay,
    footage: Sequence[Footage],
    gallery: Gallery,
    *,
    matcher: MatcherConfig,
    config: CalibrationConfig,
    yardstick: Yardstick,
    clock: Callable[[], int],
    progress: Progress,
) -> Driven:
    """Drive the matcher with one load, again if others disturbed it.

    Args:
        replay: The load.
        footage: The clips that its cameras play.
        gallery: Whom the matcher looks for, of any size.
        matcher: Its settings.
        config: When to repeat.
        yardstick: Tells how fast the machine is before and after.
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
        before_s = yardstick.measure_s()
        session = hold_session(
            scene.plan,
            scene.packets,
            config=matcher,
            gallery=enrolled,
            unhurried=False,
            clock=clock,
            progress=watch,
        )
        pace_s = (before_s + yardstick.measure_s()) / 2.0
        others = None
        if session.matcher is not None and len(watch.readings) > 1:
            others = others_share(
                watch.readings[0],
                watch.readings[-1],
                ours_s=session.harness.cpu_s + session.matcher.cpu_s,
                wall_s=session.drive_s,
            )
        is_quiet = others is None or others <= config.max_others
        if is_quiet or attempt >= config.max_attempts:
            break
    run = measured(
        replay,
        scene,
        footage,
        sent=session.drive.sent,
        results=session.results,
        interval_s=matcher.best_shot.interval_s,
        max_shots=matcher.best_shot.max_shots,
        pace_s=pace_s,
    )
    return Driven(
        run=run, session=session, others=others, attempts=attempt, is_quiet=is_quiet
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
    driven = []
    yardstick = Yardstick(matcher, clock=clock)
    for k, (n_cameras, fps, gallery_size, second) in enumerate(CALIBRATION_LOADS):
        progress("calibrate", k, len(CALIBRATION_LOADS))
        replay = Replay(
            n_cameras=n_cameras,
            fps=fps,
            duration_s=config.seconds,
            gallery_size=gallery_size,
            first_second=second,
            seed=config.seed + k,
        )
        driven.append(
            drive_load(
                replay,
                footage,
                gallery,
                matcher=matcher,
                config=config,
                yardstick=yardstick,
                clock=clock,
                progress=progress,
            )
        )
    progress("calibrate", len(CALIBRATION_LOADS), len(CALIBRATION_LOADS))
    return fit(driven, footage, matcher=matcher), tuple(driven)


def fit(
    driven: Sequence[Driven], footage: Sequence[Footage], *, matcher: MatcherConfig
) -> Calibration:
    """Fit a calibration to loads that were driven."""
    runs = [each.run for each in driven]
    stages, hazards, gaps = fit_stages(runs), fit_hazards(runs), fit_gaps(runs)
    residuals_us = np.rint(np.vstack([stages.residuals_s, gaps]) * 1e6).astype(int)
    crowd = fit_crowd(footage)
    system = driven[0].session.system
    faces = [run.n_faces for run in runs]
    utilisation = [_utilisation(run) for run in runs]
    found = Calibration(
        machine=this_machine(),
        system={
            "detector": system.detector,
            "embedder": system.embedder,
            "index": system.index,
        },
        stages=stages.stages,
        search=stages.search,
        residuals_us=tuple(tuple(row) for row in residuals_us.tolist()),
        hazards=tuple(tuple(row) for row in hazards.chance.tolist()),
        hazard_n=tuple(tuple(row) for row in hazards.n.tolist()),
        stray=hazards.stray,
        interval_s=matcher.best_shot.interval_s,
        max_shots=matcher.best_shot.max_shots,
        max_pending=matcher.engine.max_pending,
        n_loads=len(driven),
        n_disturbed=sum(not each.is_quiet for each in driven),
        pace_s=float(np.mean([run.pace_s for run in runs])),
        drift=_drift(stages),
        approaches=tuple(tuple(row) for row in crowd.approaches.tolist()),
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
        utilisation=_range(utilisation),
    )
    usual = [r for r, u in zip(runs, utilisation, strict=True) if u < _SATURATED]
    return _tuned(found, usual if usual else runs)


def _tuned(calibration: Calibration, runs: Sequence[Measured]) -> Calibration:
    """Scale the odds of an embedding until the model embeds as many as were measured.

    Chances counted face by face make faces forget what kind they are: in the model a
    face that hardly ever passes the quality gate counts, after one lucky look, as one
    that often does. One factor on all odds mends the mean.
    """
    wanted = _per_frame(
        [run.observed.n_embedded for run in runs], [run.observed.end for run in runs]
    )
    chance = np.clip(np.array(calibration.hazards), 1e-6, 1.0 - 1e-6)
    low, high = np.log(0.5), np.log(2.0)
    found = calibration
    for _ in range(_TUNING_STEPS):
        middle = (low + high) / 2.0
        odds = chance / (1.0 - chance) * np.exp(middle)
        found = calibration.model_copy(
            update={"hazards": tuple(map(tuple, (odds / (1.0 + odds)).tolist()))}
        )
        logs = [
            simulate_node(
                node_of(run.scene.frames, run.scene.passages),
                found.tables(
                    gallery_size=run.replay.gallery_size,
                    speed=found.pace_s / run.pace_s,
                ),
                key=_TUNING_KEY + repeat,
            )
            for run in runs
            for repeat in range(3)
        ]
        simulated = _per_frame([log.n_embedded for log in logs], [x.end for x in logs])
        if simulated > wanted:
            high = middle
        else:
            low = middle
    return found


def _drift(fits: StageFits) -> float:
    """Spread of the whole service from run to run, as a share of its mean."""
    by_run_s = np.sum([fit.by_run_s for fit in fits.stages], axis=0)
    mean_s = sum(fit.mean_s for fit in fits.stages)
    return float(np.std(by_run_s, ddof=1) / mean_s) if len(by_run_s) > 1 else 0.0


def _per_frame(n_embedded: Sequence[np.ndarray], ends: Sequence[np.ndarray]) -> float:
    """Embeddings per processed frame."""
    processed = [end == FrameEnd.PROCESSED for end in ends]
    total = sum(int(n[p].sum()) for n, p in zip(n_embedded, processed, strict=True))
    return total / max(sum(int(p.sum()) for p in processed), 1)


def _utilisation(run: Measured) -> float:
    seen = run.observed
    span_s = np.nanmax(seen.done_s) - np.nanmin(seen.received_s)
    return float(np.nansum(seen.done_s - seen.start_s) / span_s)


def _range(values: Sequence[float]) -> Range:
    return Range(low=float(min(values)), high=float(max(values)))
