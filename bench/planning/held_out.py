"""The loads that a validation drives, and how long each of them lasts.

Owns their choice and their length; no load of the calibration is among them. Knows
nothing of what became of them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.planning.calibration import paced_fps
from bench.planning.forecast import foretell
from bench.planning.replay import Replay, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.planning.calibration import CalibrationConfig
    from bench.planning.replay import Footage
    from sim.calibration import Calibration

__all__ = [
    "FEWEST_FRAMES",
    "MOST_S",
    "VALIDATION_LOADS",
    "held_out",
    "lasting",
    "rung",
]

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
# Frames that a load counts, so that ten stand beyond its p99, unless it would
# last too long for them.
FEWEST_FRAMES = 1_000
MOST_S = 120.0


def lasting(replay: Replay, *, config: CalibrationConfig) -> Replay:
    """Let a load last as long as was asked for, or until it counts enough frames.

    Args:
        replay: The load; its length is set anew.
        config: The length asked for, and the warm-up.

    Returns:
        The load, longer if it needs more frames, but for that no longer than `MOST_S`.
    """
    enough_s = FEWEST_FRAMES / (replay.n_cameras * replay.fps) + config.warm_up_s
    longer_s = min(math.ceil(enough_s), MOST_S)
    return replace(replay, duration_s=max(config.seconds, longer_s))


def rung(n_cameras: int, *, config: CalibrationConfig) -> Replay:
    """Lay out one load of the ladder."""
    fps, gallery_size, second = _LADDER_LOAD
    replay = Replay(
        n_cameras=n_cameras,
        fps=fps,
        duration_s=config.seconds,
        gallery_size=gallery_size,
        first_second=second,
        seed=config.seed + 500,
    )
    return lasting(replay, config=config)


def held_out(
    calibration: Calibration,
    footage: Sequence[Footage],
    load: tuple[int, float, int, int, int],
    *,
    config: CalibrationConfig,
    k: int,
) -> Replay:
    """Choose a load's frame rate so that the model expects it to be so busy.

    Args:
        calibration: The model.
        footage: Clips that the cameras play.
        load: One of `VALIDATION_LOADS`.
        config: Length and seed of the loads.
        k: Number of the load, for its seed.
    """
    n_cameras, busy, gallery_size, first_second, n_workers = load
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
        replay = lasting(replace(replay, fps=fps), config=config)
    return replay
