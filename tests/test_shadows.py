"""What shadows cover, and how softly they end."""

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
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.motion import Stance
from synthetic_crowds.street.shadows import cast, ellipse_m, view_ground
from synthetic_crowds.street.silhouettes import borders_of, fill, ring

CAMERA = mount(CameraConfig(width_px=480, height_px=270))


def covered(spots, triangles, size):
    """Cells whose middles lie in a triangle, one by one."""
    y, x = np.mgrid[:size, :size] + 0.5
    mask = np.zeros((size, size), np.bool_)
    for corners in spots[triangles].astype(np.float64):
        sides = [
            (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
        mask |= np.all([s > 0 for s in sides], 0) | np.all([s < 0 for s in sides], 0)
    return mask


@pytest.mark.parametrize("shared", [False, True], ids=["loose", "shared edges"])
def test_a_silhouette_covers_what_any_of_its_triangles_covers(shared):
    """However triangles face and overlap, and whatever edges they share."""
    rng = np.random.default_rng(4)
    spots = rng.uniform(-6.0, 46.0, (12 if shared else 60, 2)).astype(np.float32)
    picks = [rng.permutation(len(spots))[:3] for _ in range(20)]
    triangles = np.array(picks).astype(np.uint16)
    cells = np.zeros((40, 40), np.float32)
    fill(cells, spots, triangles, borders_of(triangles), 2, 0.5)
    expected = covered(spots, triangles, 40)
    inner = np.zeros_like(expected)
    inner[2:-2, 2:-2] = True
    np.testing.assert_array_equal(cells, np.where(inner & expected, 0.5, 0.0))


@pytest.mark.parametrize("turn", [1, -1], ids=["clockwise", "anticlockwise"])
def test_a_ring_fills_its_polygon(turn):
    """A convex outline needs no triangles but one that tells how it faces."""
    angles = turn * np.arange(7) * 2.0 * np.pi / 7
    spots = 20.0 + 15.0 * np.column_stack((np.cos(angles), np.sin(angles)))
    cells = np.zeros((40, 40), np.float32)
    fill(cells, spots.astype(np.float32), *ring(7), 1, 1.0)
    fan = np.array([(0, i, i + 1) for i in range(1, 6)])
    assert np.count_nonzero(cells != covered(spots, fan, 40)) <= 5


@pytest.fixture(scope="module")
def walker():
    person = draw_person(
        Demographics(), seed=3, domain=IdentityDomain.SCENARIO, index=1
    )
    actor = dress(person, draw_appearance(person, rng=np.random.default_rng(3)))
    return pose(
        actor,
        Stance(
            x_m=9.0, y_m=0.3, heading_deg=150.0, travelled_m=0.4, yaw_deg=30.0,
            pitch_deg=0.0, roll_deg=0.0, vx_m_s=-1.0, vy_m_s=0.0,
        ),
    )  # fmt: skip


def light_left_over(walker, weather):
    """Share of light on ground that walls nowhere hide, (h, w)."""
    light = draw_light(weather, rng=np.random.default_rng(0))
    feet = ellipse_m(walker.feet_m, 150.0, (0.36, 0.26))
    view = view_ground(light, CAMERA)
    shadow = cast(walker.actor.outline, walker.outline_bones(), feet, view)
    left_over = np.ones((270, 480, 3), np.float32)
    shadow.dim(left_over, np.ones((270, 480), np.bool_))
    return light, left_over[..., 0]


def fallen_px(points_m, light):
    """Pixels (n,) each of column and row where the light throws points."""
    ground = points_m - points_m[:, 2:] * light.to_key / light.to_key[2]
    x, y = CAMERA.to_image(CAMERA.to_camera(ground)).T.astype(int)
    shown = (x >= 0) & (x < 480) & (y >= 0) & (y < 270)
    return x[shown], y[shown]


def test_a_person_casts_the_shadow_of_their_whole_figure(walker):
    """Body and head, as the camera sees them posed, and nothing beyond."""
    light, left_over = light_left_over(walker, Weather.DAY)
    stride_m = walker.actor.body.stride_m
    clothed = walker.actor.body.parts(walker.stance.travelled_m / stride_m)
    skin, *others = walker.actor.head.parts
    body, head = (
        np.concatenate([part.vertices for part in parts]) @ turn.T + place_m
        for parts, turn, place_m in (
            (clothed, walker.body_turn, walker.feet_m),
            (
                (bend_neck(skin, walker.gaze), *others),
                walker.head_turn,
                walker.neck_m,
            ),
        )
    )
    near = np.zeros(left_over.shape, np.uint8)
    for points in (body, head):
        x, y = fallen_px(points, light)
        near[y, x] = 1
        assert np.mean(left_over[y, x] < 0.9) > 0.97
    x, y = fallen_px(ellipse_m(walker.feet_m, 0.0, (0.5, 0.5)), light)
    near[y.min() : y.max(), x.min() : x.max()] = 1
    beyond = cv2.dilate(near, np.ones((9, 9), np.uint8)) == 0
    assert np.all(left_over[beyond] > 0.95)


def test_shadows_fade_out_without_an_edge(walker):
    """Under clouds only the soft one below the feet is left, and it ends nowhere."""
    _, left_over = light_left_over(walker, Weather.OVERCAST)
    assert left_over.min() < 0.75
    step = np.abs(np.diff(left_over, axis=1)).max()
    steep = np.abs(np.diff(left_over, axis=0)).max()
    assert max(step, steep) < 0.12
