"""The options that commands share: their names, help and defaults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "DEFAULT_CACHE",
    "DEFAULT_OUT",
    "CacheOption",
    "JsonOption",
    "OutOption",
    "QuietOption",
    "ScenarioArgument",
    "SeedOption",
    "SetOption",
    "WorkersOption",
    "processes",
]

DEFAULT_OUT = Path("runs")
DEFAULT_CACHE = Path(".cache/crowds")

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


def processes(workers: int | None) -> int:
    """Return the number asked for, or that of the cores this process may use."""
    return len(os.sched_getaffinity(0)) if workers is None else workers
