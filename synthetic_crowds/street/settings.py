"""Settings of what stands, opens and is walked on a street.

Owns ranges, units and defaults. Knows nothing of how a setting is carried out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ObstacleConfig",
    "ObstacleKind",
    "Share",
    "ShopConfig",
    "TrajectoriesConfig",
    "Walked",
    "WayIn",
    "before",
]

Share = Annotated[float, Field(ge=0.0, le=1.0)]
_CamerasField = Field(
    default=(),
    description="Before which cameras, by id; every one where none is named.",
)


class WayIn(StrEnum):
    """From beyond which edge of a photograph people step in, and leave by."""

    BOTH = "both"
    LEFT = "left"
    RIGHT = "right"


class ObstacleKind(StrEnum):
    """What stands in the way."""

    BOLLARD = "bollard"
    PLANTER = "planter"
    BENCH = "bench"
    KIOSK = "kiosk"


# Length, width and height of each kind, metres, unless the scenario says otherwise.
_USUAL_M = {
    ObstacleKind.BOLLARD: (0.2, 0.2, 1.0),
    ObstacleKind.PLANTER: (1.4, 0.6, 1.0),
    ObstacleKind.BENCH: (1.6, 0.6, 0.85),
    ObstacleKind.KIOSK: (2.2, 1.6, 2.6),
}


class ObstacleConfig(BaseModel):
    """One thing that people walk round and that hides what is behind it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ObstacleKind = Field(description=f"One of {', '.join(ObstacleKind)}.")
    x_m: float = Field(
        ge=1.0, le=200.0, description="Of its middle, metres along the street."
    )
    y_m: float = Field(
        ge=-50.0, le=50.0, description="Of its middle, metres to the camera's left."
    )
    turn_deg: float = Field(
        default=0.0,
        ge=-180.0,
        le=180.0,
        description="Where its length points, anticlockwise; 0 is along the street.",
    )
    length_m: float | None = Field(
        default=None, ge=0.1, le=30.0, description="Default: as usual for its kind."
    )
    width_m: float | None = Field(
        default=None, ge=0.1, le=30.0, description="Default: as usual for its kind."
    )
    height_m: float | None = Field(
        default=None, ge=0.3, le=6.0, description="Default: as usual for its kind."
    )
    cameras: tuple[str, ...] = _CamerasField

    @property
    def size_m(self) -> tuple[float, float, float]:
        """Length, width and height."""
        usual = _USUAL_M[self.kind]
        said = (self.length_m, self.width_m, self.height_m)
        length, width, height = (
            u if s is None else s for s, u in zip(said, usual, strict=True)
        )
        return length, width, height


class ShopConfig(BaseModel):
    """One shop on the left: some look at its windows, some go in and come out again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x_m: float = Field(
        ge=1.5, le=100.0, description="Of its door, metres along the street."
    )
    look_share: Share = Field(
        default=0.1,
        description="Of those who walk towards a camera, how many stop at a window.",
    )
    look_mean_s: float = Field(
        default=8.0, ge=1.0, le=60.0, description="How long they look, mean."
    )
    enter_share: Share = Field(
        default=0.05,
        description="Of those who walk towards a camera, how many go in.",
    )
    inside_mean_s: float = Field(
        default=20.0, ge=1.0, le=300.0, description="How long they stay inside, mean."
    )
    cameras: tuple[str, ...] = _CamerasField


class TrajectoriesConfig(BaseModel):
    """Recorded paths that people walk in place of the model's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(
        min_length=1, description="A recording by JuPedSim: SQLite, or text."
    )
    origin_m: tuple[float, float] = Field(
        default=(0.0, 0.0),
        description="Where on the street (x, y) the recording's origin lies.",
    )
    rotation_deg: float = Field(
        default=0.0,
        ge=-360.0,
        le=360.0,
        description="By how much it is turned about its origin, anticlockwise.",
    )
    start_s: float = Field(
        default=0.0,
        ge=-36_000.0,
        le=3600.0,
        description="Clip time of its first frame; before 0, its beginning is cut off.",
    )
    cameras: tuple[str, ...] = _CamerasField


def _tables(value: object) -> object:
    """A path alone is a recording that every camera walks, as it is."""
    return ({"file": value},) if isinstance(value, str) else value


Walked = Annotated[
    tuple[TrajectoriesConfig, ...],
    BeforeValidator(
        _tables, json_schema_input_type=str | tuple[TrajectoriesConfig, ...]
    ),
]
Placed = TypeVar("Placed", ObstacleConfig, ShopConfig, TrajectoriesConfig)


def before(things: Sequence[Placed], camera_id: str) -> tuple[Placed, ...]:
    """Those of a street's things that stand before one camera."""
    return tuple(t for t in things if not t.cameras or camera_id in t.cameras)
