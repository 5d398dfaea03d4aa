"""Photographs of empty sites as streets: calibrated, vetted, walked upon; or refused.

The photographs are painted streets: no test needs a real place, let alone a person.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from commands.photographs import BackgroundOptionError, face_finder, photographs_set
from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, Setting, WatchlistConfig, Weather
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.errors import BackgroundError, StreetError
from synthetic_crowds.film.cache import MANIFEST, file_sha256
from synthetic_crowds.film.photographs import survey
from synthetic_crowds.film.stamp import Stamp, read_stamp
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.demographics import Demographics
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.picture.actors import dress
from synthetic_crowds.picture.composer import compose
from synthetic_crowds.raster.calibration import solve_pose
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.optics import build_optics
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.motion import Stance, walk_past
from synthetic_crowds.street.photo_scene import photo_scene
from synthetic_crowds.street.scene import build_scene
from synthetic_crowds.street.settings import ObstacleConfig, WayIn

ROOT = Path(__file__).parents[1]
CONFIG = CameraConfig(width_px=640, height_px=360, fps=4.0, gain_db=0.0)
MARKS_M = np.array([(10.0, -1.5), (10.0, 1.5), (13.0, -2.2), (13.0, 2.2), (18.0, 0.0)])
LIGHT = draw_light(Weather.DAY, rng=np.random.default_rng(0))


def seen_px(config, marks_m=MARKS_M):
    camera = mount(config)
    return camera.to_image(camera.to_camera(np.pad(marks_m, ((0, 0), (0, 1)))))


def points(config=CONFIG, scale=1.0):
    return tuple(
        (*(px * scale).tolist(), *place.tolist())
        for px, place in zip(seen_px(config), MARKS_M, strict=True)
    )


def street(setting=Setting.HIGH_STREET, config=CONFIG):
    return build_scene(
        setting,
        LIGHT,
        mount(config),
        lay_out(config),
        build_optics(config, rng=np.random.default_rng(0)),
        samples=1,
        rng=np.random.default_rng(1),
    )


@pytest.fixture(scope="module")
def painted():
    return street()


@pytest.fixture(scope="module")
def photo(painted, tmp_path_factory):
    path = tmp_path_factory.mktemp("site") / "site.png"
    cv2.imwrite(str(path), painted.background_bgr)
    return path


@pytest.fixture(scope="module")
def actor():
    person = draw_person(
        Demographics(), seed=1, domain=IdentityDomain.SCENARIO, index=4
    )
    return dress(person, draw_appearance(person, rng=np.random.default_rng(1)))


def nobody(_):
    return np.empty((0, 4), np.float32)


def camera_of(photo, **settings):
    said = {"background": str(photo), "ground_points": points(), **settings}
    return CameraConfig.model_validate({**CONFIG.model_dump(), **said})


def standing(x_m=7.0, y_m=0.3):
    return Stance(
        x_m=x_m,
        y_m=y_m,
        heading_deg=180.0,
        travelled_m=0.0,
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        vx_m_s=0.0,
        vy_m_s=0.0,
    )


@pytest.mark.parametrize("solved", [False, True], ids=["fov-known", "fov-solved"])
@pytest.mark.parametrize(
    "pose",
    [
        {"tilt_deg": 7.5},
        {"tilt_deg": 18.0, "pan_deg": 14.0, "roll_deg": -3.0, "hfov_deg": 48.0},
        {"tilt_deg": 25.0, "pan_deg": -20.0, "lens_x_m": -3.0, "lens_y_m": 2.0,
         "mount_height_m": 4.5, "hfov_deg": 62.0},
    ],
    ids=["straight", "panned", "aside"],
)  # fmt: skip
def test_pose_comes_back_from_points_on_the_ground(pose, solved):
    """A camera whose points are exact is found to a hundredth of a degree."""
    config = CONFIG.model_copy(update={**pose, "background": "x"})
    found = solve_pose(
        seen_px(config),
        MARKS_M,
        size_px=(640, 360),
        hfov_deg=None if solved else config.hfov_deg,
    )
    assert found.error_px < 0.01
    assert found.hfov_deg == pytest.approx(config.hfov_deg, abs=0.02)
    assert found.height_m == pytest.approx(config.mount_height_m, abs=0.01)
    assert found.tilt_deg == pytest.approx(config.tilt_deg, abs=0.02)
    assert found.pan_deg == pytest.approx(config.pan_deg, abs=0.02)
    assert found.roll_deg == pytest.approx(config.roll_deg, abs=0.02)
    assert found.lens_x_m == pytest.approx(config.lens_x_m, abs=0.01)
    assert found.lens_y_m == pytest.approx(config.lens_y_m, abs=0.01)


def test_points_on_a_line_say_nothing():
    """A pose needs points that span the ground."""
    line = np.column_stack((np.linspace(5, 12, 5), np.linspace(-1, 1, 5)))
    found = solve_pose(seen_px(CONFIG, line), line, size_px=(640, 360), hfov_deg=33.0)
    assert found is None


def test_photograph_is_calibrated_in_its_own_pixels(photo, tmp_path):
    """A picture twice as large has its points where it shows them."""
    large = tmp_path / "large.png"
    twice = cv2.resize(cv2.imread(str(photo)), (1280, 720))
    cv2.imwrite(str(large), twice)
    site = survey(camera_of(large, ground_points=points(scale=2.0)), find_faces=nobody)
    assert site.photo_bgr.shape == (360, 640, 3)
    assert site.camera.mount_height_m == pytest.approx(2.8, abs=0.01)
    assert site.camera.background == site.source.sha256 == file_sha256(large)
    assert "reprojection error 0.00 px (limit 2.6)" in site.source.detail


def test_scenario_may_state_the_pose_instead(photo):
    """Height, tilt and field of view are a calibration, too."""
    site = survey(camera_of(photo, ground_points=()), find_faces=nobody)
    assert site.camera.tilt_deg == CONFIG.tilt_deg
    assert "calibrated by mount_height_m 2.8" in site.source.detail


def test_people_stand_on_the_photograph_as_on_the_street(painted, photo, actor):
    """Same place, same size, much the same light, and a shadow on the ground."""
    camera = mount(CONFIG)
    optics = build_optics(CONFIG, rng=np.random.default_rng(0))
    taken = photo_scene(
        cv2.imread(str(photo)), LIGHT, camera, rng=np.random.default_rng(0)
    )
    frames = [
        compose(
            scene,
            [(actor, standing(11.0))],
            camera,
            optics,
            rng=np.random.default_rng(2),
        )
        for scene in (painted, taken)
    ]
    np.testing.assert_allclose(
        frames[0].faces.box_xyxy, frames[1].faces.box_xyxy, atol=1e-3
    )
    assert frames[1].faces.visibility[0] == pytest.approx(1.0, abs=0.01)
    left, top, right, bottom = frames[0].faces.box_xyxy[0].astype(int)
    faces = [frame.image_bgr[top:bottom, left:right].mean() for frame in frames]
    assert faces[1] == pytest.approx(faces[0], rel=0.25)
    darker = painted.background_bgr.astype(int) - frames[1].image_bgr
    foot = camera.to_image(camera.to_camera(np.array([11.0, 0.3, 0.0]))).astype(int)
    beyond = np.s_[foot[1] - 10 : foot[1], foot[0] - 60 : foot[0] + 60]
    shaded = (darker[beyond] > 15).all(axis=2) & painted.ground[beyond]
    assert shaded.sum() > 100


def test_obstacles_hide_people_and_are_not_drawn(photo, actor):
    """What the photograph shows already stands in people's way, unseen by itself."""
    camera = mount(CONFIG)
    image = cv2.imread(str(photo))
    kiosk = ObstacleConfig(kind="kiosk", x_m=6.0, y_m=0.3)
    taken = photo_scene(
        image, LIGHT, camera, obstacles=(kiosk,), rng=np.random.default_rng(0)
    )
    np.testing.assert_array_equal(taken.background_bgr, image)
    optics = build_optics(CONFIG, rng=np.random.default_rng(0))
    frame = compose(
        taken, [(actor, standing(8.0))], camera, optics, rng=np.random.default_rng(2)
    )
    assert not len(frame.faces.visibility)


