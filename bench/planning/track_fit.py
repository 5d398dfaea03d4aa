"""How often faces are found astray of their tracks, the longer a camera passes over.

Owns that one chance. An unhurried look searches every frame; a matcher that passes
frames over finds a face now and then where no track was expected. It begins a track of
its own, and a young track has the next frame searched, too. The chance is the one with
which the simulator searches as many frames of the driven loads as were searched in
truth. Knows nothing of time spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.fast import simulate_node
from sim.records import node_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.planning.measured import Measured
    from sim.calibration import Calibration

__all__ = ["fit_astray"]

# Chances are sought up to this one, in halves.
_MOST = 0.05
_HALVINGS = 10
_REPLICATIONS = 4
_KEY = 70_001


def fit_astray(calibration: Calibration, runs: Sequence[Measured]) -> float:
    """Fit the chance that a face is found astray after one sample is passed over.

    Args:
        calibration: The model, without that chance.
        runs: The loads that it was fitted to.

    Returns:
        `sim.looking.LookRules.astray`, at least 0.
    """
    if calibration.look.steady_interval_s <= 0.0:
        return 0.0
    searched = sum(int(run.observed.is_searched.sum()) for run in runs)
    low, high = 0.0, _MOST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if _searched(calibration, runs, middle) < searched:
            low = middle
        else:
            high = middle
    # Even the least chance may be one too many.
    return low


def _searched(
    calibration: Calibration, runs: Sequence[Measured], astray: float
) -> float:
    """Simulate all loads; count the frames searched, in the mean of replications."""
    look = calibration.look.model_copy(update={"astray": astray})
    model = calibration.model_copy(update={"look": look})
    total = 0
    for run, slow in zip(runs, calibration.by_load, strict=True):
        node = node_of(
            run.scene.frames, run.scene.passages, max_pending=model.max_pending
        )
        tables = model.tables(gallery_size=run.replay.gallery_size, speed=1.0 / slow)
        for replication in range(_REPLICATIONS):
            log = simulate_node(node, tables, key=_KEY + replication)
            total += int(log.is_searched.sum())
    return total / _REPLICATIONS
