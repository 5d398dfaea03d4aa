"""What a policy run is told and what it found, before it is written.

Owns the records between the model and its report. Knows nothing of files or of how a
page looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from bench.policy.settings import (
        CheckConfig,
        FailureConfig,
        PolicyHeader,
        SweepConfig,
    )
    from sim.policy.calibration import CalibrationConfig
    from sim.policy.comparison import Difference
    from sim.policy.config import GroupsConfig, PhaseConfig, ProgrammeConfig
    from sim.policy.discovery import Box
    from sim.policy.error_rates import OperatingPoints
    from sim.policy.groups import GroupBurden, Ratio
    from sim.policy.measures import Estimate
    from sim.policy.parameters import ParametersConfig
    from sim.policy.programme import ProgrammeResult
    from sim.policy.records import Deployments, Fact
    from sim.policy.sensitivity import Influence
    from sim.policy.sweep import Cell

__all__ = [
    "CheckResult",
    "Evidence",
    "FailureResult",
    "InfluenceResult",
    "PhaseRates",
    "PolicyJob",
    "PolicyResult",
    "TellResult",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """The published record and the named facts.

    Attributes:
        record: All deployments.
        facts: By name.
    """

    record: Deployments
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolicyJob:
    """A policy to run, every setting resolved.

    Attributes:
        name: Of the scenario.
        header: What it asks.
        programme, phases: The policy.
        calibration, parameters, groups: What is believed.
        points: Tested error rates; None for the record's.
        checks, failures, sweep: What is asked of it.
    """

    name: str
    header: PolicyHeader
    programme: ProgrammeConfig
    phases: tuple[PhaseConfig, ...]
    calibration: CalibrationConfig
    parameters: ParametersConfig
    groups: GroupsConfig
    points: OperatingPoints | None
    checks: tuple[CheckConfig, ...]
    failures: tuple[FailureConfig, ...]
    sweep: SweepConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A published total beside the model's.

    Attributes:
        check: What was asked.
        fact: The published figure.
        predicted: The model's, over all replications.
        is_inside: The figure lies within the 90 % interval.
    """

    check: CheckConfig
    fact: Fact
    predicted: Estimate
    is_inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluenceResult:
    """Which assumptions move one measure, most first."""

    measure: str
    influences: tuple[Influence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureResult:
    """How often the policy fails, and where failures gather.

    Attributes:
        failure: What counts as failing.
        share: Of the replications that fail.
        n: Replications.
        box: The corner; None where all or none fail.
    """

    failure: FailureConfig
    share: float
    n: int
    box: Box | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRates:
    """One phase of the policy, per deployment.

    Attributes:
        number: From 1.
        first_date: Of the phase.
        deployments: In it.
        estimates: Per deployment, of a few measures.
    """

    number: int
    first_date: np.datetime64
    deployments: int
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellResult:
    """What it would take to tell a difference between groups.

    Attributes:
        ratio: Of error rates, assumed true.
        false_alerts: Needed; None if above 5,000.
        deployments: Needed at the programme's rate; None if nothing was needed above.
    """

    ratio: float
    false_alerts: int | None
    deployments: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolicyResult:
    """Everything that a policy run found.

    Attributes:
        job: What was asked.
        evidence: What it rests on.
        programme: The policy's own result.
        estimates: Its measures.
        phases: Its phases, per deployment.
        against: Name of the policy compared with; empty for none.
        differences: Paired, this policy less that one.
        checks: Published totals beside the model's.
        burdens: On groups.
        recorded_ratio: What the recorded count of false alerts by group can mean.
        tells: What it would take to know more.
        influences: Assumptions by measure.
        failures: Where the policy fails.
        cells: Of the sweep; empty without one.
        recorded_months: (m,) datetime64[M] before and within the programme.
        recorded_arrests, recorded_false: (m,) as recorded.
    """

    job: PolicyJob
    evidence: Evidence
    programme: ProgrammeResult
    estimates: tuple[Estimate, ...]
    phases: tuple[PhaseRates, ...]
    against: str
    differences: tuple[Difference, ...]
    checks: tuple[CheckResult, ...]
    burdens: tuple[GroupBurden, ...]
    recorded_ratio: Ratio
    tells: tuple[TellResult, ...]
    influences: tuple[InfluenceResult, ...]
    failures: tuple[FailureResult, ...]
    cells: tuple[Cell, ...]
    recorded_months: NDArray[np.datetime64]
    recorded_arrests: NDArray[np.int64]
    recorded_false: NDArray[np.int64]
