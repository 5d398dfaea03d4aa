"""Foretells loads, drives them for real, and lays both side by side.

Owns the order of that, and the error that each figure may have. A load is foretold at
the speed of the machine that the gauge shows, a camera that plays along with every
load and is not judged; no frame that is judged flows into its forecast, and nothing at
all into the calibration. Knows nothing of how either side comes about.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from bench.planning.calibration import drive_load
from bench.planning.contention_fit import n_at_work
from bench.planning.forecast import (
    counted,
    figures_of,
    foretell,
    in_time,
    max_cameras,
)
from bench.planning.held_out import VALIDATION_LOADS, held_out, rung
from bench.planning.measured import slowness
from bench.planning.replay import Part
from bench.planning.validation_records import (
    FIGURES,
    Comparison,
    LoadResult,
    Objective,
    Validation,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.driving.session import Progress
    from bench.planning.calibration import CalibrationConfig, Driven
    from bench.planning.replay import Footage, Replay
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from sim.calibration import Calibration

__all__ = ["compare", "validate"]

_MOST_RUNGS = 5


def compare(
    foretold: Sequence[dict[str, float]], measured: dict[str, float]
) -> tuple[Comparison, ...]:
    """Lay the replications beside what was measured.

    Limits: 10 % of a latency up to 80 % utilisation, 25 % up to 95 %, none beyond,
    where a latency is that of a queue that is always full; two points of skipped
    frames at any load.
    """
    busy = measured["utilisation"]
    latency_limit = 0.10 if busy <= 0.80 else 0.25 if busy <= 0.95 else None
    rows = []
    for figure in FIGURES:
        values = np.array([each[figure] for each in foretold])
        median = float(np.median(values))
        low, high = (float(v) for v in np.percentile(values, (2.5, 97.5)))
        is_share = figure in {"skipped", "utilisation"}
        error = median - measured[figure]
        limits = {"skipped": 0.02, "utilisation": None, "mean": None}
        rows.append(
            Comparison(
                figure=figure,
                foretold=median,
                low=low,
                high=high,
                measured=measured[figure],
                error=error if is_share else error / measured[figure],
                limit=limits.get(figure, latency_limit),
            )
        )
    return tuple(rows)


def validate(
    calibration: Calibration,
    footage: Sequence[Footage],
    gallery: Gallery,
    *,
    matcher: MatcherConfig,
    objective: Objective,
    config: CalibrationConfig,
    clock: Callable[[], int],
    progress: Progress,
) -> Validation:
    """Foretell and drive every held-out load.

    Args:
        calibration: The model; it stays as it is.
        footage: Clips that the cameras play.
        gallery: The enrolled.
        matcher: Its settings, those of the calibration.
        objective: What a carried camera keeps to.
        config: Length, at least, and repetition of the loads.
        clock: Nanoseconds.
        progress: Told of loads driven.
    """

    def drive(replay: Replay) -> tuple[LoadResult, dict[str, float]]:
        driven = drive_load(
            replay,
            footage,
            gallery,
            matcher=matcher,
            config=config,
            clock=clock,
            progress=progress,
        )
        return _result(calibration, driven, warm_up_s=config.warm_up_s)

    median, low, high = max_cameras(
        calibration,
        footage,
        lambda n_cameras: rung(n_cameras, config=config),
        objective,
        warm_up_s=config.warm_up_s,
    )
    rungs = list(range(max(median - 1, 1), max(median - 1, 1) + 3))
    n_cores = len(os.sched_getaffinity(0))
    loads = [load for load in VALIDATION_LOADS if load[-1] <= n_cores]
    total = len(loads) + len(rungs)
    results = []
    for k, load in enumerate(loads):
        progress("validate", k, total)
        replay = held_out(calibration, footage, load, config=config, k=k)
        results.append(drive(replay)[0])
    carried = rungs[0] - 1
    driven_rungs: list[int] = []
    while rungs and len(driven_rungs) < _MOST_RUNGS:
        progress("validate", len(results), total)
        n_cameras = rungs.pop(0)
        result, measured = drive(rung(n_cameras, config=config))
        results.append(result)
        driven_rungs.append(n_cameras)
        if carried == n_cameras - 1 and objective.is_met(measured):
            carried = n_cameras
            if not rungs:
                # Still carried: the ladder must end with one too many.
                rungs.append(n_cameras + 1)
                total += 1
    progress("validate", total, total)
    return Validation(
        loads=tuple(results),
        objective=objective,
        ladder=tuple(driven_rungs),
        foretold_cameras=median,
        foretold_low=low,
        foretold_high=high,
        measured_cameras=carried,
    )


def _result(
    calibration: Calibration, driven: Driven, *, warm_up_s: float
) -> tuple[LoadResult, dict[str, float]]:
    run = driven.run
    seen, scene, replay = run.observed, run.scene, run.replay
    counts = counted(scene, warm_up_s=warm_up_s)
    is_timed = in_time(scene, warm_up_s=warm_up_s)
    measured = figures_of(
        scene.frames.capture_s,
        seen,
        counted=counts,
        in_time=is_timed,
        n_workers=replay.n_workers,
    )
    tables = calibration.tables(gallery_size=replay.gallery_size)
    # What workers cost each other is the model's to say, not the gauge's.
    alone = n_at_work(run) == 1
    slow, slow_in_load = (
        slowness(run, tables.costs_s, tables.rest, of=of & alone)
        for of in (is_timed & (scene.part == Part.GAUGE), counts)
    )

    def laid_beside(slow: float) -> tuple[Comparison, ...]:
        foretold = foretell(calibration, scene, replay, warm_up_s=warm_up_s, slow=slow)
        return compare(foretold, measured)

    result = LoadResult(
        replay=replay,
        n_frames=int(counts.sum()),
        comparisons=laid_beside(slow * calibration.in_load),
        others=driven.others,
        change=driven.change,
        attempts=driven.attempts,
        is_quiet=driven.is_quiet,
        speed=1.0 / slow,
        as_calibrated=laid_beside(1.0),
        speed_in_load=1.0 / slow_in_load,
        diagnosis=laid_beside(slow_in_load),
    )
    return result, measured
