"""Clips reused as many cameras, and the small crowd model fitted to their truth."""

from __future__ import annotations

import numpy as np
import pytest

from bench.planning.crowd_fit import fit_crowd
from bench.planning.replay import Footage, Part, Replay, cut
from bench.planning.synthetic_gallery import gallery_of
from bench.planning.unhurried_look import look_closely
from matcher.config import MatcherConfig
from matcher.gallery import Gallery
from matcher.records import SubjectId
from sim.crowd import Walks, draw_passages
from sim.looking import UNSEEN, LookRules, fresh_memory, look_at

KEY = np.uint64(5)
SEE_ALL = LookRules(0.0, 0.0, 0.0, 1, 1e9, 2.0, 0.1, 0.4, 1)
FPS, SECONDS = 10.0, 120


def _footage(seed, rate_hz=0.6):
    """A clip of people who walk towards the lens at one pace."""
    rng = np.random.default_rng(seed)
    n_frames = int(FPS * SECONDS)
    frames, tracks, qualities = [], [], []
    for passage in range(rng.poisson(rate_hz * SECONDS)):
        begin, stay = rng.uniform(-8, SECONDS), rng.uniform(4.0, 10.0)
        for frame in range(n_frames):
            walked = (frame / FPS - begin) / stay
            if 0.0 <= walked <= 1.0:
                frames.append(frame)
                tracks.append(passage)
                qualities.append(0.6 * walked)
    order = np.argsort(frames, kind="stable")
    return Footage(
        packets=tuple(
            bytes(120_000 if frame % 10 == 0 else 40_000) for frame in range(n_frames)
        ),
        key_every=10,
        fps=FPS,
        pixels=1280 * 720,
        n_passages=len(set(tracks)),
        frame=np.array(frames, np.int64)[order],
        track=np.array(tracks, np.int64)[order],
        quality=np.array(qualities, np.float32)[order],
    )


CLIPS = (_footage(1), _footage(2))


def _replay(**changes):
    given = {"n_cameras": 5, "fps": FPS, "duration_s": 10.0, "gallery_size": 100}
    given["gauge_fps"] = 0.0
    return Replay(**{**given, **changes})


def test_cameras_begin_at_key_frames_of_their_own():
    """A decoder can start where each camera does; no two show the same picture."""
    scene = cut(CLIPS, _replay())
    begins = [(reel.footage, int(reel.source[0])) for reel in scene.reels]
    assert len(set(begins)) == 5
    assert all(source % 10 == 0 for _, source in begins)


def test_packets_are_those_of_the_frames_they_stand_for():
    """What the driver sends is what the simulator is told of."""
    scene = cut(CLIPS, _replay(first_second=3))
    for row in range(0, len(scene.plan), 97):
        camera, index = int(scene.plan.camera[row]), int(scene.plan.frame_index[row])
        packet = scene.packets[camera][index]
        reel = scene.reels[camera]
        assert packet is CLIPS[reel.footage].packets[reel.source[index]]
        assert scene.frames.packet_bytes[row] == len(packet)


def _in_view(scene_passages, camera, time_s):
    memory = fresh_memory(scene_passages, SEE_ALL)
    return look_at(KEY, camera, time_s, scene_passages, memory, SEE_ALL, 0)[0]


@pytest.mark.parametrize("fps", [5.0, 10.0, 14.5])
def test_simulated_people_are_in_view_when_the_look_found_them(fps):
    """Faces per frame are those that the unhurried look found, at any rate."""
    scene = cut(CLIPS, _replay(fps=fps, gauge_fps=5.0))
    told, true = [], []
    for row in range(0, len(scene.plan), 7):
        camera = int(scene.plan.camera[row])
        source = scene.reels[camera].source[int(scene.plan.frame_index[row])]
        clip = CLIPS[scene.reels[camera].footage]
        at_s = float(scene.frames.capture_s[row])
        told.append(_in_view(scene.passages, camera, at_s))
        true.append(int((clip.frame == source).sum()))
    assert told == true


def test_every_load_has_the_same_gauge_beside_it():
    """The same packets at the same moments, whatever the load, one camera a worker."""
    gauges = []
    for load in (
        {"duration_s": 30.0},
        {"n_cameras": 2, "fps": 7.0, "first_second": 30, "seed": 9},
    ):
        scene = cut(CLIPS, _replay(gauge_fps=5.0, **load))
        mine = np.flatnonzero(scene.part == Part.GAUGE)[:50]
        assert {scene.plan.camera_ids[k] for k in scene.plan.camera[mine]} == {
            "gauge-0"
        }
        gauges.append(
            (
                scene.frames.packet_bytes[mine].tolist(),
                scene.plan.offset_ns[mine].tolist(),
            )
        )
    assert gauges[0] == gauges[1]
    two = cut(CLIPS, _replay(gauge_fps=5.0, n_workers=2))
    assert len({*two.plan.camera[two.part == Part.GAUGE].tolist()}) == 2


