"""Vertices land where bones, neck and lens take them, worked out one step at a time."""

from __future__ import annotations

import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.demographics import Demographics
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.picture.actors import dress, pose
from synthetic_crowds.picture.looking import look
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.figure_meshes import SUBPIXELS
from synthetic_crowds.street.motion import Stance

CAMERA = mount(CameraConfig(width_px=640, height_px=640, hfov_deg=20.0, tilt_deg=7.5))


@pytest.fixture(scope="module")
def actor():
    person = draw_person(
        Demographics(), seed=1, domain=IdentityDomain.SCENARIO, index=4
    )
    return dress(person, draw_appearance(person, rng=np.random.default_rng(1)))


def walking(actor, x_m):
    stance = Stance(
        x_m=x_m,
        y_m=0.4,
        heading_deg=150.0,
        travelled_m=0.5,
        yaw_deg=35.0,
        pitch_deg=-8.0,
        roll_deg=3.0,
        vx_m_s=0.0,
        vy_m_s=0.0,
    )
    return pose(actor, stance)


def expected(posed, double):
    """Positions and normals in the camera's frame, of body and head."""
    bones, weights = posed.bones, double.weights.astype(np.float64)
    turns = np.einsum("vk,vkij->vij", weights, bones.rotations[double.bones])
    shifts = np.einsum("vk,vki->vi", weights, bones.offsets_m[double.bones])
    body = np.einsum("vij,vj->vi", turns, double.rest_m) + shifts
    normals = np.einsum("vij,vj->vi", turns, double.rest_normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    head, held = double.head[:3].T.astype(np.float64), double.head[6][:, None]
    head = (1.0 - held) * head + held * (head @ posed.gaze)
    world = np.concatenate(
        (
            body @ posed.body_turn.T + posed.feet_m,
            head @ posed.head_turn.T + posed.neck_m,
        )
    )
    facing = np.concatenate(
        (normals @ posed.body_turn.T, double.head[3:6].T @ posed.head_turn.T)
    )
    return CAMERA.to_camera(world), facing @ CAMERA.rotation.T


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("x_m", [4.0, 25.0], ids=["near", "far"])
def test_vertices_land_where_bones_and_neck_take_them(actor, x_m, level):
    """In one pass as step by step: to a subpixel, in order of depth, facing alike."""
    posed, double = walking(actor, x_m), actor.doubles[level]
    view = look(posed, double, CAMERA, nearest_m=0.2)
    seen_m, facing = expected(posed, double)
    screen = np.floor(CAMERA.to_image(seen_m) * SUBPIXELS + 0.5)
    assert np.abs(view.screen - screen).max() <= 1
    np.testing.assert_allclose(view.inverse, 1.0 / seen_m[:, 2], rtol=1e-6)
    np.testing.assert_array_equal(view.corners[:, :2], view.screen)
    np.testing.assert_allclose(view.corners[:, 2:5], facing, atol=2e-6)
    np.testing.assert_array_equal(view.corners[:, 5:], double.figure.looks.T)
    n_body = len(double.rest_m)
    for box, group in zip(
        view.boxes_xyxy, (view.screen[:n_body], view.screen[n_body:]), strict=True
    ):
        around = np.concatenate((group.min(axis=0), group.max(axis=0)))
        np.testing.assert_array_equal(box, around / SUBPIXELS)
