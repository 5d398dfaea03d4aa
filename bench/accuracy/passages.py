"""What the matcher made of each passage, and which passages may be counted.

Owns `PassageOutcome`: the unit of account of every rate. Knows nothing of rates.

A passage counts if the run saw all of it: the face entered the zone after the warm-up
and left it before the last frame that was sent, and its camera was on all the while.
Whoever was already in the zone when
the counting began, or still in it when the sending ended, showed the matcher less
than a whole walk, and would be charged to it as a miss. The price is that slow walkers
are a little rarer among the counted than in the street, by about their time in the
zone over the length of the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.records import PassageOutcome
from bench.timing.frames import PlanRows
from matcher.records import Outcome
from synthetic_crowds.records import age_band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.accuracy.association import TruthJoin
    from bench.accuracy.sought import SoughtTimes
    from bench.records import AlertOutcome, ArrivalPlan, ProbeOutcome, SentFrames
    from bench.timing.frames import FrameTable
    from matcher.records import Alert, FrameResult
    from synthetic_crowds.records import Clip, Crowd, Passage

__all__ = [
    "CountingWindow",
    "Findings",
    "counting_windows",
    "in_order_of_alert",
    "judge_passages",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingWindow:
    """When a camera's passages count: it was on without a pause.

    Attributes:
        spans_s: From when to when, seconds of clip time, in order.
    """

    spans_s: tuple[tuple[float, float], ...]

    def holds(self, passage: Passage | PassageOutcome) -> bool:
        """The whole passage lies inside one span."""
        return any(
            begins_s < passage.t_in_s and passage.t_out_s < ends_s
            for begins_s, ends_s in self.spans_s
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The join of one run with its truth.

    Attributes:
        passages: Every passage that at least one sent frame shows, in the order of
            clips, then entry.
        probes: In order of results.
        alerts: In order of alert time.
    """

    passages: tuple[PassageOutcome, ...]
    probes: tuple[ProbeOutcome, ...]
    alerts: tuple[AlertOutcome, ...]


def counting_windows(
    plan: ArrivalPlan,
    sent: SentFrames,
    *,
    fps: Sequence[float],
    warm_up_s: float,
) -> dict[str, CountingWindow]:
    """Say for each camera which stretch of its clip was watched from end to end.

    Args:
        plan: What was to be sent.
        sent: What was sent; an interrupted run ends early.
        fps: Of each camera of the plan.
        warm_up_s: Frames planned earlier do not count.
    """
    windows = {}
    was_sent = sent.sent_ns >= 0
    past = plan.offset_ns >= round(warm_up_s * 1e9)
    for k, camera_id in enumerate(plan.camera_ids):
        watched = np.sort(plan.frame_index[(plan.camera == k) & was_sent & past])
        pauses = np.flatnonzero(np.diff(watched) > 1)
        windows[camera_id] = CountingWindow(
            spans_s=tuple(
                (float(span[0] / fps[k]), float(span[-1] / fps[k]))
                for span in np.split(watched, pauses + 1)
                if len(span) > 0
            )
        )
    return windows


def judge_passages(
    crowd: Crowd,
    results: Sequence[FrameResult],
    join: TruthJoin,
    *,
    plan: ArrivalPlan,
    frames: FrameTable,
    sought: SoughtTimes,
    unhurried: bool,
) -> Findings:
    """Put every probe and alert to the account of its passage.

    Args:
        crowd: What was true.
        results: What the matcher said.
        join: Which passage each of its boxes shows.
        plan: Which frames were to be sent.
        frames: What became of them.
        sought: Who was on the watchlist when.
        unhurried: Time to alert has no meaning: nobody waited between the frames.
    """
    probes = tuple(join.probe_outcome(probe) for r in results for probe in r.probes)
    raised = [alert for _, alert in in_order_of_alert(results)]
    alerts = tuple(join.alert_outcome(a, alert_index=k) for k, a in enumerate(raised))
    accounts: dict[str | None, _Account] = {}
    raw = (probe for r in results for probe in r.probes)
    for probe, said in zip(probes, raw, strict=True):
        account = accounts.setdefault(probe.passage_id, _Account())
        account.probes.append(probe)
        account.searched_ns.append((said.capture_time_ns, said.decided_ns))
    for alert, stamp in zip(alerts, raised, strict=True):
        account = accounts.setdefault(alert.passage_id, _Account())
        (account.right_ns if alert.correct else account.wrong_ns).append(
            stamp.alert_time_ns
        )
    rows = PlanRows(plan)
    outcomes = []
    for clip in crowd.clips:
        for passage, in_zone in zip(clip.passages, _frames_in_zone(clip), strict=True):
            all_rows = rows.rows(clip.camera_id, in_zone)
            shown = all_rows[frames.sent[all_rows]]
            if len(shown) > 0:
                # Who was there when the clip began, nobody saw enter.
                is_timed = not unhurried and passage.t_in_s >= 0.0
                processed = shown[frames.ended(Outcome.PROCESSED)[shown]]
                account = accounts.get(passage.passage_id, _Account())
                begins_ns, ends_ns = _stretch(
                    frames, shown, account, unhurried=unhurried
                )
                outcome = _outcome(
                    passage,
                    crowd,
                    account,
                    is_sought=sought.is_sought(
                        str(passage.person_id), begins_ns=begins_ns, ends_ns=ends_ns
                    ),
                    n_processed=len(processed),
                    n_detected=len(join.detected(passage) & set(in_zone.tolist())),
                    entered_ns=int(frames.planned_ns[shown[0]]) if is_timed else None,
                    latency_s=None if unhurried else _mean_s(frames, processed),
                )
                outcomes.append(outcome)
    return Findings(passages=tuple(outcomes), probes=probes, alerts=alerts)


