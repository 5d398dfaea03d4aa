"""Foretells loads, drives them for real, and lays both side by side.

Owns the held-out loads, the figures that are compared, and the error that each may
have. A load is foretold at the speed of the machine that the gauge shows, the same
work before and after every load; nothing measured in a load flows into its forecast,
and nothing at all into the calibration. Knows nothing of how either side comes about.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from bench.planning.calibration import drive_load, paced_fps
from bench.planning.contention_fit import n_at_work
from bench.planning.measured import slowness
from bench.planning.replay import Part, Replay, cut
from bench.planning.validation_records import (
    FIGURES,
    Comparison,
    LoadResult,
    Objective,
    Validation,
)
from sim.fast import simulate_node
from sim.records import FrameEnd, node_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bench.driving.session import Progress
    from bench.planning.calibration import CalibrationConfig, Driven
    from bench.planning.observed import Observed
    from bench.planning.replay import Footage, Scene
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from sim.calibration import Calibration
    from sim.records import FrameLog

__all__ = [
    "VALIDATION_LOADS",
    "compare",
    "figures_of",
    "foretell",
    "max_cameras",
    "validate",
]

_LEVELS = {"p50": 50.0, "p95": 95.0, "p99": 99.0}
N_REPLICATIONS = 40
_KEY = 90_001

# Cameras, share of a worker's time that they are foretold to take, gallery, second of
# the clips at which they begin, and workers, on machines with cores for them: no load
# of the calibration is among them, and no camera begins where one did there.
VALIDATION_LOADS = (
    (4, 0.60, 1_000, 5, 1),
    (3, 0.70, 50_000, 15, 1),
    (6, 0.75, 5_000, 26, 1),
    (4, 0.80, 2_000, 46, 1),
    (8, 0.90, 10_000, 54, 1),
    (8, 0.65, 4_000, 9, 2),
)
# The same street with one camera more each time, to find how many are too many.
_LADDER_LOAD = (10.0, 1_000, 36)
_MOST_RUNGS = 5


def figures_of(
    capture_s: NDArray[np.float64],
    ends: FrameLog | Observed,
    *,
    counted: NDArray[np.bool_],
    n_workers: int = 1,
) -> dict[str, float]:
    """Compute the figures of one load; the same for both sides.

    Args:
        capture_s: (n,) when each frame was captured.
        ends: What became of each.
        counted: (n,) whether it counts.
        n_workers: Whose time there was to use.
    """
    end, start_s, done_s = ends.end, ends.start_s, ends.done_s
    processed = counted & (end == FrameEnd.PROCESSED)
    latency_s = (done_s - capture_s)[processed]
    worked = counted & np.isfinite(start_s)
    span_s = np.ptp(capture_s[counted])
    found = {"mean": float(latency_s.mean())}
    for name, level in _LEVELS.items():
        found[name] = float(np.percentile(latency_s, level))
    found["skipped"] = float((end[counted] == FrameEnd.SKIPPED).mean())
    work_s = float((done_s - start_s)[worked].sum())
    found["utilisation"] = min(work_s / (n_workers * span_s), 1.0)
    return found


def counted(scene: Scene, replay: Replay, *, warm_up_s: float) -> NDArray[np.bool_]:
    """Say which frames count: those of the load, past its warm-up."""
    begin_s = replay.gauge_s + warm_up_s
    is_load = np.equal(scene.part, Part.LOAD)
    return np.logical_and(is_load, np.greater_equal(scene.frames.capture_s, begin_s))


def foretell(
    calibration: Calibration,
    scene: Scene,
    replay: Replay,
    *,
    warm_up_s: float,
    slow: float = 1.0,
    n_replications: int = N_REPLICATIONS,
) -> list[dict[str, float]]:
    """Simulate a load, once per replication.

    Args:
        calibration: The model.
        scene: The load, laid out.
        replay: The same, in short.
        warm_up_s: Not counted.
        slow: How much slower the machine is at the time than in the calibration.
        n_replications: How often.

    The arrival plan and the crowd are the load's own, known before it is driven. What
    the replications redraw is everything that is not: service times, whose faces are
    embedded, and how fast the machine happens to be.
    """
    # Even levels of a normal law: the median replication runs at the usual speed.
    levels = (np.arange(n_replications) + 0.5) / n_replications
    speeds = (1.0 + calibration.drift * norm.ppf(levels)) / slow
    counts = counted(scene, replay, warm_up_s=warm_up_s)
    node = node_of(
        scene.frames,
        scene.passages,
        worker=scene.worker,
        n_workers=replay.n_workers,
        max_pending=calibration.max_pending,
    )
    found = []
    for replication in range(n_replications):
        tables = calibration.tables(
            gallery_size=replay.gallery_size,
            speed=float(speeds[replication]),
            n_workers=replay.n_workers,
        )
        log = simulate_node(node, tables, key=_KEY + replication)
        found.append(
            figures_of(
                scene.frames.capture_s,
                log,
                counted=counts,
                n_workers=replay.n_workers,
            )
        )
    return found


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


def max_cameras(
    calibration: Calibration,
    footage: Sequence[Footage],
    replay_of: Callable[[int], Replay],
    objective: Objective,
    *,
    warm_up_s: float,
    most: int = 64,
) -> tuple[int, int, int]:
    """Foretell how many cameras are carried: median and central 95 %.

    Args:
        calibration: The model.
        footage: Clips that the cameras play.
        replay_of: The load of so many cameras.
        objective: What they must keep to.
        warm_up_s: Not counted.
        most: Where to give up.
    """
    carried = np.zeros(N_REPLICATIONS, np.int64)
    alive = np.ones(N_REPLICATIONS, np.bool_)
    for n_cameras in range(1, most + 1):
        replay = replay_of(n_cameras)
        foretold = foretell(
            calibration, cut(footage, replay), replay, warm_up_s=warm_up_s
        )
        alive &= np.array([objective.is_met(each) for each in foretold])
        carried[alive] = n_cameras
        if not alive.any():
            break
    low, median, high = np.percentile(carried, (2.5, 50.0, 97.5), method="nearest")
    return int(median), int(low), int(high)


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
        config: Length and repetition of the loads.
        clock: Nanoseconds.
        progress: Told of loads driven.
    """
    fps, gallery_size, second = _LADDER_LOAD

    def rung(n_cameras: int) -> Replay:
        return Replay(
            n_cameras=n_cameras,
            fps=fps,
            duration_s=config.seconds,
            gallery_size=gallery_size,
            first_second=second,
            seed=config.seed + 500,
        )

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
        calibration, footage, rung, objective, warm_up_s=config.warm_up_s
    )
    rungs = list(range(max(median - 1, 1), max(median - 1, 1) + 3))
    n_cores = len(os.sched_getaffinity(0))
    held_outs = [load for load in VALIDATION_LOADS if load[-1] <= n_cores]
    total = len(held_outs) + len(rungs)
    results = []
    for k, held_out in enumerate(held_outs):
        progress("validate", k, total)
        replay = _held_out(calibration, footage, *held_out, config=config, k=k)
        results.append(drive(replay)[0])
    carried = rungs[0] - 1
    driven_rungs: list[int] = []
    while rungs and len(driven_rungs) < _MOST_RUNGS:
        progress("validate", len(results), total)
        n_cameras = rungs.pop(0)
        result, measured = drive(rung(n_cameras))
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


