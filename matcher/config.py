"""The matcher's settings: the `[matcher]` table of a scenario.

Owns names, units, ranges and defaults. Knows nothing of how a setting acts; the
module named in each class does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

__all__ = [
    "AlignmentConfig",
    "BestShotConfig",
    "DecisionConfig",
    "DetectorConfig",
    "EmbedderConfig",
    "EngineConfig",
    "IndexConfig",
    "MatcherConfig",
    "QualityConfig",
    "TrackerConfig",
]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _ModelSettings(_Settings):
    model_path: Path | None = Field(
        default=None,
        description="ONNX file to use in place of the shipped one.",
    )
    model_sha256: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 that the file at `model_path` must have.",
    )

    @model_validator(mode="after")
    def _path_comes_with_its_hash(self) -> Self:
        if (self.model_path is None) != (self.model_sha256 is None):
            message = (
                "model_path and model_sha256 must be given together, so that a "
                f"result names its model; got model_path={self.model_path} and "
                f"model_sha256={self.model_sha256}"
            )
            raise ValueError(message)
        return self


class DetectorConfig(_ModelSettings):
    """Which detector, and how it looks at a frame (`matcher.detectors`)."""

    name: str = Field(
        default="reference", description="Registered detector: reference or yunet."
    )
    detection_width_px: int = Field(
        default=640,
        ge=64,
        le=7680,
        description="Wider frames are shrunk to this width before detection.",
    )
    score_threshold: float | None = Field(
        default=None,
        gt=0.0,
        lt=1.0,
        description="Least detection score; absent, the one stated with the weights.",
    )
    nms_iou: float = Field(
        default=0.4,
        gt=0.0,
        lt=1.0,
        description="Of two boxes that overlap more than this, the better stays.",
    )


class TrackerConfig(_Settings):
    """When detections of successive frames are one face (`matcher.tracking`)."""

    birth_score: float = Field(
        default=0.6,
        ge=0.0,
        le=1.0,
        description="Least detection score that starts a track; weaker detections "
        "may only continue one.",
    )
    min_overlap: float = Field(
        default=-0.3,
        ge=-1.0,
        le=1.0,
        description="Least distance-IoU of predicted and detected box; below 0 the "
        "boxes need not touch.",
    )
    confirm_hits: int = Field(
        default=2,
        ge=1,
        le=30,
        description="Detections before a track is trusted, embedded and searched.",
    )
    max_gap_s: float = Field(
        default=1.0,
        gt=0.0,
        le=10.0,
        description="A track unseen for longer is over.",
    )
    position_gain: float = Field(
        default=0.8,
        gt=0.0,
        le=1.0,
        description="Weight of a new position against the predicted one.",
    )


class AlignmentConfig(_Settings):
    """How a face is laid on its chip (`matcher.landmarks`)."""

    refine: bool = Field(
        default=True,
        description="Look for the landmarks again on the face itself before a chip "
        "is cut for a template; false takes the detector's.",
    )


class QualityConfig(_Settings):
    """What makes a face worth embedding (`matcher.quality`)."""

    min_quality: float = Field(
        default=0.15,
        ge=0.0,
        le=1.0,
        description="Least quality of a face that is embedded.",
    )
    min_face_height_px: float = Field(
        default=24.0,
        gt=0.0,
        le=1000.0,
        description="Least height of a face box that is embedded.",
    )
    half_face_height_px: float = Field(
        default=30.0,
        gt=0.0,
        le=1000.0,
        description="Face height whose resolution is worth one half.",
    )
    half_frontality_residual: float = Field(
        default=0.16,
        gt=0.0,
        le=2.0,
        description="Misfit to the frontal template, in eye distances, whose "
        "frontality is worth one half.",
    )
    half_sharpness: float = Field(
        default=0.15,
        gt=0.0,
        le=10.0,
        description="Mean absolute Laplacian of the chip over its standard "
        "deviation, whose sharpness is worth one half.",
    )


class BestShotConfig(_Settings):
    """Which faces of a track are embedded (`matcher.best_shot`)."""

    max_shots: int = Field(
        default=5,
        ge=1,
        le=100,
        description="Faces embedded per track; later, better ones replace the worst.",
    )
    min_gain: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        description="Relative gain in quality over the track's best that earns an "
        "embedding at once.",
    )
    interval_s: float = Field(
        default=0.4,
        gt=0.0,
        le=60.0,
        description="After this long a track's face is embedded without gain.",
    )


class EmbedderConfig(_ModelSettings):
    """Which embedder (`matcher.embedders`)."""

    name: str = Field(default="reference", description="Registered embedder.")
    with_mirror: bool = Field(
        default=True,
        description="Average the templates of a chip and its mirror image: twice "
        "the work, fewer errors.",
    )


class IndexConfig(_Settings):
    """How the gallery is searched (`matcher.indexes`)."""

    name: str = Field(
        default="faiss_flat", description="Registered index: exact or faiss_flat."
    )
    blas_from_probes: int = Field(
        default=4,
        ge=1,
        le=1_000_000,
        description="Probes in one search from which FAISS multiplies matrices; its "
        "own 128,000 costs a batch of 32 nine times the time at N = 1,000,000.",
    )


class DecisionConfig(_Settings):
    """When a candidate is an alert (`matcher.decision`, `matcher.calibration`)."""

    threshold: float | None = Field(
        default=None,
        description="Least comparison score of an alert, cosine in [-1, 1]; absent, "
        "calibrated for `target_fpir`.",
    )
    target_fpir: float = Field(
        default=0.01,
        gt=0.0,
        lt=1.0,
        description="Share of non-mated passages that may alert, for which the "
        "threshold is calibrated.",
    )
    min_shots: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Faces fused before a track is searched.",
    )
    dedup_window_s: float = Field(
        default=10.0,
        ge=0.0,
        le=86_400.0,
        description="A subject alerts once per camera in this time, about one passage; "
        "a track broken in two must not alert twice.",
    )

    @field_validator("threshold")
    @classmethod
    def _on_the_scale(cls, value: float | None) -> float | None:
        if value is not None and not -1.0 <= value <= 1.0:
            message = (
                "threshold must lie on the scale of comparison scores, cosine in "
                f"[-1, 1], got {value:g}; leave it out to have it calibrated for "
                "target_fpir"
            )
            raise ValueError(message)
        return value


class EngineConfig(_Settings):
    """How the worker deals with more frames than it can carry (`matcher.engine`)."""

    drop_policy: Literal["latest_wins", "none"] = Field(
        default="latest_wins",
        description="latest_wins skips a frame once newer ones of its camera wait; "
        "none processes every frame in order of arrival.",
    )
    max_pending: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Frames of one camera that may wait before the oldest is skipped.",
    )
    results_interval_s: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Results travel back in batches this far apart; alerts at once.",
    )


class MatcherConfig(_Settings):
    """Everything that may change an alert or its latency."""

    detector: DetectorConfig = DetectorConfig()
    tracker: TrackerConfig = TrackerConfig()
    quality: QualityConfig = QualityConfig()
    alignment: AlignmentConfig = AlignmentConfig()
    best_shot: BestShotConfig = BestShotConfig()
    embedder: EmbedderConfig = EmbedderConfig()
    index: IndexConfig = IndexConfig()
    decision: DecisionConfig = DecisionConfig()
    engine: EngineConfig = EngineConfig()

    @model_validator(mode="after")
    def _a_track_can_alert(self) -> Self:
        if self.decision.min_shots > self.best_shot.max_shots:
            message = (
                f"decision.min_shots must be at most best_shot.max_shots = "
                f"{self.best_shot.max_shots}, got {self.decision.min_shots}: no "
                "track could ever alert"
            )
            raise ValueError(message)
        return self
