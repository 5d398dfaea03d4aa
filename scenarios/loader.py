"""Reads a scenario: file, overrides, validation, and every error with its line.

Owns the way from a TOML file to a `Scenario`. Knows nothing of how one is run.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from scenarios.errors import (
    ScenarioNotFoundError,
    ScenarioSyntaxError,
    ScenarioValueError,
    UnknownKeyError,
)
from scenarios.locate import line_of
from scenarios.overrides import apply_override
from scenarios.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from scenarios.errors import ScenarioError
    from scenarios.locate import KeyPath

__all__ = ["load", "resolved", "shipped"]

_FOLDER = Path(__file__).parent


def shipped() -> dict[str, Path]:
    """Return the scenarios that come with the package, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def load(
    name: str, *, overrides: Sequence[str] = (), seed: int | None = None
) -> Scenario:
    """Read and validate one scenario.

    Args:
        name: Path of a TOML file, or the name of a shipped scenario.
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
    given = {apply_override(document, text): text for text in overrides}
    if seed is not None:
        given[apply_override(document, f"scenario.seed={seed}")] = f"--seed {seed}"
    try:
        return Scenario.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        location: KeyPath = tuple(problem["loc"])
        where = _where(location, path=path, text=text, overrides=given)
        raise _explain(problem, location, where) from error


def resolved(scenario: Scenario) -> dict[str, Any]:
    """Return the whole scenario, defaults included, as plain JSON values."""
    content: dict[str, Any] = json.loads(scenario.model_dump_json())
    return content


def _find(name: str) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    known = shipped()
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
            return f"--set {override}" if "=" in override else override
    line = line_of(text, location)
    return f"{path}, line {line}" if line is not None else str(path)


def _explain(problem: ErrorDetails, location: KeyPath, where: str) -> ScenarioError:
    """Turn pydantic's first complaint into one sentence."""
    key = ".".join(str(part) for part in location)
    kind = problem["type"]
    if kind == "extra_forbidden":
        valid = tuple(_model_at(location[:-1]).model_fields)
        nearest = difflib.get_close_matches(str(location[-1]), valid, n=1, cutoff=0.5)
        return UnknownKeyError(
            key=str(location[-1]),
            table=_table_name(location[:-1]),
            where=where,
            nearest=nearest[0] if nearest else "",
            valid=valid,
        )
    if kind == "value_error":
        # Written by a validator of ours: already a whole sentence.
        return ScenarioValueError(
            key=f"{_table_name(location)}:",
            required=str(problem["msg"]).removeprefix("Value error, "),
            arrived="",
            where=where,
            remedy="",
        )
    if kind == "missing":
        return ScenarioValueError(
            key=key, required="must be set", arrived="", where=where, remedy="add it"
        )
    required = _REQUIREMENTS.get(kind) or str(problem["msg"]).replace(
        "Input should", "must", 1
    )
    return ScenarioValueError(
        key=key,
        required=required,
        arrived=repr(problem["input"]),
        where=where,
        remedy=_remedy(location),
    )


# Where pydantic's own words speak of Python rather than of the file.
_REQUIREMENTS = {
    "dict_type": "must be a table of settings",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "model_type": "must be a table of settings",
    "too_short": "must have at least one entry",
    "tuple_type": "must be a list of tables",
}


def _table_name(location: KeyPath) -> str:
    names = [str(part) for part in location if isinstance(part, str)]
    if not names:
        return "the scenario's top level"
    is_array = isinstance(location[-1], int)
    return f"[[{'.'.join(names)}]]" if is_array else f"[{'.'.join(names)}]"


def _model_at(location: KeyPath) -> type[BaseModel]:
    """Return the settings class that owns the table at `location`."""
    model: type[BaseModel] = Scenario
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            found = _model_in(model.model_fields[part].annotation)
            model = found if found is not None else model
    return model


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    nested = (_model_in(inner) for inner in get_args(annotation))
    return next((found for found in nested if found is not None), None)


def _remedy(location: KeyPath) -> str:
    *tables, key = location
    field = _model_at(tuple(tables)).model_fields.get(str(key))
    if field is None or field.description is None:
        return "change it"
    return f"change it (it means: {field.description.rstrip('.')})"
