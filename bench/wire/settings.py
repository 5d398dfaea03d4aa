"""Settings of the wire: `[network]`, what befalls frames between camera and matcher.

Owns names, ranges and units. Knows nothing of how a wire is made to behave so.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["NetworkConfig", "Outage", "WireConfig"]

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
# Between a camera's name and the number of its copy (`bench.load.feeds`).
_COPY = "~"


class Outage(BaseModel):
    """A stretch of the run in which nothing passes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    from_s: float = Field(ge=0.0, description="Nothing passes from here, of the run.")
    until_s: float = Field(gt=0.0, description="The wire carries again from here on.")
    resets: bool = Field(
        default=False,
        description="TCP: connections are cut and refused meanwhile, as by a camera "
        "that restarts; else they stay, and what was sent comes late.",
    )

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.until_s <= self.from_s:
            message = (
                f"an outage must end after it begins, got until_s = {self.until_s:g} "
                f"and from_s = {self.from_s:g}; swap or widen"
            )
            raise ValueError(message)
        return self


class WireConfig(BaseModel):
    """One camera's wire."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    delay_s: float = Field(
        default=0.0, ge=0.0, le=10.0, description="Every packet is under way so long."
    )
    jitter_s: float = Field(
        default=0.0,
        ge=0.0,
        le=10.0,
        description="Up to so much more or less, evenly spread; order is kept.",
    )
    loss: Share = Field(
        default=0.0,
        description="Share of packets lost. UDP: they are gone. TCP: they are sent "
        "again, and all behind them waits.",
    )
    reorder: Share = Field(
        default=0.0,
        description="Share of packets that go out at once and overtake those that are "
        "delayed; needs delay_s. TCP puts them in order again.",
    )
    link_mbps: float | None = Field(
        default=None,
        gt=0.0,
        le=100_000.0,
        description="What the camera's link carries, million bits a second; absent: "
        "TCP as much as it takes, UDP 100, since a burst would overrun the receiver.",
    )
    outages: tuple[Outage, ...] = Field(
        default=(), max_length=100, description="When nothing passes."
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.jitter_s > self.delay_s:
            message = (
                f"jitter_s must not exceed delay_s, got {self.jitter_s:g} and "
                f"{self.delay_s:g}; a packet cannot arrive before it is sent"
            )
            raise ValueError(message)
        if self.reorder > 0.0 and self.delay_s == 0.0:
            message = (
                f"reorder = {self.reorder:g} needs a delay_s, got 0; packets that are "
                "not delayed cannot be overtaken"
            )
            raise ValueError(message)
        return self

    @property
    def is_perfect(self) -> bool:
        """Whether packets pass as they would without it."""
        return not (self.delay_s or self.loss or self.outages)


class NetworkConfig(WireConfig):
    """Every camera's wire, and those that differ."""

    marks_ends: bool = Field(
        default=True,
        description="Cameras mark the end of each frame; those that do not let an "
        "FFmpeg-based receiver wait for the next frame.",
    )
    cameras: dict[str, WireConfig] = Field(
        default_factory=dict,
        description="Of single cameras, by camera_id; copies share their original's.",
    )

    def of(self, camera_id: str) -> WireConfig:
        """Say what one camera's wire is like."""
        for name in (camera_id, camera_id.partition(_COPY)[0]):
            if name in self.cameras:
                return self.cameras[name]
        return self

    @property
    def is_default(self) -> bool:
        """Whether it says nothing."""
        return self == NetworkConfig()
