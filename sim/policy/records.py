"""The records of the policy model: what was published, and what was computed.

Owns shapes and units. Knows nothing of how evidence is read or results are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Deployments", "Fact", "Mark", "freeze"]


class Mark(StrEnum):
    """How well a published fact was read."""

    SOURCE = "S"
    SECONDARY = "S2"
    DERIVED = "D"
    ASSUMED = "A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One published figure, or one assumption that says it is one.

    Attributes:
        fact_id: The name by which parameters refer to it.
        value: The figure, in `unit`.
        unit: What it counts or measures.
        numerator, denominator: The count behind a rate; None where none was printed.
        source, date: Where it was read, and when that was published.
        mark: How well it was read.
        note: What a reader should know.
    """

    fact_id: str
    value: float
    unit: str
    numerator: float | None
    denominator: float | None
    source: str
    date: str
    mark: Mark
    note: str


def freeze(record: object, *, length: int) -> None:
    """Check that every array of a record has one length, and make it read-only.

    Args:
        record: A dataclass whose arrays are columns.
        length: Rows that each column must have.

    Raises:
        ValueError: If a column has another length.
    """
    for column in fields(record):  # type: ignore[arg-type]  # a dataclass instance
        value = getattr(record, column.name)
        if isinstance(value, np.ndarray):
            if len(value) != length:
                message = (
                    f"column '{column.name}' of {type(record).__name__} must have "
                    f"{length} rows, got {len(value)}"
                )
                raise ValueError(message)
            value.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deployments:
    """Recorded deployments, one row each, in order of date.

    NaN stands for "not printed": durations and thresholds before 2023, the split of
    outcomes before 2025.

    Attributes:
        date: (n,) datetime64[D].
        location: The place as printed.
        site, borough: The place as grouped for the model.
        duration_h: (n,) hours.
        watchlist_size: (n,) people.
        threshold: (n,) on the matcher's own scale.
        alerts: (n,) int64, all alerts.
        false_alerts: (n,) int64, confirmed or not.
        true_alerts: (n,) int64, `alerts - false_alerts`.
        not_engaged: (n,) int64, true alerts without an engagement.
        arrests: (n,) int64.
        other_outcome, no_action: (n,) float64, people; NaN where not printed.
        faces_seen: (n,) float64, the force's own estimate.
        remark: What is odd about the row as printed; empty where nothing is.
    """

    date: NDArray[np.datetime64]
    location: tuple[str, ...]
    site: tuple[str, ...]
    borough: tuple[str, ...]
    duration_h: NDArray[np.float64]
    watchlist_size: NDArray[np.float64]
    threshold: NDArray[np.float64]
    alerts: NDArray[np.int64]
    false_alerts: NDArray[np.int64]
    true_alerts: NDArray[np.int64]
    not_engaged: NDArray[np.int64]
    arrests: NDArray[np.int64]
    other_outcome: NDArray[np.float64]
    no_action: NDArray[np.float64]
    faces_seen: NDArray[np.float64]
    remark: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that the columns agree; freeze them."""
        freeze(self, length=len(self.location))

    def __len__(self) -> int:
        return len(self.location)

    def where(self, keep: NDArray[np.bool_]) -> Deployments:
        """Return the rows for which `keep` (n,) is true."""
        rows = np.flatnonzero(keep)
        columns: dict[str, object] = {}
        for column in fields(self):
            value = getattr(self, column.name)
            columns[column.name] = (
                value[rows].copy()
                if isinstance(value, np.ndarray)
                else tuple(value[row] for row in rows)
            )
        return Deployments(**columns)  # type: ignore[arg-type]  # same columns

    def between(
        self, first: np.datetime64 | None, end: np.datetime64 | None
    ) -> Deployments:
        """Return the rows from `first` up to, but not with, `end`."""
        keep = np.ones(len(self), dtype=bool)
        if first is not None:
            keep &= self.date >= first
        if end is not None:
            keep &= self.date < end
        return self.where(keep)

    def joined(self, other: Deployments) -> Deployments:
        """Return the rows of both, in order of date; rows in both count once.

        The same deployment is the same day, place, duration and watchlist: two vans
        may stand at one place on one day.
        """
        seen = set(self._keys())
        new = np.array([key not in seen for key in other._keys()], dtype=bool)
        added = other.where(new)
        columns: dict[str, object] = {}
        order = np.argsort(np.concatenate([self.date, added.date]), kind="stable")
        for column in fields(self):
            mine, theirs = getattr(self, column.name), getattr(added, column.name)
            if isinstance(mine, np.ndarray):
                columns[column.name] = np.concatenate([mine, theirs])[order]
            else:
                both = mine + theirs
                columns[column.name] = tuple(both[row] for row in order)
        return Deployments(**columns)  # type: ignore[arg-type]  # same columns

    def _keys(self) -> list[tuple[str, str, float, float]]:
        return [
            (str(day), place, float(hours), float(size))
            for day, place, hours, size in zip(
                self.date,
                self.location,
                np.nan_to_num(self.duration_h),
                self.watchlist_size,
                strict=True,
            )
        ]
