"""`harness run`: the main job, end to end."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.dialects.dialect import EnrolWay
from bench.driving.http_target import Remote
from bench.driving.targets import TargetKind
from bench.errors import BenchError
from bench.host.provenance import describe_origin, describe_pictures
from bench.load.ray_crew import ray_crew
from bench.records import Status
from bench.report import render_report, terminal_summary
from bench.report.pictures import write_pictures
from bench.running.audit_runs import audited
from bench.running.enrolment import enrol_watchlist
from bench.running.folder import create_folder, write_run
from bench.running.remote_run import measure_remote
from bench.running.rig import make_rig
from bench.running.run import Origin, Settings, measure
from commands.console import bars, logged
from commands.crowd import crowd_of
from commands.exit_code import ExitCode
from commands.find import capacity_table, find
from commands.options import (
    DEFAULT_CACHE,
    DEFAULT_OUT,
    CacheOption,
    JsonOption,
    OutOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
)
from commands.remote import (
    AdapterOption,
    EnrolOption,
    FramesOption,
    TokenFileOption,
    target_named,
)
from commands.where import OnOption, Where, cluster
from matcher.assembly import check_threshold
from scenarios import loader
from scenarios.streams import Stream, Streams

if TYPE_CHECKING:
    import numpy as np

    from bench.records import RunRecord
    from scenarios.schema import Scenario

__all__ = ["exit_code_of", "run"]

_WITHOUT_SEARCH = {TargetKind.NULL, TargetKind.ORACLE}


def run(  # noqa: PLR0913 - the main job, and its options
    scenario: ScenarioArgument,
    *,
    seed: SeedOption = None,
    overrides: SetOption = None,
    out: OutOption = DEFAULT_OUT,
    cache: CacheOption = DEFAULT_CACHE,
    workers: WorkersOption = None,
    unhurried: Annotated[
        bool,
        typer.Option(
            "--unhurried",
            help="No real-time pacing: every frame is processed, results repeat.",
        ),
    ] = False,
    target: Annotated[
        str,
        typer.Option(
            metavar="NAME|URL",
            help="What is measured: the matcher in its `process`, or `in-process` on a "
            "thread of this one; in its process with cameras that send `mpegts` (TCP) "
            "or `mpegts-udp`; as replicas on `ray`; `null`, which does nothing; "
            "`oracle`, which knows the truth; or the matcher at http://HOST:PORT.",
        ),
    ] = TargetKind.PROCESS,
    adapter: AdapterOption = None,
    enrol: EnrolOption = EnrolWay.PORTRAITS,
    frames: FramesOption = None,
    token_file: TokenFileOption = None,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit",
            help="Afterwards, run the same frames unhurried and twice: is the matcher "
            "as right under the clock, and does it remember frames?",
        ),
    ] = False,
    on: OnOption = Where.LOCAL,
    allow_unstamped: Annotated[
        bool,
        typer.Option(
            "--allow-unstamped",
            help="Take pictures that do not say that they are synthetic; recorded in "
            "the run and repeated on every page of the report.",
        ),
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a crowd, drive the matcher under camera load, measure, report."""
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    target = _target_on(on, target, settings)
    chosen_target = target_named(
        target,
        settings,
        adapter=adapter,
        enrol=enrol,
        frames=frames,
        token_file=token_file,
        audit=audit,
    )
    if not isinstance(chosen_target, Remote) and chosen_target not in _WITHOUT_SEARCH:
        check_threshold(settings.matcher)
    folder = create_folder(out, name=Path(scenario).stem)
    found = None
    with (
        logged(folder),
        bars(hidden=quiet or as_json) as progress,
        cluster(on, workers=workers) as ray,
    ):
        crowd = crowd_of(
            settings,
            cache=cache,
            workers=workers,
            progress=progress,
            crew=None if ray is None else ray_crew(ray),
            allow_unstamped=allow_unstamped,
        )
        provenance = describe_origin(seed=settings.scenario.seed)
        provenance["pictures"] = describe_pictures(crowd, allowed=allow_unstamped)
        if crowd.sources:
            provenance["sources"] = {
                f"{source.role} {source.name}": asdict(source)
                for source in crowd.sources
            }
        if settings.load.find is None:
            chosen = Settings(
                matcher=settings.matcher,
                load=settings.load,
                objectives=settings.objectives,
                network=settings.network,
                network_seed=Streams(seed=settings.scenario.seed).seed_of(
                    Stream.NETWORK
                ),
            )
            origin = Origin(
                run_id=folder.name,
                scenario=loader.resolved(settings),
                provenance=provenance,
            )
            rig = make_rig(crowd, settings.load, rng=_arrivals(settings))
            if isinstance(chosen_target, Remote):
                record = measure_remote(
                    rig,
                    chosen,
                    origin,
                    remote=chosen_target,
                    unhurried=unhurried,
                    progress=progress,
                )
            else:
                enrolment = enrol_watchlist(
                    crowd.watchlist, settings.matcher, progress=progress
                )
                record = measure(
                    rig,
                    enrolment,
                    chosen,
                    origin,
                    unhurried=unhurried,
                    progress=progress,
                    target=chosen_target,
                )
                if audit:
                    record = audited(
                        record,
                        rig,
                        enrolment,
                        chosen,
                        origin,
                        rng=_arrivals(settings),
                        progress=progress,
                    )
        else:
            found, record = find(
                settings, crowd, folder, provenance=provenance, progress=progress
            )
        write_run(record, folder)
        progress("report", 0, 2)
        write_pictures(folder, crowd, record)
        progress("report", 1, 2)
        report_path = render_report(folder)
        progress("report", 2, 2)
    if as_json:
        name = "run.json" if found is None else "capacity.json"
        print((folder / name).read_text(encoding="utf-8"))
    else:
        Console().print(
            terminal_summary(folder) if found is None else capacity_table(found)
        )
        print(f"Report: {report_path}")
    if found is not None:
        raise typer.Exit(
            ExitCode.GOOD if found.n_cameras > 0 else ExitCode.OBJECTIVE_MISSED
        )
    raise typer.Exit(exit_code_of(record))


def _target_on(on: Where, target: str, settings: Scenario) -> str:
    """Say what is measured: on Ray, the matcher's replicas there.

    Raises:
        BenchError: If that is not what was asked for.
    """
    if on is Where.LOCAL:
        return target
    if target not in {TargetKind.PROCESS, TargetKind.RAY}:
        message = (
            f"`--on ray` measures matcher replicas on Ray, got --target {target}; "
            "leave one of the two out"
        )
        raise BenchError(message)
    if settings.load.find is not None:
        message = (
            f"`--on ray` makes one run, got load.find = '{settings.load.find}'; "
            "leave one of the two out"
        )
        raise BenchError(message)
    return TargetKind.RAY


def _arrivals(settings: Scenario) -> np.random.Generator:
    return Streams(seed=settings.scenario.seed).generator(Stream.ARRIVALS)


def exit_code_of(record: RunRecord) -> ExitCode:
    """Say with which code a run ends its command."""
    if record.verdict.status is not Status.VALID:
        return ExitCode.NOT_VALID
    if any(objective.met is False for objective in record.objectives):
        return ExitCode.OBJECTIVE_MISSED
    return ExitCode.GOOD