@pytest.mark.parametrize("setting", list(Setting))
def test_detector_sees_nobody_in_an_empty_street(setting):
    """No shop, poster or gate is taken for a face, whole or in tiles."""
    config = CONFIG.model_copy(update={"width_px": 1280, "height_px": 720})
    assert not len(face_finder()(street(setting, config).background_bgr))


@pytest.mark.parametrize("x_m", [4.5, 11.0], ids=["near", "far"])
def test_photograph_with_somebody_in_it_is_refused(painted, actor, tmp_path, x_m):
    """The shipped detector keeps pictures of people out, exit code 2."""
    camera, optics = mount(CONFIG), build_optics(CONFIG, rng=np.random.default_rng(0))
    frame = compose(
        painted,
        [(actor, standing(x_m, 0.0))],
        camera,
        optics,
        rng=np.random.default_rng(2),
    )
    path = tmp_path / "somebody.png"
    cv2.imwrite(str(path), frame.image_bgr)
    with pytest.raises(BackgroundError, match="it shows a face") as caught:
        survey(camera_of(path), find_faces=face_finder())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"background": "nowhere.png"}, "no such file"),
        ({"background": __file__}, "it is no picture"),
        ({"width_px": 1280, "height_px": 720}, "are fewer than"),
        ({"width_px": 480, "height_px": 360}, "another shape"),
        ({"hfov_deg": 60.0}, r"above the limit of 2\.6 px"),
        ({"ground_points": (*points()[:3], (9.0, 9.0, 5.0, 0.0))}, "limit|no camera"),
        ({"ground_points": ((320.0, 300.0, 6.0, 0.0),) * 4}, "no camera above"),
        ({"ground_points": ((900.0, 9.0, 5.0, 0.0), *points())}, "not among its 640"),
        ({"zone_near_m": 2.0}, "does not show a face"),
    ],
    ids=[
        "absent", "no-picture", "small", "shape", "fov", "mixed", "one", "outside",
        "zone",
    ],
)  # fmt: skip
def test_unusable_photographs_are_refused_in_one_sentence(photo, settings, words):
    """Each says which camera, what is wrong, and what to do."""
    with pytest.raises(BackgroundError, match=words) as caught:
        survey(camera_of(photo, **settings), find_faces=nobody)
    assert "\n" not in str(caught.value)
    assert "'cam1'" in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"pan_deg": 5.0},
        {"way_in": "left"},
        {"ground_points": points()},
        {"background": "x.png", "ground_points": points()[:3]},
        {"background": "x.png", "ground_points": points()[:4], "solve_hfov": True},
    ],
    ids=["pan", "way-in", "points", "three", "four-and-fov"],
)
def test_calibration_without_a_photograph_or_points_is_refused(settings):
    """What would be ignored is refused."""
    with pytest.raises(ValidationError, match=r"need a background|at least"):
        CameraConfig(**settings)


