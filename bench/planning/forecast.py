"""What the model foretells of a load, in figures that a measured load has, too.

Owns which frames count, the figures that are read off them, and the replications of a
forecast. Knows nothing of what was measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from bench.planning.replay import Part, cut
from sim.fast import simulate_node
from sim.records import FrameEnd, node_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bench.planning.observed import Observed
    from bench.planning.replay import Footage, Replay, Scene
    from bench.planning.validation_records import Objective
    from sim.calibration import Calibration
    from sim.records import FrameLog

__all__ = [
    "counted",
    "figures_of",
    "foretell",
    "in_time",
    "max_cameras",
]

N_REPLICATIONS = 40
_LEVELS = {"p50": 50.0, "p95": 95.0, "p99": 99.0}
_KEY = 90_001


def figures_of(
    capture_s: NDArray[np.float64],
    ends: FrameLog | Observed,
    *,
    counted: NDArray[np.bool_],
    in_time: NDArray[np.bool_],
    n_workers: int = 1,
) -> dict[str, float]:
    """Compute the figures of one load; the same for both sides.

    Args:
        capture_s: (n,) when each frame was captured.
        ends: What became of each.
        counted: (n,) whether it counts.
        in_time: (n,) whether it was captured while frames counted, the gauge's, too.
        n_workers: Whose time there was to use.
    """
    end, start_s, done_s = ends.end, ends.start_s, ends.done_s
    processed = counted & (end == FrameEnd.PROCESSED)
    latency_s = (done_s - capture_s)[processed]
    worked = in_time & np.isfinite(start_s)
    span_s = np.ptp(capture_s[in_time])
    found = {"mean": float(latency_s.mean())}
    for name, level in _LEVELS.items():
        found[name] = float(np.percentile(latency_s, level))
    found["skipped"] = float((end[counted] == FrameEnd.SKIPPED).mean())
    work_s = float((done_s - start_s)[worked].sum())
    found["utilisation"] = min(work_s / (n_workers * span_s), 1.0)
    return found


def in_time(scene: Scene, *, warm_up_s: float) -> NDArray[np.bool_]:
    """Say which frames are captured past a load's warm-up."""
    return np.greater_equal(scene.frames.capture_s, warm_up_s)


def counted(scene: Scene, *, warm_up_s: float) -> NDArray[np.bool_]:
    """Say which frames count: those of the load, past its warm-up."""
    is_load = np.equal(scene.part, Part.LOAD)
    return np.logical_and(is_load, in_time(scene, warm_up_s=warm_up_s))


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
    counts = counted(scene, warm_up_s=warm_up_s)
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
                in_time=in_time(scene, warm_up_s=warm_up_s),
                n_workers=replay.n_workers,
            )
        )
    return found


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
