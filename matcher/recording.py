"""How a calibration cohort is recorded: by the pipeline itself, at the gallery's door.

Owns the index that writes searches down instead of answering them. Knows nothing of
truth: the caller says to whose passage a search belongs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.assembly import embedder_sha256, make_detector, make_embedder
from matcher.calibration import Cohort, settings_of
from matcher.decision import Decider
from matcher.landmarks import make_refiner
from matcher.pipeline import Pipeline
from matcher.records import CandidateLists, SubjectId
from matcher.worker import Worker, unhurried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from matcher.config import MatcherConfig
    from matcher.records import Embeddings, EncodedFrame, Probe

__all__ = ["RecordingIndex", "record_cohort"]

_NOBODY = SubjectId("")


class RecordingIndex:
    """Stands where the gallery index stands, and writes down what is searched for.

    It never finds anyone: every score is -1, the bottom of the scale.

    Attributes:
        searched: (m, d) float32 of each search so far, in order.
    """

    def __init__(self) -> None:
        self.searched: list[NDArray[np.float32]] = []

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Write the probes down."""
        self.searched.append(probes.vectors)
        return CandidateLists(
            rows=np.zeros((len(probes), k), np.int64),
            scores=np.full((len(probes), k), -1.0, np.float32),
        )


def record_cohort(
    frames: Iterable[EncodedFrame],
    *,
    config: MatcherConfig,
    passage_of: Callable[[Probe], int | None],
    n_passages: int,
    clock: Callable[[], int],
) -> Cohort:
    """Run frames of non-mated people through the pipeline and keep every search.

    Args:
        frames: Of any cameras, each camera's in order of capture.
        config: Settings; the threshold does not act, since nobody is ever found.
        passage_of: Number of the passage that a probe belongs to, from 0; None if it
            belongs to none, which leaves it out.
        n_passages: How many there are, with those that never show a face.
        clock: Nanoseconds.
    """
    embedder = make_embedder(config.embedder)
    index = RecordingIndex()
    pipeline = Pipeline(
        detector=make_detector(config.detector),
        refiner=make_refiner(config.alignment),
        embedder=embedder,
        index=index,
        subject_ids=(_NOBODY,),
        decider=Decider(1.0, config.decision),
        config=config,
        clock=clock,
    )
    passages: list[int] = []
    templates: list[NDArray[np.float32]] = []
    for result in unhurried(frames, Worker(pipeline, clock=clock), clock=clock):
        vectors = [vector for batch in index.searched for vector in batch]
        index.searched.clear()
        for probe, vector in zip(result.probes, vectors, strict=True):
            passage = passage_of(probe)
            if passage is not None:
                passages.append(passage)
                templates.append(vector)
    order = np.argsort(np.array(passages, np.int64), kind="stable")
    fused = np.array(templates, np.float32).reshape(-1, embedder.dimension)
    return Cohort(
        templates=fused[order],
        passages=np.array(passages, np.int64)[order],
        n_passages=n_passages,
        embedder_sha256=embedder_sha256(config.embedder),
        settings=settings_of(config),
    )
