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
        self._alerted: dict[tuple[CameraId, TrackId], SubjectId] = {}
        self._last_ns: dict[tuple[CameraId, SubjectId], int] = {}

    def decide(self, probe: Probe) -> bool:
        """Say whether this probe raises an alert; remember it if so."""
        if not is_candidate(probe.comparison_score, threshold=self.threshold):
            return False
        track = (probe.camera_id, probe.track_id)
        if track in self._alerted:
            return False
        # Also if the window swallows the alert: the track has told what it can tell.
        self._alerted[track] = probe.subject_id
        subject = (probe.camera_id, probe.subject_id)
        last_ns = self._last_ns.get(subject)
        now_ns = probe.capture_time_ns
        if last_ns is not None and now_ns - last_ns < self._window_ns:
            return False
        self._last_ns[subject] = now_ns
        return True

    def forget(self, camera_id: CameraId, track_id: TrackId) -> None:
        """Drop a track that is over."""
        self._alerted.pop((camera_id, track_id), None)

    def forget_camera(self, camera_id: CameraId) -> None:
        """Drop a camera's tracks, and who has alerted there."""
        for track in [t for t in self._alerted if t[0] == camera_id]:
            del self._alerted[track]
        for subject in [s for s in self._last_ns if s[0] == camera_id]:
            del self._last_ns[subject]

    def alerted(
        self, camera_id: CameraId, *, now_ns: int
    ) -> tuple[tuple[SubjectId, int], ...]:
        """List who has alerted at a camera and cannot be news yet, and since when.

        Somebody whose track still lives counts as of `now_ns`: to a successor the
        same person will be another track.
        """
        since = {
            subject: last_ns
            for (camera, subject), last_ns in self._last_ns.items()
            if camera == camera_id and now_ns - last_ns < self._window_ns
        }
        for (camera, _), subject in self._alerted.items():
            if camera == camera_id:
                since[subject] = now_ns
        return tuple(since.items())

    def recall(
        self, camera_id: CameraId, alerted: tuple[tuple[SubjectId, int], ...]
    ) -> None:
        """Know what a predecessor knew; see `alerted`."""
        for subject_id, last_ns in alerted:
            self._last_ns[camera_id, subject_id] = last_ns
