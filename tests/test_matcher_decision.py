"""Claims about alerts: the predicate, once a track, once a subject and window."""

import numpy as np
import pytest

from matcher.config import DecisionConfig
from matcher.decision import Decider, is_candidate
from matcher.records import CameraId, Probe, SubjectId, TrackId


def _probe(
    score: float,
    *,
    track_id: int = 0,
    subject: str = "s1",
    camera: str = "cam1",
    time_s: float = 0.0,
) -> Probe:
    return Probe(
        camera_id=CameraId(camera),
        track_id=TrackId(track_id),
        frame_index=0,
        capture_time_ns=round(time_s * 1e9),
        box_xyxy=(0.0, 0.0, 1.0, 1.0),
        quality=0.5,
        n_shots=1,
        subject_id=SubjectId(subject),
        comparison_score=score,
        decided_ns=0,
    )


def _decider(window_s: float = 10.0) -> Decider:
    return Decider(0.5, DecisionConfig(dedup_window_s=window_s))


def test_score_at_the_threshold_is_a_candidate() -> None:
    """NIST's "at or above", not "above"."""
    scores = np.array([0.49, 0.5, 0.51])

    assert is_candidate(scores, threshold=0.5).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("second", "alerts"),
    [
        ({"track_id": 0, "time_s": 1}, False),
        ({"track_id": 0, "time_s": 60, "subject": "s2"}, False),
        ({"track_id": 1, "time_s": 9.9}, False),
        ({"track_id": 1, "time_s": 10.0}, True),
        ({"track_id": 1, "time_s": 1, "subject": "s2"}, True),
        ({"track_id": 0, "time_s": 1, "camera": "cam2"}, True),
    ],
    ids=[
        "same track",
        "same track, other subject, later",
        "other track inside the window",
        "other track after the window",
        "other subject",
        "other camera",
    ],
)
def test_second_probe_above_threshold_alerts_only_if_it_is_news(
    second: dict[str, object], alerts: bool
) -> None:
    """Once per track; once per subject, camera and window."""
    decider = _decider()
    assert decider.decide(_probe(0.9))

    assert decider.decide(_probe(0.9, **second)) is alerts  # type: ignore[arg-type]


def test_probe_below_threshold_neither_alerts_nor_counts() -> None:
    """A track may alert later, when its fused template has improved."""
    decider = _decider()

    assert not decider.decide(_probe(0.499))
    assert decider.decide(_probe(0.5, time_s=0.1))


def test_suppressed_alert_does_not_prolong_the_window() -> None:
    """The window runs from the alert that was raised."""
    decider = _decider()
    decider.decide(_probe(0.9))
    decider.decide(_probe(0.9, track_id=1, time_s=8))

    assert decider.decide(_probe(0.9, track_id=2, time_s=11))


def test_forgotten_track_may_alert_again() -> None:
    """Its number will not come back, but the set must not grow for ever."""
    decider = _decider(window_s=0.0)
    decider.decide(_probe(0.9))
    decider.forget(CameraId("cam1"), TrackId(0))

    assert decider.decide(_probe(0.9))
