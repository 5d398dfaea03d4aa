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
from matcher.calibration import (
    differing_settings,
    load_cohort,
    n_allowed,
    read_cohort,
    threshold_for,
)
from matcher.decision import Decider
from matcher.embedders.chips import Mirrored
from matcher.errors import CalibrationError, GalleryError
from matcher.indexes.choice import choose_index
from matcher.indexes.kept import make_or_read
from matcher.known_models import detector_sha256, embedder_sha256
from matcher.landmarks import make_refiner
from matcher.likelihood import fit_scale, pairs_of
from matcher.live_gallery import LiveGallery
from matcher.pipeline import Pipeline
from matcher.registry import DETECTORS, EMBEDDERS
from matcher.weights import WEIGHTS, read_manifest, read_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from matcher.calibration import Cohort
    from matcher.config import DetectorConfig, EmbedderConfig, MatcherConfig
    from matcher.gallery import Gallery
    from matcher.protocols import Detector, Embedder, GalleryIndex

__all__ = [
    "AlertThreshold",
    "Assembly",
    "Search",
    "alert_threshold",
    "assemble",
    "check_threshold",
    "detector_sha256",
    "embedder_sha256",
    "make_detector",
    "make_embedder",
    "make_picture_embedder",
    "prepare_search",
    "wire",
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
    """A pipeline, its networks (for warming up), its gallery and its threshold.

    Attributes:
        pipeline, detector, embedder, gallery, threshold: What was made.
    """

    pipeline: Pipeline
    detector: Detector
    embedder: Embedder
    gallery: LiveGallery
    threshold: AlertThreshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What depends on the gallery and not on who searches it: made once, shared.

    Attributes:
        name: Of the index.
        gallery: The enrolled, with their index; changed while it is searched.
        threshold: For this gallery as it is at the start.
    """

    name: str
    gallery: LiveGallery
    threshold: AlertThreshold


def make_detector(config: DetectorConfig) -> Detector:
    """Make the detector that the settings name."""
    return DETECTORS.make(config.name, config)


def make_embedder(config: EmbedderConfig) -> Embedder:
    """Make the embedder that the settings name, for the faces of streams."""
    plain = EMBEDDERS.make(config.name, config)
    return Mirrored(plain) if config.with_mirror == "all" else plain


def make_picture_embedder(config: EmbedderConfig) -> Embedder:
    """Make the embedder that the settings name, for portraits and photographs."""
    plain = EMBEDDERS.make(config.name, config)
    return plain if config.with_mirror == "none" else Mirrored(plain)


def assemble(
    config: MatcherConfig, gallery: Gallery, *, clock: Callable[[], int]
) -> Assembly:
    """Wire a pipeline over a gallery, in this process.

    Raises:
        BadInputError: If a plug-in is unknown, a model file is not the one meant, the
            gallery was made by another embedder, or no threshold can be calibrated.
    """
    return wire(config, prepare_search(config, gallery), clock=clock)


def prepare_search(config: MatcherConfig, gallery: Gallery) -> Search:
    """Index a gallery and find the threshold for it.

    Raises:
        BadInputError: If the index is unknown, the gallery was made by another
            embedder, or no threshold can be calibrated.
    """
    if gallery.embedder_sha256 != embedder_sha256(config.embedder):
        message = (
            f"the gallery must be enrolled with the embedder in use, "
            f"{embedder_sha256(config.embedder)[:12]}, got one of "
            f"{gallery.embedder_sha256[:12]}; enrol again"
        )
        raise GalleryError(message)
    name = config.index.name
    if name == "auto":
        name = choose_index(len(gallery))
    index = make_or_read(
        name, config.index, gallery.templates, folder=config.index.folder
    )
    return Search(
        name=name,
        gallery=LiveGallery(gallery, index),
        threshold=alert_threshold(config, index),
    )


def wire(
    config: MatcherConfig, search: Search, *, clock: Callable[[], int]
) -> Assembly:
    """Load the networks and put the stages together.

    Raises:
        BadInputError: If a plug-in is unknown or a model file is not the one meant.
    """
    detector = make_detector(config.detector)
    embedder = make_embedder(config.embedder)
    pipeline = Pipeline(
        detector=detector,
        refiner=make_refiner(config.alignment),
        embedder=embedder,
        index=search.gallery.index,
        subject_ids=search.gallery.subject_ids,
        decider=Decider(search.threshold.value, config.decision),
        config=config,
        clock=clock,
    )
    return Assembly(
        pipeline=pipeline,
        detector=detector,
        embedder=embedder,
        gallery=search.gallery,
        threshold=search.threshold,
    )


def alert_threshold(config: MatcherConfig, index: GalleryIndex) -> AlertThreshold:
    """Take the threshold that was given, or calibrate one, and say which.

    Raises:
        CalibrationError: If no threshold can be calibrated.
    """
    if config.decision.threshold is not None:
        return AlertThreshold(
            value=config.decision.threshold,
            origin="given in the settings",
            n_cohort=None,
        )
    cohort = _cohort_in_use(config)
    if config.decision.threshold_llr is not None:
        return _threshold_of_llr(config.decision.threshold_llr, cohort)
    found = threshold_for(index, cohort, target_fpir=config.decision.target_fpir)
    origin = (
        f"calibrated for FPIR {found.target_fpir:g}: {found.n_exceeding}/"
        f"{found.n_passages} calibration passages at or above it, 95 % interval "
        f"{found.fpir_low:.4f} to {found.fpir_high:.4f}"
    )
    if config.decision.cohort is not None:
        origin += f"; cohort {config.decision.cohort}"
    others = differing_settings(cohort, config)
    if others:
        origin += f"; recorded with another {', '.join(others)}"
    return AlertThreshold(value=found.value, origin=origin, n_cohort=found.n_passages)


def check_threshold(config: MatcherConfig) -> None:
    """Raise at once what `alert_threshold` would raise once a gallery is there.

    Raises:
        ModelFileError: If the embedder's file is not the one meant.
        CalibrationError: If no threshold can be calibrated, whatever the gallery.
    """
    model = config.embedder
    if model.model_path is not None and model.model_sha256 is not None:
        read_model(model.model_path, sha256=model.model_sha256)
    if config.decision.threshold is None:
        cohort = _cohort_in_use(config)
        if config.decision.threshold_llr is None:
            n_allowed(cohort, target_fpir=config.decision.target_fpir)


def _cohort_in_use(config: MatcherConfig) -> Cohort:
    """Read the cohort that the settings name, or the one that ships.

    Raises:
        CalibrationError: If there is none, or another embedder recorded it.
    """
    path = config.decision.cohort
    cohort = _shipped_cohort() if path is None else read_cohort(path)
    if cohort.embedder_sha256 != embedder_sha256(config.embedder):
        message = (
            f"the threshold must be calibrated with the embedder in use, "
            f"{embedder_sha256(config.embedder)[:12]}, got a cohort of "
            f"{cohort.embedder_sha256[:12]}; record one with `harness cohort` and name "
            "it in decision.cohort, or state decision.threshold"
        )
        raise CalibrationError(message)
    return cohort


def _shipped_cohort() -> Cohort:
    shipped = read_manifest().calibration
    if shipped is None:
        message = (
            "a calibration cohort must be shipped with the weights for a threshold to "
            "be calibrated, got none; name one in decision.cohort, or state "
            "decision.threshold"
        )
        raise CalibrationError(message)
    found = read_model(WEIGHTS / shipped.file, sha256=shipped.sha256)
    return load_cohort(found.content)


def _threshold_of_llr(llr: float, cohort: Cohort) -> AlertThreshold:
    """Turn a log-likelihood ratio into the comparison score that has it."""
    mated, non_mated = pairs_of(cohort)
    scale = fit_scale(mated, non_mated)
    return AlertThreshold(
        value=min(1.0, max(-1.0, scale.score(llr))),
        origin=(
            f"the score of log-likelihood ratio {llr:g} on a line of slope "
            f"{scale.slope:.1f}, fitted to {scale.n_mated} pairs of one passage each "
            "and to all pairs of two"
        ),
        n_cohort=cohort.n_passages,
    )
