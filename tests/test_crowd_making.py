"""From settings to files and back: the cache, the truth, the watchlist."""

import csv
import json

import av
import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.errors import CorruptClipError
from synthetic_crowds.film.annotate import annotate
from synthetic_crowds.film.cache import (
    MANIFEST,
    PIECES,
    check,
    content_key,
    making,
    put,
)
from synthetic_crowds.records import NO_PASSAGE

CROWD = CrowdConfig(duration_s=2.0, footfall_per_min=30.0, population_size=500)
CAMERAS = (CameraConfig(width_px=320, height_px=180, fps=4.0),)
WATCHLIST = WatchlistConfig(size=3, mated_share=0.4)


# Most people walk past beside this one's zone of recognition.
NARROW = CAMERAS[0].model_copy(update={"zone_width_m": 0.5})


def make(cache_dir, seed=5, cameras=CAMERAS):
    reports = []
    crowd = make_crowd(
        CROWD,
        cameras,
        WATCHLIST,
        seed=seed,
        cache_dir=cache_dir,
        workers=1,
        progress=lambda *report: reports.append(report),
    )
    return crowd, reports


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def made(cache_dir):
    return make(cache_dir)


def test_progress_ends_at_the_whole(made):
    """Every frame and portrait is reported."""
    assert ("clips", 8, 8) in made[1]
    assert ("portraits", 3, 3) in made[1]


def test_second_time_comes_from_the_cache(made, cache_dir):
    """Nothing is rendered twice, and what is read is what was written."""
    crowd, reports = make(cache_dir)
    assert not reports
    assert crowd.truth_sha256 == made[0].truth_sha256
    assert crowd.clips_sha256 == made[0].clips_sha256
    assert crowd.watchlist.sha256 == made[0].watchlist.sha256


def test_same_seed_gives_the_same_bytes_elsewhere(made, tmp_path):
    """Truth, video and portraits depend on settings and seed alone."""
    crowd, _ = make(tmp_path)
    assert crowd.truth_sha256 == made[0].truth_sha256
    assert crowd.clips_sha256 == made[0].clips_sha256
    assert crowd.watchlist.sha256 == made[0].watchlist.sha256
    assert crowd.subjects == made[0].subjects


def test_truncated_clip_is_made_again_and_noted(made, cache_dir):
    """A damaged clip costs a note, never a wrong frame."""
    clip = made[0].clips[0]
    clip.path.write_bytes(clip.path.read_bytes()[:1000])
    crowd, _ = make(cache_dir)
    assert len(crowd.notes) == 1
    assert clip.path.name in crowd.notes[0]
    assert crowd.clips_sha256 == made[0].clips_sha256


def test_video_holds_the_frames_that_truth_speaks_of(made):
    """Frame count, size and indices agree, and truth can be drawn on a frame."""
    clip = made[0].clips[0]
    with av.open(str(clip.path)) as container:
        images = [f.to_ndarray(format="bgr24") for f in container.decode(video=0)]
    assert len(images) == clip.n_frames == 8
    assert images[0].shape == (clip.height_px, clip.width_px, 3)
    assert clip.faces.frame_index.max() < clip.n_frames
    assert (np.diff(clip.faces.frame_index) >= 0).all()
    shown = int(clip.faces.frame_index[0])
    drawn = annotate(images[shown], clip.faces, frame_index=shown)
    assert (drawn != images[shown]).any()


def test_passages_sum_up_their_faces(made):
    """Counts and maxima of each passage follow from its rows."""
    clip = made[0].clips[0]
    assert clip.passages
    assert list(clip.passages) == sorted(clip.passages, key=lambda p: p.t_in_s)
    time_s = clip.faces.frame_index / clip.fps
    for place, passage in enumerate(clip.passages):
        rows = clip.faces.passage_index == place
        assert rows.any()
        within = rows & (time_s >= passage.t_in_s) & (time_s <= passage.t_out_s)
        assert passage.n_frames == within.sum()
        heights = clip.faces.face_height_px[within]
        assert passage.max_face_height_px == heights.max(initial=0.0)
        assert passage.unoccluded_frames <= passage.n_frames
        assert passage.person_id in made[0].subjects


def test_faces_of_passers_by_outside_the_zone_are_listed(cache_dir):
    """A detector that finds them is right, though they make no passage."""
    faces = make(cache_dir, cameras=(NARROW,))[0].clips[0].faces
    outside = faces.passage_index == NO_PASSAGE
    assert outside.any()
    assert (faces.visibility[outside] > 0).all()


def test_watchlist_folder_tells_who_but_not_who_walks(made):
    """The table names subjects and says that they are synthetic, nothing else."""
    watchlist = made[0].watchlist
    with (watchlist.folder / "watchlist.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["subject_id"] for row in rows] == [
        subject.person_id for subject in watchlist.subjects
    ]
    assert {row["synthetic"] for row in rows} == {"true"}
    assert not [name for name in rows[0] if "mated" in name]
    assert all(path.is_file() for path in watchlist.image_paths)


def test_manifest_says_synthetic_and_digests_every_file(made):
    """Nobody who finds a clip can take it for a real street."""
    folder = made[0].clips[0].path.parent
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["synthetic"] is True
    assert set(manifest["files"]) == {
        "clip.mp4", "faces.parquet", "passages.parquet",
    }  # fmt: skip


def test_failed_making_leaves_a_draft_for_the_next_try(tmp_path):
    """A folder is whole or absent; finished pieces wait for whoever goes on."""
    folder = tmp_path / "clips" / "x"

    def fail():
        with making(folder, seed=1) as draft:
            put(draft / PIECES / "a.txt", lambda path: path.write_text("a"))
            (draft / PIECES / "b.begun.txt").write_text("half", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not folder.exists()
    with making(folder, seed=1) as draft:
        assert [path.name for path in (draft / PIECES).iterdir()] == ["a.txt"]
        (draft / "whole").write_text("whole", encoding="utf-8")
    assert {path.name for path in folder.iterdir()} == {"whole", MANIFEST}
    assert [path.name for path in folder.parent.iterdir()] == ["x"]


def test_two_at_one_folder_do_not_meet(tmp_path):
    """Whoever finds a draft taken makes the folder in one of their own."""
    with making(tmp_path / "x", seed=1) as first:
        with making(tmp_path / "x", seed=1) as second:
            assert first != second
            (second / "a").write_text("a", encoding="utf-8")
        (first / "a").write_text("a", encoding="utf-8")
    assert check(tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_missing_file_is_found_out(tmp_path):
    """A folder that lost a file is corrupt, not absent."""
    with making(tmp_path / "x", seed=1) as draft:
        (draft / "a").write_text("a", encoding="utf-8")
    assert check(tmp_path / "x")
    (tmp_path / "x" / "a").unlink()
    with pytest.raises(CorruptClipError):
        check(tmp_path / "x")
    assert not check(tmp_path / "y")


def test_key_follows_every_setting():
    """Any change of settings or seed names another folder."""
    keys = {
        content_key(CROWD, 1),
        content_key(CROWD, 2),
        content_key(CROWD.model_copy(update={"footfall_per_min": 31.0}), 1),
    }
    assert len(keys) == 3
    assert content_key(CROWD, 1) in keys
