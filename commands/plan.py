"""`harness plan`: capacity of a site, and the proof of the model behind it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.host.provenance import describe_origin
from bench.planning.calibration import CalibrationConfig
from bench.planning.plan import make_plan
from bench.planning.report import (
    plan_table,
    read_validation,
    standing,
    validation_table,
    write_plan,
    write_validation,
)
from bench.planning.validation import validate as validate_loads
from bench.planning.validation_records import Objective
from bench.running.folder import create_folder
from commands.calibrate import calibration_file, footage_of
from commands.console import bars, logged
from commands.exit_code import ExitCode
from commands.options import (
    DEFAULT_CACHE,
    DEFAULT_OUT,
    CacheOption,
    JsonOption,
    OutOption,
    QuietOption,
    SeedOption,
    SetOption,
    WorkersOption,
    processes,
)
from scenarios import loader
from scenarios.plan_loader import (
    HARDWARE,
    REFERENCE_CALIBRATION,
    load_calibration,
    load_hardware,
    load_plan,
)
from sim.capacity import Question

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.planning.validation_records import Validation
    from scenarios.plan_schema import PlanScenario
    from sim.calibration import Calibration

__all__ = ["plan"]


def plan(  # noqa: PLR0913 - one command, many questions
    scenario: Annotated[
        str, typer.Argument(help="A TOML file, or the name of a shipped plan.")
    ] = "van",
    *,
    validate: Annotated[
        bool,
        typer.Option(
            "--validate",
            help="First foretell held-out loads, drive them for real, and compare.",
        ),
    ] = False,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Of `harness calibrate`, folder or file; default: the newest."
        ),
    ] = None,
    hardware: Annotated[Path, typer.Option(help="Profiles of nodes, TOML.")] = HARDWARE,
    seconds: Annotated[
        float,
        typer.Option(
            min=5.0,
            max=600.0,
            help="Length of a validation load; with few frames a second it lasts "
            "longer, up to two minutes.",
        ),
    ] = 40.0,
    seed: SeedOption = None,
    overrides: SetOption = None,
    out: OutOption = DEFAULT_OUT,
    cache: CacheOption = DEFAULT_CACHE,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """How many cameras, servers and reviewers a site needs, with the model's error."""
    profiles = load_hardware(hardware)
    asked = load_plan(scenario, overrides=overrides or (), seed=seed, profiles=profiles)
    source = calibration_file(calibration, out=out)
    model = load_calibration(source)
    folder = create_folder(out, name=f"plan-{Path(scenario).stem}")
    with logged(folder), bars(hidden=quiet or as_json) as progress:
        proof = read_validation(source.parent)
        if validate:
            proof = _validate(
                asked,
                model,
                seconds=seconds,
                cache=cache,
                workers=workers,
                progress=progress,
            )
            # The shipped calibration stays as it was shipped.
            if source != REFERENCE_CALIBRATION:
                write_validation(proof, source.parent)
        found = make_plan(
            Question(
                calibration=model,
                site=asked.site,
                target=asked.target,
                hardware=asked.node(profiles),
                seed=asked.plan.seed,
            ),
            asked.review,
            whole_day=asked.plan.whole_day,
            threads=processes(workers),
            progress=progress,
        )
        report = write_plan(
            found,
            folder,
            title=asked.plan.title,
            question=asked.plan.question,
            scenario=asked.model_dump(mode="json"),
            validation=proof,
            provenance=describe_origin(seed=asked.plan.seed),
        )
    if as_json:
        print((folder / "plan.json").read_text(encoding="utf-8"))
    else:
        print(standing(model, proof))
        if proof is not None and validate:
            Console().print(validation_table(proof))
        Console().print(plan_table(found, title=asked.plan.title))
        print(f"Report: {report}")
    raise typer.Exit(_exit_code(proof) if validate else ExitCode.GOOD)


def _exit_code(proof: Validation | None) -> ExitCode:
    if proof is None or proof.n_disturbed:
        return ExitCode.NOT_VALID
    return ExitCode.GOOD if proof.is_met else ExitCode.OBJECTIVE_MISSED


def _validate(
    asked: PlanScenario,
    model: Calibration,
    *,
    seconds: float,
    cache: Path,
    workers: int | None,
    progress: Callable[[str, int, int], None],
) -> Validation:
    settings = loader.load(asked.plan.scenario)
    footage, gallery = footage_of(
        settings, cache=cache, workers=workers, progress=progress
    )
    return validate_loads(
        model,
        footage,
        gallery,
        matcher=settings.matcher,
        objective=Objective(
            p99_s=asked.target.glass_to_alert_p99_s,
            skipped=asked.target.skipped_share,
        ),
        config=CalibrationConfig(seconds=seconds, seed=settings.scenario.seed),
        clock=time.perf_counter_ns,
        progress=progress,
    )
