"""Settings of cameras and crowds, and the pinhole camera."""

import numpy as np
import pytest
from pydantic import ValidationError

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.pose import angles_seen, body_rotation, gaze_rotation


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"zone_near_m": 12.0, "zone_far_m": 5.0}, "zone_near_m must be below"),
        ({"tilt_deg": 40.0}, "must see a face"),
        ({"fps": 0.0}, "greater than or equal"),
        ({"width_px": 641}, "multiple of 2"),
        ({"camera_id": "Cam 1"}, "pattern"),
        ({"lens": 35}, "Extra inputs"),
    ],
    ids=["zone", "tilt", "fps", "odd-width", "name", "unknown-key"],
)
def test_camera_refuses_what_cannot_be_mounted(settings, words):
    """A camera that cannot see its zone, or is misspelt, fails before any frame."""
    with pytest.raises(ValidationError, match=words):
        CameraConfig(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"duration_s": 0.0},
        {"footfall_per_min": 0.0},
        {"footfall_per_min": -1.0},
        {"counterflow_share": 1.0},
        {"population_size": 0},
    ],
    ids=["no-time", "nobody", "negative", "all-away", "empty-city"],
)
def test_crowd_refuses_empty_streets(settings):
    """A crowd without time or people is an error, not an empty result."""
    with pytest.raises(ValidationError):
        CrowdConfig(**settings)


def test_watchlist_shares_are_shares():
    """A share lies in [0, 1]."""
    with pytest.raises(ValidationError):
        WatchlistConfig(mated_share=1.2)


def test_camera_sees_left_on_the_left_and_near_below_far():
    """World +y is on the image's left; the ground rises towards the horizon."""
    camera = mount(CameraConfig())
    points = np.array([[8.0, 1.0, 0.0], [8.0, -1.0, 0.0], [30.0, 0.0, 0.0]])
    pixels = camera.to_image(camera.to_camera(points))
    assert pixels[0, 0] < camera.width_px / 2 < pixels[1, 0]
    assert pixels[2, 1] < pixels[0, 1]


def test_rays_undo_projection():
    """The ray through a pixel, times its depth, is the point that projects there."""
    camera = mount(CameraConfig(width_px=160, height_px=120))
    ray = camera.rays()[20, 10]
    pixel = camera.to_image(camera.to_camera(camera.position_m + 7.0 * ray))
    np.testing.assert_allclose(pixel, (10.5, 20.5))


def test_walker_who_faces_the_lens_has_its_left_on_the_images_right():
    """Nothing is mirrored between a body's frame and the image."""
    camera = mount(CameraConfig())
    left_hand = np.array([0.4, 1.0, 0.0]) @ body_rotation(180.0).T
    pixel = camera.to_image(camera.to_camera(left_hand + np.array([8.0, 0.0, 0.0])))
    assert pixel[0] > camera.width_px / 2


@pytest.mark.parametrize(
    "gaze", [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 15), (-40, 10, -5)]
)
def test_angles_seen_return_the_gaze_on_a_level_line_of_sight(gaze):
    """A head straight ahead of a level camera shows the angles it was turned by."""
    camera = mount(CameraConfig(tilt_deg=0.0, mount_height_m=1.6))
    turned = camera.rotation @ body_rotation(180.0) @ gaze_rotation(*gaze)
    np.testing.assert_allclose(
        angles_seen(turned, np.array([0.0, 0.0, 8.0])), gaze, atol=1e-9
    )


def test_looking_straight_ahead_below_the_lens_is_seen_as_looking_down():
    """Angles are against the line of sight, not the horizon."""
    camera = mount(CameraConfig(tilt_deg=0.0, mount_height_m=3.0, zone_near_m=9.0))
    turned = camera.rotation @ body_rotation(180.0)
    _, pitch, _ = angles_seen(turned, camera.to_camera(np.array([8.0, 0.0, 1.6])))
    assert pitch == pytest.approx(-np.degrees(np.arctan2(1.4, 8.0)))
