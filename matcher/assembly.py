"""From settings to a pipeline: names become plug-ins, a target becomes a threshold.

Owns the wiring and the description of what was wired. Knows nothing of frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

# Importing the packages registers their plug-ins.
import matcher.detectors
import matcher.embedders
import matcher.indexes  # noqa: F401
from matcher.calibration import differing_settings, load_cohort, threshold_for
from matcher.decision import Decider
from matcher.errors import CalibrationError, GalleryError
from matcher.landmarks import make_refiner
from matcher.pipeline import Pipeline
from matcher.registry import DETECTORS, EMBEDDERS, INDEXES
from matcher.weights import WEIGHTS, read_manifest, read_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from matcher.config import DetectorConfig, EmbedderConfig, MatcherConfig
    from matcher.gallery import Gallery
    from matcher.protocols import Detector, Embedder, GalleryIndex

__all__ = [
    "AlertThreshold",
    "Assembly",
    "assemble",
    "detector_sha256",
    "embedder_sha256",
    "make_detector",
    "make_embedder",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertThreshold:
    """A threshold and where it comes from.

    Attributes:
        value: Least comparison score of an alert, cosine in [-1, 1].
        origin: One sentence: given, or how it was calibrated.
        n_cohort: Calibration passages behind it; None if it was given.
    """

    value: float
    origin: str
    n_cohort: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A pipeline, its networks (for warming up), and its threshold.

    Attributes:
        pipeline, detector, embedder, index, threshold: What was made.
    """

    pipeline: Pipeline
    detector: Detector
    embedder: Embedder
    index: GalleryIndex
    threshold: AlertThreshold


def make_detector(config: DetectorConfig) -> Detector:
    """Make the detector that the settings name."""
    return DETECTORS.make(config.name, config)


def make_embedder(config: EmbedderConfig) -> Embedder:
    """Make the embedder that the settings name."""
    return EMBEDDERS.make(config.name, config)


def detector_sha256(config: DetectorConfig) -> str:
    """Name the detector's model."""
    if config.model_sha256 is not None:
        return config.model_sha256
    return read_manifest().detector.sha256


def embedder_sha256(config: EmbedderConfig) -> str:
    """Name the embedder's model."""
    if config.model_sha256 is not None:
        return config.model_sha256
    return read_manifest().embedder.sha256


def assemble(
    config: MatcherConfig, gallery: Gallery, *, clock: Callable[[], int]
) -> Assembly:
    """Wire a pipeline over a gallery.

    Raises:
        BadInputError: If a plug-in is unknown, a model file is not the one meant, the
            gallery was made by another embedder, or no threshold can be calibrated.
    """
    detector = make_detector(config.detector)
    embedder = make_embedder(config.embedder)
    if gallery.embedder_sha256 != embedder_sha256(config.embedder):
        message = (
            f"the gallery must be enrolled with the embedder in use, "
            f"{embedder_sha256(config.embedder)[:12]}, got one of "
            f"{gallery.embedder_sha256[:12]}; enrol again"
        )
        raise GalleryError(message)
    index = INDEXES.make(config.index.name, config.index, gallery.templates)
    threshold = _threshold(config, index)
    pipeline = Pipeline(
        detector=detector,
        refiner=make_refiner(config.alignment),
        embedder=embedder,
        index=index,
        subject_ids=gallery.subject_ids,
        decider=Decider(threshold.value, config.decision),
        config=config,
        clock=clock,
    )
    return Assembly(
        pipeline=pipeline,
        detector=detector,
        embedder=embedder,
        index=index,
        threshold=threshold,
    )


def _threshold(config: MatcherConfig, index: GalleryIndex) -> AlertThreshold:
    """Take the threshold that was given, or calibrate one, and say which."""
    if config.decision.threshold is not None:
        return AlertThreshold(
            value=config.decision.threshold,
            origin="given in the settings",
            n_cohort=None,
        )
    shipped = read_manifest().calibration
    if shipped is None:
        message = (
            "a calibration cohort must be shipped with the weights for a threshold to "
            "be calibrated, got none; state decision.threshold"
        )
        raise CalibrationError(message)
    path = WEIGHTS / shipped.file
    cohort = load_cohort(read_model(path, sha256=shipped.sha256).content)
    if cohort.embedder_sha256 != embedder_sha256(config.embedder):
        message = (
            f"the threshold must be calibrated with the embedder in use, "
            f"{embedder_sha256(config.embedder)[:12]}, got a cohort of "
            f"{cohort.embedder_sha256[:12]}; state decision.threshold"
        )
        raise CalibrationError(message)
    found = threshold_for(index, cohort, target_fpir=config.decision.target_fpir)
    origin = (
        f"calibrated for FPIR {found.target_fpir:g}: {found.n_exceeding}/"
        f"{found.n_passages} calibration passages at or above it, 95 % interval "
        f"{found.fpir_low:.4f} to {found.fpir_high:.4f}"
    )
    others = differing_settings(cohort, config)
    if others:
        origin += f"; recorded with another {', '.join(others)}"
    return AlertThreshold(value=found.value, origin=origin, n_cohort=found.n_passages)
