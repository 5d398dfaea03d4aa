"""Enters what an evaluation measured into the model card.

Owns the marks between which a measured table stands, in the evaluation's report and in
the card alike. Knows nothing of what is measured; the words around the tables are a
person's to write.

    python -m training.model_card
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matcher.weights import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["entered", "marked", "tables_of"]

_CARD, _REPORT, _CHART = "MODEL_CARD.md", "evaluation.md", "det.png"
_TABLE = re.compile(
    r"<!-- measured: (?P<name>[^\n]+) -->\n\n(?P<table>.*?)\n\n<!-- end -->", re.DOTALL
)


def marked(name: str, table: str) -> str:
    """Put marks around a table."""
    return f"<!-- measured: {name} -->\n\n{table}\n\n<!-- end -->"


def tables_of(text: str) -> dict[str, str]:
    """Read the tables that a text has between marks, by name."""
    return {found["name"]: found["table"] for found in _TABLE.finditer(text)}


def entered(card: str, tables: Mapping[str, str]) -> str:
    """Replace the tables of a card by those measured, and nothing else.

    Args:
        card: Text with marks.
        tables: By name; those that the card does not show are left out.

    Raises:
        ValueError: If the card shows none, or one that was not measured.
    """
    shown = tables_of(card)
    missing = [name for name in shown if name not in tables]
    if missing or not shown:
        message = (
            f"a model card must show tables of {sorted(tables)}, got "
            f"{missing or 'none'}; put the marks right, or evaluate anew"
        )
        raise ValueError(message)
    return _TABLE.sub(lambda found: marked(found["name"], tables[found["name"]]), card)


def main(
    evaluation: Annotated[
        Path, typer.Option(help="Folder that training.evaluate wrote.")
    ] = Path("training/out/evaluation"),
    folder: Annotated[Path, typer.Option(help="Where the card lies.")] = WEIGHTS,
) -> None:
    """Enter the last evaluation's tables and curves into the model card."""
    report, card = evaluation / _REPORT, folder / _CARD
    if not report.exists():
        message = f"{report} must be there, got nothing; python -m training.evaluate"
        raise typer.BadParameter(message)
    tables = tables_of(report.read_text(encoding="utf-8"))
    try:
        text = entered(card.read_text(encoding="utf-8"), tables)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    card.write_text(text, encoding="utf-8")
    shutil.copyfile(evaluation / _CHART, folder / _CHART)
    typer.echo(f"{len(tables_of(text))} tables entered into {card}")


if __name__ == "__main__":
    typer.run(main)
