"""`harness report`: the report again, from a run folder alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.report import render_report

__all__ = ["report"]


def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
) -> None:
    """Write the HTML report of a run again, from its folder alone."""
    print(f"Report: {render_report(folder)}")
