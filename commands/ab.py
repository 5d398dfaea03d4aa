"""`harness ab`: two settings or two checkouts, run in turn."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from bench.regression.interleaved import Arm, compare_arms, run_arm, take_turns
from bench.running.folder import create_folder
from commands.comparing import comparison_table, exit_code, write_comparison
from commands.console import bars
from commands.options import (
    DEFAULT_CACHE,
    DEFAULT_OUT,
    CacheOption,
    JsonOption,
    OutOption,
    QuietOption,
    ScenarioArgument,
    SetOption,
)

__all__ = ["ab"]

_RESAMPLING_SEED = 19795
_HERE = Path(__file__).resolve().parents[1]


def ab(  # noqa: PLR0913 - one command, many questions
    scenario: ScenarioArgument,
    *,
    set_b: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Setting of B alone; repeatable."),
    ] = None,
    checkout_b: Annotated[
        Path, typer.Option(help="Checkout of B; this one if left out.")
    ] = _HERE,
    overrides: SetOption = None,
    rounds: Annotated[
        int, typer.Option(min=3, help="Rounds of A against A, and of A against B.")
    ] = 5,
    unhurried: Annotated[
        bool, typer.Option("--unhurried", help="Without real-time pacing.")
    ] = False,
    margin: Annotated[
        float,
        typer.Option(min=0.0, help="Relative change of a time that is called equal."),
    ] = 0.05,
    error_margin: Annotated[
        float, typer.Option(min=0.0, help="Change of a rate that is called equal.")
    ] = 0.02,
    out: OutOption = DEFAULT_OUT,
    cache: CacheOption = DEFAULT_CACHE,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run A and B in turn and say whether B is better, worse or equal."""
    folder = create_folder(out, name=f"ab-{Path(scenario).stem}").resolve()
    common = tuple(overrides or ())
    a = Arm(checkout=_HERE, overrides=common)
    b = Arm(checkout=checkout_b.resolve(), overrides=(*common, *(set_b or ())))
    path = Path(scenario)
    what = str(path.resolve()) if path.is_file() else scenario
    with bars(hidden=quiet or as_json) as progress:
        turns = take_turns(
            a,
            b,
            lambda arm: run_arm(
                arm,
                what,
                out=folder / "runs",
                cache=cache.resolve(),
                options=("--unhurried",) if unhurried else (),
            ),
            rounds=rounds,
            progress=progress,
        )
    found, floor = compare_arms(
        turns,
        margin=margin,
        error_margin=error_margin,
        rng=np.random.default_rng(_RESAMPLING_SEED),
    )
    text = write_comparison(
        found,
        folder,
        more={
            "noise_floor": {name: asdict(noise) for name, noise in floor.items()},
            "rounds": rounds,
        },
    )
    if as_json:
        print(text)
    else:
        Console().print(comparison_table(found, title=f"B against A on {scenario}"))
        runs = (*turns.first, *turns.again, *turns.baseline, *turns.candidate)
        n_invalid = sum(run.status == "INVALID" for run in runs)
        if n_invalid:
            print(
                f"{n_invalid} of {len(runs)} runs are INVALID, so nothing is "
                "concluded: see their reports."
            )
        print(f"Noise floor of A against A, and every run: {folder}")
    raise typer.Exit(exit_code(found))
