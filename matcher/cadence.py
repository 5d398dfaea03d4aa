"""When a camera's frame is worth a detection, and when prediction will do.

Owns the rule. Pure, and a matter of capture times alone: a machine's speed never
changes which frames are looked at, so equal frames give equal alerts.

Walkers move little between two frames. Once every face in view has a trusted track,
the detector can miss every other frame, and the tracker's prediction stands in; while
a track is young, every frame counts, since an alert waits for its confirmation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matcher.config import CadenceConfig
    from matcher.tracking import Tracks

__all__ = ["is_detection_due"]


def is_detection_due(
    tracks: Tracks,
    *,
    detected_ns: int,
    time_ns: int,
    confirm_hits: int,
    config: CadenceConfig,
) -> bool:
    """Say whether a frame is to be searched for faces.

    Args:
        tracks: The camera's, after its last detection.
        detected_ns: Capture time of the frame last searched.
        time_ns: Capture time of this one.
        confirm_hits: Detections that make a track trusted.
        config: Settings.
    """
    seen = tracks.seen_ns == detected_ns
    is_young = bool(np.any(seen & (tracks.hits < confirm_hits)))
    interval_s = config.young_interval_s if is_young else config.steady_interval_s
    return time_ns - detected_ns >= interval_s * 1e9
