"""What an adapter file says: how a vendor's API is called, and how it answers.

Owns names, ranges and defaults of every key, and refuses what cannot work before
anything is called. Knows nothing of how a template is filled or an answer read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bench.dialects.dialect import FrameFormat
from bench.dialects.placeholders import check_template

__all__ = [
    "AdapterConfig",
    "BoxForm",
    "BoxScale",
    "CallConfig",
    "EnrolConfig",
    "FacesConfig",
    "FramesConfig",
    "IdentifyAnswerConfig",
    "IdentifyConfig",
    "SystemConfig",
]


def _compiled(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        message = (
            f"a path must be a JMESPath expression, got '{text}': "
            f"{str(error).splitlines()[0]}; see docs/adapters.md for examples"
        )
        raise ValueError(message) from error
    return text


Expression = Annotated[str, Field(min_length=1), AfterValidator(_compiled)]
Template = Annotated[str, AfterValidator(check_template)]
Status = Annotated[int, Field(ge=100, le=599)]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BoxForm(StrEnum):
    """What four numbers of a box mean."""

    XYXY = "xyxy"
    XYWH = "xywh"
    CXCYWH = "cxcywh"


class BoxScale(StrEnum):
    """What a box's numbers are counted in."""

    PIXELS = "pixels"
    FRACTION = "fraction"


class CallConfig(_Table):
    """One request: what is sent where."""

    method: Method = Field(default="POST", description="HTTP method.")
    path: Template = Field(
        description="From the target's URL on; placeholders are quoted."
    )
    headers: dict[str, Template] = Field(
        default_factory=dict, description="Of this request, beside the adapter's."
    )
    body: Template | None = Field(
        default=None,
        description="Text with placeholders; `$picture` alone is the picture as it "
        "is. Left out, nothing is sent, or the form.",
    )
    form: dict[str, Template] = Field(
        default_factory=dict,
        description="In place of a body: fields of a multipart form; one that is "
        "`$picture` alone becomes a file.",
    )
    content_type: str | None = Field(
        default=None,
        description="Of the body; left out, the picture's own, or JSON for a text.",
    )
    accepted: tuple[Status, ...] = Field(
        default=(200, 201, 202, 204), description="Statuses that mean success."
    )

    @model_validator(mode="after")
    def _body_or_form(self) -> Self:
        if self.body is not None and self.form:
            message = (
                "a request must have a body or a form, got both for "
                f"'{self.path}'; leave one out"
            )
            raise ValueError(message)
        return self


class FacesConfig(_Table):
    """How one list of faces in an answer is read; paths start at the face."""

    faces: Expression = Field(description="Path to the list, from the answer on.")
    box: Expression = Field(
        description="Path to the four numbers, such as `[x, y, w, h]`."
    )
    box_form: BoxForm = Field(
        default=BoxForm.XYXY,
        description="Corners (xyxy), corner and size (xywh), or centre and size.",
    )
    box_scale: BoxScale = Field(
        default=BoxScale.PIXELS, description="Pixels, or shares of the picture's size."
    )
    track: Expression | None = Field(
        default=None, description="Path to the track's number, if there are tracks."
    )
    subject: Expression | None = Field(
        default=None, description="Path to the id of the first candidate."
    )
    score: Expression | None = Field(
        default=None, description="Path to the first candidate's score."
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.subject is None) != (self.score is None):
            message = (
                "subject and score must be given together, got "
                f"subject={self.subject} and score={self.score}; add the other"
            )
            raise ValueError(message)
        return self


class FramesConfig(CallConfig):
    """How a camera's frame is posted, and what its answer says."""

    picture: FrameFormat = Field(
        default=FrameFormat.JPEG, description="What frames are sent as."
    )
    found: FacesConfig | None = Field(
        default=None,
        description="All faces of the frame with their first candidate, alert or not; "
        "without it, nothing is known of searches that raise no alert.",
    )
    alerts: FacesConfig = Field(
        description="The faces that raise an alert; subject and score are required."
    )
    skipped: tuple[Status, ...] = Field(
        default=(429, 503),
        description="Statuses that mean: too busy, frame not looked at.",
    )

    @model_validator(mode="after")
    def _alerts_name_somebody(self) -> Self:
        if self.alerts.subject is None:
            message = (
                "frames.alerts must say whom an alert names, got no subject; add "
                "subject and score"
            )
            raise ValueError(message)
        return self


class IdentifyAnswerConfig(_Table):
    """How the answer to one probe is read."""

    subject: Expression = Field(description="Path to the first candidate's id.")
    score: Expression = Field(description="Path to its score.")
    alert: Expression | None = Field(
        default=None, description="Path to whether it is taken for that subject."
    )


class IdentifyConfig(CallConfig):
    """How one probe is posted."""

    answer: IdentifyAnswerConfig = Field(description="How its answer is read.")


class EnrolConfig(CallConfig):
    """How one subject of the watchlist is enrolled; called once each."""

    failed: tuple[Status, ...] = Field(
        default=(), description="Statuses that mean: no face in this portrait."
    )


class SystemConfig(_Table):
    """What a report says of the matcher, since its API may not."""

    detector: str = Field(default="unknown", description="Detector and its version.")
    embedder: str = Field(default="unknown", description="Embedder and its version.")
    index: str = Field(default="unknown", description="Index.")
    threshold: float = Field(
        description="Least score of an alert, in the API's own scale."
    )


class AdapterConfig(_Table):
    """A vendor's API, as far as the harness needs it."""

    name: str = Field(min_length=1, max_length=64, description="In the report.")
    headers: dict[str, Template] = Field(
        default_factory=dict,
        description="Of every request; `${env:NAME}` is taken from the environment.",
    )
    score_divisor: float = Field(
        default=1.0,
        gt=0.0,
        description="Scores are divided by it; 100 makes shares of percentages.",
    )
    system: SystemConfig
    frames: FramesConfig
    identify: IdentifyConfig | None = None
    setup: tuple[CallConfig, ...] = Field(
        default=(), description="Requests before the watchlist is enrolled."
    )
    enrol: EnrolConfig | None = Field(
        default=None,
        description="Left out, the watchlist must be there (--enrol present).",
    )
    ready: tuple[CallConfig, ...] = Field(
        default=(), description="Requests once the watchlist is enrolled."
    )
    begin: tuple[CallConfig, ...] = Field(
        default=(), description="Requests that make the cameras begin afresh."
    )
    teardown: tuple[CallConfig, ...] = Field(
        default=(), description="Requests after the run."
    )
