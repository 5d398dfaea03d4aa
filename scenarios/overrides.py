"""Applies `--set key=value` to a scenario document.

Owns the syntax of an override: a dotted key, an equals sign, a TOML value (a bare
word counts as a string). Knows nothing of which keys exist.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from scenarios.errors import OverrideError

if TYPE_CHECKING:
    from scenarios.locate import KeyPath

__all__ = ["apply_override"]


def apply_override(document: dict[str, Any], text: str) -> KeyPath:
    """Set one value in place.

    Args:
        document: A parsed TOML document.
        text: For instance `cameras.0.fps=5` or `crowd.weather=dusk`.

    Returns:
        Which key was set.

    Raises:
        OverrideError: If the text has no `=`, or its key leads nowhere.
    """
    key, separator, value = text.partition("=")
    names = key.strip().split(".")
    if not separator or not all(names):
        raise OverrideError(text=text, detail="there is no key or no '='")
    target: Any = document
    for name in names[:-1]:
        target = _step(target, name, text=text)
    last = names[-1]
    if isinstance(target, list):
        target[_position(target, last, text=text)] = _parse(value)
    elif isinstance(target, dict):
        target[last] = _parse(value)
    else:
        raise OverrideError(text=text, detail=f"'{last}' has no table to stand in")
    return tuple(int(name) if name.isdecimal() else name for name in names)


def _step(target: object, name: str, *, text: str) -> object:
    if isinstance(target, list):
        return target[_position(target, name, text=text)]
    if isinstance(target, dict):
        return target.setdefault(name, {})
    raise OverrideError(text=text, detail=f"'{name}' is inside a plain value")


def _position(items: list[Any], name: str, *, text: str) -> int:
    if name.isdecimal() and int(name) < len(items):
        return int(name)
    raise OverrideError(
        text=text, detail=f"'{name}' must be a position from 0 to {len(items) - 1}"
    )


def _parse(value: str) -> object:
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value.strip()
