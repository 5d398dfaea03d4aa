"""Settings of a crowd: who walks, its watchlist, what is supplied in its place.

Owns ranges, units and defaults. Knows nothing of how a setting is carried out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.population import Demographics
from synthetic_crowds.records import CaptureQuality, Renderer
from synthetic_crowds.street.settings import (
    ObstacleConfig,
    Share,
    ShopConfig,
    Walked,
)

__all__ = [
    "CrowdConfig",
    "FootfallShape",
    "Setting",
    "SuppliedConfig",
    "WatchlistConfig",
    "Weather",
]

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
    renderer: Renderer = Field(
        default=Renderer.CPU,
        description="What draws people: the processor, or a graphics card through EGL, "
        "the same within a tolerance (extra `gl`).",
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
