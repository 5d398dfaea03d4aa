"""What a scenario may say: every layer's settings, composed.

Owns the top-level tables of a scenario file and the checks that span two of them.
Each table's own keys, units and ranges stand beside the code that they steer.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bench.objectives import LoadConfig, ObjectivesConfig
from bench.wire.settings import NetworkConfig
from matcher.config import MatcherConfig
from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, SuppliedConfig, WatchlistConfig

__all__ = ["About", "Scenario", "json_schema"]


class About(BaseModel):
    """What the scenario is called, what it is for, and its seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=80, description="One line, for people.")
    description: str = Field(default="", max_length=600, description="What it shows.")
    seed: int = Field(
        default=1, ge=0, lt=2**63, description="Everything random follows from it."
    )


class Scenario(BaseModel):
    """One run, completely described."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: About
    cameras: tuple[CameraConfig, ...] = Field(
        min_length=1, max_length=64, description="At least one [[cameras]] table."
    )
    crowd: CrowdConfig = CrowdConfig()
    watchlist: WatchlistConfig = WatchlistConfig()
    supplied: SuppliedConfig = SuppliedConfig()
    matcher: MatcherConfig = MatcherConfig()
    load: LoadConfig = LoadConfig()
    network: NetworkConfig = NetworkConfig()
    objectives: ObjectivesConfig = ObjectivesConfig()

    @model_validator(mode="after")
    def _check_across_tables(self) -> Self:
        ids = [camera.camera_id for camera in self.cameras]
        repeated = sorted({name for name in ids if ids.count(name) > 1})
        if repeated:
            message = (
                f"camera ids must differ, got '{repeated[0]}' more than once in "
                "[[cameras]]; rename one of them"
            )
            raise ValueError(message)
        strangers = sorted(set(self.network.cameras) - set(ids))
        if strangers:
            message = (
                f"network.cameras must name cameras of the scenario, got "
                f"'{strangers[0]}' where there are {', '.join(ids)}; correct the name"
            )
            raise ValueError(message)
        for table, things in (
            ("obstacles", self.crowd.obstacles),
            ("shops", self.crowd.shops),
            ("trajectories", self.crowd.trajectories),
        ):
            unknown = sorted({name for t in things for name in t.cameras} - set(ids))
            if unknown:
                message = (
                    f"crowd.{table}.cameras must name cameras of the scenario, got "
                    f"'{unknown[0]}' where there are {', '.join(ids)}; correct the name"
                )
                raise ValueError(message)
        if self.watchlist.size > self.crowd.population_size:
            message = (
                f"watchlist.size must not exceed crowd.population_size, got "
                f"{self.watchlist.size} of {self.crowd.population_size} people; "
                "lower the one or raise the other"
            )
            raise ValueError(message)
        return self


def json_schema() -> dict[str, object]:
    """Return the JSON Schema of a scenario, for editors."""
    return Scenario.model_json_schema()
