"""What `compare` and `ab` share: the table, the file, the exit code."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Column, Table

from bench.regression.comparison import Comparison, Contrast, Judgement
from commands.exit_code import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["comparison_json", "comparison_table", "exit_code", "write_comparison"]


def comparison_json(found: Comparison, more: Mapping[str, object]) -> str:
    """Lay a comparison out for scripts."""
    content = {"schema_version": 1, **asdict(found), **more}
    return json.dumps(content, indent=2, allow_nan=False)


def write_comparison(
    found: Comparison, folder: Path, *, more: Mapping[str, object]
) -> str:
    """Write `compare.json` into a folder; return its text."""
    text = comparison_json(found, more)
    (folder / "compare.json").write_text(text + "\n", encoding="utf-8")
    return text


def comparison_table(found: Comparison, *, title: str) -> Table:
    """Lay a comparison out for people."""
    table = Table(
        Column("figure", no_wrap=True),
        "first",
        "second",
        "change",
        "equal within",
        Column("judgement", no_wrap=True),
        title=f"{found.judgement.value.upper()}: {title}, synthetic people",
        caption="The intervals of all rows hold together with 95 % confidence.",
    )
    for row in found.contrasts:
        table.add_row(
            row.metric,
            f"{row.first:.4g}",
            f"{row.second:.4g}",
            f"{_change(row, row.change)}\n"
            f"({_change(row, row.low)} to {_change(row, row.high)})",
            _margin(row),
            row.judgement.value,
        )
    return table


def exit_code(found: Comparison) -> ExitCode:
    """Worse is an objective missed; inconclusive is not valid."""
    match found.judgement:
        case Judgement.WORSE:
            return ExitCode.OBJECTIVE_MISSED
        case Judgement.INCONCLUSIVE:
            return ExitCode.NOT_VALID
        case _:
            return ExitCode.GOOD


def _margin(row: Contrast) -> str:
    text = _change(row, row.margin).lstrip("+")
    if row.floor == 0.0:
        return text
    return f"{text}\n(noise {_change(row, row.floor).lstrip('+')})"


def _change(row: Contrast, change: float) -> str:
    return f"{change:+.1%}" if row.is_relative else f"{change * 100:+.1f} points"