def in_order_of_alert(results: Sequence[FrameResult]) -> list[tuple[int, Alert]]:
    """List every alert by its time, each after the position of its result."""
    alerts = [(k, alert) for k, r in enumerate(results) for alert in r.alerts]
    return sorted(
        alerts, key=lambda row: (row[1].alert_time_ns, row[1].camera_id, row[0])
    )


@dataclass(frozen=True, slots=True)
class _Account:
    """What was found of one passage: its probes, and when alerts were raised.

    Attributes:
        probes: Searches made of it.
        searched_ns: Of each, the capture of its frame, and its decision.
        right_ns, wrong_ns: When true and false alerts were raised.
    """

    probes: list[ProbeOutcome] = field(default_factory=list)
    searched_ns: list[tuple[int, int]] = field(default_factory=list)
    right_ns: list[int] = field(default_factory=list)
    wrong_ns: list[int] = field(default_factory=list)


def _outcome(
    passage: Passage,
    crowd: Crowd,
    account: _Account,
    *,
    is_sought: bool | None,
    n_processed: int,
    n_detected: int,
    entered_ns: int | None,
    latency_s: float | None,
) -> PassageOutcome:
    person = crowd.subjects[passage.person_id]
    right_s = [
        (alerted_ns - entered_ns) / 1e9
        for alerted_ns in account.right_ns
        if entered_ns is not None
    ]
    return PassageOutcome(
        passage_id=passage.passage_id,
        person_id=passage.person_id,
        camera_id=passage.camera_id,
        sex=person.sex,
        age_band=age_band(person.age_years),
        monk_tone=person.monk_tone,
        ancestry=person.ancestry,
        mated=is_sought is True,
        t_in_s=passage.t_in_s,
        t_out_s=passage.t_out_s,
        max_face_height_px=passage.max_face_height_px,
        max_visibility=passage.max_visibility,
        unoccluded_frames=passage.unoccluded_frames,
        n_frames=passage.n_frames,
        n_frames_processed=n_processed,
        n_frames_detected=n_detected,
        n_probes=len(account.probes),
        best_score=max((p.comparison_score for p in account.probes), default=None),
        mate_score=max(
            (
                p.comparison_score
                for p in account.probes
                if p.subject_id == passage.person_id
            ),
            default=None,
        ),
        alerted=bool(account.right_ns or account.wrong_ns),
        true_alert=bool(account.right_ns),
        false_alert=bool(account.wrong_ns),
        time_to_alert_s=min(right_s, default=None),
        latency_s=latency_s,
        straddles_change=is_sought is None,
        best_rank=min(
            (p.rank for p in account.probes if p.rank is not None), default=None
        ),
    )


def _stretch(
    frames: FrameTable,
    shown: NDArray[np.int64],
    account: _Account,
    *,
    unhurried: bool,
) -> tuple[int, int]:
    """Say from when to when a passage could be searched for, its probes included.

    Captured before a change, a frame may be searched after it: what counts at the end
    is when it was decided. Unhurried, captures are all that the plan's clock tells.
    """
    begins = [int(frames.planned_ns[shown].min())]
    ends = [int(frames.planned_ns[shown].max())]
    if not unhurried:
        ends.append(int(frames.done_ns[shown].max()))
    for captured_ns, decided_ns in account.searched_ns:
        begins.append(captured_ns)
        ends.append(captured_ns if unhurried else decided_ns)
    return min(begins), max(ends)


def _mean_s(frames: FrameTable, rows: NDArray[np.int64]) -> float | None:
    if len(rows) == 0:
        return None
    return float((frames.done_ns - frames.planned_ns)[rows].mean()) / 1e9


def _frames_in_zone(clip: Clip) -> list[NDArray[np.int32]]:
    """List, per passage of the clip, the frames that show its face in the zone."""
    faces = clip.faces
    order = np.argsort(faces.passage_index, kind="stable")
    ends = np.searchsorted(
        faces.passage_index[order], np.arange(len(clip.passages) + 1)
    )
    in_zone = []
    for k, passage in enumerate(clip.passages):
        shown = faces.frame_index[order[ends[k] : ends[k + 1]]]
        time_s = shown / clip.fps
        # Moments may be those of frames, as floats: a hair must not cost one.
        begins_s, ends_s = passage.t_in_s - 1e-6, passage.t_out_s + 1e-6
        inside = (time_s >= begins_s) & (time_s <= ends_s)
        in_zone.append(shown[inside])
    return in_zone
