"""Reads TOML into settings: overrides, validation, every error with its line.

Owns the way from a file to a validated model, whichever that is. Knows nothing of
what the settings mean.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from scenarios.errors import (
    ScenarioNotFoundError,
    ScenarioSyntaxError,
    ScenarioValueError,
    UnknownKeyError,
)
from scenarios.locate import line_of
from scenarios.overrides import apply_override

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

    from scenarios.errors import ScenarioError
    from scenarios.locate import KeyPath

__all__ = ["Document", "Source", "read_document", "read_tables", "validated"]

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where settings came from, so that a complaint can say which line is to blame.

    Attributes:
        path: The file.
        text: Its content.
        overrides: What beat it, by the key that was set: the words of the command.
    """

    path: Path
    text: str
    overrides: Mapping[KeyPath, str]

    def where(self, location: KeyPath) -> str:
        """Name the override, or the line of the file, that set a key."""
        for key, override in self.overrides.items():
            shared = min(len(key), len(location))
            if location and key[:shared] == location[:shared]:
                return override
        line = line_of(self.text, location)
        return str(self.path) if line is None else f"{self.path}, line {line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Generic[Model]):
    """Validated settings and their source.

    Attributes:
        settings: What the file and the overrides say.
        source: Where they say it.
    """

    settings: Model
    source: Source


def read_document(
    name: str,
    model: type[Model],
    *,
    shipped: Mapping[str, Path],
    overrides: Sequence[str],
    seed: int | None,
    seed_key: str,
) -> Document[Model]:
    """Read and validate one document.

    Args:
        name: Path of a TOML file, or the name of a shipped one.
        model: What it must say.
        shipped: Paths of those that come with the package, by name.
        overrides: `key=value` texts, applied in order; they beat the file.
        seed: Beats the file's and the overrides' seed.
        seed_key: Dotted key of the seed.

    Raises:
        ScenarioError: In one of its kinds, for anything that cannot be run.
    """
    path = _find(name, shipped)
    document, text = read_tables(path)
    given = {apply_override(document, each): f"--set {each}" for each in overrides}
    if seed is not None:
        given[apply_override(document, f"{seed_key}={seed}")] = f"--seed {seed}"
    source = Source(path=path, text=text, overrides=given)
    return Document(settings=validated(document, model, source), source=source)


def read_tables(path: Path) -> tuple[dict[str, Any], str]:
    """Read a TOML file; return its tables and its text.

    Raises:
        ScenarioSyntaxError: If it is none.
    """
    text = path.read_text(encoding="utf-8")
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        raise ScenarioSyntaxError(path=str(path), detail=str(error)) from error


def validated(document: Mapping[str, Any], model: type[Model], source: Source) -> Model:
    """Turn tables into settings.

    Raises:
        ScenarioError: In one of its kinds, for what cannot be meant.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        location: KeyPath = tuple(problem["loc"])
        raise _explain(problem, location, source.where(location), model) from error


def _find(name: str, shipped: Mapping[str, Path]) -> Path:
    path = Path(name)
    if path.is_file():
        return path
    if name in shipped:
        return shipped[name]
    nearest = difflib.get_close_matches(path.stem, shipped, n=1)
    raise ScenarioNotFoundError(
        name=name, shipped=tuple(shipped), nearest=nearest[0] if nearest else ""
    )


def _explain(
    problem: ErrorDetails, location: KeyPath, where: str, root: type[BaseModel]
) -> ScenarioError:
    """Turn pydantic's first complaint into one sentence."""
    key = ".".join(str(part) for part in location)
    kind = problem["type"]
    if kind == "extra_forbidden":
        valid = tuple(_model_at(location[:-1], root).model_fields)
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
        remedy=_remedy(location, root),
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
        return "the top level"
    is_array = isinstance(location[-1], int)
    return f"[[{'.'.join(names)}]]" if is_array else f"[{'.'.join(names)}]"


def _model_at(location: KeyPath, root: type[BaseModel]) -> type[BaseModel]:
    """Return the settings class that owns the table at `location`."""
    model = root
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


def _remedy(location: KeyPath, root: type[BaseModel]) -> str:
    *tables, key = location
    field = _model_at(tuple(tables), root).model_fields.get(str(key))
    if field is None or field.description is None:
        return "change it"
    return f"change it (it means: {field.description.rstrip('.')})"
