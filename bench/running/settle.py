"""A run is made of a sitting: joined with truth, computed, judged.

Owns the step from what a target said to a `RunRecord`, whichever way the frames got
there. Knows nothing of how targets are driven.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from bench.accuracy.association import TruthJoin
from bench.accuracy.passages import Findings, judge_passages
from bench.accuracy.sought import SoughtTimes
from bench.driving.pacing import Pacing
from bench.host.provenance import describe_inputs, describe_system
from bench.load.workload import offered_hz
from bench.records import RunRecord
from bench.running.instrument import Instrument
from bench.running.metrics import compute_metrics
from bench.running.verdict import applicable, judge, judge_objectives
from bench.running.watchlist_changes import change_note
from bench.timing.frames import tabulate
from bench.timing.stages import bottleneck

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.driving.session import Session
    from bench.objectives import LoadConfig, Objective
    from bench.records import ArrivalPlan, Metric
    from bench.running.rig import Rig
    from bench.running.run import Origin, Settings
    from matcher.gallery import FailureToEnrol
    from synthetic_crowds.records import Crowd

__all__ = ["Entry", "conclude", "failure_note", "settle"]

# Goodput counts frames done within this, unless an objective on latency says more.
_DEADLINE_S = 1.0
# A system that does nothing misses nobody: nobody was looked for.
_NOTHING_LOOKED_FOR = Findings(passages=(), probes=(), alerts=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a target brings into a run beside what it says of frames.

    Attributes:
        n_enrolled: Subjects whom it can find.
        notes: What a reader of the report should know.
        n_candidates, is_null, tells_stages, tells_probes, over_network: See
            `Instrument`.
        provenance: More to be kept, as plain JSON values.
    """

    n_enrolled: int
    notes: tuple[str, ...]
    n_candidates: int
    is_null: bool = False
    tells_stages: bool = True
    tells_probes: bool = True
    over_network: bool = False
    provenance: Mapping[str, object] = field(default_factory=dict)


def settle(
    rig: Rig,
    session: Session,
    settings: Settings,
    origin: Origin,
    entry: Entry,
    *,
    pacing: Pacing,
    null_hz: float | None,
) -> RunRecord:
    """Make a run of a sitting: what is asked of it, how far it may be trusted.

    Args:
        rig: What was sent.
        session: What came of it.
        settings: What the run is asked to show.
        origin: Where it comes from.
        entry: What the target brought.
        pacing: What frames waited for.
        null_hz: Frames per second that the harness manages; None if not measured.
    """
    stated = settings.objectives.stated()
    limits_s = [o.limit for o in stated if o.metric.startswith("glass_to_alert_s.")]
    decision = settings.matcher.decision
    instrument = _instrument(
        rig,
        session,
        entry,
        settings.load,
        pacing=pacing,
        deadline_s=max(limits_s, default=_DEADLINE_S),
        null_hz=null_hz,
        target_fpir=(
            decision.target_fpir
            if decision.threshold is None and not entry.is_null
            else None
        ),
    )
    return conclude(
        rig.crowd,
        rig.plan,
        session,
        instrument,
        objectives=applicable(
            stated, unhurried=instrument.unhurried, is_null=instrument.is_null
        ),
        run_id=origin.run_id,
        scenario=origin.scenario,
        provenance={**origin.provenance, **entry.provenance},
        notes=(*rig.crowd.notes, *entry.notes),
    )