def test_a_gauge_plays_as_long_as_its_load():
    """It is there from the first moment to the last, and never in the load's way."""
    scene = cut(CLIPS, _replay(duration_s=24.0, gauge_fps=5.0))
    times_s = scene.frames.capture_s[scene.part == Part.GAUGE]
    assert times_s.min() < 0.21
    assert times_s.max() > 23.7
    assert np.all(np.diff(scene.frames.capture_s) >= 0.0)
    assert len(times_s) == 120


def test_an_unhurried_look_embeds_whatever_it_can():
    """Only the rule is opened; detector, tracker and embedder stay as they are."""
    usual = MatcherConfig()
    closely = look_closely(usual)
    assert closely.quality.min_quality == 0.0
    assert closely.tracker.confirm_hits == 1
    assert (closely.detector, closely.embedder) == (usual.detector, usual.embedder)


def test_a_camera_that_runs_out_of_clip_begins_again_with_other_people():
    """At the seam nobody walks from the clip's end into its beginning."""
    scene = cut(CLIPS[:1], _replay(n_cameras=1, first_second=115))
    assert scene.reels[0].source.tolist()[49:51] == [1_199, 0]
    seam_s = float(scene.frames.capture_s[scene.plan.frame_index == 50][0])
    people = scene.passages
    across = (people.t_in_s < seam_s - 0.2) & (people.t_out_s > seam_s + 0.2)
    assert not across.any()


def test_generated_crowds_agree_with_the_clips_that_they_were_fitted_to():
    """Mean faces in view within 12 %, and their spread within 35 %, of the truth's."""
    fitted = fit_crowd(CLIPS)
    assert fitted.packets[:2] == (120_000.0, 40_000.0)
    n_cameras, seconds = 30, 120.0
    lengths = np.array([len(each) for each in fitted.approaches], np.int64)
    walks = Walks(
        first=np.cumsum(np.append(0, lengths[:-1] + 1)).astype(np.int64),
        length=lengths,
        quality=np.concatenate(
            [np.append(np.array(each) * 1e-3, UNSEEN) for each in fitted.approaches]
        ).astype(np.float32),
        rate_hz=fitted.approaches_hz,
        group_stop=fitted.group_stop,
        alert_chance=0.0,
        alert_shot=1,
    )
    people = draw_passages(
        walks,
        n_cameras,
        views_hz=fitted.views_hz,
        factors=np.ones(1),
        step_s=60.0,
        key=8,
        begin_s=0.0,
        end_s=seconds,
    )
    times_s = np.arange(0.0, seconds, 1.7)
    memory = fresh_memory(people, SEE_ALL)
    drawn = [
        look_at(KEY, camera, time_s, people, memory, SEE_ALL, 0)[0]
        for camera in range(n_cameras)
        for time_s in times_s.tolist()
    ]
    true = np.concatenate(
        [np.bincount(clip.frame, minlength=len(clip.packets)) for clip in CLIPS]
    )
    assert np.mean(drawn) == pytest.approx(true.mean(), rel=0.12)
    assert np.std(drawn) == pytest.approx(true.std(), rel=0.35)


def test_galleries_of_any_size_begin_with_the_enrolled():
    """Strangers fill a gallery up; they are of unit length and nobody's."""
    rng = np.random.default_rng(3)
    templates = rng.standard_normal((20, 8)).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    enrolled = Gallery(
        templates=templates,
        subject_ids=tuple(SubjectId(f"s{k}") for k in range(20)),
        embedder_sha256="0" * 64,
    )
    more, fewer = gallery_of(enrolled, 500), gallery_of(enrolled, 5)
    assert (len(more), len(fewer)) == (500, 5)
    assert np.array_equal(more.templates[:20], templates)
    assert np.allclose(np.linalg.norm(more.templates, axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("n_workers", [2, 3])
def test_cameras_are_dealt_out_as_the_supervisor_deals_them(n_workers):
    """At its first frame each goes to whoever has fewest, silent ones included."""
    scene = cut(CLIPS, _replay(n_cameras=7, n_workers=n_workers, gauge_fps=5.0))
    carried = [0] * n_workers
    dealt = {}
    for camera in scene.plan.camera.tolist():
        if camera not in dealt:
            dealt[camera] = carried.index(min(carried))
            carried[dealt[camera]] += 1
    assert len(dealt) == 7 + n_workers
    assert scene.worker.tolist() == [dealt[camera] for camera in range(len(dealt))]
