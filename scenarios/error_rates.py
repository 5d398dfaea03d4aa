"""Reads tested error rates: published points, a user's table, or runs of the harness.

Owns the way from files to `OperatingPoints`. Knows nothing of policies.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from scenarios.evidence.cells import Row, read_rows
from scenarios.evidence.errors import EvidenceFileError
from scenarios.evidence.evidence import load_facts
from scenarios.policy_schema import RateSource
from sim.policy.error_rates import OperatingPoints

if TYPE_CHECKING:
    from scenarios.policy_schema import ErrorRatesConfig

__all__ = ["load_error_rates"]

_COLUMNS = (
    "threshold",
    "watchlist_size",
    "false_alerts",
    "non_mated",
    "true_alerts",
    "mated",
)
# Points of a run's score curve: enough for interpolation, few enough to draw.
_N_THRESHOLDS = 41


def load_error_rates(config: ErrorRatesConfig) -> OperatingPoints | None:
    """Read the error rates that a scenario names; None for those of the record.

    Raises:
        EvidenceFileError: If a file or run folder cannot be read.
        EvidenceColumnError: If a table's column is missing or unknown.
        EvidenceValueError: If a cell is impossible.
    """
    if config.source is RateSource.RECORD:
        return None
    if config.source is RateSource.PUBLISHED:
        return _published(config.reach)
    if config.source is RateSource.TABLE:
        return _table(tuple(Path(path) for path in config.paths), config.reach)
    return _runs(tuple(Path(path) for path in config.paths), config.reach)


def _points(
    source: str, rows: list[tuple[float, ...]], reach: float
) -> OperatingPoints:
    columns = np.array(rows, dtype=np.float64).T
    return OperatingPoints(
        source=source,
        threshold=columns[0].copy(),
        watchlist_size=columns[1].copy(),
        false_alerts=columns[2].copy(),
        non_mated=columns[3].copy(),
        true_alerts=columns[4].copy(),
        mated=columns[5].copy(),
        reach=reach,
    )


def _published(reach: float) -> OperatingPoints:
    """Return the NPL points: 1 in 60,000 at 1,000 people, 1 in 6,000 at 10,000.

    The counts behind the rates were not readable. Some 130,000 people passed in the
    test, so each rate counts as that many passages.
    """
    facts = load_facts()
    crowd = 130_000.0
    rows: list[tuple[float, ...]] = [
        (0.60, size, facts[f"fpir_watchlist_{size}"].value * crowd, crowd, 0.0, 0.0)
        for size in (1_000, 10_000)
    ]
    return _points("National Physical Laboratory, 2023", rows, reach)


def _table(paths: tuple[Path, ...], reach: float) -> OperatingPoints:
    rows = [_point(row) for path in paths for row in read_rows(path, required=_COLUMNS)]
    return _points(", ".join(path.name for path in paths), rows, reach)


def _point(row: Row) -> tuple[float, ...]:
    threshold = row.number(
        "threshold", low=-1.0, high=1.0, required="a threshold from -1 to 1"
    )
    if np.isnan(threshold):
        raise row.error("threshold", "filled in")
    counts = {name: float(row.count(name)) for name in _COLUMNS[1:]}
    for part, whole in (("false_alerts", "non_mated"), ("true_alerts", "mated")):
        if counts[part] > counts[whole]:
            raise row.error(part, f"at most {whole}, {counts[whole]:g}")
    if counts["non_mated"] == 0.0 or counts["watchlist_size"] == 0.0:
        empty = "non_mated" if counts["non_mated"] == 0.0 else "watchlist_size"
        raise row.error(empty, "1 or more")
    return (threshold, *(counts[name] for name in _COLUMNS[1:]))


def _runs(folders: tuple[Path, ...], reach: float) -> OperatingPoints:
    """Return error rates by threshold from the passages of harness runs.

    Each run tested one watchlist. Its scores give every threshold, since a passage
    alerts where its best score reaches the threshold.
    """
    rows: list[tuple[float, ...]] = []
    for folder in folders:
        try:
            content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            size = float(content["metrics"]["watchlist.size"]["value"])
            table = pq.read_table(
                folder / "passages.parquet",
                columns=["mated", "best_score", "mate_score"],
            )
        except (OSError, KeyError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise EvidenceFileError(path=str(folder), reason=reason) from error
        mated = np.array(table["mated"].to_pylist(), dtype=bool)
        # A passage without a probe has no score: it reaches no threshold.
        best = _scores(table["best_score"].to_pylist())
        mate = _scores(table["mate_score"].to_pylist())
        if mated.all() or not mated.any():
            reason = "it needs mated and non-mated passages"
            raise EvidenceFileError(path=str(folder), reason=reason)
        finite = best[np.isfinite(best)]
        rows += [
            (
                float(threshold),
                size,
                float((best[~mated] >= threshold).sum()),
                float((~mated).sum()),
                float((mate[mated] >= threshold).sum()),
                float(mated.sum()),
            )
            for threshold in np.quantile(finite, np.linspace(0.0, 1.0, _N_THRESHOLDS))
        ]
    names = ", ".join(folder.name for folder in folders)
    return _points(f"measured by the harness on synthetic people: {names}", rows, reach)


def _scores(values: list[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([-np.inf if value is None else value for value in values])
