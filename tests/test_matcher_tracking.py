"""Claims about which detections are one face."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matcher_doubles import FRAME_NS, detections

from matcher.config import TrackerConfig
from matcher.tracking import NO_TRACK, Tracks, distance_iou, no_tracks, track

CONFIG = TrackerConfig()


def _follow(
    frames: list[tuple[int, list[list[float]]]], config: TrackerConfig = CONFIG
) -> tuple[Tracks, list[list[int]]]:
    """Track frames of (index, boxes); return the ids of each frame's boxes."""
    tracks, ids = no_tracks(), []
    for index, boxes in frames:
        tracks, rows = track(
            tracks, detections(boxes), time_ns=index * FRAME_NS, config=config
        )
        ids.append([int(tracks.ids[r]) if r != NO_TRACK else NO_TRACK for r in rows])
    return tracks, ids


def _walk(step: int, *, speed: float, y: float = 100.0) -> list[float]:
    return [50 + speed * step, y, 90 + speed * step, y + 50]


def test_faces_keep_their_tracks_while_they_walk() -> None:
    """Two faces that approach each other and pass apart stay two tracks."""
    frames = [
        (i, [_walk(i, speed=12), [400 - 10 * i, 220, 440 - 10 * i, 270]])
        for i in range(20)
    ]
    _, ids = _follow(frames)

    assert ids == [[0, 1]] * 20


def test_crossing_faces_are_told_apart_by_their_motion() -> None:
    """Where boxes cross, velocity decides, not the nearest box."""
    left = [[40 + 15 * i, 100, 80 + 15 * i, 150] for i in range(21)]
    right = [[340 - 15 * i, 118, 380 - 15 * i, 168] for i in range(21)]
    _, ids = _follow(list(enumerate(zip(left, right, strict=True))))

    assert ids == [[0, 1]] * 21


def test_skipped_frames_stretch_the_prediction() -> None:
    """A fast face that is unseen for four frames is where its velocity took it."""
    frames = [(i, [_walk(i, speed=20)]) for i in (0, 1, 2, 3, 8)]
    _, ids = _follow(frames)

    assert [i for (i,) in ids] == [0, 0, 0, 0, 0]


def test_track_unseen_too_long_is_over() -> None:
    """After `max_gap_s` the same place is a new face, and ids are never used again."""
    gap = int(CONFIG.max_gap_s * 10) + 1
    tracks, ids = _follow([(0, [_walk(0, speed=0)]), (gap, [_walk(0, speed=0)])])

    assert ids == [[0], [1]]
    assert tracks.ids.tolist() == [1]


def test_weak_detection_continues_a_track_but_starts_none() -> None:
    """The second round of association is for tracks that exist."""
    box = [_walk(0, speed=0)]
    weak = detections(box, [CONFIG.birth_score - 0.1])
    tracks, rows = track(no_tracks(), weak, time_ns=0, config=CONFIG)
    assert rows.tolist() == [NO_TRACK]
    assert len(tracks) == 0

    tracks, _ = track(tracks, detections(box), time_ns=FRAME_NS, config=CONFIG)
    tracks, rows = track(tracks, weak, time_ns=2 * FRAME_NS, config=CONFIG)
    assert rows.tolist() == [0]
    assert tracks.hits.tolist() == [2]


def test_strong_detection_wins_the_track_over_a_weak_one() -> None:
    """Even if the weak one lies closer."""
    tracks, _ = track(
        no_tracks(), detections([[50, 50, 90, 100]]), time_ns=0, config=CONFIG
    )
    both = detections([[54, 52, 94, 102], [50, 50, 90, 100]], [0.9, 0.3])
    _, rows = track(tracks, both, time_ns=FRAME_NS, config=CONFIG)

    assert rows.tolist() == [0, NO_TRACK]


def test_face_that_jumps_across_the_picture_is_another() -> None:
    """Nothing below `min_overlap` is associated."""
    _, ids = _follow([(0, [[50, 50, 90, 100]]), (1, [[600, 400, 640, 450]])])

    assert ids == [[0], [1]]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([10, 10, 4, 4], 1.0),
        ([14, 10, 4, 4], -16 / 80),  # touching: no overlap, 4 apart, 8 by 4 around
        ([12, 10, 4, 4], 1 / 3 - 4 / 52),
    ],
    ids=["equal", "touching", "half over"],
)
def test_distance_iou_has_its_textbook_value(
    other: list[float], expected: float
) -> None:
    """Overlap less squared distance over squared diagonal of both together."""
    value = distance_iou(np.array([[10.0, 10, 4, 4]]), np.array([other], float))

    assert value[0, 0] == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.floats(0, 600),
                st.floats(0, 300),
                st.floats(-5, 80),
                st.floats(0.01, 1),
            ),
            max_size=6,
        ),
        max_size=6,
    )
)
def test_no_two_detections_of_a_frame_share_a_track(
    frames: list[list[tuple[float, float, float, float]]],
) -> None:
    """Whatever is detected, association is one to one and ids ascend."""
    tracks = no_tracks()
    for index, faces in enumerate(frames):
        found = detections(
            [[x, y, x + s, y + s] for x, y, s, _ in faces], [f[3] for f in faces]
        )
        tracks, rows = track(tracks, found, time_ns=index * FRAME_NS, config=CONFIG)
        used = rows[rows != NO_TRACK]
        assert len(set(used.tolist())) == len(used)
        assert np.all(np.diff(tracks.ids) > 0)
        assert np.isfinite(tracks.boxes).all()
