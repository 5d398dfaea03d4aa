"""The command line: load, wire, run, write, exit code.

Owns what is printed and which exit code a command ends with: 0 good; 1 internal
error; 2 bad input; 3 run invalid or inconclusive; 4 an objective was missed. Knows
nothing of how a crowd is made, matched or measured.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from bench.doctor import Health, examine
from bench.pictures import write_pictures
from bench.policy_report.retrodiction_page import is_met
from bench.policy_report.terminal import (
    policy_table,
    retrodiction_table,
    verification_text,
)
from bench.provenance import describe_origin
from bench.records import Status
from bench.report import render_report, terminal_summary
from bench.run import run as measure
from bench.run_folder import create_folder, write_run
from lfr_errors import BadInputError, LfrError
from matcher.weights import WEIGHTS, read_manifest, read_model
from scenarios import loader, policy_audit, policy_run
from scenarios.policy_loader import shipped_policies
from scenarios.schema import json_schema
from scenarios.streams import Stream, Streams
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.population import IdentityDomain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.records import RunRecord
    from scenarios.schema import Scenario
    from synthetic_crowds.records import Crowd

    ProgressCall = Callable[[str, int, int], None]

__all__ = ["app", "main"]

# typer keeps its copy of click private; the family of its usage errors does not.
_USAGE_ERROR = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])

_LOG = logging.getLogger("harness")


class ExitCode(IntEnum):
    """How a command ended, for scripts."""

    GOOD = 0
    INTERNAL_ERROR = 1
    BAD_INPUT = 2
    NOT_VALID = 3
    OBJECTIVE_MISSED = 4


app = typer.Typer(
    name="harness",
    help="Simulation and load testing for live facial recognition, on synthetic "
    "people only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ScenarioArgument = Annotated[
    str, typer.Argument(help="A TOML file, or the name of a shipped scenario.")
]
SeedOption = Annotated[
    int | None, typer.Option(min=0, help="Beats the seed in the scenario.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; repeatable."),
]
OutOption = Annotated[Path, typer.Option(help="Where run folders go.")]
CacheOption = Annotated[
    Path, typer.Option(envvar="LFR_CACHE", help="Where clips and portraits are kept.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, max=256, help="Processes that render; default: every core."),
]

_OUT = Path("runs")
_CACHE = Path(".cache/crowds")


@app.command()
def run(
    scenario: ScenarioArgument,
    *,
    seed: SeedOption = None,
    overrides: SetOption = None,
    out: OutOption = _OUT,
    cache: CacheOption = _CACHE,
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
    with _logged(folder), _bars(hidden=quiet or as_json) as progress:
        crowd = _crowd(settings, cache=cache, workers=workers, progress=progress)
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


@app.command()
def crowd(
    scenario: ScenarioArgument,
    *,
    seed: SeedOption = None,
    overrides: SetOption = None,
    cache: CacheOption = _CACHE,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
) -> None:
    """Make only the crowd: clips, truth and watchlist, in the cache."""
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    with _bars(hidden=quiet) as progress:
        made = _crowd(settings, cache=cache, workers=workers, progress=progress)
    table = Table("camera", "frames", "passages", "clip", title="Synthetic crowd")
    for clip in made.clips:
        table.add_row(
            clip.camera_id, str(clip.n_frames), str(len(clip.passages)), str(clip.path)
        )
    Console().print(table)
    print(f"Watchlist: {len(made.watchlist.subjects)} in {made.watchlist.folder}")
    print(f"Truth SHA-256: {made.truth_sha256}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
) -> None:
    """Write the HTML report of a run again, from its folder alone."""
    print(f"Report: {render_report(folder)}")


@app.command(name="scenarios")
def list_scenarios(
    *,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema, for editors.")
    ] = False,
) -> None:
    """List the scenarios that come with the package."""
    if schema:
        print(json.dumps(json_schema(), indent=2))
        return
    table = Table("name", "cameras", "seconds", "watchlist", "what it shows")
    for name in loader.shipped():
        settings = loader.load(name)
        table.add_row(
            name,
            str(len(settings.cameras)),
            f"{settings.crowd.duration_s:g}",
            f"{settings.watchlist.size:,}",
            settings.scenario.description,
        )
    Console().print(table)
    print(f"Policies, for `harness policy`: {', '.join(shipped_policies())}")


@app.command()
def policy(  # noqa: PLR0913 - one command, many questions
    scenario: Annotated[
        str, typer.Argument(help="A TOML file, or the name of a shipped policy.")
    ] = "as_2024",
    *,
    seed: SeedOption = None,
    overrides: SetOption = None,
    against: Annotated[
        str | None, typer.Option(help="Policy to compare with; beats the file's.")
    ] = None,
    retrodict: Annotated[
        bool,
        typer.Option("--retrodict", help="Foretell recorded deployments, and score."),
    ] = False,
    cut_off: Annotated[
        str, typer.Option(help="First day to foretell, year-month-day.")
    ] = "2025-01-01",
    monthly: Annotated[
        bool, typer.Option("--monthly", help="Learn anew on the first of each month.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(help="A CSV of deployments in the shipped record's columns."),
    ] = None,
    audit_pack: Annotated[
        Path | None, typer.Option(help="Export an audit pack to this archive.")
    ] = None,
    verify_pack: Annotated[
        Path | None, typer.Option(help="Run an audit pack again, and compare.")
    ] = None,
    out: OutOption = _OUT,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """What a policy does to people and to workload, checked against the record."""
    threads = len(os.sched_getaffinity(0)) if workers is None else workers
    if verify_pack is not None:
        work = create_folder(out, name="verify")
        found = policy_audit.verify_policy(verify_pack, work=work, workers=threads)
        print(verification_text(found))
        code = ExitCode.GOOD if found.is_good else ExitCode.NOT_VALID
        raise typer.Exit(code)
    folder = create_folder(out, name=f"policy-{Path(scenario).stem}")
    if retrodict:
        foretold = policy_run.retrodiction(
            scenario,
            overrides=overrides or (),
            seed=seed,
            cut_off=cut_off,
            record=record,
            monthly=monthly,
            out=folder,
        )
        table, report_path = retrodiction_table(foretold.result), foretold.report
        is_good = all(is_met(score) for score in foretold.result.scores)
    else:
        with _bars(hidden=quiet or as_json) as progress:
            finished = policy_run.policy(
                scenario,
                overrides=overrides or (),
                seed=seed,
                against=against,
                record=record,
                out=folder,
                workers=threads,
                progress=progress,
            )
        table, report_path = policy_table(finished.result), finished.report
        is_good = all(check.is_inside for check in finished.result.checks)
        if audit_pack is not None:
            name = Path(scenario).stem
            policy_audit.export_policy(folder, audit_pack, name=name, record=record)
    if as_json:
        print((folder / "policy.json").read_text(encoding="utf-8"))
    else:
        Console().print(table)
        print(f"Report: {report_path}")
    raise typer.Exit(ExitCode.GOOD if is_good else ExitCode.OBJECTIVE_MISSED)


@app.command()
def models() -> None:
    """List the reference weights and verify their SHA-256."""
    manifest = read_manifest()
    table = Table("what", "file", "bytes", "SHA-256, verified")
    for name in type(manifest).model_fields:
        entry = getattr(manifest, name)
        model = read_model(WEIGHTS / entry.file, sha256=entry.sha256)
        table.add_row(name, entry.file, f"{len(model.content):,}", model.sha256)
    Console().print(table)


@app.command()
def doctor(*, out: OutOption = _OUT, cache: CacheOption = _CACHE) -> None:
    """Check this machine: can it run, and will its figures hold?"""
    checks = examine(cache_dir=cache, out_dir=out)
    table = Table("", "what", "found", "remedy")
    for check in checks:
        table.add_row(check.health.value, check.name, check.found, check.remedy)
    Console().print(table)
    is_bad = any(check.health is Health.BAD for check in checks)
    raise typer.Exit(ExitCode.BAD_INPUT if is_bad else ExitCode.GOOD)


def _crowd(
    settings: Scenario, *, cache: Path, workers: int | None, progress: ProgressCall
) -> Crowd:
    made = make_crowd(
        settings.crowd,
        settings.cameras,
        settings.watchlist,
        seed=Streams(seed=settings.scenario.seed).seed_of(Stream.CROWD),
        cache_dir=cache,
        workers=len(os.sched_getaffinity(0)) if workers is None else workers,
        progress=progress,
        domain=IdentityDomain.SCENARIO,
    )
    for note in made.notes:
        _LOG.warning(note)
    return made


def _exit_code(record: RunRecord) -> ExitCode:
    if record.verdict.status is not Status.VALID:
        return ExitCode.NOT_VALID
    if any(objective.met is False for objective in record.objectives):
        return ExitCode.OBJECTIVE_MISSED
    return ExitCode.GOOD


@contextmanager
def _bars(*, hidden: bool) -> Iterator[ProgressCall]:
    """Yield a call that draws one bar per task on standard error."""
    bars = Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=hidden,
        refresh_per_second=4,
    )
    tasks: dict[str, TaskID] = {}

    def advance(task: str, done: int, total: int) -> None:
        if task not in tasks:
            _LOG.info("%s: begun", task)
            tasks[task] = bars.add_task(task, total=total)
        bars.update(tasks[task], completed=done, total=total)

    with bars:
        yield advance


@contextmanager
def _logged(folder: Path) -> Iterator[None]:
    """Keep every log line of a run in its folder; show warnings to the user."""
    root = logging.getLogger()
    to_file = logging.FileHandler(folder / "harness.log", encoding="utf-8")
    to_file.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    to_user = logging.StreamHandler()
    to_user.setLevel(logging.WARNING)
    root.addHandler(to_file)
    root.addHandler(to_user)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(to_user)
        root.removeHandler(to_file)
        to_file.close()


def main() -> None:
    """Run the command line; turn every foreseen failure into one sentence."""
    logging.getLogger().setLevel(logging.WARNING)
    try:
        code = app(standalone_mode=False)
    except BadInputError as error:
        _complain(str(error))
        sys.exit(ExitCode.BAD_INPUT)
    except LfrError as error:
        _complain(str(error))
        sys.exit(ExitCode.INTERNAL_ERROR)
    except _USAGE_ERROR as error:
        message = error.format_message()
        if message.startswith("Usage:"):
            print(message)  # no command was given: typer's answer is its help
        else:
            _complain(f"{message.rstrip('.')}; see `harness --help`")
        sys.exit(ExitCode.BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        _complain("interrupted before anything was measured; finished clips are kept")
        sys.exit(ExitCode.NOT_VALID)
    sys.exit(code if isinstance(code, int) else ExitCode.GOOD)


def _complain(sentence: str) -> None:
    print(f"harness: {sentence}", file=sys.stderr)


if __name__ == "__main__":
    main()
