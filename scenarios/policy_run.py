"""Runs a policy or a retrodiction from names to files: what the command line calls.

Part of the shell: it reads evidence and scenarios, runs the model, and has the
results written. Knows nothing of terminals.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.host.provenance import describe_origin
from bench.policy.outcomes import run_policy
from bench.policy.records import Evidence
from bench.policy.report.write import write_policy, write_retrodiction
from scenarios.errors import ScenarioValueError
from scenarios.evidence.evidence import SHIPPED_RECORD, load_deployments, load_facts
from scenarios.policy_loader import job_of, load_policy
from sim.policy.retrodiction import month_starts, retrodict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.policy.records import PolicyResult
    from scenarios.policy_schema import PolicyScenario
    from sim.policy.retrodiction import Retrodiction

__all__ = [
    "FinishedPolicy",
    "FinishedRetrodiction",
    "policy",
    "resolved_policy",
    "retrodiction",
]

# Draws of each predictive distribution: enough that coverage moves by less than a
# row of the record between seeds.
_N_DRAWS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FinishedPolicy:
    """A policy that was run and written."""

    result: PolicyResult
    report: Path


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FinishedRetrodiction:
    """A retrodiction that was run and written."""

    result: Retrodiction
    report: Path


def resolved_policy(scenario: PolicyScenario) -> dict[str, object]:
    """Return the whole scenario, defaults included, as plain JSON values."""
    content: dict[str, object] = json.loads(scenario.model_dump_json())
    return content


def policy(
    name: str,
    *,
    overrides: Sequence[str],
    seed: int | None,
    against: str | None,
    record: Path | None,
    out: Path,
    workers: int,
    progress: Callable[[str, int, int], None],
) -> FinishedPolicy:
    """Run a policy and write its report.

    Args:
        name: Path of a policy file, or the name of a shipped one.
        overrides: `key=value` texts for the policy, not for what it is compared with.
        seed: Beats the file's.
        against: Policy to compare with; None takes the file's own choice.
        record: A record of deployments; None takes the shipped one.
        out: Folder for the results.
        workers: Threads.
        progress: Told a stage, how much of it is done, and of how much.

    Raises:
        BadInputError: In one of its kinds, for anything that cannot be run.
    """
    scenario = load_policy(name, overrides=overrides, seed=seed)
    rival = scenario.policy.against if against is None else against
    other = load_policy(rival) if rival else None
    source = SHIPPED_RECORD if record is None else record
    evidence = Evidence(record=load_deployments(source), facts=load_facts())
    result = run_policy(
        job_of(scenario, name=name),
        evidence,
        against=None if other is None else job_of(other, name=rival),
        workers=workers,
        progress=progress,
    )
    content = resolved_policy(scenario)
    if other is not None:
        content = {**content, "against": resolved_policy(other)}
    report = write_policy(
        result,
        out,
        scenario=content,
        provenance=describe_origin(seed=scenario.programme.seed),
    )
    return FinishedPolicy(result=result, report=report)


def retrodiction(
    name: str,
    *,
    overrides: Sequence[str],
    seed: int | None,
    cut_off: str,
    record: Path | None,
    monthly: bool,
    out: Path,
) -> FinishedRetrodiction:
    """Foretell recorded deployments from those before, score and write.

    Args:
        name: Policy whose calibration and seed are used.
        overrides: `key=value` texts.
        seed: Beats the file's.
        cut_off: First day to foretell, year-month-day.
        record: Deployments to score beside the shipped ones; None scores those alone.
        monthly: Learn anew on the first of each month after the cut-off.
        out: Folder for the results.

    Raises:
        BadInputError: In one of its kinds, for anything that cannot be run.
    """
    scenario = load_policy(name, overrides=overrides, seed=seed)
    deployments = load_deployments()
    source = SHIPPED_RECORD
    day = _day(cut_off)
    if record is not None:
        source = record
        deployments = deployments.joined(load_deployments(record))
    origins = month_starts(day, deployments.date[-1]) if monthly else (day,)
    result = retrodict(
        deployments,
        scenario.calibration,
        cut_off=day,
        origins=origins,
        n_draws=_N_DRAWS,
        seed=scenario.programme.seed,
    )
    settings: dict[str, object] = json.loads(scenario.calibration.model_dump_json())
    report = write_retrodiction(
        result,
        out,
        settings={**settings, "seed": scenario.programme.seed},
        record=source.name,
        provenance=describe_origin(seed=scenario.programme.seed),
    )
    return FinishedRetrodiction(result=result, report=report)


def _day(text: str) -> np.datetime64:
    try:
        return np.datetime64(text, "D")
    except ValueError as error:
        raise ScenarioValueError(
            key="--cut-off",
            required="must be a day written year-month-day",
            arrived=f"'{text}'",
            where="command line",
            remedy="write it as 2025-01-01",
        ) from error
