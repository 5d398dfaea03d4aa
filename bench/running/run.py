"""A run from end to end: enrol, prove the harness, drive, join with truth, judge.

Owns the order of these steps, and that whatever was measured is kept once frames were
sent: Ctrl-C or a dead matcher makes a run INVALID, never lost. Knows nothing of how
any step is done.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
from bench.load.settings import LoadKind
from bench.load.watchlist import held_back
from bench.running.enrolment import enrol_watchlist
from bench.running.rig import make_rig
from bench.running.settle import Entry, conclude, failure_note, settle
from bench.running.watchlist_changes import changes_of, first_gallery
from bench.running.wire import cameras_on, check_network
from bench.wire.settings import NetworkConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from bench.driving.session import Progress
    from bench.driving.target import OpenTarget
    from bench.objectives import LoadConfig, ObjectivesConfig
    from bench.records import RunRecord
    from bench.running.rig import Rig
    from matcher.config import MatcherConfig
    from matcher.gallery import Enrolment
    from synthetic_crowds.records import Crowd

__all__ = ["Origin", "Settings", "conclude", "measure", "pacing_for", "run"]


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
    pacing = pacing_for(load, unhurried=unhurried)
    config = matcher if pacing is Pacing.OPEN else undropping(matcher)
    gallery = first_gallery(enrolment.gallery, rig.plan)
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
            cameras, config, gallery, clock=clock, told=remarks.append
        )

    openers: dict[TargetKind, Callable[[], OpenTarget]] = {
        TargetKind.PROCESS: lambda: matcher_process(config, gallery),
        TargetKind.IN_PROCESS: lambda: matcher_here(config, gallery, clock=clock),
        TargetKind.MPEGTS: over_the_wire,
        TargetKind.MPEGTS_UDP: over_the_wire,
        TargetKind.RAY: lambda: matcher_on_a_cluster(
            config, gallery, clock=clock, told=remarks.append
        ),
        TargetKind.NULL: null_process,
        TargetKind.ORACLE: lambda: oracle(
            rig.crowd, clock=clock, held_back=held_back(rig.plan.changes)
        ),
    }
    session = drive_target(
        rig.plan,
        rig.packets,
        openers[target](),
        pacing=pacing,
        in_flight=load.in_flight if load.kind is LoadKind.MULTI_STREAM else 1,
        clock=clock,
        progress=progress,
        changes=changes_of(rig.plan, enrolment.gallery),
    )
    return settle(
        rig,
        session,
        settings,
        origin,
        Entry(
            n_enrolled=len(enrolment.gallery),
            notes=(*failure_note(enrolment.failures), *remarks),
            n_candidates=(
                1 if target is TargetKind.ORACLE else matcher.decision.candidates
            ),
            is_null=target is TargetKind.NULL,
        ),
        pacing=pacing,
        null_hz=null_hz,
    )


def pacing_for(load: LoadConfig, *, unhurried: bool) -> Pacing:
    """Say what the frames of a load wait for."""
    if unhurried or load.kind is LoadKind.OFFLINE:
        return Pacing.UNHURRIED
    return Pacing.CLOSED if load.kind.is_closed else Pacing.OPEN
