"""Foretells loads, drives them for real, and lays both side by side.

Owns the held-out loads, the figures that are compared, and the error that each may
have. Nothing measured here ever flows back into the calibration. Knows nothing of how
either side comes about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from bench.host.yardstick import Yardstick
from bench.planning.calibration import drive_load
from bench.planning.replay import Replay, cut
from bench.planning.validation_records import (
    FIGURES,
    Comparison,
    LoadResult,
    Objective,
    Validation,
)
from sim.fast import simulate_node
from sim.records import FrameEnd, StageIndex, node_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bench.driving.session import Progress
    from bench.planning.calibration import CalibrationConfig, Driven
    from bench.planning.calibration_fit import Measured
    from bench.planning.replay import Footage, Scene
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from sim.calibration import Calibration

__all__ = [
    "LADDER",
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

# Cameras, frames a second, gallery, and second of the clips at which they begin: no
# load of the calibration is among them, and no camera begins where one did there.
VALIDATION_LOADS = (
    (4, 10.0, 1_000, 5),
    (6, 8.0, 5_000, 26),
    (3, 12.0, 50_000, 15),
    (4, 12.0, 2_000, 46),
    (8, 6.0, 10_000, 54),
)
# The same street with one camera more each time, to find how many are too many.
LADDER = (5, 6, 7)
_LADDER_LOAD = (10.0, 1_000, 36)


def figures_of(
    capture_s: NDArray[np.float64],
    end: NDArray[np.int8],
    start_s: NDArray[np.float64],
    done_s: NDArray[np.float64],
    *,
    warm_up_s: float,
    n_workers: int,
) -> dict[str, float]:
    """Compute the figures of one load; the same for both sides.

    Args:
        capture_s: (n,) when each frame was captured.
        end: (n,) its `FrameEnd`.
        start_s: (n,) when a worker took it.
        done_s: (n,) when it was done with it.
        warm_up_s: Frames captured earlier do not count.
        n_workers: Among whom utilisation is shared.
    """
    counted = capture_s >= warm_up_s
    processed = counted & (end == FrameEnd.PROCESSED)
    latency_s = (done_s - capture_s)[processed]
    worked = counted & np.isfinite(start_s)
    span_s = capture_s.max() - warm_up_s
    found = {"mean": float(latency_s.mean())}
    for name, level in _LEVELS.items():
        found[name] = float(np.percentile(latency_s, level))
    found["skipped"] = float((end[counted] == FrameEnd.SKIPPED).mean())
    work_s = float((done_s - start_s)[worked].sum())
    found["utilisation"] = min(work_s / span_s / n_workers, 1.0)
    return found


def foretell(
    calibration: Calibration,
    scene: Scene,
    replay: Replay,
    *,
    warm_up_s: float,
    pace_s: float | None = None,
    n_replications: int = N_REPLICATIONS,
) -> list[dict[str, float]]:
    """Simulate a load, once per replication.

    Args:
        calibration: The model.
        scene: The load, laid out.
        replay: The same, in short.
        warm_up_s: Not counted.
        pace_s: Of the machine at the time; None takes that of the calibration.
        n_replications: How often.

    The arrival plan and the crowd are the load's own, known before it is driven. What
    the replications redraw is everything that is not: service times, whose faces are
    embedded, and how fast the machine happens to be.
    """
    # Even levels of a normal law: the median replication runs at the usual speed.
    levels = (np.arange(n_replications) + 0.5) / n_replications
    pace = 1.0 if pace_s is None else calibration.pace_s / pace_s
    speeds = pace * (1.0 + calibration.drift * norm.ppf(levels))
    node = node_of(scene.frames, scene.passages, max_pending=calibration.max_pending)
    found = []
    for replication in range(n_replications):
        tables = calibration.tables(
            gallery_size=replay.gallery_size, speed=float(speeds[replication])
        )
        log = simulate_node(node, tables, key=_KEY + replication)
        found.append(
            figures_of(
                scene.frames.capture_s,
                log.end,
                log.start_s,
                log.done_s,
                warm_up_s=warm_up_s,
                n_workers=1,
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
    yardstick = Yardstick(matcher, clock=clock)

    def rung(n_cameras: int) -> Replay:
        return Replay(
            n_cameras=n_cameras,
            fps=fps,
            duration_s=config.seconds,
            gallery_size=gallery_size,
            first_second=second,
            seed=config.seed + 500,
        )

    replays = [
        Replay(
            n_cameras=n,
            fps=rate,
            duration_s=config.seconds,
            gallery_size=size,
            first_second=begin,
            seed=config.seed + 100 + k,
        )
        for k, (n, rate, size, begin) in enumerate(VALIDATION_LOADS)
    ]
    replays += [rung(n) for n in LADDER]
    results, carried = [], LADDER[0] - 1
    for k, replay in enumerate(replays):
        progress("validate", k, len(replays))
        driven = drive_load(
            replay,
            footage,
            gallery,
            matcher=matcher,
            config=config,
            yardstick=yardstick,
            clock=clock,
            progress=progress,
        )
        result, measured = _result(calibration, driven, warm_up_s=config.warm_up_s)
        results.append(result)
        is_rung = k >= len(VALIDATION_LOADS)
        if is_rung and carried == replay.n_cameras - 1 and objective.is_met(measured):
            carried = replay.n_cameras
    progress("validate", len(replays), len(replays))
    median, low, high = max_cameras(
        calibration, footage, rung, objective, warm_up_s=config.warm_up_s
    )
    return Validation(
        loads=tuple(results),
        objective=objective,
        ladder=LADDER,
        foretold_cameras=median,
        foretold_low=low,
        foretold_high=high,
        measured_cameras=carried,
    )


def _result(
    calibration: Calibration, driven: Driven, *, warm_up_s: float
) -> tuple[LoadResult, dict[str, float]]:
    run = driven.run
    seen = run.observed
    measured = figures_of(
        run.scene.frames.capture_s,
        seen.end,
        seen.start_s,
        seen.done_s,
        warm_up_s=warm_up_s,
        n_workers=1,
    )
    foretold = foretell(
        calibration, run.scene, run.replay, warm_up_s=warm_up_s, pace_s=run.pace_s
    )
    usual = foretell(calibration, run.scene, run.replay, warm_up_s=warm_up_s)
    speed_in_load = _speed_in_load(calibration, run)
    diagnosed = foretell(
        calibration,
        run.scene,
        run.replay,
        warm_up_s=warm_up_s,
        pace_s=calibration.pace_s / speed_in_load,
    )
    result = LoadResult(
        replay=run.replay,
        n_frames=int((run.scene.frames.capture_s >= warm_up_s).sum()),
        comparisons=compare(foretold, measured),
        others=driven.others,
        attempts=driven.attempts,
        is_quiet=driven.is_quiet,
        speed=calibration.pace_s / run.pace_s,
        as_calibrated=compare(usual, measured),
        speed_in_load=speed_in_load,
        diagnosis=compare(diagnosed, measured),
    )
    return result, measured


def _speed_in_load(calibration: Calibration, run: Measured) -> float:
    """Tell how fast detection was, against the calibration: median over frames.

    Detection does the same work on every frame, whoever is in view.
    """
    took_s = run.observed.stage_s[:, StageIndex.DETECT]
    fit = calibration.stages[StageIndex.DETECT]
    residuals_us = calibration.residuals_us[StageIndex.DETECT]
    usual_s = fit.base_s + fit.per_unit_s * run.n_faces
    usual_s = usual_s + residuals_us[len(residuals_us) // 2] * 1e-6
    return float(1.0 / np.nanmedian(took_s / usual_s))
