"""What can be wrong with a scenario, one sentence each.

Owns the wording. Knows nothing of how files are read.
"""

from __future__ import annotations

from lfr_errors import BadInputError

__all__ = [
    "OverrideError",
    "ScenarioError",
    "ScenarioNotFoundError",
    "ScenarioSyntaxError",
    "ScenarioValueError",
    "UnknownKeyError",
]


class ScenarioError(BadInputError):
    """Any scenario that cannot be run as written."""


class ScenarioNotFoundError(ScenarioError):
    """Neither a file nor a shipped scenario."""

    def __init__(self, *, name: str, shipped: tuple[str, ...], nearest: str) -> None:
        self.name = name
        self.shipped = shipped
        hint = f"; did you mean '{nearest}'?" if nearest else ""
        super().__init__(
            f"a scenario must be a TOML file or one of {', '.join(shipped)}, "
            f"got '{name}'{hint}"
        )


class ScenarioSyntaxError(ScenarioError):
    """The file is not TOML."""

    def __init__(self, *, path: str, detail: str) -> None:
        self.path = path
        super().__init__(f"a scenario must be valid TOML, got {path}: {detail}")


class OverrideError(ScenarioError):
    """A `--set` that cannot be applied."""

    def __init__(self, *, text: str, detail: str) -> None:
        self.text = text
        super().__init__(
            f"--set takes key=value with a dotted key, such as "
            f"crowd.footfall_per_min=40, got '{text}': {detail}"
        )


class UnknownKeyError(ScenarioError):
    """A key that no setting has."""

    def __init__(
        self, *, key: str, table: str, where: str, nearest: str, valid: tuple[str, ...]
    ) -> None:
        self.key = key
        self.nearest = nearest
        hint = (
            f"the nearest is '{nearest}'"
            if nearest
            else f"valid keys are {', '.join(valid)}"
        )
        super().__init__(f"unknown key '{key}' in {table} ({where}); {hint}")


class ScenarioValueError(ScenarioError):
    """A value of the wrong type or out of range."""

    def __init__(
        self, *, key: str, required: str, arrived: str, where: str, remedy: str
    ) -> None:
        self.key = key
        self.arrived = arrived
        got = f", got {arrived}" if arrived else ""
        advice = f"; {remedy}" if remedy else ""
        super().__init__(f"{key} {required}{got} ({where}){advice}")
