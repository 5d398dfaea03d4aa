"""A whole matcher of honest stand-ins, in processes of its own: it starts in no time.

Decoding, tracking, deciding and supervising are real; only the networks are not.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np
from matcher_doubles import GREY, ColourDetector, ColourEmbedder

from matcher.config import BestShotConfig, EngineConfig, MatcherConfig, QualityConfig
from matcher.decision import Decider
from matcher.engine import converse, manners, pack_parcel
from matcher.gallery import Gallery
from matcher.indexes.exact import ExactIndex
from matcher.landmarks import AsDetected
from matcher.live_gallery import LiveGallery
from matcher.messages import SystemDescription
from matcher.pipeline import Pipeline
from matcher.records import SubjectId
from matcher.supervisor import Supervisor
from matcher.worker import Worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from matcher.berth import Orders
    from matcher.messages import FromWorker, ToWorker

SYSTEM = SystemDescription(
    name="colours",
    detector="colours",
    embedder="colours",
    index="exact",
    gallery_size=2,
    threshold=0.9,
    threshold_origin="given",
    threads=(),
    versions=(),
)
# Kept here by a worker that is to die over and over before it is ready.
DEATH_CODE = 7


def colour_gallery() -> LiveGallery:
    """Enrol a blue and a red subject."""
    gallery = np.full((2, 3), -GREY, np.float32)
    gallery[0, 0], gallery[1, 2] = 220 - GREY, 220 - GREY
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    enrolled = Gallery(
        templates=gallery,
        subject_ids=(SubjectId("blue"), SubjectId("red")),
        embedder_sha256="0" * 64,
    )
    return LiveGallery(enrolled, ExactIndex(gallery))


def colour_pipeline(config: MatcherConfig, gallery: LiveGallery) -> Pipeline:
    """A pipeline that looks for whoever is enrolled."""
    return Pipeline(
        detector=ColourDetector(),
        refiner=AsDetected(),
        embedder=ColourEmbedder(),
        index=gallery.index,
        subject_ids=gallery.subject_ids,
        decider=Decider(0.9, config.decision),
        config=config,
        clock=time.perf_counter_ns,
    )


def serve_colours(
    connection: Connection[FromWorker, ToWorker], engine: EngineConfig
) -> None:
    """Be a supervisor over workers with such pipelines."""
    config = MatcherConfig(
        quality=QualityConfig(min_quality=0.0),
        best_shot=BestShotConfig(interval_s=0.3, min_gain=1.0, max_shots=3),
        engine=engine,
    )

    gallery = colour_gallery()

    def work(connection: Connection[FromWorker, ToWorker], orders: Orders) -> None:
        with manners(connection):
            worker = Worker(
                colour_pipeline(config, gallery), clock=time.perf_counter_ns
            )
            worker.resume(orders.memories, orders.frames)
            converse(
                connection,
                worker,
                system=SYSTEM,
                config=engine,
                clock=time.perf_counter_ns,
                change=gallery.carry_out,
                pack=lambda results: pack_parcel(worker, results),
            )

    with manners(connection):
        Supervisor(
            connection,
            work=work,
            config=engine,
            clock=time.perf_counter_ns,
            change=gallery.carry_out,
        ).run()


def serve_the_doomed(
    connection: Connection[FromWorker, ToWorker], engine: EngineConfig
) -> None:
    """Be a supervisor over workers that end before they are ready."""

    def work(_connection: Connection[FromWorker, ToWorker], _orders: Orders) -> None:
        os._exit(DEATH_CODE)

    with manners(connection):
        Supervisor(
            connection,
            work=work,
            config=engine,
            clock=time.perf_counter_ns,
            change=colour_gallery().carry_out,
        ).run()
