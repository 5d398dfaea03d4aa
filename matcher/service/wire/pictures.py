"""Pictures on the wire: candidates for the largest face of one.

Owns names and shapes.
"""

from __future__ import annotations

from pydantic import Field

from matcher.service.wire.base import AnswerBody, Box, shown

__all__ = ["CandidateWire", "IdentificationWire"]


class CandidateWire(AnswerBody):
    """One of the watchlist, at its rank."""

    rank: int = Field(description="From 1.")
    subject_id: str
    comparison_score: float
    above_threshold: bool = Field(description="At or above it, to be exact.")


class IdentificationWire(AnswerBody):
    """Answer to `POST /v1/identify`."""

    model_config = shown(
        {
            "candidates": [
                {
                    "rank": 1,
                    "subject_id": "p-17",
                    "comparison_score": 0.71,
                    "above_threshold": True,
                }
            ],
            "above_threshold": True,
            "threshold": 0.64,
            "box_xyxy": [61.0, 48.5, 190.0, 223.5],
            "n_faces": 1,
            "watchlist": "main",
            "watchlist_version": 4,
        }
    )

    candidates: tuple[CandidateWire, ...] = Field(description="Best first.")
    above_threshold: bool = Field(description="Whether the first candidate is.")
    threshold: float
    box_xyxy: Box = Field(description="Of the face that was searched, the largest.")
    n_faces: int
    watchlist: str
    watchlist_version: int
