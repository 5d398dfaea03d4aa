"""Settings of a crowd: its street, its cameras, its watchlist.

Owns ranges, units and defaults. Knows nothing of how a setting is carried out.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.population import Demographics
from synthetic_crowds.records import CaptureQuality
from synthetic_crowds.street.settings import (
    ObstacleConfig,
    ShopConfig,
    Walked,
    WayIn,
)

__all__ = [
    "CameraConfig",
    "CrowdConfig",
    "FootfallShape",
    "Setting",
    "SuppliedConfig",
    "WatchlistConfig",
    "Weather",
]

Share = Annotated[float, Field(ge=0.0, le=1.0)]
# The age targets are made for adults: over longer spans they would be guesswork.
_OLDEST_IMAGE_YEARS = 15.0


class Setting(StrEnum):
    """Where the cameras stand."""

    HIGH_STREET = "high_street"
    STATION_GATE = "station_gate"
    STADIUM_EGRESS = "stadium_egress"


class Weather(StrEnum):
    """Which light falls on the street."""

    DAY = "day"
    OVERCAST = "overcast"
    DUSK = "dusk"
    INDOOR = "indoor"
    NIGHT = "night"


class FootfallShape(StrEnum):
    """How busy a street is in the course of a clip; see `street.schedule`."""

    STEADY = "steady"
    SURGE = "surge"
    DIURNAL = "diurnal"


class CameraConfig(BaseModel):
    """One camera over one stretch of pavement, looking along it.

    The defaults are a van's camera on its mast with a longer lens: faces in the
    zone of recognition are some 35 to 85 pixels high.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera_id: str = Field(
        default="cam1",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
        description="Name of the camera: small letters, digits, hyphens.",
    )
    width_px: int = Field(default=1280, ge=160, le=3840, multiple_of=2)
    height_px: int = Field(default=720, ge=120, le=2160, multiple_of=2)
    fps: float = Field(default=10.0, ge=1.0, le=60.0, description="Frames per second.")
    mount_height_m: float = Field(
        default=2.8, ge=1.0, le=8.0, description="Height of the lens over the ground."
    )
    tilt_deg: float = Field(
        default=7.5, ge=-10.0, le=60.0, description="Downwards from the horizon."
    )
    hfov_deg: float = Field(
        default=33.0, ge=5.0, le=110.0, description="Horizontal field of view."
    )
    zone_near_m: float = Field(
        default=5.0,
        ge=1.0,
        le=60.0,
        description="Near edge of the zone of recognition, metres along the ground.",
    )
    zone_far_m: float = Field(
        default=12.0,
        ge=1.0,
        le=80.0,
        description="Far edge of the zone of recognition, metres along the ground.",
    )
    zone_width_m: float = Field(
        default=3.0, gt=0.4, le=30.0, description="Width of the zone of recognition."
    )
    exposure_s: float = Field(
        default=0.004,
        gt=0.0,
        le=0.2,
        description="Shutter time; longer means more motion blur.",
    )
    gain_db: float = Field(
        default=6.0, ge=0.0, le=48.0, description="Sensor gain; more means more noise."
    )
    lens_blur_px: float = Field(
        default=0.6,
        ge=0.0,
        le=5.0,
        description="Standard deviation of the lens's blur.",
    )
    pupil_mm: float = Field(
        default=0.0,
        ge=0.0,
        le=100.0,
        description="Width of the lens's pupil: focal length over f-number. The wider, "
        "the shallower the depth of field; 0 has everything in focus.",
    )
    focus_m: float = Field(
        default=8.0, ge=0.5, le=200.0, description="Where the lens is focused."
    )
    dirt: Share = Field(default=0.0, description="How dirty the glass is.")
    glare: Share = Field(
        default=0.0, description="How much light a lamp or the sun throws on the glass."
    )
    bitrate_mbps: float = Field(
        default=4.0, gt=0.05, le=100.0, description="Of the H.264 stream, Mbit/s."
    )

    background: str | None = Field(
        default=None,
        min_length=1,
        description="A photograph of an empty site, taken by this camera, in place of "
        "the painted street.",
    )
    ground_points: tuple[tuple[float, float, float, float], ...] = Field(
        default=(),
        max_length=200,
        description="Points on the ground that the photograph shows: pixel x, pixel y, "
        "x_m, y_m; at least 4. They say how the camera stood.",
    )
    solve_hfov: bool = Field(
        default=False,
        description="Whether ground_points say the field of view as well.",
    )
    way_in: WayIn = Field(
        default=WayIn.BOTH,
        description="From beyond which edge of the frame people come: not where the "
        "photograph has a wall.",
    )
    pan_deg: float = Field(
        default=0.0,
        ge=-80.0,
        le=80.0,
        description="To the left of the street; only before a photograph.",
    )
    roll_deg: float = Field(
        default=0.0,
        ge=-45.0,
        le=45.0,
        description="Clockwise, as seen from behind; only before a photograph.",
    )
    lens_x_m: float = Field(
        default=0.0,
        ge=-200.0,
        le=200.0,
        description="Place below the lens, metres; only before a photograph.",
    )
    lens_y_m: float = Field(
        default=0.0,
        ge=-200.0,
        le=200.0,
        description="Place below the lens, metres; only before a photograph.",
    )

    @model_validator(mode="after")
    def _check_background(self) -> Self:
        posed = (self.pan_deg, self.roll_deg, self.lens_x_m, self.lens_y_m)
        said = bool(self.ground_points) or any(posed) or self.way_in is not WayIn.BOTH
        if self.background is None and said:
            message = (
                "ground_points, way_in, pan_deg, roll_deg, lens_x_m, lens_y_m need a "
                f"background, got none for camera '{self.camera_id}'; name a photograph"
            )
            raise ValueError(message)
        fewest = 5 if self.solve_hfov else 4
        asked = bool(self.ground_points) or self.solve_hfov
        if asked and len(self.ground_points) < fewest:
            message = (
                f"ground_points must be at least {fewest}"
                f"{' with solve_hfov' if self.solve_hfov else ''}, got "
                f"{len(self.ground_points)} for camera '{self.camera_id}'; add some"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_geometry(self) -> Self:
        if self.zone_near_m >= self.zone_far_m:
            message = (
                f"zone_near_m must be below zone_far_m, got {self.zone_near_m:g} and "
                f"{self.zone_far_m:g} for camera '{self.camera_id}'; swap or widen them"
            )
            raise ValueError(message)
        if self.background is not None:
            # What a photograph shows is known when its points have been solved.
            return self
        bottom_deg = self.tilt_deg + self.vfov_deg / 2
        top_deg = self.tilt_deg - self.vfov_deg / 2
        face_deg = [
            math.degrees(math.atan2(self.mount_height_m - 1.6, edge_m))
            for edge_m in (self.zone_near_m, self.zone_far_m)
        ]
        if max(face_deg) > bottom_deg or min(face_deg) < top_deg:
            message = (
                f"camera '{self.camera_id}' must see a face 1.6 m high at both edges "
                f"of its zone ({min(face_deg):.1f} to {max(face_deg):.1f} deg down), "
                f"but sees {top_deg:.1f} to {bottom_deg:.1f}; change tilt_deg, "
                "mount_height_m or the zone"
            )
            raise ValueError(message)
        return self

    @property
    def focal_length_px(self) -> float:
        """Focal length in pixels, the same both ways (square pixels)."""
        return self.width_px / 2 / math.tan(math.radians(self.hfov_deg) / 2)

    @property
    def vfov_deg(self) -> float:
        """Vertical field of view, degrees."""
        return math.degrees(2 * math.atan(self.height_px / 2 / self.focal_length_px))


class CrowdConfig(BaseModel):
    """Who walks past the cameras, how many, how fast, in which light."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: Setting = Field(
        default=Setting.HIGH_STREET, description="Where the cameras stand."
    )
    weather: Weather = Field(
        default=Weather.DAY, description="Which light falls on the street."
    )
    rain_mm_per_h: float = Field(
        default=0.0, ge=0.0, le=80.0, description="How hard it rains; 4 is a wet day."
    )
    duration_s: float = Field(
        default=60.0, ge=2.0, le=3600.0, description="Length of every clip."
    )
    footfall_per_min: float = Field(
        default=50.0,
        gt=0.0,
        le=300.0,
        description="People a minute who walk towards each camera into its zone.",
    )
    footfall_shape: FootfallShape = Field(
        default=FootfallShape.STEADY,
        description="Steady; a surge, as when a train or a match has ended; or a whole "
        "day pressed into the clip.",
    )
    footfall_schedule: tuple[tuple[float, float], ...] = Field(
        default=(),
        description="(seconds of clip time, factor on the footfall) knots, joined by "
        "straight lines; where given, they take the place of the shape.",
    )
    counterflow_share: float = Field(
        default=0.12,
        ge=0.0,
        le=0.8,
        description="Of all people in view, how many walk away from the camera.",
    )
    mean_group_size: float = Field(
        default=1.4, ge=1.0, le=4.0, description="People who arrive together."
    )
    walking_speed_mean_m_s: float = Field(
        default=1.34,
        ge=0.3,
        le=2.5,
        description="Mean free walking speed (Weidmann 1993: 1.34).",
    )
    walking_speed_sd_m_s: float = Field(
        default=0.26,
        ge=0.0,
        le=0.6,
        description="Its standard deviation (Weidmann 1993: 0.26).",
    )
    running_share: Share = Field(
        default=0.0, description="Of all groups, how many run."
    )
    waiting_share: Share = Field(
        default=0.0,
        description="Of those who walk towards a camera, how many stop in its zone.",
    )
    waiting_mean_s: float = Field(
        default=6.0, gt=0.0, le=60.0, description="How long they stop, mean."
    )
    obstacles: tuple[ObstacleConfig, ...] = Field(
        default=(),
        max_length=32,
        description="What stands about, beside the street's own furniture.",
    )
    shops: tuple[ShopConfig, ...] = Field(
        default=(), max_length=8, description="Doors and windows on the left."
    )
    trajectories: Walked = Field(
        default=(),
        max_length=64,
        description="Recorded paths; where there are some, the settings of footfall, "
        "speed, groups, waiting, obstacles and shops move nobody.",
    )
    gaze_yaw_sd_deg: float = Field(
        default=9.0,
        ge=0.0,
        le=40.0,
        description="How far heads turn from the way they walk, standard deviation.",
    )
    gaze_pitch_sd_deg: float = Field(
        default=4.0,
        ge=0.0,
        le=20.0,
        description="How far heads nod, standard deviation.",
    )
    return_share: Share = Field(
        default=0.1,
        description=(
            "Of those who enter a second or later camera's zone, how many have passed "
            "an earlier camera, where walking there leaves time for it."
        ),
    )
    revisit_share: Share = Field(
        default=0.0,
        description="Of those who walk towards a camera, how many have passed the same "
        "one before, where there is somebody who has left.",
    )
    demographics: Demographics = Field(
        default_factory=Demographics, description="Who lives in the city."
    )
    habits: Habits = Field(
        default_factory=Habits, description="What people wear on the day."
    )
    population_size: int = Field(
        default=20_000,
        ge=1,
        le=5_000_000,
        description="People in the city; walkers and watchlist are drawn from them.",
    )

    @model_validator(mode="after")
    def _check_schedule(self) -> Self:
        times = [time_s for time_s, _ in self.footfall_schedule]
        factors = [factor for _, factor in self.footfall_schedule]
        if times != sorted(set(times)) or min(factors, default=0.0) < 0.0:
            message = (
                "footfall_schedule must be (time, factor), times rising and factors at "
                f"least 0, got {self.footfall_schedule}; mend the knots"
            )
            raise ValueError(message)
        if factors and max(factors) <= 0.0:
            message = "footfall_schedule needs a factor above 0, got none; raise one"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_shops(self) -> Self:
        stopping = sum(shop.look_share + shop.enter_share for shop in self.shops)
        if stopping > 1.0 + 1e-9:
            message = (
                "crowd.shops must stop at most everybody, got look_share and "
                f"enter_share that add up to {stopping:g}; lower them"
            )
            raise ValueError(message)
        return self


class WatchlistConfig(BaseModel):
    """Who is sought."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(
        default=1_000, ge=1, le=200_000, description="Subjects on the watchlist."
    )
    mated_share: Share = Field(
        default=0.2,
        description="Of those who walk towards a camera, how many are enrolled.",
    )
    images_per_subject: int = Field(
        default=1, ge=1, le=8, description="Pictures of each subject."
    )
    image_age_years: tuple[float, float] = Field(
        default=(0.0, 5.0),
        description="Youngest and oldest picture, years before the walk, 0 to 15.",
    )
    capture_shares: dict[CaptureQuality, float] = Field(
        default={CaptureQuality.CUSTODY: 1.0},
        description=f"Weights of {', '.join(CaptureQuality)}.",
    )

    @model_validator(mode="after")
    def _check_pictures(self) -> Self:
        youngest, oldest = self.image_age_years
        if not 0.0 <= youngest <= oldest <= _OLDEST_IMAGE_YEARS:
            message = (
                f"image_age_years must be (from, to) within 0 and "
                f"{_OLDEST_IMAGE_YEARS:g}, got {self.image_age_years}; mend the range"
            )
            raise ValueError(message)
        weights = list(self.capture_shares.values())
        if min(weights, default=0.0) < 0.0 or sum(weights) <= 0.0:
            message = (
                "capture_shares must be at least 0 and not all 0, got "
                f"{ {str(k): v for k, v in self.capture_shares.items()} }; "
                "raise one of them"
            )
            raise ValueError(message)
        return self


class SuppliedConfig(BaseModel):
    """Folders that take the place of what a run would make.

    Only what `harness crowd --export` wrote is let in: pictures must bear its stamp.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clips_folder: str | None = Field(
        default=None,
        min_length=1,
        description="An exported crowd: its clips, truth and watchlist.",
    )
    watchlist_folder: str | None = Field(
        default=None,
        min_length=1,
        description="A folder with watchlist.csv and its pictures.",
    )
