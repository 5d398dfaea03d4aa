"""`harness sweep`: a grid of plans, on this machine or on a Ray cluster."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from bench.planning.sweep import on_processes, on_ray, run_sweep, write_table
from bench.running.folder import create_folder
from commands.calibrate import calibration_file
from commands.console import bars, logged
from commands.options import (
    DEFAULT_OUT,
    JsonOption,
    OutOption,
    QuietOption,
    SeedOption,
    SetOption,
    processes,
)
from commands.where import OnOption, Where
from lfr_errors import CutShortError
from scenarios.errors import OverrideError
from scenarios.plan_loader import (
    HARDWARE,
    load_calibration,
    load_hardware,
    load_plan,
)
from sim.capacity import Question
from sim.site import SiteConfig
from sim.sweep import grid

__all__ = ["sweep"]


def sweep(  # noqa: PLR0913 - one command, many questions
    scenario: Annotated[
        str, typer.Argument(help="A TOML file, or the name of a shipped plan.")
    ] = "van",
    *,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=A:B:STEP",
            help="A setting of [site] and its values, A to B; repeat for a grid.",
        ),
    ],
    on: OnOption = Where.LOCAL,
    resume: Annotated[
        Path | None, typer.Option(help="Folder of an interrupted sweep.")
    ] = None,
    replications: Annotated[
        int, typer.Option(min=2, max=1000, help="Repetitions of each cell.")
    ] = 24,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Of `harness calibrate`, folder or file; default: the newest."
        ),
    ] = None,
    seed: SeedOption = None,
    overrides: SetOption = None,
    out: OutOption = DEFAULT_OUT,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="Processes; default: every core."),
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """How the cameras that a node carries change with settings of the site."""
    profiles = load_hardware(HARDWARE)
    asked = load_plan(scenario, overrides=overrides or (), seed=seed, profiles=profiles)
    question = Question(
        calibration=load_calibration(calibration_file(calibration, out=out)),
        site=asked.site,
        target=asked.target,
        hardware=asked.node(profiles),
        seed=asked.plan.seed,
        n_replications=replications,
    )
    cells = grid([_range(text) for text in vary])
    folder = (
        create_folder(out, name=f"sweep-{Path(scenario).stem}")
        if resume is None
        else resume
    )
    runner = on_ray if on is Where.RAY else on_processes
    try:
        with logged(folder), bars(hidden=quiet or as_json) as progress:
            results = run_sweep(
                question,
                cells,
                folder=folder,
                run=partial(runner, workers=processes(workers)),
                progress=progress,
            )
            write_table(results, folder / "sweep.parquet")
    except KeyboardInterrupt:
        kept = len(list((folder / "cells").glob("*.json")))
        message = (
            f"interrupted; {kept} of {len(cells)} cells are kept: the same command "
            f"with --resume {folder} goes on"
        )
        raise CutShortError(message) from None
    if as_json:
        print("[" + ",\n".join(_line(folder, cell.index) for cell in cells) + "]")
        return
    names = [name for name, _ in cells[0].settings]
    table = Table(*names, "cameras a node", "95 %", "p99", "busy")
    for result in results:
        table.add_row(
            *(f"{value:g}" for _, value in result.settings),
            str(result.cameras),
            f"{result.cameras_low} to {result.cameras_high}",
            f"{1e3 * result.p99_s:.0f} ms",
            f"{100 * result.utilisation:.0f} %",
        )
    Console().print(table)
    print(f"Table: {folder / 'sweep.parquet'}")


def _line(folder: Path, index: int) -> str:
    return (folder / "cells" / f"{index:05d}.json").read_text(encoding="utf-8").strip()


def _range(text: str) -> tuple[str, tuple[float, ...]]:
    """Read `key=a:b:step`, both ends included."""
    key, _, span = text.partition("=")
    if key not in SiteConfig.model_fields:
        known = ", ".join(SiteConfig.model_fields)
        raise OverrideError(text=text, detail=f"the key must be one of {known}")
    try:
        begin, end, step = (float(part) for part in span.split(":"))
    except ValueError as error:
        raise OverrideError(
            text=text, detail="the values must be written A:B:STEP, e.g. 5:20:5"
        ) from error
    if step <= 0.0 or end < begin:
        raise OverrideError(
            text=text, detail="A must not exceed B, and STEP must be above 0"
        )
    n = int(np.floor((end - begin) / step + 1e-9)) + 1
    return key, tuple(float(begin + k * step) for k in range(n))
