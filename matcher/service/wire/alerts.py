"""Alerts on the wire: as they are kept, and what people make of them.

Owns names and shapes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from matcher.service.wire.base import AnswerBody, Box, RequestBody, SubjectName, shown

__all__ = ["DecisionRequest", "StoredAlertWire", "StoredAlertsWire"]


class DecisionRequest(RequestBody):
    """Body of `POST /v1/alerts/{alert_id}/decision`: what a person made of it."""

    model_config = shown(
        {"decision": "confirmed", "reviewer": "ann", "note": "the scar"}
    )

    decision: Literal["confirmed", "dismissed"]
    reviewer: SubjectName = Field(description="Who decided.")
    note: str = Field(default="", max_length=500)


class StoredAlertWire(AnswerBody):
    """An alert as it is kept, until its time is over."""

    model_config = shown(
        {
            "alert_id": "0f3c9d0e5b7a4c1e8f2d6a9b3c4d5e6f",
            "number": 41,
            "unix_ns": 1_800_000_000_000_000_000,
            "delete_after_unix_ns": 1_802_678_400_000_000_000,
            "camera_id": "east",
            "frame_index": 12,
            "track_id": 3,
            "subject_id": "p-17",
            "comparison_score": 0.71,
            "threshold": 0.64,
            "box_xyxy": [410.5, 96.0, 452.5, 152.0],
            "capture_time_ns": 81_234_000_000,
            "watchlist": "main",
            "watchlist_version": 4,
            "decision": None,
            "reviewer": None,
        }
    )

    alert_id: str
    number: int = Field(description="Grows; the event id of the alert stream.")
    unix_ns: int = Field(description="When it was raised.")
    delete_after_unix_ns: int
    camera_id: str
    frame_index: int
    track_id: int
    subject_id: str
    comparison_score: float
    threshold: float
    box_xyxy: Box
    capture_time_ns: int
    watchlist: str
    watchlist_version: int
    decision: Literal["confirmed", "dismissed"] | None
    reviewer: str | None


class StoredAlertsWire(AnswerBody):
    """Answer to `GET /v1/alerts`: one page, oldest first."""

    alerts: tuple[StoredAlertWire, ...]
    next_after: int | None
