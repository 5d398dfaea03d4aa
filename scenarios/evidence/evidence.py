"""Reads the published record and the named facts, with every misprint accounted for.

Owns the way from files to records. What the sources print wrongly stands, with its
reason, in `corrections.csv`; the traps that no correction mends stand in `README.md`.
Knows nothing of what a model makes of the record.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scenarios.evidence.cells import Row, read_rows
from scenarios.evidence.errors import EvidenceFileError
from sim.policy.records import Deployments, Fact, Mark

__all__ = [
    "SHIPPED_RECORD",
    "Correction",
    "Site",
    "evidence_files",
    "find_site",
    "load_corrections",
    "load_deployments",
    "load_facts",
    "load_sites",
]

_FOLDER = Path(__file__).parent
SHIPPED_RECORD = _FOLDER / "deployments.csv"

_REQUIRED = (
    "date",
    "location",
    "duration_min",
    "watchlist_size",
    "min_threshold",
    "total_alerts",
    "true_confirmed",
    "true_unconfirmed",
    "false_confirmed",
    "false_unconfirmed",
    "arrests",
)
_OPTIONAL = (
    "use_case",
    "far_printed",
    "other_outcome",
    "no_action",
    "faces_seen_estimate",
    "document",
    "note",
)
# Before this day the two columns of outcomes are one column, printed twice.
_OUTCOMES_SPLIT_FROM = np.datetime64("2025-01-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place as the model groups it."""

    keyword: str
    site: str
    borough: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A cell that the source prints wrongly, and what is used in its stead."""

    first_date: np.datetime64
    last_date: np.datetime64
    column: str
    printed: str
    used: str
    reason: str


def evidence_files() -> tuple[Path, ...]:
    """Return every file of evidence that ships with the package, sorted."""
    return tuple(
        sorted(p for p in _FOLDER.iterdir() if p.suffix in {".csv", ".toml", ".md"})
    )


def load_facts(path: Path = _FOLDER / "facts.toml") -> dict[str, Fact]:
    """Read the named facts.

    Raises:
        EvidenceFileError: If the file is not TOML or a fact lacks a field.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            fact_id: Fact(
                fact_id=fact_id,
                value=float(body["value"]),
                unit=body["unit"],
                numerator=body.get("numerator"),
                denominator=body.get("denominator"),
                source=body["source"],
                date=body["date"],
                mark=Mark(body["mark"]),
                note=body.get("note", ""),
            )
            for fact_id, body in document.items()
        }
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise EvidenceFileError(path=str(path), reason=reason) from error


def load_sites(folder: Path = _FOLDER) -> tuple[Site, ...]:
    """Read the keywords that group places, longest first: the longest match wins."""
    rows = read_rows(folder / "sites.csv", required=("keyword", "site", "borough"))
    sites = [
        Site(
            keyword=row.text("keyword"),
            site=row.text("site"),
            borough=row.text("borough"),
        )
        for row in rows
    ]
    return tuple(sorted(sites, key=lambda entry: (-len(entry.keyword), entry.keyword)))


def find_site(location: str, sites: tuple[Site, ...]) -> Site:
    """Group one printed place; a place without a keyword is a site of its own."""
    text = location.lower().replace("’", "'")  # noqa: RUF001 - the source prints it
    for entry in sites:
        if entry.keyword in text:
            return entry
    name = location.rsplit(",", maxsplit=1)[-1].strip()
    return Site(keyword=text, site=name, borough="elsewhere")


def load_corrections(folder: Path = _FOLDER) -> tuple[Correction, ...]:
    """Read the known misprints."""
    columns = ("first_date", "last_date", "column", "printed", "used", "reason")
    return tuple(
        Correction(
            first_date=row.date("first_date"),
            last_date=row.date("last_date"),
            column=row.text("column"),
            printed=row.text("printed"),
            used=row.text("used"),
            reason=row.text("reason"),
        )
        for row in read_rows(folder / "corrections.csv", required=columns)
    )


