"""The second half of the pipeline: from chips to probes and alerts.

Owns embedding, searching and deciding for frames of several cameras at once. Knows
nothing of pictures, detectors or tracks' motion, which are `matcher.pipeline`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matcher.best_shot import is_somebody_else, no_shots, with_shot
from matcher.fusion import fuse
from matcher.records import (
    Alert,
    Embeddings,
    FrameOutcome,
    FrameResult,
    Outcome,
    Probe,
    Stage,
)
from matcher.stamps import share_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from matcher.best_shot import Shots
    from matcher.config import MatcherConfig
    from matcher.decision import Decider
    from matcher.protocols import Embedder, GalleryIndex
    from matcher.records import BestShot, CameraId, SubjectId, TrackId
    from matcher.stamps import Stamps

__all__ = ["Identifier", "Look"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """A frame between looking and identifying: what was seen on it.

    Attributes:
        camera_id, frame_index, capture_time_ns: Which frame.
        received_ns: When the matcher received it.
        n_faces: Faces detected.
        boxes: As in `FrameResult`.
        shots: Faces to embed.
        kept: What is kept of each track of the camera; identifying adds to it.
        stamps: The frame's stages so far.
    """

    camera_id: CameraId
    frame_index: int
    capture_time_ns: int
    received_ns: int
    n_faces: int
    boxes: tuple[tuple[int, float, float, float, float], ...]
    shots: tuple[BestShot, ...]
    kept: dict[TrackId, Shots]
    stamps: Stamps


class Identifier:
    """Embed, search, decide.

    Args:
        embedder, index: The plug-ins.
        subject_ids: Whose the rows of the index are.
        decider: Threshold and de-duplication.
        config: Which shots are kept, and how many make a search.
        clock: Nanoseconds.
    """

    def __init__(
        self,
        *,
        embedder: Embedder,
        index: GalleryIndex,
        subject_ids: Sequence[SubjectId],
        decider: Decider,
        config: MatcherConfig,
        clock: Callable[[], int],
    ) -> None:
        self._embedder = embedder
        self._index = index
        self._subject_ids = subject_ids
        self._decider = decider
        self._config = config
        self._clock = clock

    def watch(
        self, index: GalleryIndex, subject_ids: Sequence[SubjectId], *, threshold: float
    ) -> None:
        """Search another gallery from the next frame on."""
        self._index = index
        self._subject_ids = subject_ids
        self._decider.threshold = threshold

    def identify(self, looks: Sequence[Look]) -> list[FrameResult]:
        """Take frames, no two of one camera, to their ends, in order."""
        stamps = [look.stamps for look in looks]
        begun_ns = self._clock()
        embeddings = self._embed([shot for look in looks for shot in look.shots])
        embedded_ns = self._clock()
        share_out(
            stamps,
            Stage.EMBED,
            n_faces=[len(look.shots) for look in looks],
            begun_ns=begun_ns,
            ended_ns=embedded_ns,
        )
        ready, fused = self._fuse(looks, embeddings)
        candidates = self._index.search(fused, k=self._config.decision.candidates)
        share_out(
            stamps,
            Stage.SEARCH,
            n_faces=[len(shots) for shots in ready],
            begun_ns=embedded_ns,
            ended_ns=self._clock(),
        )
        found = zip(candidates.rows, candidates.scores[:, 0], strict=True)
        return [
            self._decide(look, [(shot, *next(found)) for shot in shots])
            for look, shots in zip(looks, ready, strict=True)
        ]

    def _embed(self, shots: Sequence[BestShot]) -> Embeddings:
        side = self._embedder.chip_px
        chips = np.empty((len(shots), side, side, 3), np.uint8)
        for row, shot in enumerate(shots):
            chips[row] = shot.chip_bgr
        return self._embedder.embed(chips)

    def _fuse(
        self, looks: Sequence[Look], embeddings: Embeddings
    ) -> tuple[list[list[BestShot]], Embeddings]:
        """Add the new templates to their tracks; fuse the tracks ready to search."""
        templates = iter(embeddings.vectors)
        ready: list[list[BestShot]] = []
        fused = []
        for look in looks:
            ready.append([])
            for shot in look.shots:
                template = next(templates)
                kept = look.kept.get(shot.track_id, no_shots(len(template)))
                if is_somebody_else(kept, template, config=self._config.best_shot):
                    kept = no_shots(len(template))
                    # Whom the track has told of is not who it follows now.
                    self._decider.forget(look.camera_id, shot.track_id)
                kept = with_shot(
                    kept,
                    template=template,
                    quality=shot.quality,
                    time_ns=look.capture_time_ns,
                    config=self._config.best_shot,
                )
                look.kept[shot.track_id] = kept
                if len(kept) >= self._config.decision.min_shots:
                    ready[-1].append(shot)
                    fused.append(
                        fuse(
                            kept.templates,
                            kept.qualities,
                            emphasis=self._config.best_shot.emphasis,
                        )
                    )
        vectors = np.array(fused, np.float32).reshape(-1, self._embedder.dimension)
        return ready, Embeddings(vectors=vectors)

    def _decide(
        self,
        look: Look,
        found: list[tuple[BestShot, NDArray[np.int64], np.float32]],
    ) -> FrameResult:
        probes = tuple(
            Probe(
                camera_id=look.camera_id,
                track_id=shot.track_id,
                frame_index=look.frame_index,
                capture_time_ns=look.capture_time_ns,
                box_xyxy=_four(shot.box_xyxy),
                quality=shot.quality,
                n_shots=len(look.kept[shot.track_id]),
                subject_id=self._subject_ids[int(rows[0])],
                comparison_score=float(score),
                decided_ns=self._clock(),
                runners_up=tuple(self._subject_ids[int(row)] for row in rows[1:]),
            )
            for shot, rows, score in found
        )
        alerts = tuple(
            self._alert(probe) for probe in probes if self._decider.decide(probe)
        )
        done_ns = look.stamps.ended(Stage.DECIDE, n_faces=len(probes))
        return FrameResult(
            outcome=FrameOutcome(
                camera_id=look.camera_id,
                frame_index=look.frame_index,
                capture_time_ns=look.capture_time_ns,
                received_ns=look.received_ns,
                done_ns=done_ns,
                outcome=Outcome.PROCESSED,
                cause="",
                n_faces=look.n_faces,
            ),
            events=tuple(look.stamps.events),
            boxes=look.boxes,
            probes=probes,
            alerts=alerts,
        )

    def _alert(self, probe: Probe) -> Alert:
        return Alert(
            camera_id=probe.camera_id,
            track_id=probe.track_id,
            frame_index=probe.frame_index,
            subject_id=probe.subject_id,
            comparison_score=probe.comparison_score,
            threshold=self._decider.threshold,
            box_xyxy=probe.box_xyxy,
            capture_time_ns=probe.capture_time_ns,
            alert_time_ns=self._clock(),
        )


def _four(box: NDArray[np.float32]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2
