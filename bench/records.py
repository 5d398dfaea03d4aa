"""What `bench` measures and hands on: plans, outcomes, metrics, verdicts, runs.

Owns the join of what the matcher said with what was true. Knows nothing of how
faces are drawn or compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from matcher.records import FrameResult

__all__ = [
    "AlertOutcome",
    "ArrivalPlan",
    "Metric",
    "ObjectiveResult",
    "PassageOutcome",
    "PlannedChange",
    "ProbeOutcome",
    "Reason",
    "RunRecord",
    "SentFrames",
    "Status",
    "Verdict",
    "WatchlistChange",
]


class Status(StrEnum):
    """Whether a run's figures may be quoted."""

    VALID = "VALID"
    INVALID = "INVALID"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a run is not VALID, and what would cure it.

    Attributes:
        code: Stable word for scripts, e.g. `"schedule_delay"`.
        status: INVALID or INCONCLUSIVE: what this reason alone makes of a run.
        message: What was required and what was measured.
        cure: The change that would cure it.
    """

    code: str
    status: Status
    message: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The end of a run."""

    status: Status
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure with everything that makes it a result.

    Attributes:
        value: The estimate; None when it cannot be quoted from `n` samples.
        low, high: Its 95 % interval; None where there is none.
        n: Denominator or sample size.
        unit: `"s"`, `"1"` for proportions, `"Hz"`, `"frames"`, …
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    unit: str = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveResult:
    """One objective of the scenario against its measured metric.

    Attributes:
        metric: Name in the metrics map.
        limit: What the scenario allows.
        at_most: True if the value must stay at or below the limit, False if at or
            above it.
        value: What was measured; None when it could not be quoted.
        met: True or False; None when the metric's interval straddles the limit.
    """

    metric: str
    limit: float
    at_most: bool
    value: float | None
    met: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """Who joins and who leaves the watchlist at one moment, drawn before the run.

    Attributes:
        offset_ns: When, from the start of the run.
        enrol, withdraw: Who, by person.
    """

    offset_ns: int
    enrol: tuple[str, ...]
    withdraw: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistChange:
    """What became of a planned change.

    Attributes:
        planned_ns: When it was due, on the harness's clock.
        asked_ns: When the target was asked; -1 if never.
        workers: Whoever of the target's workers answered.
        in_effect_ns: Of each of them, from when on it searched the new watchlist.
        refusal: Why it did not; empty if it did.
    """

    planned_ns: int
    asked_ns: int
    workers: tuple[int, ...]
    in_effect_ns: tuple[int, ...]
    refusal: str

    @property
    def was_asked(self) -> bool:
        """The run lasted until then."""
        return self.asked_ns >= 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrivalPlan:
    """When each camera's frames are captured, drawn before the run.

    Rows are sorted by time, then camera.

    Attributes:
        camera_ids: The cameras, in scenario order.
        offset_ns: (n,) int64, planned capture time from the start of the run.
        camera: (n,) int32, position in `camera_ids`.
        frame_index: (n,) int32, of the frame in its camera's clip.
        changes: Of the watchlist while frames are sent, in order of time.
    """

    camera_ids: tuple[str, ...]
    offset_ns: NDArray[np.int64]
    camera: NDArray[np.int32]
    frame_index: NDArray[np.int32]
    changes: tuple[PlannedChange, ...] = ()

    def __post_init__(self) -> None:
        """Check that the columns agree and time never runs back; freeze.

        Raises:
            ValueError: If columns differ in length or offsets decrease.
        """
        lengths = {len(self.offset_ns), len(self.camera), len(self.frame_index)}
        if len(lengths) != 1 or bool(np.any(np.diff(self.offset_ns) < 0)):
            message = (
                "ArrivalPlan columns must have one length and offsets must not "
                f"decrease, got lengths {sorted(lengths)}"
            )
            raise ValueError(message)
        for column in (self.offset_ns, self.camera, self.frame_index):
            column.setflags(write=False)

    def __len__(self) -> int:
        return len(self.offset_ns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SentFrames:
    """What the driver did with the plan; rows are the plan's rows.

    Attributes:
        planned_ns: (n,) int64, absolute planned capture time.
        sent_ns: (n,) int64, when the frame was handed over; -1 if never.
    """

    planned_ns: NDArray[np.int64]
    sent_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageOutcome:
    """One passage, what was true of it and what the matcher made of it.

    Attributes:
        passage_id, person_id, camera_id: Which passage.
        sex, age_band, monk_tone, ancestry: Groups of the person.
        mated: The person is enrolled: while it lasts, or, if that changed, at no
            certain moment of it.
        t_in_s, t_out_s: In the zone of recognition, clip time.
        max_face_height_px, max_visibility, unoccluded_frames, n_frames: As generated.
        n_frames_processed: Of those frames, how many the matcher processed.
        n_frames_detected: Of those, in how many it found this face.
        n_probes: Searches made of this person; 0 is a failure to acquire.
        best_score: Highest comparison score of any probe with any subject.
        mate_score: Highest score with the person's own reference as first candidate.
        best_rank: Best place of it among the candidates of any search, from 1; None
            if it was never among them.
        alerted: Some alert was raised on this passage.
        true_alert: An alert named the right subject.
        false_alert: An alert named a wrong subject.
        time_to_alert_s: From entering the zone to the first true alert.
        latency_s: Mean glass-to-alert latency of its processed frames; None if there
            are none, or nobody waited between the frames.
        straddles_change: The person joined or left the watchlist meanwhile, so that
            it is neither mated nor non-mated, and counts for no rate.
    """

    passage_id: str
    person_id: str
    camera_id: str
    sex: str
    age_band: str
    monk_tone: int
    ancestry: str
    mated: bool
    t_in_s: float
    t_out_s: float
    max_face_height_px: float
    max_visibility: float
    unoccluded_frames: int
    n_frames: int
    n_frames_processed: int
    n_frames_detected: int
    n_probes: int
    best_score: float | None
    mate_score: float | None
    alerted: bool
    true_alert: bool
    false_alert: bool
    time_to_alert_s: float | None
    latency_s: float | None
    straddles_change: bool = False
    best_rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertOutcome:
    """One alert, with whom it was really raised on.

    Attributes:
        alert_index: Position in order of alert time.
        camera_id, frame_index, track_id, box_xyxy: Where.
        subject_id: Whom the matcher named.
        comparison_score, threshold: Cosine.
        latency_s: Planned capture time to alert.
        passage_id, person_id: Truth; None outside any passage.
        correct: The named subject is the person.
    """

    alert_index: int
    camera_id: str
    frame_index: int
    track_id: int
    box_xyxy: tuple[float, float, float, float]
    subject_id: str
    comparison_score: float
    threshold: float
    latency_s: float
    passage_id: str | None
    person_id: str | None
    correct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutcome:
    """One search, with whom it was really made of.

    Attributes:
        camera_id, frame_index, track_id: Where.
        n_shots: Faces fused so far.
        quality: Of the newest face.
        subject_id, comparison_score: First candidate.
        passage_id, person_id: Truth; None outside any passage.
        rank: Place of the person's own reference among the candidates, from 1; None
            if it is not among them.
    """

    camera_id: str
    frame_index: int
    track_id: int
    n_shots: int
    quality: float
    subject_id: str
    comparison_score: float
    passage_id: str | None
    person_id: str | None
    rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunRecord:
    """Everything that one run measured, before it is written to its folder.

    Attributes:
        run_id: Name of the run folder.
        scenario: The resolved scenario, as plain JSON values.
        provenance: Versions, machine, commit, seeds, hashes, as plain JSON values.
        verdict: Whether the figures may be quoted.
        objectives: The scenario's objectives, met or not.
        metrics: Flat map by name (`../DESIGN.md`, Command line).
        plan: The arrival plan.
        sent: What the driver did with it.
        results: The matcher's word on every frame, in order of arrival of results.
        passages, alerts, probes: The join with the truth.
        notes: What a reader of the report should know.
        changes: What became of the plan's changes of the watchlist, one each.
    """

    run_id: str
    scenario: Mapping[str, object]
    provenance: Mapping[str, object]
    verdict: Verdict
    objectives: tuple[ObjectiveResult, ...]
    metrics: Mapping[str, Metric]
    plan: ArrivalPlan
    sent: SentFrames
    results: tuple[FrameResult, ...]
    passages: tuple[PassageOutcome, ...]
    alerts: tuple[AlertOutcome, ...]
    probes: tuple[ProbeOutcome, ...]
    notes: tuple[str, ...] = ()
    changes: tuple[WatchlistChange, ...] = ()
