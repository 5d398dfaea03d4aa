"""`harness doctor`: can this machine run it, and will its figures hold?"""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from bench.host.doctor import Health, examine
from commands.exit_code import ExitCode
from commands.options import (
    DEFAULT_CACHE,
    DEFAULT_OUT,
    CacheOption,
    OutOption,
)

__all__ = ["doctor"]


def doctor(*, out: OutOption = DEFAULT_OUT, cache: CacheOption = DEFAULT_CACHE) -> None:
    """Check this machine: can it run, and will its figures hold?"""
    checks = examine(cache_dir=cache, out_dir=out)
    table = Table("", "what", "found", "remedy")
    for check in checks:
        table.add_row(check.health.value, check.name, check.found, check.remedy)
    Console().print(table)
    is_bad = any(check.health is Health.BAD for check in checks)
    raise typer.Exit(ExitCode.BAD_INPUT if is_bad else ExitCode.GOOD)
