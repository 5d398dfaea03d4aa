"""One frame through all stages, in order.

Owns the order and what is remembered of each camera. Knows no plug-in by name; knows
nothing of waiting, skipping or processes, which are `matcher.engine`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from matcher.alignment import align
from matcher.best_shot import Shots, is_worth_embedding, no_shots, with_shot
from matcher.fusion import fuse
from matcher.quality import assess
from matcher.records import (
    Alert,
    BestShot,
    Embeddings,
    FrameOutcome,
    FrameResult,
    Outcome,
    Probe,
    Stage,
    TrackId,
)
from matcher.stamps import Stamps
from matcher.tracking import NO_TRACK, Tracks, no_tracks, track

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from matcher.config import MatcherConfig
    from matcher.decision import Decider
    from matcher.protocols import (
        Detector,
        Embedder,
        GalleryIndex,
        LandmarkRefiner,
    )
    from matcher.records import (
        CameraId,
        CandidateLists,
        Detections,
        Frame,
        SubjectId,
    )

__all__ = ["Pipeline"]


@dataclass(slots=True)
class _Camera:
    """What is remembered between the frames of one camera."""

    tracks: Tracks = field(default_factory=no_tracks)
    shots: dict[TrackId, Shots] = field(default_factory=dict)


class Pipeline:
    """Detect, track, align, embed, search, decide.

    Args:
        detector, refiner, embedder, index: The plug-ins.
        subject_ids: Whose the rows of the index are.
        decider: Threshold and de-duplication.
        config: Settings of the stages between the plug-ins.
        clock: Nanoseconds; read between stages.
    """

    def __init__(
        self,
        *,
        detector: Detector,
        refiner: LandmarkRefiner,
        embedder: Embedder,
        index: GalleryIndex,
        subject_ids: Sequence[SubjectId],
        decider: Decider,
        config: MatcherConfig,
        clock: Callable[[], int],
    ) -> None:
        self._detector = detector
        self._refiner = refiner
        self._embedder = embedder
        self._index = index
        self._subject_ids = subject_ids
        self._decider = decider
        self._config = config
        self._clock = clock
        self._cameras: dict[CameraId, _Camera] = {}

    def process(self, frame: Frame, *, received_ns: int) -> FrameResult:
        """Take one frame through all stages.

        Args:
            frame: Later than any frame of its camera before.
            received_ns: When the matcher received it.

        Returns:
            Its outcome, always `PROCESSED`, and all that was found.
        """
        camera = self._cameras.setdefault(frame.camera_id, _Camera())
        stamps = Stamps(frame, self._clock)
        detections = self._detector.detect(frame.image_bgr)
        stamps.ended(Stage.DETECT, n_faces=0)
        rows = self._follow(frame, camera, detections)
        stamps.ended(Stage.TRACK, n_faces=len(detections))
        shots, n_aligned = self._shoot(frame, camera, detections, rows)
        stamps.ended(Stage.ALIGN, n_faces=n_aligned)
        embeddings = self._embed(shots)
        stamps.ended(Stage.EMBED, n_faces=len(shots))
        searched, fused = self._fuse(frame, camera, shots, embeddings)
        candidates = self._index.search(fused, k=1)
        stamps.ended(Stage.SEARCH, n_faces=len(searched))
        probes = self._probe(frame, camera, searched, candidates)
        alerts = tuple(
            self._alert(probe) for probe in probes if self._decider.decide(probe)
        )
        done_ns = stamps.ended(Stage.DECIDE, n_faces=len(probes))
        ids = camera.tracks.ids
        return FrameResult(
            outcome=FrameOutcome(
                camera_id=frame.camera_id,
                frame_index=frame.index,
                capture_time_ns=frame.capture_time_ns,
                received_ns=received_ns,
                done_ns=done_ns,
                outcome=Outcome.PROCESSED,
                cause="",
                n_faces=len(detections),
            ),
            events=tuple(stamps.events),
            boxes=tuple(
                (NO_TRACK if row == NO_TRACK else int(ids[row]), *_four(box))
                for row, box in zip(rows, detections.boxes_xyxy, strict=True)
            ),
            probes=probes,
            alerts=alerts,
        )

    def _follow(
        self, frame: Frame, camera: _Camera, detections: Detections
    ) -> NDArray[np.int64]:
        """Continue the camera's tracks and forget those that are over."""
        camera.tracks, rows = track(
            camera.tracks,
            detections,
            time_ns=frame.capture_time_ns,
            config=self._config.tracker,
        )
        alive = set(camera.tracks.ids.tolist())
        for track_id in [t for t in camera.shots if t not in alive]:
            del camera.shots[track_id]
            self._decider.forget(frame.camera_id, track_id)
        return rows

    def _shoot(
        self,
        frame: Frame,
        camera: _Camera,
        detections: Detections,
        rows: NDArray[np.int64],
    ) -> tuple[list[BestShot], int]:
        """Cut chips of the trusted tracks' faces; choose those worth embedding.

        Only the chosen are looked at again and cut anew by their true landmarks.
        """
        config = self._config
        boxes = detections.boxes_xyxy
        large = boxes[:, 3] - boxes[:, 1] >= config.quality.min_face_height_px
        faces = np.flatnonzero((rows != NO_TRACK) & large)
        trusted = camera.tracks.hits[rows[faces]] >= config.tracker.confirm_hits
        faces = faces[trusted]
        chips = align(
            frame.image_bgr,
            detections.landmarks[faces],
            chip_px=self._embedder.chip_px,
        )
        qualities = assess(detections, faces, chips, config=config.quality)
        chosen = []
        for face, quality in zip(faces, qualities, strict=True):
            track_id = TrackId(int(camera.tracks.ids[rows[face]]))
            kept = camera.shots.get(track_id, no_shots(self._embedder.dimension))
            if quality >= config.quality.min_quality and is_worth_embedding(
                kept,
                quality=float(quality),
                time_ns=frame.capture_time_ns,
                config=config.best_shot,
            ):
                chosen.append((face, track_id, float(quality)))
        landmarks = detections.landmarks[[face for face, _, _ in chosen]]
        chips = align(
            frame.image_bgr,
            self._refiner.refine(frame.image_bgr, landmarks),
            chip_px=self._embedder.chip_px,
        )
        shots = [
            BestShot(
                track_id=track_id,
                frame_index=frame.index,
                box_xyxy=boxes[face],
                chip_bgr=chip,
                quality=quality,
            )
            for (face, track_id, quality), chip in zip(chosen, chips, strict=True)
        ]
        return shots, len(faces)

    def _embed(self, shots: list[BestShot]) -> Embeddings:
        side = self._embedder.chip_px
        chips = np.empty((len(shots), side, side, 3), np.uint8)
        for row, shot in enumerate(shots):
            chips[row] = shot.chip_bgr
        return self._embedder.embed(chips)

    def _fuse(
        self,
        frame: Frame,
        camera: _Camera,
        shots: list[BestShot],
        embeddings: Embeddings,
    ) -> tuple[list[BestShot], Embeddings]:
        """Add the new templates to their tracks; fuse the tracks ready to search."""
        searched, fused = [], []
        for shot, template in zip(shots, embeddings.vectors, strict=True):
            kept = with_shot(
                camera.shots.get(shot.track_id, no_shots(len(template))),
                template=template,
                quality=shot.quality,
                time_ns=frame.capture_time_ns,
                config=self._config.best_shot,
            )
            camera.shots[shot.track_id] = kept
            if len(kept) >= self._config.decision.min_shots:
                searched.append(shot)
                fused.append(fuse(kept.templates, kept.qualities))
        vectors = np.array(fused, np.float32).reshape(-1, self._embedder.dimension)
        return searched, Embeddings(vectors=vectors)

    def _probe(
        self,
        frame: Frame,
        camera: _Camera,
        searched: list[BestShot],
        candidates: CandidateLists,
    ) -> tuple[Probe, ...]:
        return tuple(
            Probe(
                camera_id=frame.camera_id,
                track_id=shot.track_id,
                frame_index=frame.index,
                capture_time_ns=frame.capture_time_ns,
                box_xyxy=_four(shot.box_xyxy),
                quality=shot.quality,
                n_shots=len(camera.shots[shot.track_id]),
                subject_id=self._subject_ids[int(rows[0])],
                comparison_score=float(scores[0]),
                decided_ns=self._clock(),
            )
            for shot, rows, scores in zip(
                searched, candidates.rows, candidates.scores, strict=True
            )
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
