"""`harness compare`: two run folders, one verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from bench.regression.comparison import (
    Contrast,
    compare_figures,
    conclude,
)
from bench.regression.error_comparison import compare_errors
from bench.regression.run_sample import read_sample
from commands.comparing import comparison_json, comparison_table, exit_code
from commands.options import JsonOption

__all__ = ["compare"]

_RESAMPLING_SEED = 19795


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="Held against it.")],
    *,
    margin: Annotated[
        float,
        typer.Option(min=0.0, help="Relative change of a time that is called equal."),
    ] = 0.10,
    error_margin: Annotated[
        float, typer.Option(min=0.0, help="Change of a rate that is called equal.")
    ] = 0.02,
    as_json: JsonOption = False,
) -> None:
    """Hold one run against another: better, worse, equal or inconclusive."""
    a, b = read_sample(first), read_sample(second)
    notes = []
    contrasts: list[Contrast] = []
    if a.machine == b.machine:
        contrasts += compare_figures(a.figures, b.figures, margin=margin)
    else:
        notes.append(f"times are not compared: '{a.machine}' against '{b.machine}'")
    if a.truth_sha256 == b.truth_sha256:
        contrasts += compare_errors(
            [a.passages],
            [b.passages],
            margin=error_margin,
            rng=np.random.default_rng(_RESAMPLING_SEED),
        )
    else:
        notes.append("errors are not compared: the crowds differ")
    invalid = [run.run_id for run in (a, b) if run.status == "INVALID"]
    notes += [
        f"{run_id} is INVALID: nothing may be concluded from it" for run_id in invalid
    ]
    found = conclude(contrasts, n_invalid=len(invalid))
    if as_json:
        print(comparison_json(found, {"runs": [a.run_id, b.run_id], "notes": notes}))
    else:
        title = f"{b.run_id} against {a.run_id}"
        Console().print(comparison_table(found, title=title))
        for note in notes:
            print(f"Note: {note}.")
    raise typer.Exit(exit_code(found))
