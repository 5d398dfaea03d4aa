"""The loop that anybody would write first: detect and embed everything, every frame.

No tracks, no best shots, no prediction, no gate: each face of each frame is found at
full size, embedded and searched by itself. What the engine is measured against.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from matcher.alignment import align
from matcher.assembly import make_detector, make_embedder
from matcher.engine import converse, limit_threads, manners
from matcher.errors import GalleryError
from matcher.ingest import CameraDecoder
from matcher.messages import SystemDescription
from matcher.records import FrameOutcome, FrameResult, Outcome, Probe, TrackId
from matcher.registry import INDEXES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matcher.inbox import Waiting

__all__ = ["StraightforwardLoop", "serve_straightforward"]

_FULL_WIDTH_PX = 7680


class StraightforwardLoop:
    """Detect and embed every face of every full frame.

    Args:
        config: Which detector, embedder and index; nothing else acts.
        gallery: Who is enrolled.
    """

    def __init__(self, config, gallery):
        full = {"detection_width_px": _FULL_WIDTH_PX}
        self._detector = make_detector(config.detector.model_copy(update=full))
        self._embedder = make_embedder(config.embedder)
        self._index = INDEXES.make(config.index.name, config.index, gallery.templates)
        self._subject_ids = gallery.subject_ids
        self._decoders = {}

    def handle(self, batch: Sequence[Waiting]) -> Sequence[FrameResult]:
        """Bring frames to their ends, in order."""
        return [self._handle(waiting) for waiting in batch]

    def _handle(self, waiting):
        encoded = waiting.frame
        decoder = self._decoders.setdefault(encoded.camera_id, CameraDecoder())
        probes = ()
        if waiting.overtaken_by > 0:
            decoder.advance(encoded)
        else:
            frame = decoder.decode(encoded)
            found = self._detector.detect(frame.image_bgr)
            chips = align(
                frame.image_bgr, found.landmarks, chip_px=self._embedder.chip_px
            )
            candidates = self._index.search(self._embedder.embed(chips), k=1)
            probes = tuple(
                Probe(
                    camera_id=encoded.camera_id,
                    track_id=TrackId(face),
                    frame_index=encoded.index,
                    capture_time_ns=encoded.capture_time_ns,
                    box_xyxy=tuple(found.boxes_xyxy[face].tolist()),
                    quality=float(found.scores[face]),
                    n_shots=1,
                    subject_id=self._subject_ids[int(candidates.rows[face, 0])],
                    comparison_score=float(candidates.scores[face, 0]),
                    decided_ns=time.perf_counter_ns(),
                )
                for face in range(len(found))
            )
        skipped = waiting.overtaken_by > 0
        return FrameResult(
            outcome=FrameOutcome(
                camera_id=encoded.camera_id,
                frame_index=encoded.index,
                capture_time_ns=encoded.capture_time_ns,
                received_ns=waiting.received_ns,
                done_ns=time.perf_counter_ns(),
                outcome=Outcome.SKIPPED if skipped else Outcome.PROCESSED,
                cause="overtaken" if skipped else "",
                n_faces=len(probes),
            ),
            events=(),
            boxes=(),
            probes=probes,
            alerts=(),
        )


def _refuse(_change):
    raise GalleryError("the plain loop keeps its gallery as it is")


def serve_straightforward(connection, config, gallery):
    """Be a process that runs the loop."""
    with manners(connection):
        threads = limit_threads()
        loop = StraightforwardLoop(config, gallery)
        converse(
            connection,
            loop,
            system=SystemDescription(
                name="straightforward",
                detector=config.detector.name,
                embedder=config.embedder.name,
                index=config.index.name,
                gallery_size=len(gallery),
                threshold=1.0,
                threshold_origin="nothing is decided",
                threads=threads,
                versions=(),
            ),
            config=config.engine,
            clock=time.perf_counter_ns,
            change=_refuse,
        )
