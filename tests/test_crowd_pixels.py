"""Scenery, optics, shadows, and frames composed of them and people."""

import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import Setting, Weather
from synthetic_crowds.heads.neck import bend_neck
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.demographics import Demographics
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.picture.actors import dress
from synthetic_crowds.picture.composer import compose
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.coarse import thinning_of
from synthetic_crowds.raster.optics import build_optics, expose, smear
from synthetic_crowds.raster.pose import gaze_rotation
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.motion import Stance
from synthetic_crowds.street.scene import build_scene
from synthetic_crowds.street.shadows import cast, ellipse_m, rigid, view_ground

CONFIG = CameraConfig(width_px=480, height_px=270)
CAMERA, LAYOUT = mount(CONFIG), lay_out(CONFIG)


def standing(x_m=6.0, y_m=0.0, heading_deg=180.0, yaw_deg=0.0):
    return Stance(
        x_m=x_m,
        y_m=y_m,
        heading_deg=heading_deg,
        travelled_m=0.0,
        yaw_deg=yaw_deg,
        pitch_deg=0.0,
        roll_deg=0.0,
        vx_m_s=0.0,
        vy_m_s=0.0,
    )


@pytest.fixture(scope="module")
def optics():
    return build_optics(CONFIG, rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def scene(optics):
    rng = np.random.default_rng(0)
    light = draw_light(Weather.DAY, rng=rng)
    return build_scene(
        Setting.HIGH_STREET, light, CAMERA, LAYOUT, optics, samples=1, rng=rng
    )


@pytest.fixture(scope="module")
def actor():
    person = draw_person(
        Demographics(), seed=1, domain=IdentityDomain.SCENARIO, index=4
    )
    return dress(person, draw_appearance(person, rng=np.random.default_rng(1)))


def frame(scene, optics, *people):
    return compose(scene, people, CAMERA, optics, rng=np.random.default_rng(2))


def test_scene_is_as_far_as_its_plan_says(scene):
    """Pavement in the zone lies at the depth of the ground, and is marked as such."""
    row = int(CAMERA.to_image(CAMERA.to_camera(np.array([12.0, 0.0, 0.0])))[1])
    column = CONFIG.width_px // 2
    assert scene.ground[row, column]
    assert scene.depth_m[row, column] == pytest.approx(12.0 + 0.3, abs=0.3)


@pytest.mark.parametrize(
    ("setting", "weather"),
    [
        (Setting.STATION_GATE, Weather.INDOOR),
        (Setting.STADIUM_EGRESS, Weather.DUSK),
    ],
)
def test_every_setting_is_a_picture(optics, setting, weather):
    """No setting is blank or burnt out, by day or by night."""
    rng = np.random.default_rng(0)
    made = build_scene(
        setting,
        draw_light(weather, rng=rng),
        CAMERA,
        LAYOUT,
        optics,
        samples=1,
        rng=rng,
    )
    assert 40 < made.background_bgr.mean() < 190
    assert made.background_bgr.std() > 15


def test_lone_face_is_wholly_visible_where_its_box_says(scene, optics, actor):
    """An unoccluded face has visibility 1; its landmarks lie in its box."""
    faces = frame(scene, optics, (actor, standing())).faces
    assert faces.visibility.tolist() == pytest.approx([1.0], abs=0.01)
    left, top, right, bottom = faces.box_xyxy[0]
    assert (
        (faces.landmarks[0] > (left, top)) & (faces.landmarks[0] < (right, bottom))
    )[:, 1].all()
    # The subject's right eye is on the image's left.
    assert faces.landmarks[0, 0, 0] < faces.landmarks[0, 1, 0]
    assert abs(faces.yaw_pitch_roll_deg[0, 0]) < 1.0


def test_nearer_person_hides_the_one_behind(scene, optics, actor):
    """Visibility falls with what stands in front, whatever the order of the list."""
    near, far = (actor, standing(5.0)), (actor, standing(5.6, 0.06))
    for people, index in (((near, far), 1), ((far, near), 0)):
        faces = frame(scene, optics, *people).faces
        seen = dict(zip(faces.person_index.tolist(), faces.visibility, strict=True))
        assert seen[1 - index] > 0.99
        assert seen.get(index, 0.0) < 0.9


def test_face_at_the_frames_edge_is_partly_visible(scene, optics, actor):
    """What lies outside the image counts as hidden."""
    edge_m = -LAYOUT.view_slope * 6.0
    faces = frame(scene, optics, (actor, standing(6.0, edge_m))).faces
    assert 0.1 < faces.visibility[0] < 0.9


def test_walls_hide_people(scene, optics, actor):
    """Behind the shops nobody shows a face, and no pixel changes."""
    hidden = (actor, standing(10.0, LAYOUT.wall_y_m + 1.0))
    empty = frame(scene, optics)
    made = frame(scene, optics, hidden)
    assert not len(made.faces.visibility)
    np.testing.assert_array_equal(made.image_bgr, empty.image_bgr)


def test_backs_of_heads_are_no_faces(scene, optics, actor):
    """Whoever walks away shows no face but changes the picture."""
    made = frame(scene, optics, (actor, standing(heading_deg=0.0)))
    assert not len(made.faces.visibility)
    assert (made.image_bgr != frame(scene, optics).image_bgr).mean() > 0.01


def test_yaw_is_positive_towards_the_images_right(scene, optics, actor):
    """A head turned to its own left looks to the image's right."""
    faces = frame(scene, optics, (actor, standing(yaw_deg=30.0))).faces
    assert faces.yaw_pitch_roll_deg[0, 0] == pytest.approx(30.0, abs=1.0)
    eyes, nose = faces.landmarks[0, :2, 0].mean(), faces.landmarks[0, 2, 0]
    assert nose > eyes


def test_same_seed_same_frame(scene, optics, actor):
    """A frame is a value: equal arguments, equal bytes."""
    people = (actor, standing())
    np.testing.assert_array_equal(
        frame(scene, optics, people).image_bgr, frame(scene, optics, people).image_bgr
    )


def at(place_m):
    return np.column_stack((np.eye(3), place_m))[None]


def test_shadow_falls_away_from_the_key_light():
    """The sun behind the camera throws shadows up the street."""
    light = draw_light(Weather.DAY, rng=np.random.default_rng(0))
    post = thin_post()
    place = np.array([8.0, 0.0, 0.0])
    foot = ellipse_m(place, 0.0, (0.1, 0.1))
    shadow = cast(rigid([post]), at(place), foot, view_ground(light, CAMERA))
    left_over = np.ones((270, 480, 3), np.float32)
    shadow.dim(left_over, np.ones((270, 480), np.bool_))
    rows, _ = np.nonzero(left_over[..., 0] < 0.7)
    foot_row = CAMERA.to_image(CAMERA.to_camera(place))[1]
    assert rows.min() < foot_row - 5


def test_noise_grows_with_gain():
    """Every 6 dB of gain makes a flat grey frame noisier."""
    grey = np.full((270, 480, 3), 110, np.uint8)
    spread = [
        expose(
            grey,
            build_optics(
                CONFIG.model_copy(update={"gain_db": gain_db}),
                rng=np.random.default_rng(0),
            ),
            rng=np.random.default_rng(1),
        ).std()
        for gain_db in (0.0, 12.0, 24.0)
    ]
    assert spread[0] < spread[1] < spread[2]


def test_blur_keeps_light_and_moves_it_along_the_motion():
    """Neither lens nor shutter makes or loses light."""
    tile = np.zeros((21, 21, 4), np.float32)
    tile[10, 10] = 1.0
    blurred = smear(tile, lens_blur_px=0.8, motion_px=(6.0, 0.0))
    assert blurred.sum() == pytest.approx(4.0, rel=1e-3)
    across, down = blurred[..., 3].sum(axis=0), blurred[..., 3].sum(axis=1)
    assert (across > 0.05).sum() > (down > 0.05).sum()


def test_neck_stays_in_its_collar_while_the_face_turns(actor):
    """The foot of the neck keeps to the body; nothing above the chin is bent."""
    skin, gaze = actor.head.parts[0], gaze_rotation(30.0, 10.0, 0.0)
    bent = bend_neck(skin, gaze)
    foot, face = skin.vertices[:, 1] < -0.165, skin.vertices[:, 1] > -0.075
    np.testing.assert_allclose(
        bent.vertices[foot] @ gaze.T, skin.vertices[foot], atol=1e-5
    )
    np.testing.assert_array_equal(bent.vertices[face], skin.vertices[face])


def test_coarse_double_keeps_the_shape(actor):
    """Thinning removes most triangles and moves the outline by less than a cell."""
    skin = actor.head.parts[0]
    coarse = thinning_of(skin, cell_m=0.012).of(skin)
    assert len(coarse.triangles) < len(skin.triangles) / 2
    for reach in (np.min, np.max):
        np.testing.assert_allclose(
            reach(coarse.vertices, axis=0), reach(skin.vertices, axis=0), atol=0.012
        )


def thin_post():
    from synthetic_crowds.street.solids import post

    return post(0.1, 1.8, (90, 90, 90))
