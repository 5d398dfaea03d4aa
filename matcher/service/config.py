"""What a service may be told: where it listens, what it lets in, what it keeps.

Owns names, ranges and defaults. Knows nothing of the matcher's own settings, which
stand in `matcher.config`.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from pydantic import Field

from matcher.settings import Settings

__all__ = [
    "FramesConfig",
    "LimitsConfig",
    "PhotosConfig",
    "PrivacyConfig",
    "ServiceConfig",
]


class FramesConfig(Settings):
    """Frames of cameras (`matcher.service.lanes.frame_lane`)."""

    max_waiting: int = Field(
        default=64,
        ge=1,
        le=10_000,
        description="Frames that may be under way; one more is refused.",
    )
    max_wait_s: float = Field(
        default=0.5,
        gt=0.0,
        le=60.0,
        description="A frame whose turn would come later is refused at once.",
    )
    max_age_s: float = Field(
        default=1.0,
        gt=0.0,
        le=60.0,
        description="A frame older than this is refused, not processed; a request may "
        "say otherwise.",
    )
    rewind_s: float = Field(
        default=5.0,
        gt=0.0,
        le=86_400.0,
        description="A camera whose clock goes back by more than this has restarted; "
        "by less, its frame came late and is skipped.",
    )
    max_ahead_s: float = Field(
        default=5.0,
        gt=0.0,
        le=86_400.0,
        description="A capture time further ahead than this is refused.",
    )
    max_cameras: int = Field(
        default=256, ge=1, le=100_000, description="Cameras known at a time."
    )
    idle_s: float = Field(
        default=30.0,
        gt=0.0,
        le=86_400.0,
        description="After this silence a camera's tracks, and the templates that they "
        "hold, are dropped.",
    )


class PhotosConfig(Settings):
    """Single pictures, to identify or to enrol (`matcher.service.lanes.photo_lane`)."""

    max_waiting: int = Field(
        default=32,
        ge=1,
        le=10_000,
        description="Pictures that may be under way; one more is refused.",
    )
    max_wait_s: float = Field(
        default=0.5,
        gt=0.0,
        le=60.0,
        description="A picture whose turn would come later is refused at once.",
    )
    max_batch: int = Field(
        default=8,
        ge=1,
        le=64,
        description="Pictures of different requests embedded and searched together.",
    )
    batch_wait_s: float = Field(
        default=0.002,
        ge=0.0,
        le=0.5,
        description="Longest wait for a batch to fill; 0 takes only what is there.",
    )


class LimitsConfig(Settings):
    """Sizes of what is let in (`matcher.service.gate.gate`)."""

    max_body_bytes: int = Field(
        default=16 * 2**20,
        ge=1024,
        le=2**30,
        description="Of one picture's request.",
    )
    max_bulk_bytes: int = Field(
        default=64 * 2**20,
        ge=1024,
        le=2**31,
        description="Of a request that enrols or withdraws many.",
    )
    max_held_bytes: int = Field(
        default=256 * 2**20,
        ge=1024,
        le=2**36,
        description="Of all requests under way together.",
    )
    max_pixels: int = Field(
        default=25_000_000,
        ge=1024,
        le=2**30,
        description="Of a picture, by its header, before it is decoded.",
    )
    max_batch_subjects: int = Field(
        default=10_000,
        ge=1,
        le=100_000,
        description="Subjects of one enrolment or withdrawal.",
    )
    body_timeout_s: float = Field(
        default=20.0,
        gt=0.0,
        le=600.0,
        description="A request must have arrived within this.",
    )
    max_header_bytes: int = Field(
        default=32 * 1024, ge=1024, le=2**20, description="Of a request's head."
    )
    max_connections: int = Field(
        default=1024, ge=1, le=100_000, description="Open at a time."
    )
    max_streams: int = Field(
        default=32, ge=1, le=10_000, description="Listeners to the alert stream."
    )


class PrivacyConfig(Settings):
    """How long alerts are kept (`matcher.service.keeping.alert_store`)."""

    alerts_kept_s: float = Field(
        default=31 * 86_400.0,
        gt=0.0,
        le=366 * 86_400.0,
        description="Alert data is deleted after this; the audit log keeps that there "
        "was an alert, not whose.",
    )
    sweep_s: float = Field(
        default=30.0,
        gt=0.0,
        le=3600.0,
        description="How often what is over is looked for.",
    )


class ServiceConfig(Settings):
    """One service, completely described but for its watchlists."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        max_length=255,
        description="Address to listen on; any but loopback needs a token file.",
    )
    port: int = Field(
        default=8080, ge=0, le=65_535, description="Port; 0 takes a free one."
    )
    token_file: Path | None = Field(
        default=None,
        description="Who may do what, as `harness token` writes it; absent, everybody "
        "on this machine may do everything.",
    )
    measuring: bool | None = Field(
        default=None,
        description="Answer `detail=full`, which tells the nearest candidate also of "
        "people who match nobody; absent, on loopback alone.",
    )
    drain_s: float = Field(
        default=30.0,
        gt=0.0,
        le=600.0,
        description="After SIGTERM, what is under way has this long to end.",
    )
    frames: FramesConfig = FramesConfig()
    photos: PhotosConfig = PhotosConfig()
    limits: LimitsConfig = LimitsConfig()
    privacy: PrivacyConfig = PrivacyConfig()

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_measuring(self) -> bool:
        """Whether `detail=full` is answered."""
        return self.is_loopback if self.measuring is None else self.measuring
