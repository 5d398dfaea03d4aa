"""A policy scenario: one TOML file, the settings of the policy model composed.

Owns which tables a policy file has, and the rules that join them. Knows nothing of
how a policy is run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench.policy.settings import (
    CheckConfig,
    FailureConfig,
    PolicyHeader,
    SweepConfig,
)
from sim.policy.calibration import CalibrationConfig
from sim.policy.config import GroupsConfig, PhaseConfig, ProgrammeConfig
from sim.policy.parameters import ParametersConfig

__all__ = ["ErrorRatesConfig", "PolicyScenario", "RateSource"]


class RateSource(StrEnum):
    """Who says how often the matcher errs."""

    RECORD = "record"
    PUBLISHED = "published"
    TABLE = "table"
    RUN = "run"


class ErrorRatesConfig(BaseModel):
    """Where the matcher's error rates come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: RateSource = Field(
        default=RateSource.RECORD,
        description="record: false alerts as calibrated on the deployments; published: "
        "the NPL operating points; table: a CSV of tests; run: folders of harness "
        "runs.",
    )
    paths: tuple[str, ...] = Field(
        default=(), description="The table, or the run folders."
    )
    reach: float = Field(
        default=1.0,
        ge=1.0,
        le=10.0,
        description="Factor by which a watchlist may lie outside the tested sizes, "
        "at the tested slope; the report says when it does.",
    )

    @model_validator(mode="after")
    def _check_paths(self) -> Self:
        needs = self.source in {RateSource.TABLE, RateSource.RUN}
        if needs != bool(self.paths):
            message = (
                f"paths must {'name at least one file' if needs else 'be empty'} for "
                f"source '{self.source}', got {len(self.paths)}; change one of them"
            )
            raise ValueError(message)
        return self


class PolicyScenario(BaseModel):
    """Everything that a policy run is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: PolicyHeader
    programme: ProgrammeConfig = ProgrammeConfig()
    phases: tuple[PhaseConfig, ...] = Field(
        min_length=1, description="The policy, in order of from_week."
    )
    calibration: CalibrationConfig = CalibrationConfig()
    parameters: ParametersConfig = ParametersConfig()
    error_rates: ErrorRatesConfig = ErrorRatesConfig()
    groups: GroupsConfig = GroupsConfig()
    checks: tuple[CheckConfig, ...] = ()
    failures: tuple[FailureConfig, ...] = ()
    sweep: SweepConfig = SweepConfig()

    @model_validator(mode="after")
    def _check_phases(self) -> Self:
        weeks = [phase.from_week for phase in self.phases]
        if weeks[0] != 0 or sorted(set(weeks)) != weeks:
            message = (
                f"phases must begin at week 0 and follow each other, got from_week "
                f"{weeks}; reorder them"
            )
            raise ValueError(message)
        if weeks[-1] >= self.programme.weeks:
            message = (
                f"phases must begin within the programme's {self.programme.weeks} "
                f"weeks, got from_week {weeks[-1]}; lengthen it or drop the phase"
            )
            raise ValueError(message)
        return self
