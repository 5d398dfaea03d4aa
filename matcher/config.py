"""The matcher's settings: the `[matcher]` table of a scenario.

Owns names, units, ranges and defaults. Knows nothing of how a setting acts; the
module named in each class does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from matcher.engine_config import EngineConfig
from matcher.index_config import IndexConfig
from matcher.plugin_config import ArcFaceConfig, DlibHogConfig, RuntimeConfig
from matcher.settings import Settings

__all__ = [
    "AlignmentConfig",
    "BestShotConfig",
    "CadenceConfig",
    "DecisionConfig",
    "DetectorConfig",
    "EmbedderConfig",
    "EngineConfig",
    "IndexConfig",
    "MatcherConfig",
    "QualityConfig",
    "TrackerConfig",
]


class _ModelSettings(Settings):
    runtime: RuntimeConfig = RuntimeConfig()
    model_path: Path | None = Field(
        default=None,
        description="Model file to use in place of the plug-in's own.",
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
        default="reference",
        description="Registered detector: reference, yunet or dlib_hog.",
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
    dlib_hog: DlibHogConfig = DlibHogConfig()
    nms_iou: float = Field(
        default=0.4,
        gt=0.0,
        lt=1.0,
        description="Of two boxes that overlap more than this, the better stays.",
    )


class CadenceConfig(Settings):
    """How often a camera's frames are searched for faces (`matcher.cadence`).

    Times are capture times. A frame nearer to the last search than the interval is
    only predicted; state somewhat less than a multiple of the frame interval, since
    cameras jitter.
    """

    young_interval_s: float = Field(
        default=0.0,
        ge=0.0,
        le=10.0,
        description="Between searches while a face in view has no trusted track; 0 is "
        "every frame.",
    )
    steady_interval_s: float = Field(
        default=0.15,
        ge=0.0,
        le=10.0,
        description="Between searches while all faces in view have trusted tracks, or "
        "nobody is in view. At 10 frames a second 0.15 searches every other frame; "
        "0.25, one in three, saves more and follows faces worse; 0 searches all.",
    )


class TrackerConfig(Settings):
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


class AlignmentConfig(Settings):
    """How a face is laid on its chip (`matcher.landmarks`)."""

    refine: bool = Field(
        default=True,
        description="Look for the landmarks again on the face itself before a chip "
        "is cut for a template; false takes the detector's.",
    )


class QualityConfig(Settings):
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


class BestShotConfig(Settings):
    """Which faces of a track are embedded (`matcher.best_shot`)."""

    max_shots: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Faces kept of a track; later, better ones replace the worst.",
    )
    min_gain: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        description="Relative gain in quality over the track's best that earns an "
        "embedding at once.",
    )
    interval_s: float = Field(
        default=0.5,
        gt=0.0,
        le=60.0,
        description="After this long a track's face is embedded without gain.",
    )
    min_agreement: float = Field(
        default=0.3,
        ge=-1.0,
        le=1.0,
        description="Least comparison score of a new face with what is kept of its "
        "track; below, the track has passed to somebody else and begins anew. -1 "
        "never does.",
    )
    emphasis: float = Field(
        default=8.0,
        ge=0.0,
        le=50.0,
        description="A face counts in its track's template by this power of its "
        "quality; 0 counts all alike.",
    )


class EmbedderConfig(_ModelSettings):
    """Which embedder (`matcher.embedders`)."""

    name: str = Field(
        default="reference",
        description="Registered embedder: reference, sface, arcface_onnx or "
        "dlib_resnet.",
    )
    arcface_onnx: ArcFaceConfig = ArcFaceConfig()
    with_mirror: Literal["none", "pictures", "all"] = Field(
        default="pictures",
        description="Whose templates are averaged with those of their mirror images: "
        "of nobody; of portraits and photographs, which are not in a hurry; or of all, "
        "faces of streams as well, which is twice the work.",
    )


class DecisionConfig(Settings):
    """When a candidate is an alert (`matcher.decision`, `matcher.calibration`)."""

    threshold: float | None = Field(
        default=None,
        description="Least comparison score of an alert, cosine in [-1, 1]; absent, "
        "calibrated for `target_fpir`.",
    )
    threshold_llr: float | None = Field(
        default=None,
        description="Least log-likelihood ratio of an alert, natural logarithm, in "
        "place of a comparison score; it means the same whatever the embedder.",
    )
    target_fpir: float = Field(
        default=0.01,
        gt=0.0,
        lt=1.0,
        description="Share of non-mated passages that may alert, for which the "
        "threshold is calibrated.",
    )
    cohort: Path | None = Field(
        default=None,
        description="What it is calibrated on: a file of `harness cohort`; absent, the "
        "cohort that ships, which is the reference embedder's.",
    )
    min_shots: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Faces fused before a track is searched.",
    )
    candidates: int = Field(
        default=1,
        ge=1,
        le=50,
        description="Subjects reported of each search, best first; the first alone can "
        "alert. More cost search time, and tell at which rank a mate stood.",
    )
    dedup_window_s: float = Field(
        default=10.0,
        ge=0.0,
        le=86_400.0,
        description="A subject alerts once per camera in this time, about one passage; "
        "a track broken in two must not alert twice.",
    )

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if self.threshold is not None and self.threshold_llr is not None:
            message = (
                "threshold and threshold_llr must not both be given, got "
                f"{self.threshold:g} and {self.threshold_llr:g}; leave one out"
            )
            raise ValueError(message)
        return self

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


class MatcherConfig(Settings):
    """Everything that may change an alert or its latency."""

    detector: DetectorConfig = DetectorConfig()
    cadence: CadenceConfig = CadenceConfig()
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
