"""Depth of field, dirt, glare and rain: off by default, and each does what it says."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import Setting, Weather
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.focus import blur_by_depth
from synthetic_crowds.raster.optics import build_optics, expose
from synthetic_crowds.raster.pane import build_pane, look_through
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.scene import build_scene
from synthetic_crowds.street.wetness import wet

CONFIG = CameraConfig(width_px=320, height_px=180)
GREY = np.full((180, 320, 3), 120, np.uint8)


def rng():
    return np.random.default_rng(4)


def pane(rain=0.0, **settings):
    config = CONFIG.model_copy(update=settings)
    return build_pane(config, rain_mm_per_h=rain, rng=rng())


def test_clean_glass_on_a_dry_day_is_no_pane():
    """Defaults leave every frame as it was."""
    assert pane() is None
    assert build_optics(CONFIG, rng=rng()).pane is None


def test_dirt_takes_light_and_lies_still():
    """Grime darkens in places, and is in the same place in every frame."""
    dirty = pane(dirt=0.8)
    first = look_through(GREY, dirty, rng=np.random.default_rng(1))
    second = look_through(GREY, dirty, rng=np.random.default_rng(2))
    assert np.array_equal(first, second)
    assert first.mean() < GREY.mean()
    assert first.std() > 4.0
    assert look_through(GREY, pane(dirt=0.3), rng=rng()).mean() > first.mean()


def test_glare_lifts_the_shadows_and_takes_contrast():
    """Scattered light adds most where it is dark."""
    picture = GREY.copy()
    picture[:, ::2] = 10
    seen = look_through(picture, pane(glare=0.8), rng=rng())
    assert seen.mean() > picture.mean()
    assert seen.astype(float).std() < picture.astype(float).std()
    assert seen.min() > 10


def test_rain_falls_anew_in_every_frame_and_harder_rain_shows_more():
    """Streaks move; their number grows with the rate."""
    shower = pane(rain=10.0, exposure_s=0.01)
    first = look_through(GREY, shower, rng=np.random.default_rng(1))
    second = look_through(GREY, shower, rng=np.random.default_rng(2))
    assert not np.array_equal(first, second)
    drizzle = pane(rain=1.0, exposure_s=0.01)
    assert drizzle.streaks < shower.streaks
    assert np.array_equal(
        first, look_through(GREY, shower, rng=np.random.default_rng(1))
    )


def test_exposure_shows_the_pane():
    """What lies before the lens is in the frame that leaves the sensor."""
    clean = expose(GREY, build_optics(CONFIG, rng=rng()), rng=rng())
    dirty_config = CONFIG.model_copy(update={"dirt": 0.9})
    dirty = expose(GREY, build_optics(dirty_config, rng=rng()), rng=rng())
    assert dirty.mean() < clean.mean() - 2.0


@pytest.mark.parametrize("depth_m", [2.0, 40.0], ids=["near", "far"])
def test_what_is_out_of_focus_is_blurred(depth_m):
    """Sharp at the focus, soft away from it, softer with a wider pupil."""
    picture = np.zeros((180, 320, 3), np.uint8)
    picture[:, 160:] = 255

    def edge(pupil_mm, at_m):
        config = CONFIG.model_copy(update={"pupil_mm": pupil_mm, "focus_m": 8.0})
        optics = build_optics(config, rng=rng())
        depth = np.full((180, 320), at_m, np.float32)
        shown = blur_by_depth(picture, depth, optics)
        return int(np.abs(np.diff(shown[90, :, 0].astype(int))).max())

    assert edge(0.0, depth_m) == 255
    assert edge(30.0, 8.0) == 255
    assert edge(60.0, depth_m) < edge(15.0, depth_m) < 255


def test_wet_pavement_is_darker_and_the_rest_stays():
    """Rain soaks the ground alone, and a dry day changes nothing."""
    optics = build_optics(CONFIG, rng=rng())
    scene = build_scene(
        Setting.HIGH_STREET,
        draw_light(Weather.OVERCAST, rng=rng()),
        mount(CONFIG),
        lay_out(CONFIG),
        optics,
        samples=1,
        rng=rng(),
    )
    assert wet(scene, 0.0, rng=rng()) is scene.background_bgr
    soaked = wet(scene, 6.0, rng=rng()).astype(int)
    dry = scene.background_bgr.astype(int)
    inside = cv2.erode(scene.ground.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    outside = (
        cv2.dilate(scene.ground.astype(np.uint8), np.ones((15, 15), np.uint8)) == 0
    )
    assert soaked[inside].mean() < 0.95 * dry[inside].mean()
    assert np.abs(soaked - dry)[outside].max() <= 1


def test_focus_follows_the_thin_lens():
    """Twice the pupil, twice the blur; none at the focus."""
    optics = build_optics(
        CONFIG.model_copy(update={"pupil_mm": 10.0, "focus_m": 5.0}), rng=rng()
    )
    assert optics.defocus_px(np.array(5.0)) == 0.0
    wider = replace(optics, pupil_m=0.02)
    far = np.array(9.0)
    assert wider.defocus_px(far) == pytest.approx(2.0 * optics.defocus_px(far))
