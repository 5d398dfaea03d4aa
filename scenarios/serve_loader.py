"""What a service is told: a scenario's matcher, a file of its own, single settings.

Owns the way from these to validated settings. Knows nothing of how a service runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from matcher.config import MatcherConfig
from matcher.service.config import ServiceConfig
from scenarios import loader
from scenarios.document import Source, read_tables, validated
from scenarios.errors import ScenarioNotFoundError, ScenarioValueError
from scenarios.overrides import apply_override

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ServeSettings", "load_serve"]


class ServeSettings(BaseModel):
    """One service and its matcher, completely described."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    matcher: MatcherConfig = MatcherConfig()
    service: ServiceConfig = ServiceConfig()

    @model_validator(mode="after")
    def _one_process(self) -> Self:
        if self.matcher.engine.workers != 1:
            message = (
                "a service must work in one process, matcher.engine.workers = 1, got "
                f"{self.matcher.engine.workers}; start more services, each with --data "
                "and --port of its own"
            )
            raise ValueError(message)
        return self


def load_serve(
    *, scenario: str | None, path: Path | None, overrides: Sequence[str]
) -> ServeSettings:
    """Read what a service is told.

    Args:
        scenario: Whose `[matcher]` table holds; None for the defaults.
        path: A TOML file with `[service]`, or `[matcher]`, or both; None if none.
        overrides: `key=value` texts, applied in order; they beat both.

    Raises:
        ScenarioError: In one of its kinds, for anything that cannot be meant.
    """
    document: dict[str, Any] = {}
    text = ""
    if path is not None:
        if not path.is_file():
            raise ScenarioNotFoundError(name=str(path), shipped=(), nearest="")
        document, text = read_tables(path)
    if scenario is not None:
        if "matcher" in document:
            raise ScenarioValueError(
                key="[matcher]",
                required="must be said once",
                arrived=f"by the scenario '{scenario}' and again",
                where=str(path),
                remedy="leave one of them out",
            )
        settings = loader.load(scenario).matcher
        document["matcher"] = settings.model_dump(mode="json")
    given = {apply_override(document, each): f"--set {each}" for each in overrides}
    source = Source(path=path or Path("defaults"), text=text, overrides=given)
    return validated(document, ServeSettings, source)
