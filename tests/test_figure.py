"""People drawn fast look like people drawn exactly, at every size that matters."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import Weather
from synthetic_crowds.heads.neck import bend_neck
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.demographics import Demographics
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.picture.actors import dress, pose
from synthetic_crowds.picture.cpu_brush import CpuBrush
from synthetic_crowds.picture.doubles import LEVEL_BELOW_PX
from synthetic_crowds.picture.plate import PAD_PX, new_plate
from synthetic_crowds.picture.sprites import put_on
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.coarse import thinning_of
from synthetic_crowds.raster.figure import (
    Rect,
    develop,
    expose_samples,
    look_at,
    merge,
    paint_of,
    points_of,
)
from synthetic_crowds.raster.optics import build_optics
from synthetic_crowds.raster.rasteriser import (
    FACING_CAMERA,
    Intrinsics,
    draw,
    linear_to_srgb,
    new_canvas,
    resolve,
)
from synthetic_crowds.records import MeshPart
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.motion import Stance

CONFIG = CameraConfig(width_px=640, height_px=640, hfov_deg=20.0, tilt_deg=7.5)
CAMERA = mount(CONFIG)
LIGHT = draw_light(Weather.DAY, rng=np.random.default_rng(0)).seen_by(CAMERA)
OPTICS = build_optics(CONFIG, rng=np.random.default_rng(0))
GREY = np.float32(0.2)
# Grey levels, over the box of the face; and structural similarity.
LARGEST_DIFFERENCE, LEAST_SIMILARITY = 3.5, 0.93


@pytest.fixture(scope="module")
def actors():
    made = []
    for index in (4, 9):
        person = draw_person(
            Demographics(), seed=1, domain=IdentityDomain.SCENARIO, index=index
        )
        made.append(
            dress(person, draw_appearance(person, rng=np.random.default_rng(1)))
        )
    return made


def stance(x_m, heading_deg=180.0, yaw_deg=0.0):
    return Stance(
        x_m=x_m,
        y_m=0.0,
        heading_deg=heading_deg,
        travelled_m=0.3,
        yaw_deg=yaw_deg,
        pitch_deg=-4.0,
        roll_deg=2.0,
        vx_m_s=0.0,
        vy_m_s=0.0,
    )


def fast(posed):
    """Put one person on a plate before grey; the picture and the truth."""
    plate = new_plate(np.full((640, 640), np.inf, np.float32))
    sprite = put_on(
        plate, posed, CAMERA, LIGHT, OPTICS, body_depth_m=0.3, brush=CpuBrush()
    )
    light = plate.light[PAD_PX:-PAD_PX, PAD_PX:-PAD_PX]
    return before_grey(light), sprite


def exact(posed):
    """Draw every triangle of the head and the body, lit at each of four samples."""
    canvas = new_canvas(1280, 1280)
    k = CAMERA.intrinsics
    lens = Intrinsics(
        fx_px=2 * k.fx_px, fy_px=2 * k.fy_px, cx_px=2 * k.cx_px, cy_px=2 * k.cy_px
    )
    head = list(posed.actor.head.parts)
    head[0] = bend_neck(head[0], posed.gaze)
    phase = posed.stance.travelled_m / posed.actor.body.stride_m
    for parts, turn, place_m in (
        (head, posed.head_turn, posed.neck_m),
        (posed.actor.body.parts(phase), posed.body_turn, posed.feet_m),
    ):
        for part in parts:
            draw(
                canvas,
                part,
                rotation=CAMERA.rotation @ turn,
                translation_m=CAMERA.to_camera(place_m),
                intrinsics=lens,
                light=LIGHT,
                owner=0,
            )
    return before_grey(resolve(canvas, factor=2))


def before_grey(light):
    """As a lens of the usual blur shows it."""
    soft = cv2.GaussianBlur(light, (0, 0), OPTICS.lens_blur_px)
    return linear_to_srgb(soft[..., :3] + (1 - soft[..., 3:]) * GREY)


def similarity(first, second):
    """Mean structural similarity of grey pictures (Wang et al. 2004), sigma 1.5."""
    a, b = (
        cv2.cvtColor(i, cv2.COLOR_BGR2GRAY).astype(np.float64) for i in (first, second)
    )

    def mean(image):
        return cv2.GaussianBlur(image, (0, 0), 1.5)

    ma, mb = mean(a), mean(b)
    va, vb = mean(a * a) - ma**2, mean(b * b) - mb**2
    both = mean(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    index = (2 * ma * mb + c1) * (2 * both + c2)
    return float((index / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


@pytest.mark.parametrize(
    "x_m", [4.4, 6.0, 9.0, 13.0], ids=["near", "mid", "far", "farther"]
)
@pytest.mark.parametrize("yaw_deg", [0.0, 35.0])
def test_face_is_the_exact_one_within_tolerance(actors, x_m, yaw_deg):
    """At every level of detail, faces of 24 px and more keep to the exact picture."""
    for actor in actors:
        posed = pose(actor, stance(x_m, yaw_deg=yaw_deg))
        picture, sprite = fast(posed)
        left, top, right, bottom = np.rint(sprite.face_box_xyxy).astype(int)
        assert bottom - top >= 24
        window = np.s_[top - 4 : bottom + 4, left - 4 : right + 4]
        first, second = picture[window], exact(posed)[window]
        difference = np.abs(first.astype(int) - second.astype(int)).mean()
        assert difference < LARGEST_DIFFERENCE
        assert similarity(first, second) > LEAST_SIMILARITY


def test_distances_of_the_comparison_meet_every_level(actors):
    """The tolerance is tested on each level of detail."""
    heights = []
    for x_m in (4.4, 6.0, 9.0, 13.0):
        box = fast(pose(actors[0], stance(x_m)))[1].face_box_xyxy
        heights.append(box[3] - box[1])
    levels = {max(i for i, px in enumerate(LEVEL_BELOW_PX) if h < px) for h in heights}
    assert levels == set(range(len(LEVEL_BELOW_PX)))


def test_truth_does_not_depend_on_the_level_of_detail(actors):
    """Box and landmarks are projected from the full head, however it is drawn."""
    posed = pose(actors[0], stance(13.0))
    head = actors[0].head
    _, sprite = fast(posed)
    for points, found in ((head.landmarks, sprite.landmarks),):
        world = points @ posed.head_turn.T + posed.neck_m
        expected = CAMERA.to_image(CAMERA.to_camera(world))
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert sprite.visibility == pytest.approx(1.0)


def test_nothing_is_lit_behind_what_covers_it(actors):
    """Whoever stands wholly behind others adds nothing to the plate."""
    plate = new_plate(np.full((640, 640), np.inf, np.float32))
    plate.light[...] = (0.1, 0.2, 0.3, 1.0)
    before = plate.light.copy()
    sprite = put_on(
        plate, pose(actors[0], stance(6.0)), CAMERA, LIGHT, OPTICS,
        body_depth_m=0.3, brush=CpuBrush(),
    )  # fmt: skip
    assert sprite.visibility == 0.0
    np.testing.assert_array_equal(plate.light, before)


def square(bgra, size_m=0.1):
    h = size_m
    return MeshPart(
        vertices=np.array([[-h, h, 0], [h, h, 0], [h, -h, 0], [-h, -h, 0]], np.float32),
        normals=np.tile(np.array([0, 0, 1], np.float32), (4, 1)),
        triangles=np.array([[0, 1, 2], [0, 3, 2]], np.int32),
        uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32),
        texture_bgra=bgra,
        occlusion=np.ones(4, np.float32),
    )


def shot(part, *, closed, turned=FACING_CAMERA, samples=1, zoom=1):
    figure = merge([part], paint_of([part]), [np.full(2, closed)])
    px = 40 * zoom
    lens = Intrinsics(fx_px=2.5 * px, fy_px=2.5 * px, cx_px=px / 2, cy_px=px / 2)
    place_m = np.array([0.0, 0.0, 1.0])
    points = points_of(part.vertices, part.normals)
    view = look_at(figure, [(points, turned, place_m)], lens, nearest_m=0.1)
    rect = Rect(0, 0, px, px)
    owners = expose_samples(figure, view, rect, samples=samples, triangles=slice(0, 2))
    plate = np.zeros((px, px, 4), np.float32)
    develop(
        figure,
        view,
        owners,
        rect,
        plate,
        samples=samples,
        px_per_m=2.5 * px,
        light=LIGHT,
        viewer=-place_m,
    )
    return plate


@pytest.mark.parametrize("zoom", [1, 5], ids=["small", "large"])
@pytest.mark.parametrize("samples", [1, 2])
def test_square_covers_exactly_its_pixels(samples, zoom):
    """A square covers exactly half of the picture's width and height."""
    part = square(np.full((8, 8, 4), 255, np.uint8))
    plate = shot(part, closed=True, samples=samples, zoom=zoom)
    expected = np.zeros((40 * zoom, 40 * zoom), np.float32)
    expected[10 * zoom : 30 * zoom, 10 * zoom : 30 * zoom] = 1.0
    np.testing.assert_allclose(plate[..., 3], expected, atol=1e-6)


