"""Whose face is embedded: the simulator's rule is the matcher's."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.best_shot import is_worth_embedding, no_shots, with_shot
from matcher.cadence import is_detection_due
from matcher.config import BestShotConfig, CadenceConfig, TrackerConfig
from matcher.records import Detections
from matcher.tracking import no_tracks, track
from sim.looking import UNSEEN, LookRules, fresh_memory, is_due, look_at
from sim.records import Passages

HZ = 10.0
KEY = np.uint64(5)


def _detections(n):
    return Detections(
        boxes_xyxy=np.tile(np.float32([10.0, 10.0, 50.0, 60.0]), (n, 1)),
        landmarks=np.zeros((n, 5, 2), np.float32),
        scores=np.ones(n, np.float32),
    )


# Never just due at a frame: seconds and nanoseconds would round apart.
CONFIG = BestShotConfig(interval_s=0.45)
RULES = LookRules(
    young_interval_s=0.0,
    steady_interval_s=0.0,
    astray=0.0,
    confirm_hits=1,
    max_gap_s=1.0,
    min_quality=0.15,
    min_gain=CONFIG.min_gain,
    interval_s=CONFIG.interval_s,
    max_shots=CONFIG.max_shots,
)


def _one(quality):
    """One person before one camera."""
    return Passages(
        start=np.array([0, 1], np.int64),
        t_in_s=np.zeros(1),
        t_out_s=np.array([len(quality) / HZ]),
        first=np.zeros(1, np.int64),
        rate_hz=np.array([HZ]),
        alert_shot=np.zeros(1, np.int32),
        quality=np.append(quality, UNSEEN).astype(np.float32),
    )


def _looks(quality, rules=RULES, frames=None):
    passages = _one(quality)
    memory = fresh_memory(passages, rules)
    times_s = np.arange(len(quality)) / HZ + 0.03 if frames is None else frames
    return [
        look_at(KEY, 0, t, passages, memory, rules, 0)[:2] for t in times_s.tolist()
    ]


@pytest.mark.parametrize("seed", range(8))
def test_faces_are_embedded_when_the_matcher_embeds_them(seed):
    """Frame by frame the same answer as `matcher.best_shot`, for any qualities."""
    rng = np.random.default_rng(seed)
    quality = rng.uniform(0.0, 0.6, 120).astype(np.float32)
    kept, expected = no_shots(4), []
    for index, value in enumerate(quality.astype(float)):
        time_ns = round((index / HZ + 0.03) * 1e9)
        worth = value >= RULES.min_quality and is_worth_embedding(
            kept, quality=value, time_ns=time_ns, config=CONFIG
        )
        expected.append(int(worth))
        if worth:
            kept = with_shot(
                kept,
                template=np.zeros(4, np.float32),
                quality=value,
                time_ns=time_ns,
                config=CONFIG,
            )
    found = [embedded for _, embedded in _looks(quality)]
    assert found == expected


def test_who_is_not_found_is_not_in_view():
    """A gap in the samples is a face that the detector missed."""
    found = _looks(np.array([0.3, UNSEEN, 0.3]))
    assert [faces for faces, _ in found] == [1, 0, 1]


def test_a_track_must_be_confirmed_and_is_over_after_a_gap():
    """The second sighting is trusted; after too long it is the first again."""
    rules = RULES._replace(confirm_hits=2)
    assert [e for _, e in _looks(np.full(3, 0.3), rules)] == [0, 1, 0]
    late = np.array([0.03, 1.53, 1.63])
    assert [e for _, e in _looks(np.full(30, 0.3), rules, late)] == [0, 0, 1]


@pytest.mark.parametrize("seed", range(8))
def test_frames_are_searched_when_the_matcher_searches_them(seed):
    """Frame by frame the same answer as `matcher.cadence`, for a face that flickers."""
    rng = np.random.default_rng(seed)
    cadence = CadenceConfig(young_interval_s=0.12, steady_interval_s=0.25)
    tracker = TrackerConfig(confirm_hits=3)
    rules = RULES._replace(**cadence.model_dump(), confirm_hits=tracker.confirm_hits)
    is_found = rng.random(200) < 0.7
    passages = _one(np.where(is_found, 0.3, UNSEEN))
    memory = fresh_memory(passages, rules)
    tracks, detected_ns = no_tracks(), None
    expected, found = [], []
    for index, n_found in enumerate(is_found.astype(int).tolist()):
        time_s = index / HZ + 0.03
        time_ns = round(time_s * 1e9)
        due = detected_ns is None or is_detection_due(
            tracks,
            detected_ns=detected_ns,
            time_ns=time_ns,
            confirm_hits=tracker.confirm_hits,
            config=cadence,
        )
        if due:
            tracks, _ = track(
                tracks, _detections(n_found), time_ns=time_ns, config=tracker
            )
            detected_ns = time_ns
        expected.append(due)
        found.append(is_due(0, time_s, memory, rules))
        if found[-1]:
            look_at(KEY, 0, time_s, passages, memory, rules, 0)
    assert found == expected
    assert 0.3 < np.mean(found) < 0.9


def test_a_face_found_astray_has_the_next_frame_searched_too():
    """Of steady tracks every third frame is searched; astray, the one after as well."""
    rules = RULES._replace(steady_interval_s=0.25)

    def searched(rules):
        passages = _one(np.full(40, 0.3))
        memory = fresh_memory(passages, rules)
        found = []
        for time_s in (np.arange(40) / HZ + 0.03).tolist():
            found.append(is_due(0, time_s, memory, rules))
            if found[-1]:
                look_at(KEY, 0, time_s, passages, memory, rules, 0)
        return found

    assert searched(rules)[:9] == [True, False, False] * 3
    assert searched(rules._replace(astray=1.0))[:9] == [
        True, False, False, True, True, False, False, True, True,
    ]  # fmt: skip
