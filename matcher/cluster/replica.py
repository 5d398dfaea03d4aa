"""One worker's worth of matcher as an actor: frames in by one call, results by another.

Owns the actor's inbox, its life's name and its manners. It is a plain class: whoever
places it makes it an actor. Knows nothing of who calls, or of other replicas.

An actor that Ray has started again in place of a dead one knows nothing. So every life
has a name, and frames are addressed to a life: those that were on their way to a dead
one are not taken by its successor, which first has to `resume`.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from matcher.assembly import (
    AlertThreshold,
    assemble,
    detector_sha256,
    embedder_sha256,
    make_detector,
    make_embedder,
)
from matcher.decision import Decider
from matcher.engine import limit_threads, pack_parcel, warm_up
from matcher.inbox import Inbox, Waiting
from matcher.landmarks import make_refiner
from matcher.messages import Results, SystemDescription
from matcher.pipeline import Pipeline
from matcher.streams.capture_clock import this_boot
from matcher.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matcher.config import EngineConfig, MatcherConfig
    from matcher.gallery import Gallery
    from matcher.messages import CameraMemory, Parcel
    from matcher.protocols import GalleryIndex
    from matcher.records import EncodedFrame, FrameResult, SubjectId

__all__ = ["FarGallery", "Replica", "make_far_worker", "make_near_worker"]

_LIBRARIES = ("av", "faiss-cpu", "numpy", "onnxruntime", "opencv-python-headless")


@dataclass(frozen=True, slots=True, kw_only=True)
class FarGallery:
    """A gallery whose templates are elsewhere.

    Attributes:
        index: The way to them, which can be sent to other processes.
        subject_ids: In the order of its rows.
        threshold: For this gallery.
        description: Of the index, for the record.
    """

    index: GalleryIndex
    subject_ids: Sequence[SubjectId]
    threshold: AlertThreshold
    description: str


class Replica:
    """A worker behind calls; `work` and `take` run at the same time.

    Args:
        engine: Drop policy and batching.
        make: Makes the worker, and says what it is.
    """

    def __init__(
        self,
        engine: EngineConfig,
        make: Callable[[], tuple[Worker, SystemDescription]],
    ) -> None:
        self._engine = engine
        self._clock = time.perf_counter_ns
        self._worker, self._system = make()
        self._inbox = Inbox(engine)
        self._life = f"{this_boot()}-{os.getpid()}-{self._clock()}"

    def system(self) -> SystemDescription:
        """What it is; says that its networks are warm."""
        return self._system

    def read_clock(self) -> tuple[str, int]:
        """Which clock its stamps are of, and what it reads, nanoseconds."""
        return this_boot(), self._clock()

    def resume(
        self, memories: tuple[CameraMemory, ...], frames: tuple[EncodedFrame, ...]
    ) -> str:
        """Take the place of a life that has ended; see `Worker.resume`.

        Returns:
            The name of this life.
        """
        self._worker.resume(memories, frames)
        return self._life

    def take(self, life: str, frame: EncodedFrame) -> None:
        """Let a frame in, if it is for this life."""
        if life == self._life:
            self._inbox.put(frame, received_ns=self._clock())

    def work(self) -> Parcel:
        """Handle what is there, waiting for it if need be.

        Returns:
            Results of one interval, or up to the first alert.
        """
        interval_ns = round(self._engine.results_interval_s * 1e9)
        began_ns = self._clock()
        results: list[FrameResult] = []
        while True:
            first = self._inbox.take()
            if not isinstance(first, Waiting):
                break
            batch = self._inbox.take_company(
                first,
                at_most=self._engine.batch_frames,
                wait_s=self._engine.batch_wait_s,
            )
            results.extend(self._worker.handle(batch))
            is_time = self._clock() - began_ns >= interval_ns
            if is_time or self._inbox.is_empty or any(r.alerts for r in results):
                break
        return pack_parcel(self._worker, Results(frames=tuple(results)))


def make_near_worker(
    config: MatcherConfig, gallery: Gallery
) -> tuple[Worker, SystemDescription]:
    """Make a worker that holds the whole gallery."""
    threads = limit_threads()
    clock = time.perf_counter_ns
    assembly = assemble(config, gallery, clock=clock)
    warm_up(assembly.detector, assembly.embedder, config)
    system = _describe(
        config,
        threads,
        index=config.index.name,
        gallery_size=len(gallery),
        threshold=assembly.threshold,
    )
    return Worker(assembly.pipeline, clock=clock), system


def make_far_worker(
    config: MatcherConfig, gallery: FarGallery
) -> tuple[Worker, SystemDescription]:
    """Make a worker that searches elsewhere."""
    threads = limit_threads()
    clock = time.perf_counter_ns
    detector, embedder = make_detector(config.detector), make_embedder(config.embedder)
    pipeline = Pipeline(
        detector=detector,
        refiner=make_refiner(config.alignment),
        embedder=embedder,
        index=gallery.index,
        subject_ids=gallery.subject_ids,
        decider=Decider(gallery.threshold.value, config.decision),
        config=config,
        clock=clock,
    )
    warm_up(detector, embedder, config)
    system = _describe(
        config,
        threads,
        index=gallery.description,
        gallery_size=len(gallery.subject_ids),
        threshold=gallery.threshold,
    )
    return Worker(pipeline, clock=clock), system


def _describe(
    config: MatcherConfig,
    threads: tuple[tuple[str, int], ...],
    *,
    index: str,
    gallery_size: int,
    threshold: AlertThreshold,
) -> SystemDescription:
    return SystemDescription(
        name="matcher on Ray",
        detector=f"{config.detector.name}@{detector_sha256(config.detector)}",
        embedder=f"{config.embedder.name}@{embedder_sha256(config.embedder)}",
        index=index,
        gallery_size=gallery_size,
        threshold=threshold.value,
        threshold_origin=threshold.origin,
        threads=threads,
        versions=tuple((name, version(name)) for name in _LIBRARIES),
        n_cohort=threshold.n_cohort,
    )
