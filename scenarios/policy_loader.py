"""Reads a policy scenario: file, overrides, validation, every error with its line.

Owns the way from a TOML file to a `PolicyScenario`, and from named error rates to
operating points. Knows nothing of how a policy is run.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from bench.policy_records import PolicyJob
from scenarios.error_rates import load_error_rates
from scenarios.errors import (
    ScenarioNotFoundError,
    ScenarioSyntaxError,
    ScenarioValueError,
    UnknownKeyError,
)
from scenarios.evidence.evidence import load_facts, load_sites
from scenarios.locate import line_of
from scenarios.overrides import apply_override
from scenarios.policy_schema import PolicyScenario
from sim.policy.world import NEW_SITE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from scenarios.errors import ScenarioError
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
    path = _find(name)
    text = path.read_text(encoding="utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioSyntaxError(path=str(path), detail=str(error)) from error
    given = {apply_override(document, each): f"--set {each}" for each in overrides}
    if seed is not None:
        given[apply_override(document, f"programme.seed={seed}")] = f"--seed {seed}"
    try:
        scenario = PolicyScenario.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        location: KeyPath = tuple(problem["loc"])
        where = _where(location, path=path, text=text, overrides=given)
        raise _explain(problem, location, where) from error
    _check_names(scenario, path=path, text=text, overrides=given)
    return scenario


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


def _find(name: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    known = shipped_policies()
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(path.stem, known, n=1)
    raise ScenarioNotFoundError(
        name=name, shipped=tuple(known), nearest=nearest[0] if nearest else ""
    )


def _where(
    location: KeyPath, *, path: Path, text: str, overrides: dict[KeyPath, str]
) -> str:
    """Name the override or the line of the file that is to blame."""
    for key, override in overrides.items():
        shared = min(len(key), len(location))
        if location and key[:shared] == location[:shared]:
            return override
    line = line_of(text, location)
    return f"{path}, line {line}" if line is not None else str(path)


def _explain(problem: ErrorDetails, location: KeyPath, where: str) -> ScenarioError:
    """Turn pydantic's first complaint into one sentence."""
    key = ".".join(str(part) for part in location)
    kind, said = problem["type"], str(problem["msg"])
    if kind == "extra_forbidden":
        valid = _keys_at(location[:-1])
        nearest = difflib.get_close_matches(str(location[-1]), valid, n=1, cutoff=0.5)
        return UnknownKeyError(
            key=str(location[-1]),
            table=".".join(str(part) for part in location[:-1]) or "the top level",
            where=where,
            nearest=nearest[0] if nearest else "",
            valid=valid,
        )
    if kind == "value_error":
        # Written by a validator of ours: already a whole sentence.
        required, arrived = said.removeprefix("Value error, "), ""
        return ScenarioValueError(
            key=f"{key if key else 'the policy'}:",
            required=required,
            arrived=arrived,
            where=where,
            remedy="",
        )
    is_missing = kind == "missing"
    return ScenarioValueError(
        key=key,
        required="must be set" if is_missing else said.replace("Input should", "must"),
        arrived="" if is_missing else repr(problem["input"]),
        where=where,
        remedy="add it" if is_missing else "change it",
    )


def _keys_at(location: KeyPath) -> tuple[str, ...]:
    """Return the valid keys of the table at `location`."""
    model: type[BaseModel] = PolicyScenario
    for part in location:
        if not isinstance(part, str):
            continue
        annotation: object = model.model_fields[part].annotation
        candidates = (annotation, *getattr(annotation, "__args__", ()))
        model = next(
            each
            for each in candidates
            if isinstance(each, type) and issubclass(each, BaseModel)
        )
    return tuple(model.model_fields)


def _check_names(
    scenario: PolicyScenario, *, path: Path, text: str, overrides: dict[KeyPath, str]
) -> None:
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
            where=_where(location, path=path, text=text, overrides=overrides),
            remedy=f"did you mean '{near[0]}'?" if near else "name another",
        )
