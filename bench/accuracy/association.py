"""Who was it? The join of what the matcher saw with what was true.

Owns the one rule by which a box belongs to a passage. Knows nothing of rates: it
only puts a name to every track, probe and alert, frame by frame.

In each processed frame, detected boxes and true faces are paired one to one so that
the sum of their overlaps is largest, and pairs below `MIN_IOU` are cut. Each frame is
judged by itself: a track that slips from one person to another where they cross
changes hands with it. True faces that nobody could see take no part; else the box of
the person in front could be given to the one behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from bench.records import AlertOutcome, ProbeOutcome
from synthetic_crowds.records import NO_PASSAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from matcher.records import Alert, FrameResult, Probe
    from synthetic_crowds.records import Clip, Passage

__all__ = ["MIN_IOU", "MIN_VISIBILITY", "TruthJoin", "iou_matrix"]

# Detectors differ in what they call a face (hairline or brow, ears or cheeks): two
# honest boxes of one face overlap by 0.5 and more, those of neighbours by far less.
MIN_IOU = 0.3

# A face with less than a fifth of it in view is not what a detector has found there.
MIN_VISIBILITY = 0.2


class TruthJoin:
    """The passages of a crowd, and which of them every box shows."""

    def __init__(self, clips: Sequence[Clip], results: Sequence[FrameResult]) -> None:
        """Pair every processed frame's boxes with its true faces.

        Args:
            clips: The cameras' clips with their truth.
            results: The matcher's word on every frame.
        """
        self._truth = {str(clip.camera_id): _CameraTruth(clip) for clip in clips}
        self._passage_of: dict[tuple[str, int, int], Passage | None] = {}
        self._detected: dict[str, set[int]] = {}
        for result in results:
            camera_id = str(result.outcome.camera_id)
            index = result.outcome.frame_index
            if camera_id not in self._truth or not result.boxes:
                continue
            boxes = np.array([box[1:] for box in result.boxes], dtype=np.float64)
            shown = self._truth[camera_id].passages_of(index, boxes)
            for box, passage in zip(result.boxes, shown, strict=True):
                self._passage_of[camera_id, index, box[0]] = passage
                if passage is not None:
                    self._detected.setdefault(passage.passage_id, set()).add(index)

    def detected(self, passage: Passage) -> set[int]:
        """List the frames in which a passage's face was found, by index."""
        return self._detected.get(passage.passage_id, set())

    def passage(self, found: Probe | Alert) -> Passage | None:
        """Name the passage whose face raised a probe or an alert."""
        camera_id = str(found.camera_id)
        where = (camera_id, found.frame_index, found.track_id)
        if where in self._passage_of or camera_id not in self._truth:
            return self._passage_of.get(where)
        # The matcher may cut its shot from a frame whose boxes it does not report:
        # the shot's own box then speaks for itself.
        box = np.array([found.box_xyxy], dtype=np.float64)
        return self._truth[camera_id].passages_of(found.frame_index, box)[0]

    def probe_outcome(self, probe: Probe) -> ProbeOutcome:
        """Join one probe with the truth."""
        passage = self.passage(probe)
        return ProbeOutcome(
            camera_id=probe.camera_id,
            frame_index=probe.frame_index,
            track_id=probe.track_id,
            n_shots=probe.n_shots,
            quality=probe.quality,
            subject_id=probe.subject_id,
            comparison_score=probe.comparison_score,
            passage_id=None if passage is None else passage.passage_id,
            person_id=None if passage is None else passage.person_id,
            rank=None if passage is None else _rank(probe, str(passage.person_id)),
        )

    def alert_outcome(self, alert: Alert, *, alert_index: int) -> AlertOutcome:
        """Join one alert with the truth."""
        passage = self.passage(alert)
        return AlertOutcome(
            alert_index=alert_index,
            camera_id=alert.camera_id,
            frame_index=alert.frame_index,
            track_id=alert.track_id,
            box_xyxy=alert.box_xyxy,
            subject_id=alert.subject_id,
            comparison_score=alert.comparison_score,
            threshold=alert.threshold,
            latency_s=(alert.alert_time_ns - alert.capture_time_ns) / 1e9,
            passage_id=None if passage is None else passage.passage_id,
            person_id=None if passage is None else passage.person_id,
            # The two pillars name people by types of their own; here the names meet.
            correct=passage is not None
            and str(passage.person_id) == str(alert.subject_id),
        )


def _rank(probe: Probe, person_id: str) -> int | None:
    """Find a person among the candidates of a search."""
    candidates = [str(s) for s in (probe.subject_id, *probe.runners_up)]
    return candidates.index(person_id) + 1 if person_id in candidates else None


def iou_matrix(
    a_xyxy: NDArray[np.float64], b_xyxy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Overlap of every box of `a` (n, 4) with every box of `b` (m, 4): (n, m)."""
    corner = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    opposite = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    shared = np.prod(np.clip(opposite - corner, 0.0, None), axis=2)
    areas = _area(a_xyxy)[:, None] + _area(b_xyxy)[None, :] - shared
    return np.asarray(shared / np.maximum(areas, 1e-9))


class _CameraTruth:
    """One clip's faces, found by frame."""

    def __init__(self, clip: Clip) -> None:
        faces = clip.faces
        self._passages = clip.passages
        self._faces = faces
        frames = np.arange(clip.n_frames + 1)
        self._first_row = np.searchsorted(faces.frame_index, frames)

    def passages_of(
        self, index: int, boxes: NDArray[np.float64]
    ) -> list[Passage | None]:
        """Pair boxes (n, 4) with the visible faces of frame `index`.

        A box on someone who never enters the zone shows no passage.
        """
        shown: list[Passage | None] = [None] * len(boxes)
        if not 0 <= index < len(self._first_row) - 1:
            return shown
        rows = np.arange(self._first_row[index], self._first_row[index + 1])
        rows = rows[self._faces.visibility[rows] >= MIN_VISIBILITY]
        overlap = iou_matrix(boxes, self._faces.box_xyxy[rows].astype(np.float64))
        # Cut before pairing: a pair that will not count must not claim a face.
        overlap[overlap < MIN_IOU] = 0.0
        for box, face in zip(
            *linear_sum_assignment(overlap, maximize=True), strict=True
        ):
            if overlap[box, face] > 0.0:
                passage = int(self._faces.passage_index[rows[face]])
                if passage != NO_PASSAGE:
                    shown[box] = self._passages[passage]
        return shown


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])
