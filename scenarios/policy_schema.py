"""A policy scenario: one TOML file, the settings of the policy model composed.

Owns which tables a policy file has, and the rules that join them. Knows nothing of
how a policy is run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sim.policy.calibration import CalibrationConfig
from sim.policy.config import GroupsConfig, PhaseConfig, ProgrammeConfig
from sim.policy.measures import MEASURES
from sim.policy.parameters import ParametersConfig

__all__ = [
    "CheckConfig",
    "ErrorRatesConfig",
    "FailureConfig",
    "PolicyHeader",
    "PolicyScenario",
    "RateSource",
    "SweepConfig",
]

_DAY = r"^\d{4}-\d{2}-\d{2}$"
_NAMES = tuple(measure.name for measure in MEASURES)


def _known(name: str) -> None:
    if name not in _NAMES:
        message = f"measure must be one of {', '.join(_NAMES)}, got '{name}'; name one"
        raise ValueError(message)


class RateSource(StrEnum):
    """Who says how often the matcher errs."""

    RECORD = "record"
    PUBLISHED = "published"
    TABLE = "table"
    RUN = "run"


class PolicyHeader(BaseModel):
    """What the file is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=120, description="For the report.")
    question: str = Field(
        min_length=1, max_length=600, description="What the scenario asks."
    )
    against: str = Field(
        default="", description="The policy to compare with; empty for none."
    )


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


class CheckConfig(BaseModel):
    """A published total that the programme must come near."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str = Field(description="Which of the programme's measures.")
    fact: str = Field(description="The published figure.")
    first_date: str = Field(pattern=_DAY, description="Weeks that begin from here.")
    end_date: str = Field(pattern=_DAY, description="Up to, not with, this day.")
    recorded_from: str | None = Field(
        default=None,
        pattern=_DAY,
        description="Adds what was recorded from this day to `known_until`, for "
        "published periods that began before the programme.",
    )
    deployments: int | None = Field(
        default=None,
        ge=1,
        description="Deployments behind the figure; the simulated part is scaled to "
        "those that were not recorded. Absent: as simulated.",
    )

    @model_validator(mode="after")
    def _check_measure(self) -> Self:
        _known(self.measure)
        return self


class FailureConfig(BaseModel):
    """When the policy counts as failed; the report looks for where that happens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str = Field(description="Which of the programme's measures.")
    limit: float = Field(description="In the measure's unit.")
    fails_above: bool = Field(
        default=True, description="Fails above the limit; false: fails below it."
    )

    @model_validator(mode="after")
    def _check_measure(self) -> Self:
        _known(self.measure)
        return self


class SweepConfig(BaseModel):
    """A grid around the policy's last phase; empty lists mean no sweep."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    thresholds: tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...] = Field(
        default=(), description="On the matcher's scale."
    )
    watchlist_sizes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(), description="People."
    )
    deployments_per_week: tuple[Annotated[int, Field(ge=1, le=60)], ...] = Field(
        default=(), description="Deployments in each week."
    )
    weeks: int = Field(default=26, ge=1, le=104, description="Length of each policy.")
    replications: int = Field(
        default=400, ge=50, le=10_000, description="Repetitions of each policy."
    )


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
