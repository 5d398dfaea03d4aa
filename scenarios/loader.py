"""Loads a scenario, from a file or from those that come with the package.

Owns where shipped scenarios lie. Knows nothing of how one is run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios.document import read_document
from scenarios.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    return read_document(
        name,
        Scenario,
        shipped=shipped(),
        overrides=overrides,
        seed=seed,
        seed_key="scenario.seed",
    ).settings


def resolved(scenario: Scenario) -> dict[str, Any]:
    """Return the whole scenario, defaults included, as plain JSON values."""
    content: dict[str, Any] = json.loads(scenario.model_dump_json())
    return content
