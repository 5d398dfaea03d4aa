"""From settings to lanes: the networks loaded, warmed, and put on their threads.

Owns the wiring of the matcher's stages in a service, where the watchlist comes and
goes while they stay. Knows nothing of requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matcher.assembly import (
    embedder_sha256,
    make_detector,
    make_embedder,
    make_picture_embedder,
)
from matcher.decision import Decider
from matcher.engine import limit_threads, warm_up
from matcher.errors import EngineError
from matcher.landmarks import make_refiner
from matcher.photos import PhotoReader
from matcher.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from matcher.config import MatcherConfig
    from matcher.protocols import Detector, Embedder, LandmarkRefiner
    from matcher.records import CandidateLists, Embeddings

__all__ = ["NothingToSearch", "Plugins", "Stages", "load_stages", "stages_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stages:
    """The networks of a service, two of each, so that its two threads share none.

    Attributes:
        pipeline: For frames.
        reader: For pictures.
        embedder_sha256: Of the model behind every template.
        dimension: Of a template.
        threads: Library → threads it may use.
    """

    pipeline: Pipeline
    reader: PhotoReader
    embedder_sha256: str
    dimension: int
    threads: tuple[tuple[str, int], ...]


def load_stages(config: MatcherConfig, *, clock: Callable[[], int]) -> Stages:
    """Load the networks that the settings name, and run each once.

    Raises:
        BadInputError: If a plug-in is unknown or a model file is not the one meant.
    """
    threads = limit_threads()
    for_frames = (*_finders(config), make_embedder(config.embedder))
    for_photos = (*_finders(config), make_picture_embedder(config.embedder))
    for detector, _, embedder in (for_frames, for_photos):
        warm_up(detector, embedder, config)
    return stages_of(config, for_frames, for_photos, threads=threads, clock=clock)


Plugins = tuple["Detector", "LandmarkRefiner", "Embedder"]


def _finders(config: MatcherConfig) -> tuple[Detector, LandmarkRefiner]:
    return make_detector(config.detector), make_refiner(config.alignment)


def stages_of(
    config: MatcherConfig,
    for_frames: Plugins,
    for_photos: Plugins,
    *,
    threads: tuple[tuple[str, int], ...],
    clock: Callable[[], int],
) -> Stages:
    """Put plug-ins together."""
    detector, refiner, embedder = for_frames
    pipeline = Pipeline(
        detector=detector,
        refiner=refiner,
        embedder=embedder,
        index=NothingToSearch(),
        subject_ids=(),
        # Before the first frame, the watch that it meets says the threshold.
        decider=Decider(1.0, config.decision),
        config=config,
        clock=clock,
    )
    detector, refiner, embedder = for_photos
    return Stages(
        pipeline=pipeline,
        reader=PhotoReader(detector=detector, refiner=refiner, embedder=embedder),
        embedder_sha256=embedder_sha256(config.embedder),
        dimension=embedder.dimension,
        threads=threads,
    )


class NothingToSearch:
    """The index of a pipeline that has not been told what to watch for."""

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Refuse.

        Raises:
            EngineError: Always.
        """
        message = (
            f"a watchlist must be active before {len(probes)} probes can be searched "
            f"for {k} candidates each, got none; activate one"
        )
        raise EngineError(message)
