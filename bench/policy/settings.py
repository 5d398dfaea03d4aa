"""Settings of what is asked of a policy: its checks, its failures, its grid.

Owns the questions. Knows nothing of the policy itself, whose levers are
`sim.policy.config`.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sim.policy.measures import MEASURES

__all__ = [
    "RECORDED",
    "CheckConfig",
    "FailureConfig",
    "PolicyHeader",
    "SweepConfig",
]

_DAY = r"^\d{4}-\d{2}-\d{2}$"
# Measures that the record of deployments prints, in the order of its columns.
RECORDED = ("alerts", "arrests", "false_alerts", "true_alerts")
_NAMES = tuple(measure.name for measure in MEASURES)


def _known(name: str) -> None:
    if name not in _NAMES:
        message = f"measure must be one of {', '.join(_NAMES)}, got '{name}'; name one"
        raise ValueError(message)


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
        if self.recorded_from is not None and self.measure not in RECORDED:
            message = (
                f"recorded_from needs a measure that the record prints "
                f"({', '.join(RECORDED)}), got '{self.measure}'; name one of them"
            )
            raise ValueError(message)
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