def test_closed_surfaces_show_no_back_and_open_ones_do():
    """Backs are drawn only where a mesh may be seen from inside."""
    away = np.diag([-1.0, -1.0, 1.0])
    part = square(np.full((8, 8, 4), 255, np.uint8))
    assert shot(part, closed=False, turned=away)[..., 3].sum() == pytest.approx(400)
    assert shot(part, closed=True, turned=away)[..., 3].sum() == 0.0


@pytest.mark.parametrize("zoom", [1, 5], ids=["small", "large"])
def test_holes_let_light_through(zoom):
    """Texels without alpha neither colour nor hide: the left half of a square."""
    bgra = np.full((8, 8, 4), 255, np.uint8)
    bgra[:, :4, 3] = 0
    cover = shot(square(bgra), closed=True, zoom=zoom)[..., 3]
    expected = np.zeros((40 * zoom, 40 * zoom), np.float32)
    expected[10 * zoom : 30 * zoom, 20 * zoom : 30 * zoom] = 1.0
    np.testing.assert_allclose(cover, expected, atol=1e-6)


def test_rims_stay_open_when_a_mesh_is_thinned(actors):
    """Near the rim of a mesh its inside may show; far from it, it may not."""
    body = actors[0].body.rest_parts()[0]
    thin = thinning_of(body, cell_m=0.02, rim_m=0.08)
    assert 0.2 < thin.closed.mean() < 1.0
    assert not thinning_of(body, cell_m=0.02).closed.any()
