"""Settings of the load: `[load]`, which frames arrive when.

Owns the kinds and shapes of load, their ranges and units. Knows nothing of how a plan
is drawn from them or driven.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sim.arrivals import Phase

__all__ = [
    "CameraLoss",
    "LoadConfig",
    "LoadKind",
    "LoadShape",
    "WatchlistChangeConfig",
]

Seconds = Annotated[float, Field(gt=0.0, le=86_400.0)]


class LoadKind(StrEnum):
    """Who decides when the next frame comes."""

    CAMERA_STREAM = "camera_stream"
    SINGLE_STREAM = "single_stream"
    MULTI_STREAM = "multi_stream"
    SERVER = "server"
    OFFLINE = "offline"
    REPLAY = "replay"

    @property
    def is_closed(self) -> bool:
        """The next frames wait for the last ones to be done."""
        return self in {LoadKind.SINGLE_STREAM, LoadKind.MULTI_STREAM}


class LoadShape(StrEnum):
    """How much of the load is on at each moment of the run."""

    CONSTANT = "constant"
    RAMP = "ramp"
    SPIKE = "spike"
    SOAK = "soak"
    DIURNAL = "diurnal"


class CameraLoss(BaseModel):
    """One camera falls silent and comes back with its next key frame."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    camera_id: str = Field(description="Which camera.")
    from_s: float = Field(ge=0.0, description="Silent from here, seconds of the run.")
    until_s: float = Field(gt=0.0, description="Back from here on.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.until_s <= self.from_s:
            message = (
                f"load.camera_loss.until_s must lie after from_s, got {self.until_s:g} "
                f"after {self.from_s:g} for camera '{self.camera_id}'; swap or widen"
            )
            raise ValueError(message)
        return self


class WatchlistChangeConfig(BaseModel):
    """Some subjects join the watchlist and some leave it while cameras run."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    at_s: float = Field(ge=0.0, description="When, seconds of the run.")
    enrol: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="So many of the watchlist are held back until then, and join.",
    )
    withdraw: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="So many of those enrolled by then leave for good.",
    )
    passers_only: bool = Field(
        default=False,
        description=(
            "Draw both from those who walk past: so that a short run shows an effect."
        ),
    )

    @model_validator(mode="after")
    def _check_somebody(self) -> Self:
        if self.enrol + self.withdraw == 0:
            message = (
                "load.watchlist_change must enrol or withdraw somebody, got neither "
                f"at {self.at_s:g} s; raise one of them or leave the change out"
            )
            raise ValueError(message)
        return self


class LoadConfig(BaseModel):
    """How frames arrive at the matcher.

    Real-time or unhurried is no property of a scenario, but for `offline`, which is
    unhurried by its nature: the command line says it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: LoadKind = Field(
        default=LoadKind.CAMERA_STREAM,
        description=(
            "camera_stream: every camera sends at its own rate, whatever the matcher "
            "does. server: frames of random cameras come at random. replay: as in a "
            "recorded trace. single_stream, multi_stream: the next frame, or the next "
            "few, once the last are done. offline: as fast as they are taken."
        ),
    )
    shape: LoadShape = Field(
        default=LoadShape.CONSTANT,
        description=(
            "Share of the cameras that send (camera_stream) or of the rate (server) "
            "over the run: all of it; a ramp up from low_share; low_share with all of "
            "it in the middle fifth (spike); low_share to all and back (diurnal); all "
            "of it for duration_s, the clips repeated as often as it takes (soak)."
        ),
    )
    low_share: float = Field(
        default=0.25,
        ge=0.0,
        le=1.0,
        description="What is on at the low end of a ramp, spike or diurnal shape.",
    )
    cameras: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description=(
            "How many cameras send. More than the scenario has show its clips again, "
            "each from another key frame on; all of the scenario's if left out."
        ),
    )
    duration_s: Seconds | None = Field(
        default=None,
        description="Seconds of every clip to send; the whole clip if left out.",
    )
    phase: Phase = Field(
        default=Phase.RANDOM,
        description=(
            "How the cameras' clocks stand to each other: aligned is the worst case, "
            "staggered the best."
        ),
    )
    group_size: int = Field(
        default=1,
        ge=1,
        le=4096,
        description="Cameras, in order, that share one clock, as behind one encoder.",
    )
    jitter_s: float = Field(
        default=0.005,
        ge=0.0,
        le=1.0,
        description=(
            "Largest lateness of a frame on its way, drawn per frame; below one frame "
            "interval."
        ),
    )
    rate_hz: Annotated[float, Field(gt=0.0, le=100_000.0)] | None = Field(
        default=None,
        description="Frames a second of kind server; that of the cameras if left out.",
    )
    interval_cv: float = Field(
        default=1.0,
        gt=0.0,
        le=10.0,
        description=(
            "Standard deviation of the gaps of kind server over their mean: 1 is a "
            "Poisson process, more comes in bursts (gamma)."
        ),
    )
    in_flight: int = Field(
        default=8,
        ge=1,
        le=4096,
        description="Frames under way at a time in kind multi_stream.",
    )
    trace: Path | None = Field(
        default=None,
        description="Of kind replay: the plan.parquet of a run, sent again as planned.",
    )
    camera_loss: tuple[CameraLoss, ...] = Field(
        default=(), description="Cameras that fall silent for a while."
    )
    watchlist_change: tuple[WatchlistChangeConfig, ...] = Field(
        default=(),
        description="Refreshes of the watchlist while cameras run; who, is drawn.",
    )
    warm_up_s: float = Field(
        default=3.0,
        ge=0.0,
        le=600.0,
        description="Seconds at the start of the run that no figure counts.",
    )
    find: Literal["max_cameras"] | None = Field(
        default=None,
        description=(
            "Instead of one run, search the largest number of cameras at which every "
            "objective is met."
        ),
    )
    find_at_most: int = Field(
        default=256, ge=1, le=4096, description="Where the search for cameras ends."
    )
    find_confirmations: int = Field(
        default=5,
        ge=1,
        le=50,
        description=(
            "Fresh runs that must all pass at the answer, and all fail at one camera "
            "more; five bound it with 97 % confidence."
        ),
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.kind is LoadKind.REPLAY) != (self.trace is not None):
            message = (
                "load.trace must be given with load.kind 'replay' and with no other, "
                f"got kind '{self.kind}' and trace {self.trace}; add or remove it"
            )
            raise ValueError(message)
        if self.shape is LoadShape.SOAK and self.duration_s is None:
            message = (
                "load.duration_s must be set with load.shape 'soak', got none; say "
                "for how long"
            )
            raise ValueError(message)
        shaped = self.shape not in {LoadShape.CONSTANT, LoadShape.SOAK}
        open_kinds = {LoadKind.CAMERA_STREAM, LoadKind.SERVER}
        if shaped and self.kind not in open_kinds:
            message = (
                f"load.shape '{self.shape}' must go with kind 'camera_stream' or "
                f"'server', got '{self.kind}'; make it 'constant'"
            )
            raise ValueError(message)
        return self
