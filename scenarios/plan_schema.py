"""A plan: one TOML file, the settings of a site composed.

Owns which tables a plan file has. Knows nothing of how a plan is computed.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from sim.site import HardwareConfig, ReviewConfig, SiteConfig, TargetConfig

__all__ = ["HardwareChoice", "PlanHeader", "PlanScenario"]


class PlanHeader(BaseModel):
    """What the plan is called and asks, and where its clips come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=100)
    question: str = Field(default="", max_length=300)
    seed: int = Field(default=1, ge=0, lt=2**31)
    scenario: str = Field(
        default="high_street",
        description="Run scenario whose clips a calibration and a validation play.",
    )
    whole_day: bool = Field(
        default=True,
        description="Simulate every camera over all hours, not only the busiest ones.",
    )


class HardwareChoice(BaseModel):
    """Which node: a profile, and what is different about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: str = Field(
        default="this_machine", description="Of the hardware profiles."
    )
    workers: int | None = Field(default=None, ge=1, le=1024)


class PlanScenario(BaseModel):
    """Everything that a plan is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: PlanHeader
    site: SiteConfig
    target: TargetConfig = TargetConfig()
    hardware: HardwareChoice = HardwareChoice()
    review: ReviewConfig = ReviewConfig()

    def node(self, profiles: dict[str, HardwareConfig]) -> HardwareConfig:
        """Return the hardware that the plan names."""
        chosen = profiles[self.hardware.profile]
        if self.hardware.workers is None:
            return chosen
        return chosen.model_copy(update={"workers": self.hardware.workers})
