"""Settings of a programme of deployments: what a policy chooses.

Owns ranges, units and defaults of every lever. Knows nothing of what follows from
them.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sim.officers import OfficersConfig
from sim.operators import OperatorsConfig

__all__ = ["GroupsConfig", "PhaseConfig", "ProgrammeConfig"]

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class PhaseConfig(BaseModel):
    """A stretch of weeks under one policy; everything in it is a lever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_week: int = Field(
        default=0, ge=0, le=519, description="First week of the phase, from 0."
    )
    deployments_per_week: int = Field(
        default=4, ge=1, le=60, description="Deployments in each week."
    )
    vans: int = Field(
        default=2, ge=0, le=30, description="Vans; each makes one deployment a day."
    )
    days_per_week: int = Field(default=2, ge=1, le=7, description="Days of deployment.")
    fixed_cameras: int = Field(
        default=0,
        ge=0,
        le=30,
        description="Fixed cameras; of each week's deployments, those that vans "
        "cannot make are made by these.",
    )
    fixed_hours: float = Field(
        default=8.0, gt=0.0, le=24.0, description="Hours of one fixed-camera day."
    )
    fixed_rate_ratio: float = Field(
        default=1.0,
        gt=0.0,
        le=10.0,
        description="Alerts per hour at a fixed camera against a van; no record "
        "(fact fixed_camera_rate_ratio).",
    )
    watchlist_size: int = Field(
        default=15_500, ge=1, le=10_000_000, description="People, at the first week."
    )
    watchlist_growth_per_month: float = Field(
        default=0.0, ge=-0.5, le=0.5, description="Share added each month."
    )
    under_18: int = Field(
        default=105,
        ge=0,
        le=1_000_000,
        description="Of them under 18 (fact under_18s_on_watchlist).",
    )
    threshold: float = Field(
        default=0.64, ge=0.0, le=1.0, description="On the matcher's own scale."
    )
    sites: tuple[str, ...] = Field(
        default=(),
        description="Places to deploy at, equally often; empty means as recorded.",
    )
    operators: OperatorsConfig = OperatorsConfig()
    officers: OfficersConfig = OfficersConfig()

    @model_validator(mode="after")
    def _check_capacity(self) -> Self:
        capacity = (self.vans + self.fixed_cameras) * self.days_per_week
        if self.deployments_per_week > capacity:
            message = (
                f"deployments_per_week must be at most (vans + fixed_cameras) times "
                f"days_per_week, {capacity}, got {self.deployments_per_week}; add vans "
                "or days"
            )
            raise ValueError(message)
        if self.under_18 > self.watchlist_size:
            message = (
                f"under_18 must be at most the watchlist of {self.watchlist_size}, got "
                f"{self.under_18}; lower it"
            )
            raise ValueError(message)
        return self


class ProgrammeConfig(BaseModel):
    """How long, how often, from when, and what is known at its start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_date: str = Field(
        default="2025-01-06",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="Monday of the first week.",
    )
    weeks: int = Field(default=52, ge=1, le=520, description="Length.")
    known_until: str = Field(
        default="2025-01-01",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="Only deployments before this day are learnt from.",
    )
    recent_months: int = Field(
        default=4,
        ge=1,
        le=60,
        description="Places, hours and footfall are drawn from the recorded "
        "deployments of so many months before `known_until`. Four, since faces were "
        "counted otherwise before September 2024.",
    )
    budget_gbp: float | None = Field(
        default=None,
        gt=0.0,
        description="Deployments stop when their expected cost is spent; absent means "
        "no ceiling.",
    )
    replications: int = Field(
        default=10_000, ge=50, le=1_000_000, description="Independent repetitions."
    )
    seed: int = Field(default=1, ge=0, description="Of all randomness.")


class GroupsConfig(BaseModel):
    """Groups of the crowd, and how false alerts fall on them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...] = Field(
        default=("White", "Asian", "Black", "Mixed", "Other"),
        min_length=2,
        description="Names of the groups.",
    )
    crowd_shares: tuple[Share, ...] = Field(
        default=(0.598, 0.185, 0.133, 0.050, 0.034),
        min_length=2,
        description="Share of each in the crowd (fact london_shares_2011: residents, "
        "not passers-by).",
    )
    crowd_concentration: float = Field(
        default=30.0,
        gt=0.0,
        le=1e6,
        description="How sure those shares are: people in a sample as good as they; "
        "low, since the places are not London as a whole.",
    )
    fpir_ratios: tuple[Annotated[float, Field(gt=0.0, le=1000.0)], ...] = Field(
        default=(1.0, 1.0, 1.0, 1.0, 1.0),
        min_length=2,
        description="False-positive rate of each against the first, best guess "
        "(fact equitability_at_0_60).",
    )
    fpir_log_sd: float = Field(
        default=0.7,
        ge=0.0,
        le=3.0,
        description="Uncertainty of each ratio, on the log scale.",
    )
    margin: float = Field(
        default=1.25,
        gt=1.0,
        le=10.0,
        description="A ratio within 1/margin to margin counts as no difference that "
        "matters.",
    )

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        n = len(self.names)
        if len(self.crowd_shares) != n or len(self.fpir_ratios) != n:
            message = (
                f"crowd_shares and fpir_ratios must have one entry for each of the {n} "
                f"names, got {len(self.crowd_shares)} and {len(self.fpir_ratios)}; "
                "complete them"
            )
            raise ValueError(message)
        total = sum(self.crowd_shares)
        if abs(total - 1.0) > 1e-6:
            message = f"crowd_shares must add up to 1, got {total:g}; change them"
            raise ValueError(message)
        return self
