"""Pictures: which are chosen, what is drawn, what the index says."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import report_crowds
import report_doubles

from bench.report.album import FOLDER, Album, read_album
from bench.report.overlay import Kind, Mark, annotate, crop_face
from bench.report.pictures import (
    FACE_HEIGHT_PX,
    MAX_ALERT_PICTURES,
    choose_alerts,
    choose_frame,
    read_frames,
    write_pictures,
)
from matcher.records import Outcome


@pytest.fixture(scope="module")
def run():
    return report_doubles.make_record(seed=11, duration_s=12.0, n_passages=60)


@pytest.fixture(scope="module")
def crowd(run, tmp_path_factory):
    return report_crowds.make_crowd(tmp_path_factory.mktemp("crowd"), run, n_frames=120)


def test_index_reads_back_as_written(tmp_path, run, crowd):
    """Every file that the index names is there."""
    album = write_pictures(tmp_path, crowd, run)
    assert read_album(tmp_path) == album
    assert len(album.cameras) == 2
    assert {a.alert_index for a in album.alerts} == {a.alert_index for a in run.alerts}
    for picture in album.cameras:
        assert (tmp_path / FOLDER / picture.file).stat().st_size > 1000
    for picture in album.alerts:
        assert (tmp_path / FOLDER / picture.probe_file).exists()
        assert (tmp_path / FOLDER / picture.reference_file).exists()


def test_false_alert_names_both_people(tmp_path, run, crowd):
    """A reader sees whom the matcher named and who it really was."""
    album = write_pictures(tmp_path, crowd, run)
    false = {a.alert_index: a for a in run.alerts if not a.correct}
    assert false
    for picture in album.alerts[: len(false)]:
        outcome = false[picture.alert_index]
        assert picture.named.person_id == outcome.subject_id
        assert picture.seen.person_id == outcome.person_id
        assert picture.named.on_watchlist
        assert not picture.seen.on_watchlist


def test_run_without_results_leaves_an_empty_album(tmp_path, run, crowd):
    """A run that ended before its first frame has nothing to show."""
    album = write_pictures(tmp_path, crowd, replace(run, results=(), alerts=()))
    assert album == Album() == read_album(tmp_path)


def test_folder_without_pictures_has_an_empty_album(tmp_path):
    """Pictures are optional."""
    assert read_album(tmp_path) == Album()


def test_false_alerts_are_pictured_first():
    """When there are too many alerts, true ones are left out."""
    alerts = report_doubles.make_record(seed=11, n_passages=300).alerts
    false = [a for a in alerts if not a.correct]
    chosen = choose_alerts(alerts)
    assert len(alerts) > MAX_ALERT_PICTURES == len(chosen)
    assert list(chosen[: len(false)]) == false


def test_frame_with_an_alert_is_preferred(run, crowd):
    """The picture of a camera shows an alert if the camera raised one."""
    clip = crowd.clips[0]
    results = [r for r in run.results if r.outcome.camera_id == "cam1"]
    alert = replace(run.alerts[0], camera_id="cam1", track_id=1, frame_index=70)
    shown = choose_frame(clip, results, [alert])
    assert choose_frame(clip, results, []) < 70 <= shown


def test_skipped_frames_are_never_shown(run, crowd):
    """The matcher said nothing about them."""
    skipped = [
        replace(r, outcome=replace(r.outcome, outcome=Outcome.SKIPPED))
        for r in run.results
    ]
    assert choose_frame(crowd.clips[0], skipped, []) is None


def test_frames_are_read_by_index(crowd):
    """Index 0 is the first frame; what lies beyond the end is left out."""
    frames = read_frames(crowd.clips[0].path, {0, 7, 5000})
    assert sorted(frames) == [0, 7]
    # The oval stands 7 px further to the right in frame 7.
    left = {i: int(np.argmax(im[99, :, 2] > 170)) for i, im in frames.items()}
    assert abs(left[7] - left[0] - 7) <= 2


def test_annotating_keeps_the_frame_and_adds_a_legend():
    """Pixels away from the marks stay as they were; the input is not touched."""
    image = np.full((200, 900, 3), 90, dtype=np.uint8)
    mark = Mark(kind=Kind.FALSE_ALERT, box_xyxy=(400, 80, 440, 130), label="FALSE")
    drawn = annotate(image, (mark,), title="cam1")
    assert drawn.shape[0] > 200
    assert drawn.shape[1] == 900
    assert (image == 90).all()
    assert (drawn[:200, :300] == 90).all()
    assert tuple(drawn[100, 400]) == Kind.FALSE_ALERT.colour


@pytest.mark.parametrize(
    "box",
    [(-30, -20, 20, 40), (880, 170, 960, 260), (2000, 2000, 2050, 2060)],
    ids=["top_left", "bottom_right", "outside"],
)
def test_marks_at_the_edge_are_clipped(box):
    """Truth may reach beyond the image."""
    image = np.full((200, 900, 3), 90, dtype=np.uint8)
    mark = Mark(kind=Kind.TRUE_ALERT, box_xyxy=box, label="TRUE ALERT 0.71")
    assert annotate(image, (mark,), title="").shape[1] == 900
    assert crop_face(image, box, height_px=100).shape == (100, 80, 3)


def test_crop_is_centred_on_the_face():
    """Whatever its size, the face fills the same share of the crop."""
    image = np.zeros((400, 400, 3), dtype=np.uint8)
    cv2.rectangle(image, (150, 180), (189, 239), (255, 255, 255), -1)
    crop = crop_face(image, (150, 180, 190, 240), height_px=FACE_HEIGHT_PX)
    rows = np.flatnonzero(crop[:, crop.shape[1] // 2, 0] > 127)
    assert abs((rows[0] + rows[-1]) / 2 - FACE_HEIGHT_PX / 2) <= 3
    assert abs(len(rows) / FACE_HEIGHT_PX - 0.5) < 0.02
