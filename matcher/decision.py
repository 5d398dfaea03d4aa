"""When a candidate is an alert.

Owns the one comparison of a score with a threshold in this project, and the rules
against alerting twice. Knows nothing of how a score or a threshold came about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from matcher.config import DecisionConfig
    from matcher.records import CameraId, Probe, SubjectId, TrackId

__all__ = ["Decider", "is_candidate"]


def is_candidate(scores: ArrayLike, *, threshold: float) -> NDArray[np.bool_]:
    """Say which comparison scores are at or above the threshold.

    Source:
        NIST FRTE 1:N counts scores "at or above"; ISO/IEC 19795-1:2021 notes
        "greater". The former holds here, everywhere.
    """
    return np.asarray(scores) >= threshold


class Decider:
    """Turns probes into alerts: once per track, once per subject and window.

    A subject who is suppressed at a camera may still alert at another: the cameras
    are watched by different people.

    Args:
        threshold: Least comparison score, cosine in [-1, 1].
        config: Settings.
    """

    def __init__(self, threshold: float, config: DecisionConfig) -> None:
        self.threshold = threshold
        self._window_ns = round(config.dedup_window_s * 1e9)
        self._alerted: set[tuple[CameraId, TrackId]] = set()
        self._last_ns: dict[tuple[CameraId, SubjectId], int] = {}

    def decide(self, probe: Probe) -> bool:
        """Say whether this probe raises an alert; remember it if so."""
        if not is_candidate(probe.comparison_score, threshold=self.threshold):
            return False
        track = (probe.camera_id, probe.track_id)
        if track in self._alerted:
            return False
        # Also if the window swallows the alert: the track has told what it can tell.
        self._alerted.add(track)
        subject = (probe.camera_id, probe.subject_id)
        last_ns = self._last_ns.get(subject)
        now_ns = probe.capture_time_ns
        if last_ns is not None and now_ns - last_ns < self._window_ns:
            return False
        self._last_ns[subject] = now_ns
        return True

    def forget(self, camera_id: CameraId, track_id: TrackId) -> None:
        """Drop a track that is over."""
        self._alerted.discard((camera_id, track_id))
