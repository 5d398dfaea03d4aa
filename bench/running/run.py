"""A run from end to end: enrol, prove the harness, drive, join with truth, judge.

Owns the order of these steps, and that whatever was measured is kept once frames were
sent: Ctrl-C or a dead matcher makes a run INVALID, never lost. Knows nothing of how
any step is done.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from bench.accuracy.association import TruthJoin
from bench.accuracy.passages import judge_passages
from bench.driving.pacing import Pacing
from bench.driving.ray_opening import matcher_on_a_cluster
from bench.driving.session import drive_target, run_null, undropping
from bench.driving.targets import (
    TargetKind,
    matcher_here,
    matcher_process,
    null_process,
    oracle,
)
from bench.driving.wire_opening import matcher_over_the_wire, null_over_the_wire
from bench.host.provenance import describe_inputs, describe_system
from bench.load.settings import LoadKind
from bench.load.workload import offered_hz
from bench.records import RunRecord
from bench.running.enrolment import enrol_watchlist
from bench.running.instrument import Instrument
from bench.running.metrics import compute_metrics
from bench.running.rig import make_rig
from bench.running.verdict import applicable, judge, judge_objectives
from bench.running.wire import cameras_on, check_network
from bench.timing.frames import tabulate
from bench.timing.stages import bottleneck
from bench.wire.settings import NetworkConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np

    from bench.driving.session import Progress, Session
    from bench.driving.target import OpenTarget
    from bench.objectives import LoadConfig, Objective, ObjectivesConfig
    from bench.records import ArrivalPlan, Metric
    from bench.running.rig import Rig
    from matcher.config import MatcherConfig
    from matcher.gallery import Enrolment
    from synthetic_crowds.records import Crowd

__all__ = ["Origin", "Settings", "conclude", "measure", "run"]

# Goodput counts frames done within this, unless an objective on latency says more.
_DEADLINE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is measured, under which load, and what it is asked to show.

    Attributes:
        matcher, load, objectives: The tables of a scenario.
        network: What lies between cameras and matcher, where anything does.
        network_seed: Of its luck.
    """

    matcher: MatcherConfig
    load: LoadConfig
    objectives: ObjectivesConfig
    network: NetworkConfig = field(default_factory=NetworkConfig)
    network_seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a run comes from.

    Attributes:
        run_id: Name of the run.
        scenario: The resolved scenario, kept as it is.
        provenance: Code, machine, moment; inputs, system and instrument are added.
    """

    run_id: str
    scenario: Mapping[str, object]
    provenance: Mapping[str, object]


def run(
    crowd: Crowd,
    *,
    matcher: MatcherConfig,
    load: LoadConfig,
    objectives: ObjectivesConfig,
    rng: np.random.Generator,
    unhurried: bool,
    progress: Progress,
    run_id: str,
    scenario: Mapping[str, object],
    provenance: Mapping[str, object],
) -> RunRecord:
    """Measure a matcher, in its own process, on a crowd.

    Args:
        crowd: What is shown to it, and what is true.
        matcher: Its settings.
        load: How frames arrive.
        objectives: What it is asked to show.
        rng: The stream of the arrivals.
        unhurried: Send every frame as soon as there is room for it and skip none:
            for results that repeat, not for latencies. Loads of kind `offline` are.
        progress: Told the task, how much is done, and of how much.
        run_id: See `Origin`.
        scenario: Likewise.
        provenance: Likewise.

    Returns:
        The run with its metrics and verdict; also if Ctrl-C or the matcher's death
        cut it short after the first frame.

    Raises:
        BadInputError: If clips, load or matcher settings cannot be used.
        SystemStartError, SystemGoneError: If the matcher does not live to the first
            frame.
        KeyboardInterrupt: If Ctrl-C comes before the first frame.
    """
    return measure(
        make_rig(crowd, load, rng=rng),
        enrol_watchlist(crowd.watchlist, matcher, progress=progress),
        Settings(matcher=matcher, load=load, objectives=objectives),
        Origin(run_id=run_id, scenario=scenario, provenance=provenance),
        unhurried=unhurried,
        progress=progress,
        target=TargetKind.PROCESS,
    )


def measure(
    rig: Rig,
    enrolment: Enrolment,
    settings: Settings,
    origin: Origin,
    *,
    unhurried: bool,
    progress: Progress,
    target: TargetKind,
) -> RunRecord:
    """Measure with feeds and a gallery that were made before; else as `run`."""
    matcher, load = settings.matcher, settings.load
    pacing = _pacing(load, unhurried=unhurried)
    config = matcher if pacing is Pacing.OPEN else undropping(matcher)
    # The one clock that all processes of a machine share: monotonic since its start.
    clock = time.perf_counter_ns
    check_network(settings.network, target, pacing=pacing)
    cameras = cameras_on(
        rig, settings.network, target, seed=settings.network_seed, pacing=pacing
    )
    remarks: list[str] = []
    null_hz = None
    if pacing is Pacing.OPEN:
        null_hz = run_null(
            rig.plan,
            rig.packets,
            open_null=null_over_the_wire(cameras, clock=clock)
            if target.is_on_a_wire
            else null_process(),
            clock=clock,
            progress=progress,
        )

    def over_the_wire() -> OpenTarget:
        return matcher_over_the_wire(
            cameras, config, enrolment.gallery, clock=clock, told=remarks.append
        )

    openers: dict[TargetKind, Callable[[], OpenTarget]] = {
        TargetKind.PROCESS: lambda: matcher_process(config, enrolment.gallery),
        TargetKind.IN_PROCESS: lambda: matcher_here(
            config, enrolment.gallery, clock=clock
        ),
        TargetKind.MPEGTS: over_the_wire,
        TargetKind.MPEGTS_UDP: over_the_wire,
        TargetKind.RAY: lambda: matcher_on_a_cluster(
            config, enrolment.gallery, clock=clock, told=remarks.append
        ),
        TargetKind.NULL: null_process,
        TargetKind.ORACLE: lambda: oracle(rig.crowd, clock=clock),
    }
    session = drive_target(
        rig.plan,
        rig.packets,
        openers[target](),
        pacing=pacing,
        in_flight=load.in_flight if load.kind is LoadKind.MULTI_STREAM else 1,
        clock=clock,
        progress=progress,
    )
    stated = settings.objectives.stated()
    limits_s = [o.limit for o in stated if o.metric.startswith("glass_to_alert_s.")]
    instrument = _instrument(
        rig,
        session,
        enrolment,
        load,
        pacing=pacing,
        deadline_s=max(limits_s, default=_DEADLINE_S),
        null_hz=null_hz,
        target_fpir=(
            matcher.decision.target_fpir if matcher.decision.threshold is None else None
        ),
    )
    return conclude(
        rig.crowd,
        rig.plan,
        session,
        instrument,
        objectives=applicable(stated, unhurried=instrument.unhurried),
        run_id=origin.run_id,
        scenario=origin.scenario,
        provenance=origin.provenance,
        notes=(*rig.crowd.notes, *_enrolment_notes(enrolment), *remarks),
    )


def _pacing(load: LoadConfig, *, unhurried: bool) -> Pacing:
    if unhurried or load.kind is LoadKind.OFFLINE:
        return Pacing.UNHURRIED
    return Pacing.CLOSED if load.kind.is_closed else Pacing.OPEN


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
    found = judge_passages(
        crowd,
        results,
        TruthJoin(crowd.clips, results),
        plan=plan,
        frames=frames,
        unhurried=instrument.unhurried,
    )
    metrics = compute_metrics(
        plan=plan,
        sent=sent,
        results=results,
        passages=found.passages,
        alerts=found.alerts,
        instrument=instrument,
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
        verdict=judge(frames, instrument, judged, metrics),
        objectives=judged,
        metrics=metrics,
        plan=plan,
        sent=sent,
        results=results,
        passages=found.passages,
        alerts=found.alerts,
        probes=found.probes,
        notes=(*notes, *_run_notes(metrics, instrument)),
    )


def _instrument(
    rig: Rig,
    session: Session,
    enrolment: Enrolment,
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
        n_enrolled=len(enrolment.gallery),
        threshold=session.system.threshold,
        target_fpir=target_fpir,
    )


def _enrolment_notes(enrolment: Enrolment) -> Iterator[str]:
    if enrolment.failures:
        first = enrolment.failures[0]
        yield (
            f"Of the watchlist {len(enrolment.failures)} failed to enrol, the "
            f"first being {first.subject_id} ({first.cause})."
        )


def _run_notes(metrics: Mapping[str, Metric], instrument: Instrument) -> Iterator[str]:
    busiest = bottleneck(metrics)
    if busiest is not None:
        stage, share = busiest
        yield f"The bottleneck is {stage}: busy for {share:.0%} of the time."
    if instrument.unhurried:
        yield (
            "Unhurried: frames went as fast as they were taken, none was skipped. "
            "Latencies and the objectives on them do not apply."
        )
