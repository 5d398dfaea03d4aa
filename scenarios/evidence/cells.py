"""Reads a CSV file cell by cell, and says which cell is wrong.

Owns the header check and the conversion of single cells. Knows nothing of what the
columns are about.
"""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.evidence.errors import (
    EvidenceColumnError,
    EvidenceFileError,
    EvidenceValueError,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Row", "read_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a CSV file.

    Attributes:
        path: The file, for messages.
        line: 1-based line on which the row ends.
        cells: Text by column, stripped.
    """

    path: str
    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """Return a cell that must not be empty."""
        value = self.cells[column]
        if not value:
            raise self.error(column, "filled in")
        return value

    def date(self, column: str) -> np.datetime64:
        """Return a day, written year-month-day."""
        text = self.text(column)
        try:
            day = np.datetime64(text, "D")
        except ValueError as error:
            raise self.error(column, "a date such as 2025-01-31") from error
        if len(text) != len("2025-01-31"):
            raise self.error(column, "a date such as 2025-01-31")
        return day

    def count(self, column: str) -> int:
        """Return a whole number, 0 or more; an empty cell counts as none."""
        text = self.cells[column]
        return 0 if not text else self._whole(column)

    def count_or_nan(self, column: str) -> float:
        """Return a whole number, 0 or more; NaN for an empty cell."""
        return float(self._whole(column)) if self.cells[column] else float("nan")

    def number(self, column: str, *, low: float, high: float, required: str) -> float:
        """Return a number in [low, high]; NaN for an empty cell."""
        text = self.cells[column]
        if not text:
            return float("nan")
        try:
            value = float(text)
        except ValueError as error:
            raise self.error(column, required) from error
        if not low <= value <= high:
            raise self.error(column, required)
        return value

    def error(self, column: str, required: str) -> EvidenceValueError:
        """Return the sentence about a bad cell, ready to raise."""
        return EvidenceValueError(
            path=self.path,
            line=self.line,
            column=column,
            required=required,
            arrived=self.cells[column],
        )

    def _whole(self, column: str) -> int:
        text = self.cells[column]
        # isdecimal refuses signs, points and exponents, which int() or float() take.
        if not (text.isascii() and text.isdecimal()):
            raise self.error(column, "a whole number, 0 or more")
        return int(text)


def read_rows(
    path: Path, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> list[Row]:
    """Read a CSV file with a header.

    Args:
        path: The file.
        required: Columns that must be there.
        optional: Columns that may be there; a missing one reads as empty.

    Raises:
        EvidenceFileError: If the file cannot be read, or holds no rows.
        EvidenceColumnError: If a column is missing or unknown.
        EvidenceValueError: If a row has too many or too few cells.
    """
    try:
        # utf-8-sig: spreadsheets like to put a byte-order mark before the header.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            header = [name.strip() for name in next(reader, [])]
            _check_header(header, path, required=required, optional=optional)
            rows = [
                _row(cells, header, path=str(path), line=reader.line_num)
                for cells in reader
                if cells
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvidenceFileError(path=str(path), reason=str(error)) from error
    if not rows:
        raise EvidenceFileError(path=str(path), reason="it holds no rows")
    absent = {name: "" for name in optional if name not in header}
    for row in rows:
        row.cells.update(absent)
    return rows


def _check_header(
    header: list[str],
    path: Path,
    *,
    required: tuple[str, ...],
    optional: tuple[str, ...],
) -> None:
    known = (*required, *optional)
    for name in required:
        if name not in header:
            unknown = [column for column in header if column not in known]
            near = difflib.get_close_matches(name, unknown, n=1, cutoff=0.5)
            raise EvidenceColumnError(
                column=name,
                path=str(path),
                problem="is missing",
                remedy=f"rename '{near[0]}'" if near else "add it",
            )
    for name in header:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"the nearest is '{near[0]}'" if near else "remove it"
            raise EvidenceColumnError(
                column=name, path=str(path), problem="is unknown", remedy=hint
            )
        if header.count(name) > 1:
            raise EvidenceColumnError(
                column=name,
                path=str(path),
                problem="stands there twice",
                remedy="remove one",
            )


def _row(cells: list[str], header: list[str], *, path: str, line: int) -> Row:
    if len(cells) != len(header):
        raise EvidenceValueError(
            path=path,
            line=line,
            column=header[min(len(cells), len(header)) - 1],
            required=f"in a row of {len(header)} cells",
            arrived=f"{len(cells)} cells",
        )
    return Row(
        path=path,
        line=line,
        cells={name: cell.strip() for name, cell in zip(header, cells, strict=True)},
    )
