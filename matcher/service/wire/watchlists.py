"""Watchlists on the wire: who is on which, who comes and goes, which is searched.

Owns names, shapes and limits.
"""

from __future__ import annotations

from pydantic import Field

from matcher.service.wire.base import (
    AnswerBody,
    RequestBody,
    SubjectName,
    WatchlistName,
    shown,
)

__all__ = [
    "ActiveWatchlistWire",
    "EnrolmentRequest",
    "EnrolmentWire",
    "FailureWire",
    "SubjectEnrolment",
    "SubjectsWire",
    "SwapRequest",
    "WatchlistRequest",
    "WatchlistWire",
    "WatchlistsWire",
    "WithdrawalRequest",
    "WithdrawalWire",
]


class WatchlistWire(AnswerBody):
    """A watchlist without its subjects."""

    model_config = shown(
        {"name": "main", "version": 4, "n_subjects": 60, "is_active": True}
    )

    name: str
    version: int = Field(description="Grows by one with every change.")
    n_subjects: int
    is_active: bool


class WatchlistsWire(AnswerBody):
    """Answer to `GET /v1/watchlists`."""

    watchlists: tuple[WatchlistWire, ...]


class SubjectsWire(AnswerBody):
    """Answer to `GET /v1/watchlists/{name}/subjects`: one page, in enrolment order."""

    model_config = shown({"subject_ids": ["p-17", "p-18"], "next_after": None})

    subject_ids: tuple[str, ...]
    next_after: str | None = Field(
        description="Ask again with `after` set to this; null on the last page."
    )


class ActiveWatchlistWire(AnswerBody):
    """The watchlist that is searched, and the threshold that goes with it."""

    model_config = shown(
        {
            "name": "main",
            "version": 4,
            "n_subjects": 60,
            "index": "faiss_flat",
            "threshold": 0.64,
            "threshold_origin": "calibrated for FPIR 0.01: 12/1257 calibration "
            "passages at or above it, 95 % interval 0.0055 to 0.0166",
            "n_cohort": 1257,
            "previous": "other",
        }
    )

    name: str
    version: int
    n_subjects: int
    index: str
    threshold: float
    threshold_origin: str
    n_cohort: int | None
    previous: str | None = Field(
        default=None, description="After a swap: which one was active before."
    )


class WatchlistRequest(RequestBody):
    """Body of `POST /v1/watchlists`."""

    model_config = shown({"name": "main"})

    name: WatchlistName


class SwapRequest(RequestBody):
    """Body of `PUT /v1/active-watchlist`; without a threshold, one is calibrated."""

    model_config = shown(
        {"name": "main"},
        {"name": "main", "target_fpir": 0.01},
        {"name": "main", "threshold": 0.64},
    )

    name: WatchlistName
    threshold: float | None = Field(
        default=None,
        ge=-1.0,
        le=1.0,
        description="Least comparison score of an alert; absent, as the service's "
        "settings say.",
    )
    target_fpir: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        description="Calibrate for this FPIR in place of the settings'.",
    )


class SubjectEnrolment(RequestBody):
    """One subject of a batch, by pictures or a template: exactly one of three keys."""

    subject_id: SubjectName
    images_base64: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=10,
        description="JPEG or PNG files; of several the mean template is taken.",
    )
    template: tuple[float, ...] | None = Field(
        default=None, max_length=4096, description="Unit length, float32 values."
    )
    template_f32_base64: str | None = Field(
        default=None,
        max_length=21848,
        description="The same as little-endian float32 bytes; a quarter of the size.",
    )


class EnrolmentRequest(RequestBody):
    """Body of `POST /v1/watchlists/{name}/subjects`."""

    model_config = shown(
        {
            "subjects": [
                {"subject_id": "p-17", "images_base64": ["iVBORw0KGgo="]},
                {"subject_id": "p-18", "template_f32_base64": "AACAPwAAAAA="},
            ],
            "embedder_sha256": "c4987c0f59124cbf6920ebe0ce34105f"
            "63696110c9e0dd91c988691acf645dc1",
        }
    )

    subjects: tuple[SubjectEnrolment, ...] = Field(min_length=1, max_length=100_000)
    embedder_sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="Of the embedder that made the templates; required with any.",
    )


class FailureWire(AnswerBody):
    """A subject who could not be enrolled, and why."""

    subject_id: str
    cause: str


class EnrolmentWire(AnswerBody):
    """Answer to an enrolment: one change, whole or not at all."""

    model_config = shown(
        {
            "name": "main",
            "version": 5,
            "n_subjects": 62,
            "n_enrolled": 2,
            "failures": [
                {
                    "subject_id": "p-19",
                    "cause": "no face found in an image of 240x320 pixels",
                }
            ],
        }
    )

    name: str
    version: int
    n_subjects: int
    n_enrolled: int
    failures: tuple[FailureWire, ...] = Field(
        description="Pictures without a face; the other subjects are enrolled."
    )


class WithdrawalRequest(RequestBody):
    """Body of `POST /v1/watchlists/{name}/withdrawals`: all or nobody."""

    model_config = shown({"subject_ids": ["p-17", "p-18"]})

    subject_ids: tuple[SubjectName, ...] = Field(min_length=1, max_length=100_000)


class WithdrawalWire(AnswerBody):
    """Answer to a withdrawal."""

    model_config = shown(
        {"name": "main", "version": 6, "n_subjects": 60, "n_withdrawn": 2}
    )

    name: str
    version: int
    n_subjects: int
    n_withdrawn: int