def test_wrong_field_of_view_can_be_solved(photo):
    """With solve_hfov the points say the lens, whatever hfov_deg says."""
    site = survey(camera_of(photo, hfov_deg=60.0, solve_hfov=True), find_faces=nobody)
    assert site.camera.hfov_deg == pytest.approx(33.0, abs=0.1)


@pytest.mark.parametrize("pan_deg", [-15.0, 0.0, 15.0])
def test_nobody_appears_out_of_thin_air(pan_deg):
    """On a photograph people step in from beyond either edge of the frame."""
    config = CONFIG.model_copy(
        update={"background": "x", "pan_deg": pan_deg, "lens_x_m": 1.0}
    )
    camera = mount(config)
    walks = walk_past(
        CrowdConfig(duration_s=30.0), lay_out(config), rng=np.random.default_rng(1)
    )
    sides = set()
    for walk in walks:
        start = camera.to_camera(np.array([*walk.rows[0, :2], 1.0]))
        if start[2] > 0.5:
            column = camera.to_image(start)[0]
            assert not 0.0 < column < config.width_px
            sides.add(column < 0.0)
    assert sides == {True, False}
    assert any(walk.span_in(lay_out(config)) for walk in walks)


@pytest.mark.parametrize("side", ["left", "right"])
def test_people_keep_to_the_open_side_of_a_photograph(side):
    """Where the picture has a wall on one side, nobody comes or leaves there."""
    config = CONFIG.model_copy(update={"background": "x", "way_in": WayIn(side)})
    layout = lay_out(config)
    made = walk_past(
        CrowdConfig(duration_s=30.0, counterflow_share=0.3),
        layout,
        rng=np.random.default_rng(1),
    )
    walled = 1.0 if side == "right" else -1.0
    rows = np.concatenate([walk.rows for walk in made])
    # Lanes of the zone, or the one of those who walk away, are as far as anybody gets.
    assert (walled * rows[:, 1]).max() < layout.zone_half_width_m + 2.2
    assert (-walled * rows[:, 1]).max() > 5.0
    assert {walk.towards for walk in made} == {True, False}


