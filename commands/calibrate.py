"""`harness calibrate`: runs the real matcher at a few loads and fits the simulator."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.planning.calibration import CalibrationConfig
from bench.planning.calibration import calibrate as fit_loads
from bench.planning.report import (
    calibration_table,
    newest_calibration,
    write_calibration,
)
from bench.planning.unhurried_look import load_footage
from bench.running.enrolment import enrol_watchlist
from bench.running.folder import create_folder
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
    processes,
)
from scenarios import loader
from scenarios.plan_loader import REFERENCE_CALIBRATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.planning.replay import Footage
    from matcher.gallery import Gallery
    from scenarios.schema import Scenario

__all__ = ["calibrate", "calibration_file", "footage_of"]

SecondsOption = Annotated[
    float, typer.Option(min=5.0, max=600.0, help="Length of each load.")
]


def calibrate(
    scenario: ScenarioArgument = "high_street",
    *,
    seed: SeedOption = None,
    overrides: SetOption = None,
    seconds: SecondsOption = 24.0,
    out: OutOption = DEFAULT_OUT,
    cache: CacheOption = DEFAULT_CACHE,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run the real matcher at a few loads and fit the simulator's service times."""
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    folder = create_folder(out, name=f"calibrate-{Path(scenario).stem}")
    with logged(folder), bars(hidden=quiet or as_json) as progress:
        footage, gallery = footage_of(
            settings, cache=cache, workers=workers, progress=progress
        )
        found, driven = fit_loads(
            footage,
            gallery,
            matcher=settings.matcher,
            config=CalibrationConfig(seconds=seconds, seed=settings.scenario.seed),
            clock=time.perf_counter_ns,
            progress=progress,
        )
        path = write_calibration(found, folder)
    if as_json:
        print(path.read_text(encoding="utf-8"))
    else:
        Console().print(calibration_table(found, driven))
        print(f"Calibration: {path}")
    is_quiet = all(each.is_quiet for each in driven)
    raise typer.Exit(ExitCode.GOOD if is_quiet else ExitCode.NOT_VALID)


def calibration_file(asked: Path | None, *, out: Path) -> Path:
    """Say which calibration to use: the one asked for, or the best there is.

    Args:
        asked: A `calibration.json`, or the folder that `harness calibrate` wrote.
        out: Run folders, among which the newest of this machine is looked for; if
            there is none, the shipped one has to do.
    """
    if asked is not None:
        return asked / "calibration.json" if asked.is_dir() else asked
    return newest_calibration(out) or REFERENCE_CALIBRATION


def footage_of(
    settings: Scenario,
    *,
    cache: Path,
    workers: int | None,
    progress: Callable[[str, int, int], None],
) -> tuple[tuple[Footage, ...], Gallery]:
    """Make or read a scenario's crowd; look at its clips, enrol its watchlist."""
    crowd = crowd_of(settings, cache=cache, workers=workers, progress=progress)
    enrolment = enrol_watchlist(crowd.watchlist, settings.matcher, progress=progress)
    footage = load_footage(
        crowd.clips,
        enrolment.gallery,
        matcher=settings.matcher,
        cache=cache,
        workers=processes(workers),
        clock=time.perf_counter_ns,
        progress=progress,
    )
    return footage, enrolment.gallery
