"""Streets like those of the shipped scenarios, and somewhat beyond, drawn at random.

Owns how cameras and crowds vary in training and calibration. Renders nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, Setting, Weather
from synthetic_crowds.people.habits import Habits

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["FAR_HFOV_DEG", "NEAR_HFOV_DEG", "draw_camera", "draw_crowd"]

_BY_HABIT = Habits()


# Horizontal fields of view, degrees: faces in the zone are some 35 to 100 px high in
# the one, 25 to 60 in the other.
NEAR_HFOV_DEG = (28.0, 40.0)
FAR_HFOV_DEG = (46.0, 56.0)


def draw_camera(
    camera_id: str,
    *,
    fps: float,
    rng: Generator,
    hfov_deg: tuple[float, float] = NEAR_HFOV_DEG,
) -> CameraConfig:
    """Draw a camera like those of the shipped scenarios, and somewhat beyond.

    Args:
        camera_id: Its name.
        fps: Frames per second; a slow camera's frames resemble each other less, so
            a detector learns more from each. Their quality is kept by the bitrate.
        rng: Source of every draw.
        hfov_deg: Range of its horizontal field of view.
    """
    height_m = float(rng.uniform(2.5, 3.3))
    width_deg = float(rng.uniform(*hfov_deg))
    return CameraConfig(
        camera_id=camera_id,
        fps=fps,
        mount_height_m=round(height_m, 2),
        hfov_deg=round(width_deg, 1),
        tilt_deg=round(_tilt_deg(height_m, width_deg, rng=rng), 2),
        exposure_s=round(float(np.exp(rng.uniform(np.log(0.002), np.log(0.012)))), 4),
        gain_db=round(float(rng.uniform(0.0, 18.0)), 1),
        lens_blur_px=round(float(rng.uniform(0.3, 1.1)), 2),
        bitrate_mbps=round(float(rng.uniform(2.0, 8.0)) * _bits_share(fps), 2),
    )


def _tilt_deg(height_m: float, hfov_deg: float, *, rng: Generator) -> float:
    """Aim at the zone of recognition, near edge and far edge well inside the image."""
    zone = CameraConfig()
    near_deg, far_deg = (
        np.degrees(np.arctan2(height_m - 1.6, edge_m))
        for edge_m in (zone.zone_near_m, zone.zone_far_m)
    )
    half_vfov_deg = hfov_deg / 2 * zone.height_px / zone.width_px
    slack_deg = half_vfov_deg - (near_deg - far_deg) / 2
    return float((near_deg + far_deg) / 2 + rng.uniform(-0.6, 0.6) * slack_deg)


def _bits_share(fps: float) -> float:
    """Scale the bitrate of 10 fps; frames far apart in time predict each other less."""
    return float((fps / 10.0) ** 0.75)


def draw_crowd(
    index: int, *, duration_s: float, rng: Generator, habits: Habits = _BY_HABIT
) -> CrowdConfig:
    """Draw a crowd; settings and weathers take turns so that none is left out."""
    settings, weathers = tuple(Setting), tuple(Weather)
    setting = settings[index % len(settings)]
    weather = weathers[index // len(settings) % len(weathers)]
    return CrowdConfig(
        setting=setting,
        weather=weather,
        duration_s=duration_s,
        footfall_per_min=round(float(rng.uniform(25.0, 90.0)), 1),
        counterflow_share=round(float(rng.uniform(0.05, 0.4)), 2),
        gaze_yaw_sd_deg=round(float(rng.uniform(8.0, 25.0)), 1),
        gaze_pitch_sd_deg=round(float(rng.uniform(3.0, 9.0)), 1),
        habits=habits,
    )