def test_shop_needs_a_wall(photo):
    """Nobody goes in where a photograph may have no door."""
    layout = lay_out(camera_of(photo))
    crowd = CrowdConfig(shops=({"x_m": 9.0},))
    with pytest.raises(StreetError, match="painted street"):
        walk_past(crowd, layout, rng=np.random.default_rng(1))


def test_nobody_gets_a_photograph_in_unseen(photo, tmp_path):
    """A crowd made without a finder of faces takes no photograph."""
    with pytest.raises(BackgroundError, match="nobody has looked"):
        make_crowd(
            CrowdConfig(duration_s=2.0, population_size=300),
            (camera_of(photo),),
            WatchlistConfig(size=2),
            seed=1,
            cache_dir=tmp_path,
            workers=1,
            progress=lambda *_: None,
        )


def test_clip_tells_of_its_photograph(photo, tmp_path):
    """Its hash names the cache and stands in stamp and manifest."""

    def make(path):
        return make_crowd(
            CrowdConfig(duration_s=2.0, footfall_per_min=40.0, population_size=300),
            (camera_of(path),),
            WatchlistConfig(size=2, mated_share=0.5),
            seed=1,
            cache_dir=tmp_path / "cache",
            workers=1,
            progress=lambda *_: None,
            find_faces=nobody,
        )

    made = make(photo)
    clip, sha256 = made.clips[0].path, file_sha256(photo)
    assert read_stamp(clip).background_sha256 == sha256
    told = json.loads((clip.parent / MANIFEST).read_text(encoding="utf-8"))["sources"]
    assert told[0]["role"] == "background of cam1"
    assert told[0]["sha256"] == made.sources[0].sha256 == sha256
    copied = tmp_path / "copy.png"
    copied.write_bytes(photo.read_bytes())
    assert make(copied).clips[0].path == clip
    other = tmp_path / "other.png"
    cv2.imwrite(str(other), cv2.imread(str(photo)) // 2)
    assert make(other).clips[0].path != clip


def test_stamp_of_a_painted_street_is_as_it_was():
    """Clips without a photograph keep their bytes."""
    assert "background" not in Stamp.of(7).text
    assert "background_sha256" in Stamp.of(7, background_sha256="ab").text


def test_option_names_a_camera_and_a_photograph():
    """`--background` is a setting of the camera that it names."""
    assert photographs_set(["b=my site.png"], ["a", "b"]) == [
        'cameras.1.background="my site.png"'
    ]
    for text in ("b", "b=", "c=x.png"):
        with pytest.raises(BackgroundOptionError):
            photographs_set([text], ["a", "b"])


def test_command_ends_with_exit_code_2():
    """A photograph that is not there is the user's to mend."""
    finished = subprocess.run(
        [
            sys.executable, "harness.py", "crowd", "smoke", "--quiet",
            "--background", "cam1=nowhere.png",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    assert "nowhere.png" in finished.stderr
