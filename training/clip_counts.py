"""What the frames of one clip add up to: faces found, scores, whose passages.

Owns the counting for the evaluation. Knows nothing of thresholds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.records import PassageOutcome
from synthetic_crowds.film.clips import walker_on_the_day
from synthetic_crowds.people.population import IdentityDomain
from synthetic_crowds.records import age_band
from training.streams import PassageJoin
from training.truth import found_faces, is_fair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matcher.records import FrameResult
    from synthetic_crowds.records import Clip, Crowd
    from training.two_cameras import TwoCameraStreet

__all__ = ["ClipCounts"]


class ClipCounts:
    """What the frames of one clip add up to."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._join = PassageJoin(clip)
        n = len(clip.passages)
        self.best: list[float | None] = [None] * n
        self.mate: list[float | None] = [None] * n
        self.probes = [0] * n
        self.seen = [0] * n
        self.fair_faces = self.fair_found = self.false = 0

    def add(self, result: FrameResult) -> None:
        """Count one frame."""
        index, truth = result.outcome.frame_index, self._clip.faces
        rows = np.flatnonzero(truth.frame_index == index)
        boxes = np.array([box[1:] for box in result.boxes], np.float32).reshape(-1, 4)
        pair = found_faces(boxes, truth.box_xyxy[rows])
        fair = is_fair(
            truth.face_height_px[rows],
            truth.yaw_pitch_roll_deg[rows, 0],
            truth.visibility[rows],
        )
        self.fair_faces += int(fair.sum())
        self.fair_found += int((pair[fair] >= 0).sum())
        self.false += len(boxes) - int((pair >= 0).sum())
        for passage in truth.passage_index[rows[pair >= 0]].tolist():
            if passage >= 0:
                self.seen[passage] += 1
        for probe in result.probes:
            (owner,) = self._join.passages(index, [probe.box_xyxy])
            if owner is None:
                continue
            self.probes[owner] += 1
            score = probe.comparison_score
            self.best[owner] = _higher(self.best[owner], score)
            person = str(self._clip.passages[owner].person_id)
            if person == str(probe.subject_id):
                self.mate[owner] = _higher(self.mate[owner], score)

    def passages(
        self, crowd: Crowd, street: TwoCameraStreet
    ) -> Iterator[PassageOutcome]:
        """Sum up every passage of the clip.

        To be unoccluded, a face must be in view and not be hidden by what is worn.
        """
        for index, passage in enumerate(self._clip.passages):
            subject = crowd.subjects[passage.person_id]
            is_hidden = _hides_face(str(passage.person_id), street)
            yield PassageOutcome(
                passage_id=str(passage.passage_id),
                person_id=str(passage.person_id),
                camera_id=str(passage.camera_id),
                sex=str(subject.sex),
                age_band=age_band(subject.age_years),
                monk_tone=subject.monk_tone,
                ancestry=str(subject.ancestry),
                mated=passage.person_id in crowd.watchlist.mated,
                t_in_s=passage.t_in_s,
                t_out_s=passage.t_out_s,
                max_face_height_px=passage.max_face_height_px,
                max_visibility=passage.max_visibility,
                unoccluded_frames=0 if is_hidden else passage.unoccluded_frames,
                n_frames=passage.n_frames,
                n_frames_processed=passage.n_frames,
                n_frames_detected=self.seen[index],
                n_probes=self.probes[index],
                best_score=self.best[index],
                mate_score=self.mate[index],
                # A threshold decides: `training.results.passages_at`.
                alerted=False,
                true_alert=False,
                false_alert=False,
                time_to_alert_s=None,
                latency_s=None,
            )


def _higher(so_far: float | None, score: float) -> float:
    return score if so_far is None else max(so_far, score)


def _hides_face(person_id: str, street: TwoCameraStreet) -> bool:
    """Say whether somebody walks down a street in sunglasses or a mask."""
    _, appearance = walker_on_the_day(
        # A person's id ends in their number in the city.
        int(person_id.rsplit("-", 1)[1]),
        street.crowd,
        seed=street.seed,
        domain=IdentityDomain.EVALUATION,
    )
    return appearance.hides_face
