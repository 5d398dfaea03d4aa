"""One frame through all stages, in order.

Owns the order and what is remembered of each camera. Knows no plug-in by name; knows
nothing of waiting, skipping or processes, which are `matcher.engine`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from matcher.alignment import align
from matcher.best_shot import Shots, is_worth_embedding, no_shots
from matcher.cadence import is_detection_due
from matcher.identification import Identifier, Look
from matcher.messages import CameraMemory
from matcher.quality import assess
from matcher.records import (
    BestShot,
    FrameResult,
    Stage,
    TrackId,
)
from matcher.stamps import Stamps
from matcher.tracking import NO_TRACK, Tracks, no_tracks, predict, track

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
        Detections,
        EncodedFrame,
        Frame,
        SubjectId,
    )

__all__ = ["Pipeline"]

# Before a camera's first frame.
_NEVER = -1


@dataclass(slots=True)
class _Camera:
    """What is remembered between the frames of one camera."""

    tracks: Tracks = field(default_factory=no_tracks)
    shots: dict[TrackId, Shots] = field(default_factory=dict)
    seen_ns: int = _NEVER
    detected_ns: int = _NEVER


class Pipeline:
    """Detect, track, align; embed, search, decide.

    The first three, `look`, take one frame; the others, `identify`, take one or
    several of different cameras.

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
        self._decider = decider
        self._identifier = Identifier(
            embedder=embedder,
            index=index,
            subject_ids=subject_ids,
            decider=decider,
            config=config,
            clock=clock,
        )
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
        (result,) = self.identify([self.look(frame, received_ns=received_ns)])
        return result

    def is_due(self, frame: EncodedFrame) -> bool:
        """Say whether a frame is to be looked at; if not, let it `coast`."""
        camera = self._camera(frame.camera_id)
        return camera.detected_ns == _NEVER or is_detection_due(
            camera.tracks,
            detected_ns=camera.detected_ns,
            time_ns=frame.capture_time_ns,
            confirm_hits=self._config.tracker.confirm_hits,
            config=self._config.cadence,
        )

    def look(self, frame: Frame, *, received_ns: int) -> Look:
        """Detect, track and align the faces of one frame."""
        camera = self._camera(frame.camera_id)
        stamps = Stamps(frame, self._clock)
        view, scale = frame.picture.shrunk(
            width_px=self._config.detector.detection_width_px
        )
        detections = self._detector.detect(view).magnified(scale)
        camera.seen_ns = camera.detected_ns = frame.capture_time_ns
        stamps.ended(Stage.DETECT, n_faces=0)
        rows = self._follow(frame, camera, detections)
        stamps.ended(Stage.TRACK, n_faces=len(detections))
        shots, n_aligned = self._shoot(frame, camera, detections, rows)
        stamps.ended(Stage.ALIGN, n_faces=n_aligned)
        ids = camera.tracks.ids
        return Look(
            camera_id=frame.camera_id,
            frame_index=frame.index,
            capture_time_ns=frame.capture_time_ns,
            received_ns=received_ns,
            n_faces=len(detections),
            boxes=tuple(
                (NO_TRACK if row == NO_TRACK else int(ids[row]), *_four(box))
                for row, box in zip(rows, detections.boxes_xyxy, strict=True)
            ),
            shots=tuple(shots),
            kept=camera.shots,
            stamps=stamps,
        )

    def coast(self, frame: EncodedFrame, *, received_ns: int) -> Look:
        """Take a frame for what prediction makes of it; nothing is detected."""
        camera = self._camera(frame.camera_id)
        stamps = Stamps(frame, self._clock)
        stamps.ended(Stage.DETECT, n_faces=0)
        camera.seen_ns = frame.capture_time_ns
        in_view = camera.tracks.seen_ns == camera.detected_ns
        in_view &= camera.tracks.hits >= self._config.tracker.confirm_hits
        centred = predict(camera.tracks, time_ns=frame.capture_time_ns)[in_view]
        corners = np.concatenate(
            [
                centred[:, :2] - centred[:, 2:] / 2,
                centred[:, :2] + centred[:, 2:] / 2,
            ],
            axis=1,
        )
        stamps.ended(Stage.TRACK, n_faces=len(corners))
        stamps.ended(Stage.ALIGN, n_faces=0)
        return Look(
            camera_id=frame.camera_id,
            frame_index=frame.index,
            capture_time_ns=frame.capture_time_ns,
            received_ns=received_ns,
            n_faces=0,
            boxes=tuple(
                (int(track_id), *_four(box))
                for track_id, box in zip(
                    camera.tracks.ids[in_view], corners, strict=True
                )
            ),
            shots=(),
            kept=camera.shots,
            stamps=stamps,
        )

    def identify(self, looks: Sequence[Look]) -> list[FrameResult]:
        """Embed, search and decide the faces of frames, no two of one camera."""
        return self._identifier.identify(looks)

    def watch(
        self, index: GalleryIndex, subject_ids: Sequence[SubjectId], *, threshold: float
    ) -> None:
        """Search another gallery from the next frame on; tracks go on."""
        self._identifier.watch(index, subject_ids, threshold=threshold)

    def restart(self, camera_id: CameraId) -> None:
        """Begin a camera anew: its clock or its view is another, its tracks are over.

        Track numbers go on, so that none names two faces.
        """
        camera = self._cameras.get(camera_id)
        self._decider.forget_camera(camera_id)
        if camera is not None:
            tracks = replace(no_tracks(), next_id=camera.tracks.next_id)
            self._cameras[camera_id] = _Camera(tracks=tracks)

    def forget(self, camera_id: CameraId) -> None:
        """Know nothing of a camera, as if it had never sent a frame."""
        self._decider.forget_camera(camera_id)
        self._cameras.pop(camera_id, None)

    def remembers(self, camera_id: CameraId) -> bool:
        """Whether anything is kept of a camera: tracks, templates, alerts."""
        return camera_id in self._cameras

    def memory_of(self, camera_id: CameraId) -> CameraMemory:
        """Say what a successor of this pipeline would have to know of a camera."""
        camera = self._camera(camera_id)
        return CameraMemory(
            camera_id=camera_id,
            next_track_id=camera.tracks.next_id,
            alerted=self._decider.alerted(camera_id, now_ns=camera.seen_ns),
        )

    def recall(self, memory: CameraMemory) -> None:
        """Know what a predecessor knew; to be called before the first frame."""
        camera = self._camera(memory.camera_id)
        camera.tracks = replace(camera.tracks, next_id=memory.next_track_id)
        self._decider.recall(memory.camera_id, memory.alerted)

    def _camera(self, camera_id: CameraId) -> _Camera:
        camera = self._cameras.get(camera_id)
        if camera is None:
            camera = self._cameras[camera_id] = _Camera()
        return camera

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
        grey = align(
            frame.picture.luma,
            detections.landmarks[faces],
            chip_px=self._embedder.chip_px,
        )
        qualities = assess(detections, faces, grey, config=config.quality)
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
        if not chosen:
            # Nobody is cut out, so the whole picture is not even converted.
            return [], len(faces)
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


def _four(box: NDArray[np.floating]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2
