"""Records to columns and back: one dataclass field is one Parquet column.

Owns the mapping of field types to Arrow types. Knows nothing of files, nor of what
any record means.
"""

from __future__ import annotations

import types
import typing
from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["from_table", "to_table"]

_Row = TypeVar("_Row")

_SCALARS: dict[object, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
}


def to_table(
    rows: Sequence[_Row], kind: type[_Row], *, more: Mapping[str, pa.Array]
) -> pa.Table:
    """Lay out records as columns, in the order of their fields.

    Args:
        rows: Records, all of `kind`.
        kind: A dataclass of scalars, enumerations, and tuples of one scalar type, of
            fixed or of any length.
        more: Columns to append, one value per row.
    """
    columns = {
        name: pa.array([getattr(row, name) for row in rows], type=_arrow(hint))
        for name, hint in _hints(kind).items()
    }
    return pa.table({**columns, **more})


def from_table(table: pa.Table, kind: type[_Row]) -> tuple[_Row, ...]:
    """Make records of the columns that `kind` names; others are passed over.

    Args:
        table: As made by `to_table`, of `kind` or of one with all its fields.
        kind: A dataclass.

    Raises:
        KeyError: If a column is absent.
    """
    hints = _hints(kind)
    columns = [
        [_value(cell, hint) for cell in table.column(name).to_pylist()]
        for name, hint in hints.items()
    ]
    return tuple(
        kind(**dict(zip(hints, cells, strict=True)))
        for cells in zip(*columns, strict=True)
    )


def _hints(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: _bare(hints[field.name]) for field in fields(kind)}


def _bare(hint: Any) -> Any:  # noqa: ANN401  # a type as an object has no better one
    """Strip `NewType` and `| None` off a type."""
    if isinstance(hint, typing.NewType):
        return _bare(hint.__supertype__)
    if isinstance(hint, types.UnionType):
        (only,) = (part for part in typing.get_args(hint) if part is not type(None))
        return _bare(only)
    return hint


def _arrow(hint: Any) -> pa.DataType:  # noqa: ANN401
    if typing.get_origin(hint) is tuple:
        parts = typing.get_args(hint)
        item = _SCALARS[_bare(parts[0])]
        return pa.list_(item) if parts[-1] is ... else pa.list_(item, len(parts))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return pa.string()
    return _SCALARS[hint]


def _value(cell: Any, hint: Any) -> object:  # noqa: ANN401
    if isinstance(cell, list):
        return tuple(cell)
    if cell is not None and isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(cell)
    return cell
