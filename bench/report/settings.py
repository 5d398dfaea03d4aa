"""The few settings of a scenario that the report reads, out of its JSON values.

Owns where they stand in the resolved scenario. A run folder is a file that anyone may
have touched: what is missing is said by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Settings", "read_settings"]


class _About(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str
    description: str = ""
    seed: int


class _Camera(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    camera_id: str
    fps: float = Field(gt=0.0)


class _Load(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    warm_up_s: float = Field(ge=0.0)


class Settings(BaseModel):
    """What the report says of a scenario or reckons by."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    scenario: _About
    cameras: tuple[_Camera, ...]
    load: _Load

    @property
    def warm_up_s(self) -> float:
        """Start of the run that no figure counts."""
        return self.load.warm_up_s

    @property
    def fps(self) -> dict[str, float]:
        """Frames per second by camera."""
        return {camera.camera_id: camera.fps for camera in self.cameras}


def read_settings(scenario: Mapping[str, object]) -> Settings:
    """Read the settings; raises pydantic's ValidationError if one is missing."""
    return Settings.model_validate(scenario)
