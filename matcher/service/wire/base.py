"""What all bodies have in common: names, boxes, and how a refusal looks.

Owns their patterns. Knows nothing of what travels.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = [
    "CAMERA_PATTERN",
    "SUBJECT_PATTERN",
    "WATCHLIST_PATTERN",
    "AnswerBody",
    "Box",
    "CameraName",
    "Problem",
    "RequestBody",
    "SubjectName",
    "WatchlistName",
    "shown",
]

WATCHLIST_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
CAMERA_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$"
SUBJECT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"

WatchlistName = Annotated[str, StringConstraints(pattern=WATCHLIST_PATTERN)]
CameraName = Annotated[str, StringConstraints(pattern=CAMERA_PATTERN)]
SubjectName = Annotated[str, StringConstraints(pattern=SUBJECT_PATTERN)]

Box = tuple[float, float, float, float]


def shown(*examples: dict[str, Any]) -> ConfigDict:
    """Show examples of a body in the OpenAPI."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class AnswerBody(BaseModel):
    """What the service says; unknown keys of a newer service are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RequestBody(BaseModel):
    """What the service is told; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Problem(AnswerBody):
    """Why a request was refused (RFC 9457, `application/problem+json`)."""

    model_config = shown(
        {
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "code": "exists",
            "detail": "a watchlist must hold each subject once, got 'p-17' again for "
            "'main'; withdraw the subject first",
        }
    )

    type: str = Field(default="about:blank", description="Always `about:blank`.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="For programs: what was wrong, one word.")
    detail: str = Field(
        description="For people: what was required, what arrived, and the remedy."
    )
