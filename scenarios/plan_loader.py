"""Reads a plan and the hardware profiles: file, overrides, validation.

Owns the way from TOML files to a `PlanScenario`. Knows nothing of how one is computed.
"""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from scenarios.errors import (
    ScenarioNotFoundError,
    ScenarioSyntaxError,
    ScenarioValueError,
)
from scenarios.locate import line_of
from scenarios.overrides import apply_override
from scenarios.plan_schema import PlanScenario
from sim.calibration import Calibration, CalibrationError
from sim.site import HardwareConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "HARDWARE",
    "REFERENCE_CALIBRATION",
    "load_calibration",
    "load_hardware",
    "load_plan",
    "shipped_plans",
]

_FOLDER = Path(__file__).parent
HARDWARE = _FOLDER / "hardware" / "profiles.toml"
REFERENCE_CALIBRATION = _FOLDER / "plans" / "calibration.json"


def shipped_plans() -> dict[str, Path]:
    """Return the plans that come with the package, by name."""
    return {path.stem: path for path in sorted((_FOLDER / "plans").glob("*.toml"))}


def load_hardware(path: Path = HARDWARE) -> dict[str, HardwareConfig]:
    """Read hardware profiles, by name.

    Raises:
        ScenarioError: If the file is not TOML, or a profile is not valid.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(dict[str, HardwareConfig]).validate_python(document)
    except OSError as error:
        raise ScenarioSyntaxError(path=str(path), detail=str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioSyntaxError(path=str(path), detail=str(error)) from error
    except ValidationError as error:
        raise _explain(error, path=path, text=path.read_text("utf-8")) from error


def load_plan(
    name: str,
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    profiles: dict[str, HardwareConfig],
) -> PlanScenario:
    """Read and validate one plan.

    Args:
        name: Path of a TOML file, or the name of a shipped plan.
        overrides: `key=value` texts, applied in order; they beat the file.
        seed: Beats the file's and the overrides' seed.
        profiles: Hardware that the plan may name.

    Raises:
        ScenarioError: In one of its kinds, for anything that cannot be planned.
    """
    path = _find(name)
    text = path.read_text(encoding="utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioSyntaxError(path=str(path), detail=str(error)) from error
    for override in overrides:
        apply_override(document, override)
    if seed is not None:
        apply_override(document, f"plan.seed={seed}")
    try:
        plan = PlanScenario.model_validate(document)
    except ValidationError as error:
        raise _explain(error, path=path, text=text) from error
    if plan.hardware.profile not in profiles:
        near = difflib.get_close_matches(plan.hardware.profile, profiles, n=1)
        raise ScenarioValueError(
            key="hardware.profile",
            required=f"must be one of {', '.join(profiles)}",
            arrived=f"'{plan.hardware.profile}'",
            where=str(path),
            remedy=f"did you mean '{near[0]}'?" if near else "add it to the profiles",
        )
    return plan


def load_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Raises:
        CalibrationError: If there is none, or it is not one of this program's.
    """
    try:
        return Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        first = str(error).splitlines()[0]
        message = (
            f"a calibration must be a calibration.json of `harness calibrate`, got "
            f"'{first}' at {path}; run `harness calibrate high_street`"
        )
        raise CalibrationError(message) from error


def _find(name: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    known = shipped_plans()
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(path.stem, known, n=1)
    raise ScenarioNotFoundError(
        name=name, shipped=tuple(known), nearest=nearest[0] if nearest else ""
    )


def _explain(error: ValidationError, *, path: Path, text: str) -> ScenarioValueError:
    """Turn pydantic's first complaint into one sentence."""
    problem = error.errors()[0]
    location = tuple(problem["loc"])
    line = line_of(text, location)
    said = str(problem["msg"]).removeprefix("Value error, ")
    return ScenarioValueError(
        key=".".join(str(part) for part in location),
        required=said.replace("Input should", "must").replace(
            "Extra inputs are not permitted", "is no setting of a plan"
        ),
        arrived=repr(problem["input"]) if problem["type"] != "missing" else "",
        where=f"{path}, line {line}" if line is not None else str(path),
        remedy="change it" if problem["type"] != "missing" else "add it",
    )