def _held_out(
    calibration: Calibration,
    footage: Sequence[Footage],
    n_cameras: int,
    busy: float,
    gallery_size: int,
    first_second: int,
    n_workers: int,
    *,
    config: CalibrationConfig,
    k: int,
) -> Replay:
    """Choose a load's frame rate so that the model expects it to be so busy."""
    replay = Replay(
        n_cameras=n_cameras,
        fps=1.0,
        duration_s=config.seconds,
        gallery_size=gallery_size,
        first_second=first_second,
        seed=config.seed + 100 + k,
        n_workers=n_workers,
    )
    for _ in range(3):
        found = foretell(
            calibration,
            cut(footage, replay),
            replay,
            warm_up_s=config.warm_up_s,
            n_replications=3,
        )
        expected = float(np.median([each["utilisation"] for each in found]))
        service_s = expected / (n_cameras * replay.fps / n_workers)
        fps = paced_fps(busy, n_cameras / n_workers, service_s)
        replay = replace(replay, fps=fps)
    return replay


def _result(
    calibration: Calibration, driven: Driven, *, warm_up_s: float
) -> tuple[LoadResult, dict[str, float]]:
    run = driven.run
    seen, scene, replay = run.observed, run.scene, run.replay
    counts = counted(scene, replay, warm_up_s=warm_up_s)
    measured = figures_of(
        scene.frames.capture_s, seen, counted=counts, n_workers=replay.n_workers
    )
    tables = calibration.tables(gallery_size=replay.gallery_size)
    # What workers cost each other is the model's to say, not the gauge's.
    alone = n_at_work(run) == 1
    slow, slow_in_load = (
        slowness(run, tables.costs_s, tables.rest, of=of & alone)
        for of in (scene.part != Part.LOAD, counts)
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