def conclude(
    crowd: Crowd,
    plan: ArrivalPlan,
    session: Session,
    instrument: Instrument,
    *,
    objectives: tuple[Objective, ...],
    run_id: str,
    scenario: Mapping[str, object],
    provenance: Mapping[str, object],
    notes: tuple[str, ...],
) -> RunRecord:
    """Join what the matcher said with what was true, compute, and judge."""
    sent, results = session.drive.sent, session.results
    frames = tabulate(plan, sent, results, warm_up_s=instrument.warm_up_s)
    found = _NOTHING_LOOKED_FOR
    if not instrument.is_null:
        found = judge_passages(
            crowd,
            results,
            TruthJoin(crowd.clips, results),
            plan=plan,
            frames=frames,
            sought=SoughtTimes(
                crowd.watchlist.mated,
                plan,
                session.changes,
                unhurried=instrument.unhurried,
            ),
            unhurried=instrument.unhurried,
        )
    metrics = compute_metrics(
        plan=plan,
        sent=sent,
        results=results,
        passages=found.passages,
        alerts=found.alerts,
        probes=found.probes,
        instrument=instrument,
        changes=session.changes,
    )
    judged = judge_objectives(objectives, metrics)
    return RunRecord(
        run_id=run_id,
        scenario=scenario,
        provenance={
            **provenance,
            **describe_inputs(crowd),
            "system": describe_system(session.system),
            "instrument": asdict(instrument),
        },
        verdict=judge(frames, instrument, judged, metrics, changes=session.changes),
        objectives=judged,
        metrics=metrics,
        plan=plan,
        sent=sent,
        results=results,
        passages=found.passages,
        alerts=found.alerts,
        probes=found.probes,
        notes=(*notes, *_run_notes(plan, metrics, instrument)),
        changes=session.changes,
    )


def _instrument(
    rig: Rig,
    session: Session,
    entry: Entry,
    load: LoadConfig,
    *,
    pacing: Pacing,
    deadline_s: float,
    null_hz: float | None,
    target_fpir: float | None,
) -> Instrument:
    crowd = rig.crowd
    ours, theirs = session.harness, session.matcher
    return Instrument(
        unhurried=pacing is Pacing.UNHURRIED,
        interrupted=session.drive.interrupted,
        lost=session.drive.lost,
        clock_stopped=session.drive.clock_stopped,
        closed=pacing is Pacing.CLOSED,
        offered_hz=offered_hz(crowd.clips, load),
        fps=tuple(clip.fps for clip in crowd.clips),
        warm_up_s=load.warm_up_s,
        deadline_s=deadline_s,
        null_hz=null_hz,
        clock_shortest_ns=session.clock_check.shortest_ns,
        clock_disagreement_ns=session.clock_check.disagreement_ns,
        drive_s=session.drive_s,
        harness_cpu_s=ours.cpu_s,
        harness_rss_bytes=ours.rss_bytes,
        matcher_cpu_s=None if theirs is None else theirs.cpu_s,
        matcher_wait_s=None if theirs is None else theirs.wait_s,
        matcher_rss_bytes=None if theirs is None else theirs.rss_bytes,
        n_watchlist=len(crowd.watchlist.subjects),
        n_enrolled=entry.n_enrolled,
        threshold=session.system.threshold,
        target_fpir=target_fpir,
        is_null=entry.is_null,
        n_candidates=entry.n_candidates,
        tells_stages=entry.tells_stages,
        tells_probes=entry.tells_probes,
        over_network=entry.over_network,
    )


def failure_note(failures: Sequence[FailureToEnrol]) -> Iterator[str]:
    """Say who could not be enrolled, if anybody."""
    if failures:
        first = failures[0]
        yield (
            f"Of the watchlist {len(failures)} failed to enrol, the first being "
            f"{first.subject_id} ({first.cause})."
        )


def _run_notes(
    plan: ArrivalPlan, metrics: Mapping[str, Metric], instrument: Instrument
) -> Iterator[str]:
    if instrument.is_null:
        yield (
            "The target does nothing, so the harness itself was measured: latency is "
            "from planned capture to acknowledgement. There is no error rate, and no "
            "objective applies; beside a matcher, see harness headroom."
        )
    changed = change_note(plan.changes, metrics)
    if changed is not None:
        yield changed
    busiest = bottleneck(metrics)
    if busiest is not None:
        stage, share = busiest
        yield f"The bottleneck is {stage}: busy for {share:.0%} of the time."
    if instrument.unhurried:
        yield (
            "Unhurried: frames went as fast as they were taken, none was skipped. "
            "Latencies and the objectives on them do not apply."
        )
