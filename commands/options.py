"""The options that commands share: their names, help and defaults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from lfr_errors import BadInputError

__all__ = [
    "DEFAULT_CACHE",
    "DEFAULT_OUT",
    "CacheLimitError",
    "CacheOption",
    "JsonOption",
    "OutOption",
    "QuietOption",
    "ScenarioArgument",
    "SeedOption",
    "SetOption",
    "WorkersOption",
    "cache_limit_bytes",
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


_LIMIT_VARIABLE, _DEFAULT_LIMIT_GB = "LFR_CACHE_LIMIT_GB", 50.0


class CacheLimitError(BadInputError):
    """A cache limit that is no size."""

    def __init__(self, *, text: str) -> None:
        self.text = text
        super().__init__(
            f"the environment variable {_LIMIT_VARIABLE} must be a number of gigabytes "
            f"from 0, got '{text}'; set it to one or unset it"
        )


def cache_limit_bytes(limit_gb: float | None = None) -> int:
    """How much the cache of clips may hold.

    Args:
        limit_gb: As asked for; `None` leaves it to the environment, or to 50 GB.

    Raises:
        CacheLimitError: If the environment says anything but a size.
    """
    text = os.environ.get(_LIMIT_VARIABLE)
    if limit_gb is None and text is not None:
        try:
            limit_gb = float(text)
        except ValueError:
            raise CacheLimitError(text=text) from None
        if not limit_gb >= 0.0:
            raise CacheLimitError(text=text)
    return round((_DEFAULT_LIMIT_GB if limit_gb is None else limit_gb) * 1e9)


def processes(workers: int | None) -> int:
    """Return the number asked for, or that of the cores this process may use."""
    return len(os.sched_getaffinity(0)) if workers is None else workers
