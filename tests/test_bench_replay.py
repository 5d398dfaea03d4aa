"""Clips reused as many cameras, and the small crowd model fitted to their truth."""

from __future__ import annotations

import itertools

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
    given["gauge_s"] = 0.0
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
    scene = cut(CLIPS, _replay(fps=fps, gauge_s=3.0))
    told, true = [], []
    for row in range(0, len(scene.plan), 7):
        camera = int(scene.plan.camera[row])
        source = scene.reels[camera].source[int(scene.plan.frame_index[row])]
        clip = CLIPS[scene.reels[camera].footage]
        at_s = float(scene.frames.capture_s[row])
        told.append(_in_view(scene.passages, camera, at_s))
        true.append(int((clip.frame == source).sum()))
    assert told == true


@pytest.mark.parametrize("fps", [6.0, 14.5])
@pytest.mark.parametrize(
    ("duration_s", "n_pieces"), [(8.0, 1), (24.0, 3), (25.0, 3), (40.0, 4), (120.0, 12)]
)
def test_gauges_and_pieces_take_turns(duration_s, n_pieces, fps):
    """A gauge before the first piece, between any two, and after the last."""
    replay = _replay(duration_s=duration_s, fps=fps, gauge_s=3.0)
    scene = cut(CLIPS, replay)
    assert replay.n_pieces == n_pieces
    assert replay.piece_s * n_pieces == pytest.approx(duration_s)
    stretches = list(zip(scene.part.tolist(), scene.turn.tolist(), strict=True))
    gauges = [(Part.GAUGE, turn) for turn in range(n_pieces + 1)]
    pieces = [(Part.LOAD, turn) for turn in range(n_pieces)]
    # In order of capture, and none comes back: they do not overlap.
    met = [key for key, _ in itertools.groupby(stretches)]
    assert met == sorted(gauges + pieces, key=lambda key: (key[1], key[0]))
    for part, turn in met:
        mine = (scene.part == part) & (scene.turn == turn)
        since_s = scene.frames.capture_s[mine] - replay.begin_s(part, turn)
        assert since_s.min() >= 0.0
        assert since_s.max() < (3.0 if part == Part.GAUGE else replay.piece_s)


def test_a_camera_plays_in_one_piece_only():
    """Trackers and cadence begin anew in each, in the matcher and in the simulator."""
    scene = cut(CLIPS, _replay(duration_s=40.0, gauge_s=3.0))
    assert len(set(scene.plan.camera_ids)) == 4 * 5 + 5 * 5
    assert "load-3-4" in scene.plan.camera_ids
    for camera in range(len(scene.plan.camera_ids)):
        mine = scene.plan.camera == camera
        assert len({*scene.part[mine].tolist()}) == 1
        assert len({*scene.turn[mine].tolist()}) == 1
    rows = scene.passages.start
    for camera in range(len(rows) - 1):
        people = slice(rows[camera], rows[camera + 1])
        times_s = scene.frames.capture_s[scene.plan.camera == camera]
        assert np.all(scene.passages.t_in_s[people] >= times_s.min() - 0.1)
        assert np.all(scene.passages.t_out_s[people] <= times_s.max() + 0.1)


@pytest.mark.parametrize(("fps", "lost"), [(10.0, 0), (14.5, 5)])
def test_a_piece_goes_on_where_the_one_before_ended(fps, lost):
    """At the next key frame, for a decoder begins at no other; the clip goes round."""
    scene = cut(CLIPS, _replay(duration_s=120.0, fps=fps, first_second=7, gauge_s=3.0))
    reels = dict(zip(scene.plan.camera_ids, scene.reels, strict=True))
    for piece, camera in itertools.product(range(11), range(5)):
        before, after = (reels[f"load-{k}-{camera}"] for k in (piece, piece + 1))
        assert before.footage == after.footage
        assert after.source[0] == (before.source[-1] + 1 + lost) % 1_200
        assert after.source[0] % 10 == 0
    for reel in scene.reels:
        assert set(np.diff(reel.source).tolist()) <= {1, -1_199}


def test_clocks_are_drawn_anew_in_each_piece():
    """Which cameras collide is chance; a load rests on several draws of it."""
    scene = cut(CLIPS, _replay(duration_s=40.0, gauge_s=3.0))
    phases = [
        scene.frames.capture_s[(scene.part == Part.LOAD) & (scene.turn == turn)][:5]
        - _replay(duration_s=40.0, gauge_s=3.0).begin_s(Part.LOAD, turn)
        for turn in range(4)
    ]
    assert len({tuple(np.round(each, 6)) for each in phases}) == 4
    again = cut(CLIPS, _replay(duration_s=40.0, gauge_s=3.0))
    assert np.array_equal(scene.plan.offset_ns, again.plan.offset_ns)


def test_every_gauge_is_the_same_work():
    """The same packets at the same distances, whatever the load, and whenever."""
    gauges = []
    for load in (
        {"duration_s": 30.0},
        {"n_cameras": 2, "fps": 7.0, "first_second": 30, "seed": 9},
    ):
        replay = _replay(gauge_s=3.0, **load)
        scene = cut(CLIPS, replay)
        for turn in range(replay.n_pieces + 1):
            mine = (scene.part == Part.GAUGE) & (scene.turn == turn)
            rows = zip(
                scene.plan.camera[mine].tolist(),
                scene.plan.frame_index[mine].tolist(),
                strict=True,
            )
            begin_ns = round(1e9 * replay.begin_s(Part.GAUGE, turn))
            gauges.append(
                (
                    [scene.packets[camera][index] for camera, index in rows],
                    (scene.plan.offset_ns[mine] - begin_ns).tolist(),
                )
            )
    assert len(gauges) == 4 + 2
    assert all(gauge == gauges[0] for gauge in gauges)


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
    scene = cut(
        CLIPS, _replay(n_cameras=7, duration_s=40.0, n_workers=n_workers, gauge_s=3.0)
    )
    carried = [0] * n_workers
    dealt = {}
    for camera in scene.plan.camera.tolist():
        if camera not in dealt:
            dealt[camera] = carried.index(min(carried))
            carried[dealt[camera]] += 1
    assert len(dealt) == 4 * 7 + 5 * 5
    assert scene.worker.tolist() == [dealt[camera] for camera in range(len(dealt))]