def load_deployments(
    path: Path = SHIPPED_RECORD, *, folder: Path = _FOLDER
) -> Deployments:
    """Read a record of deployments, correct its known misprints, sort it by date.

    Args:
        path: A CSV file in the columns of the shipped record.
        folder: Where the known misprints and the groups of places are read from.

    Raises:
        EvidenceFileError: If the file cannot be read, or holds no rows.
        EvidenceColumnError: If a column is missing or unknown.
        EvidenceValueError: If a cell is impossible.
    """
    rows = read_rows(path, required=_REQUIRED, optional=_OPTIONAL)
    corrections = load_corrections(folder)
    for row in rows:
        _correct(row, corrections)
        _check(row)
    rows.sort(key=lambda row: row.date("date"))
    sites = load_sites(folder)
    places = [find_site(row.text("location"), sites) for row in rows]
    false_alerts = _ints(
        [row.count("false_confirmed") + row.count("false_unconfirmed") for row in rows]
    )
    alerts = _ints([row.count("total_alerts") for row in rows])
    dates = np.array([row.date("date") for row in rows], dtype="datetime64[D]")
    is_split = dates >= _OUTCOMES_SPLIT_FROM
    return Deployments(
        date=dates,
        location=tuple(row.text("location") for row in rows),
        site=tuple(place.site for place in places),
        borough=tuple(place.borough for place in places),
        duration_h=_floats([_minutes(row) for row in rows]) / 60.0,
        watchlist_size=_floats([_watchlist(row) for row in rows]),
        threshold=_floats([_threshold(row) for row in rows]),
        alerts=alerts,
        false_alerts=false_alerts,
        true_alerts=alerts - false_alerts,
        not_engaged=_ints([row.count("true_unconfirmed") for row in rows]),
        arrests=_ints([row.count("arrests") for row in rows]),
        other_outcome=_known(rows, "other_outcome", is_split),
        no_action=_known(rows, "no_action", is_split),
        faces_seen=_floats([row.count_or_nan("faces_seen_estimate") for row in rows]),
        remark=tuple(_remark(row) for row in rows),
    )


def _ints(values: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def _floats(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def _known(
    rows: list[Row], column: str, known: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = _floats([row.count_or_nan(column) for row in rows])
    return np.where(known, values, np.nan)


def _minutes(row: Row) -> float:
    return row.number(
        "duration_min", low=1.0, high=1440.0, required="minutes from 1 to 1440"
    )


def _threshold(row: Row) -> float:
    return row.number(
        "min_threshold", low=0.0, high=1.0, required="a threshold from 0 to 1"
    )


def _watchlist(row: Row) -> float:
    size = row.count_or_nan("watchlist_size")
    if not size > 0:
        raise row.error("watchlist_size", "a number of people, 1 or more")
    return size


def _correct(row: Row, corrections: tuple[Correction, ...]) -> None:
    day = row.date("date")
    for known in corrections:
        is_meant = known.first_date <= day <= known.last_date
        if is_meant and row.cells[known.column] == known.printed:
            row.cells[known.column] = known.used


def _check(row: Row) -> None:
    """Refuse a row whose parts exceed their whole: no model can read it."""
    alerts = row.count("total_alerts")
    false_alerts = row.count("false_confirmed") + row.count("false_unconfirmed")
    if false_alerts > alerts:
        raise row.error("total_alerts", f"at least the {false_alerts} false alerts")
    far = row.cells["far_printed"].removesuffix("%")
    try:
        impossible = bool(far) and not 0.0 <= float(far) <= 100.0
    except ValueError as error:
        raise row.error("far_printed", "a percentage from 0 to 100") from error
    if impossible:
        raise row.error("far_printed", "a percentage from 0 to 100")


def _remark(row: Row) -> str:
    """Say what is odd about a row that can still be read; nothing if nothing is."""
    alerts = row.count("total_alerts")
    false_alerts = row.count("false_confirmed") + row.count("false_unconfirmed")
    true_alerts = row.count("true_confirmed") + row.count("true_unconfirmed")
    if true_alerts + false_alerts != alerts:
        return f"{true_alerts} true and {false_alerts} false alerts are not {alerts}"
    if row.count("arrests") > true_alerts:
        return f"{row.count('arrests')} arrests from {true_alerts} true alerts"
    return ""
