"""Loads a policy, and resolves the places, facts and error rates that it names.

Owns where shipped policies lie and the way from a `PolicyScenario` to a job. Knows
nothing of how a policy is run.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from bench.policy.records import PolicyJob
from scenarios.document import read_document
from scenarios.error_rates import load_error_rates
from scenarios.errors import ScenarioValueError
from scenarios.evidence.evidence import load_facts, load_sites
from scenarios.policy_schema import PolicyScenario
from sim.policy.world import NEW_SITE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.document import Source
    from scenarios.locate import KeyPath

__all__ = ["job_of", "load_policy", "shipped_policies"]

_FOLDER = Path(__file__).parent / "policies"


def shipped_policies() -> dict[str, Path]:
    """Return the policies that come with the package, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def load_policy(
    name: str, *, overrides: Sequence[str] = (), seed: int | None = None
) -> PolicyScenario:
    """Read and validate one policy.

    Args:
        name: Path of a TOML file, or the name of a shipped policy.
        overrides: `key=value` texts, applied in order; they beat the file.
        seed: Beats the file's and the overrides' seed.

    Raises:
        ScenarioError: In one of its kinds, for anything that cannot be run.
    """
    document = read_document(
        name,
        PolicyScenario,
        shipped=shipped_policies(),
        overrides=overrides,
        seed=seed,
        seed_key="programme.seed",
    )
    _check_names(document.settings, document.source)
    return document.settings


def job_of(scenario: PolicyScenario, *, name: str) -> PolicyJob:
    """Resolve a scenario into a policy to run; reads its error rates.

    Raises:
        ScenarioError: If the error rates cannot be read.
    """
    return PolicyJob(
        name=Path(name).stem,
        header=scenario.policy,
        programme=scenario.programme,
        phases=scenario.phases,
        calibration=scenario.calibration,
        parameters=scenario.parameters,
        groups=scenario.groups,
        points=load_error_rates(scenario.error_rates),
        checks=scenario.checks,
        failures=scenario.failures,
        sweep=scenario.sweep,
    )


def _check_names(scenario: PolicyScenario, source: Source) -> None:
    """Refuse places and facts that the evidence does not hold."""
    places = (*sorted({entry.site for entry in load_sites()}), NEW_SITE)
    facts = tuple(load_facts())
    wanted: list[tuple[KeyPath, str, tuple[str, ...], str]] = [
        (("phases", number, "sites"), site, places, "a recorded place or 'new'")
        for number, phase in enumerate(scenario.phases)
        for site in phase.sites
    ]
    wanted += [
        (("checks", number, "fact"), check.fact, facts, "a fact of the evidence")
        for number, check in enumerate(scenario.checks)
    ]
    wanted += [
        (("parameters", name, "fact"), body["fact"], facts, "a fact of the evidence")
        for name, body in scenario.parameters.model_dump().items()
        if isinstance(body, dict)
    ]
    for location, arrived, known, required in wanted:
        if arrived in known:
            continue
        near = difflib.get_close_matches(arrived, known, n=1)
        raise ScenarioValueError(
            key=".".join(str(part) for part in location),
            required=f"must be {required}",
            arrived=f"'{arrived}'",
            where=source.where(location),
            remedy=f"did you mean '{near[0]}'?" if near else "name another",
        )
