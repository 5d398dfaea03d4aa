"""A crowd in the formats of other tools, read back by those tools where they are."""

import csv
import json

import av
import cv2
import numpy as np
import pytest
from pyarrow import parquet

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.exchange.export import export
from synthetic_crowds.exchange.origin import Origin
from synthetic_crowds.exchange.preview import write_preview
from synthetic_crowds.people.population import IdentityDomain
from synthetic_crowds.records import NO_PASSAGE

CROWD = CrowdConfig(duration_s=2.0, footfall_per_min=40.0, population_size=500)
# A narrow zone: some walk past beside it.
CAMERAS = (
    CameraConfig(width_px=320, height_px=180, fps=4.0, zone_width_m=1.0),
    CameraConfig(camera_id="cam2", width_px=320, height_px=180, fps=4.0),
)
ORIGIN = Origin(scenario="tiny", seed=5, version="0.0")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    return make_crowd(
        CROWD,
        CAMERAS,
        WatchlistConfig(size=3, mated_share=0.4),
        seed=5,
        cache_dir=tmp_path_factory.mktemp("cache"),
        workers=1,
        progress=lambda *_: None,
    )


@pytest.fixture(scope="module")
def folder(crowd, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    export(crowd, folder, origin=ORIGIN, with_frames=True, progress=lambda *_: None)
    return folder


# motmetrics is older than pandas' plans for tuples.
@pytest.mark.filterwarnings("ignore:Operation with tuple")
def test_motmetrics_reads_the_truth_back(crowd, folder):
    """Every face of a passage comes back with its frame, identity and box."""
    mm = pytest.importorskip("motmetrics")
    for clip in crowd.clips:
        table = mm.io.loadtxt(
            str(folder / clip.camera_id / "gt" / "gt.txt"),
            fmt="mot16",
            min_confidence=1,
        )
        known = clip.faces.passage_index != NO_PASSAGE
        assert len(table) == known.sum() > 0
        frames = table.index.get_level_values("FrameId").to_numpy()
        people = table.index.get_level_values("Id").to_numpy()
        rows = np.lexsort(
            (clip.faces.passage_index[known], clip.faces.frame_index[known])
        )
        order = np.lexsort((people, frames))
        assert (frames[order] == clip.faces.frame_index[known][rows] + 1).all()
        assert (people[order] == clip.faces.passage_index[known][rows] + 1).all()
        sides = table[["Width", "Height"]].to_numpy()[order]
        box = clip.faces.box_xyxy[known][rows]
        np.testing.assert_allclose(sides, box[:, 2:] - box[:, :2], atol=0.01)


def test_passers_by_outside_the_zone_are_not_to_be_considered(crowd, folder):
    """They are listed, marked 0, so that finding them is neither right nor wrong."""
    rows = np.loadtxt(folder / "cam1" / "gt" / "gt.txt", delimiter=",", ndmin=2)
    outside = crowd.clips[0].faces.passage_index == NO_PASSAGE
    assert outside.any()
    assert (rows[:, 6] == 0).sum() == outside.sum()
    assert set(rows[rows[:, 6] == 0, 1]) == {NO_PASSAGE}


def test_pycocotools_reads_the_truth_back(crowd, folder):
    """Images, boxes and keypoints of every camera, by COCO's own reader."""
    coco_module = pytest.importorskip("pycocotools.coco")
    coco = coco_module.COCO(str(folder / "coco.json"))
    assert len(coco.getImgIds()) == sum(clip.n_frames for clip in crowd.clips)
    assert len(coco.getAnnIds()) == sum(len(c.faces.frame_index) for c in crowd.clips)
    first = coco.loadAnns(coco.getAnnIds())[0]
    faces = crowd.clips[0].faces
    x, y, width, height = first["bbox"]
    np.testing.assert_allclose(
        (x, y, x + width, y + height), faces.box_xyxy[0], atol=0.02
    )
    points = np.array(first["keypoints"]).reshape(5, 3)[:, :2]
    np.testing.assert_allclose(points, faces.landmarks[0], atol=0.01)
    image = coco.loadImgs(first["image_id"])[0]
    picture = cv2.imread(str(folder / image["file_name"]))
    assert picture.shape == (image["height"], image["width"], 3)


def test_every_file_says_that_it_is_synthetic(folder):
    """Seed and version, too, wherever a format has room for them."""
    for path in folder.rglob("*.parquet"):
        metadata = parquet.read_schema(path).metadata
        assert metadata[b"synthetic"] == b"true", path
        assert metadata[b"seed"] == b"5", path
    info = json.loads((folder / "coco.json").read_text())["info"]
    assert (info["synthetic"], info["seed"], info["version"]) == ("true", "5", "0.0")
    for name in ("SCHEMA.md", "cam1/seqinfo.ini"):
        text = (folder / name).read_text()
        assert "Synthetic" in text, name
        assert "seed 5" in text, name
    with (folder / "watchlist" / "watchlist.csv").open() as file:
        assert {row["synthetic"] for row in csv.DictReader(file)} == {"true"}


def test_people_say_who_is_sought(crowd, folder):
    """Everyone who walks is listed once, the mated are marked."""
    rows = parquet.read_table(folder / "people.parquet").to_pylist()
    assert {row["person_id"] for row in rows} == set(crowd.subjects)
    marked = {row["person_id"] for row in rows if row["on_watchlist"]}
    assert marked == crowd.watchlist.mated & set(crowd.subjects)


def test_preview_shows_every_camera_and_the_people(crowd, tmp_path):
    """Videos of all frames with the truth drawn on, and a sheet of faces."""
    write_preview(
        crowd,
        tmp_path,
        config=CROWD,
        cameras=CAMERAS,
        seed=5,
        domain=IdentityDomain.SCENARIO,
        progress=lambda *_: None,
    )
    for clip in crowd.clips:
        with av.open(str(tmp_path / f"{clip.camera_id}.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == clip.n_frames
    sheet = cv2.imread(str(tmp_path / "people.png"))
    assert sheet.shape == (5 * 216, 8 * 180, 3)
