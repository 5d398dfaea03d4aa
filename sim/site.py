"""Settings of a site to be planned: its cameras, crowd, objective and hardware.

Owns ranges, units and defaults. Knows nothing of how a plan is computed.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from sim.crowd import Profile

__all__ = ["HardwareConfig", "ReviewConfig", "SiteConfig", "TargetConfig"]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SiteConfig(_Settings):
    """What the cameras send, and who walks past them."""

    cameras: int = Field(ge=1, le=1_000_000, description="Cameras of the site.")
    fps: float = Field(default=10.0, ge=0.5, le=60.0, description="Frames a second.")
    width_px: int = Field(default=1280, ge=160, le=7680)
    height_px: int = Field(default=720, ge=120, le=4320)
    jitter_s: float = Field(
        default=0.005, ge=0.0, le=1.0, description="Largest lateness of a frame."
    )
    passages_per_min: float = Field(
        default=60.0,
        gt=0.0,
        le=600.0,
        description="People a minute past one camera when it is busiest.",
    )
    profile: Profile = Field(
        default=Profile.CONSTANT, description="How the crowd comes and goes."
    )
    hours: float = Field(
        default=1.0, gt=0.0, le=24.0, description="Length of what is simulated whole."
    )
    watchlist: int = Field(
        default=1_000, ge=1, le=100_000_000, description="Templates searched."
    )
    alert_chance: float = Field(
        default=0.001,
        ge=0.0,
        le=1.0,
        description="Alerts, true and false, per passage that is looked at.",
    )
    batch_frames: int = Field(
        default=1, ge=1, le=64, description="Frames that a worker embeds together."
    )
    batch_wait_s: float = Field(
        default=0.0, ge=0.0, le=0.5, description="Longest wait for that many to come."
    )
    growth_per_year: float = Field(
        default=0.0, ge=-0.5, le=5.0, description="Growth of the number of cameras."
    )

    @property
    def pixels(self) -> int:
        """Of one frame."""
        return self.width_px * self.height_px


class TargetConfig(_Settings):
    """What the site must keep to when it is busiest."""

    glass_to_alert_p99_s: float = Field(
        default=1.0, gt=0.0, le=600.0, description="At most."
    )
    skipped_share: float = Field(
        default=0.01, ge=0.0, le=1.0, description="At most, of all frames."
    )
    missed_share: float = Field(
        default=0.01,
        ge=0.0,
        le=1.0,
        description="At most, of passages that an idle matcher would have searched: "
        "what load adds to FNIR.",
    )


class HardwareConfig(_Settings):
    """One kind of node."""

    title: str = Field(default="", max_length=120)
    cores: int = Field(default=2, ge=1, le=1024)
    workers: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Worker processes; absent, one a core, less one for all the rest.",
    )
    speed: float = Field(
        default=1.0,
        gt=0.01,
        le=100.0,
        description="Of one core against the calibrated one.",
    )
    slowdown_full: float | None = Field(
        default=None,
        ge=1.0,
        le=10.0,
        description="Factor on service when all workers are busy, an assumption; "
        "absent, as the calibration measured it.",
    )
    gpu: str = Field(default="", max_length=80, description="Accelerator, if any.")
    memory_gib: float = Field(default=8.0, gt=0.0, le=100_000.0)
    price_gbp: float = Field(default=0.0, ge=0.0, description="Of one node.")
    watts: float = Field(default=0.0, ge=0.0, description="Of one busy node.")

    @property
    def n_workers(self) -> int:
        """Workers that one node runs."""
        return max(self.cores - 1, 1) if self.workers is None else self.workers


class ReviewConfig(_Settings):
    """Who looks at alerts."""

    operators: int = Field(default=1, ge=1, le=10_000)
    review_s: float = Field(
        default=20.0, gt=0.0, le=3600.0, description="Mean time of one review."
    )
