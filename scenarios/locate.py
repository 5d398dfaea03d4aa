"""Finds the line of a TOML file that sets a key.

Owns the mapping from a dotted key to a line number, which the standard parser does
not give. Knows nothing of what a key means; a key in a layout that it cannot follow
(inline tables over several lines) is found by its table alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["KeyPath", "line_of"]

# A position in a nested document: names for tables, numbers for array elements.
KeyPath = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")


@dataclass(slots=True)
class _Cursor:
    """Where in the document the current line stands."""

    table: KeyPath = ()
    counts: dict[KeyPath, int] = field(default_factory=dict)

    def enter(self, brackets: str, name: str) -> None:
        path: KeyPath = tuple(part.strip(" \"'") for part in name.split("."))
        parent: KeyPath = ()
        for part in path[:-1]:
            parent = (*parent, part)
            if parent in self.counts:
                parent = (*parent, self.counts[parent])
        full = (*parent, path[-1])
        if brackets == "[[":
            self.counts[full] = self.counts.get(full, -1) + 1
            full = (*full, self.counts[full])
        self.table = full


def line_of(text: str, path: KeyPath) -> int | None:
    """Return the 1-based line that sets `path`, or that opens its nearest table.

    Args:
        text: A TOML document.
        path: For instance `("cameras", 1, "fps")`.

    Returns:
        The line number; None if neither the key nor any of its tables is there.
    """
    cursor = _Cursor()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            cursor.enter(header[1], header[2])
            here = cursor.table
        elif assignment := _ASSIGNMENT.match(line):
            keys = tuple(part.strip(" \"'") for part in assignment[1].split("."))
            here = (*cursor.table, *keys)
        else:
            continue
        is_nearer = best is None or len(here) > best[0]
        if here == path[: len(here)] and is_nearer:
            best = (len(here), number)
    return best[1] if best else None
