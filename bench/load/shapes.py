"""Load over time: which share of it is on at each moment, and which cameras.

Owns the shapes. Knows nothing of frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.load.settings import LoadShape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.load.settings import LoadConfig

__all__ = ["share_on", "silent"]

# A spike fills the middle fifth of the run.
_SPIKE_FROM, _SPIKE_UNTIL = 0.4, 0.6


def share_on(load: LoadConfig, progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say which share of the load is on.

    Args:
        load: Shape and low share.
        progress: (n,) moments as shares of the run, in [0, 1).

    Returns:
        (n,) in [low_share, 1].
    """
    low = load.low_share
    match load.shape:
        case LoadShape.CONSTANT | LoadShape.SOAK:
            risen = np.ones_like(progress)
        case LoadShape.RAMP:
            risen = progress
        case LoadShape.SPIKE:
            is_peak = (progress >= _SPIKE_FROM) & (progress < _SPIKE_UNTIL)
            risen = is_peak.astype(np.float64)
        case LoadShape.DIURNAL:
            risen = 0.5 - 0.5 * np.cos(2.0 * np.pi * progress)
    return low + (1.0 - low) * risen


def silent(
    load: LoadConfig,
    times_s: NDArray[np.float64],
    *,
    camera_id: str,
    position: int,
    n_cameras: int,
    duration_s: float,
) -> NDArray[np.bool_]:
    """Say when a camera does not send, by the shape and by its losses.

    Args:
        load: Shape and camera losses.
        times_s: (n,) seconds of the run.
        camera_id: Name of the camera.
        position: Its place among the cameras: the first ones are on the longest.
        n_cameras: How many there are.
        duration_s: Of the run.
    """
    progress = np.clip(times_s / duration_s, 0.0, np.nextafter(1.0, 0.0))
    is_silent = share_on(load, progress) * n_cameras < position + 0.5
    for loss in load.camera_loss:
        if loss.camera_id == camera_id:
            is_silent |= (times_s >= loss.from_s) & (times_s < loss.until_s)
    return np.asarray(is_silent)
