"""`harness run`: the main job, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.pictures import write_pictures
from bench.provenance import describe_origin
from bench.records import Status
from bench.report import render_report, terminal_summary
from bench.run import run as measure
from bench.run_folder import create_folder, write_run
from commands.console import bars, logged
from commands.crowd import crowd_of
from commands.exit_code import ExitCode
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
from scenarios import loader
from scenarios.streams import Stream, Streams

if TYPE_CHECKING:
    from bench.records import RunRecord

__all__ = ["run"]


def run(
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
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a crowd, drive the matcher under camera load, measure, report."""
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    folder = create_folder(out, name=Path(scenario).stem)
    with logged(folder), bars(hidden=quiet or as_json) as progress:
        crowd = crowd_of(settings, cache=cache, workers=workers, progress=progress)
        record = measure(
            crowd,
            matcher=settings.matcher,
            load=settings.load,
            objectives=settings.objectives,
            rng=Streams(seed=settings.scenario.seed).generator(Stream.ARRIVALS),
            unhurried=unhurried,
            progress=progress,
            run_id=folder.name,
            scenario=loader.resolved(settings),
            provenance=describe_origin(seed=settings.scenario.seed),
        )
        write_run(record, folder)
        progress("report", 0, 2)
        write_pictures(folder, crowd, record)
        progress("report", 1, 2)
        report_path = render_report(folder)
        progress("report", 2, 2)
    if as_json:
        print((folder / "run.json").read_text(encoding="utf-8"))
    else:
        Console().print(terminal_summary(folder))
        print(f"Report: {report_path}")
    raise typer.Exit(_exit_code(record))


def _exit_code(record: RunRecord) -> ExitCode:
    if record.verdict.status is not Status.VALID:
        return ExitCode.NOT_VALID
    if any(objective.met is False for objective in record.objectives):
        return ExitCode.OBJECTIVE_MISSED
    return ExitCode.GOOD
