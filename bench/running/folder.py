"""A run on disk: written whole or not at all, and readable without the program's past.

Owns the layout of a run folder and the `run.json` contract. Knows nothing of how the
figures in it come about, but that they can be computed again from it alone.

    run.json          verdict, objectives, metrics, resolved scenario, provenance
    plan.parquet      every planned frame: when due, when sent
    changes.parquet   every change of the watchlist: planned, asked, in effect
    frames.parquet    every frame that the matcher spoke of: how it ended
    events.parquet    every stage of every frame: enqueued, started, ended
    boxes.parquet     every detected face
    probes.parquet    every search, with whom it was really made of
    alerts.parquet    every alert, with whom it was really raised on
    passages.parquet  every passage, with what the matcher made of it

Column `result` is the row in `frames.parquet`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from bench.accuracy.disparity import Disparity, disparities
from bench.errors import OutputFolderError, RunFolderError
from bench.host.provenance import calendar_time
from bench.records import (
    AlertOutcome,
    Metric,
    ObjectiveResult,
    PassageOutcome,
    ProbeOutcome,
    RunRecord,
    Verdict,
)
from bench.running.instrument import Instrument
from bench.running.metrics import compute_metrics, counted_passages
from bench.running.run_tables import (
    TABLE_NAMES,
    changes_of,
    plan_of,
    results_of,
    tables_of,
)
from bench.tables import from_table
from bench.timing.stages import bottleneck

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "SCHEMA_VERSION",
    "create_folder",
    "instrument_of",
    "read_run",
    "recompute",
    "run_json",
    "write_run",
]

SCHEMA_VERSION: Final = 3

# Metrics of the contract that are hashes, by where the provenance keeps them.
_HASHES = {"truth.sha256": "truth_sha256", "clips.sha256": "clips_sha256"}


def create_folder(out: Path, *, name: str) -> Path:
    """Make the empty folder of a run, before any work is done for it.

    Args:
        out: Where run folders go.
        name: Begins the folder's name; the time of day, in UTC, ends it.

    Raises:
        OutputFolderError: If it cannot be made or written.
    """
    stem = f"{name}-{calendar_time():%Y%m%dT%H%M%SZ}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        for suffix in chain([""], (f"-{k}" for k in count(2))):
            folder = out / (stem + suffix)
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            break
        # Root may make folders where nothing can be written, e.g. on a full disk.
        probe = folder / ".writable"
        probe.write_bytes(b"0")
        probe.unlink()
    except OSError as error:
        raise OutputFolderError(path=out, reason=_why(error)) from error
    return folder


def write_run(record: RunRecord, folder: Path) -> None:
    """Write a run into its folder; `run.json` comes last and says that all is there.

    Args:
        record: The run.
        folder: As made by `create_folder`.

    Raises:
        OutputFolderError: If the disk refuses.
    """
    try:
        counted = counted_passages(
            record.passages, record.plan, record.sent, instrument_of(record)
        )
        for name, table in tables_of(record, counted=frozenset(counted)).items():
            part = folder / f"{name}.parquet.part"
            pq.write_table(table, part)
            part.replace(folder / f"{name}.parquet")
        part = folder / "run.json.part"
        text = json.dumps(run_json(record), indent=2, allow_nan=False)
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(folder / "run.json")
    except OSError as error:
        raise OutputFolderError(path=folder, reason=_why(error)) from error


def run_json(record: RunRecord) -> dict[str, object]:
    """Lay out the part of a run that scripts read, as plain JSON values."""
    metrics: dict[str, object] = {
        name: asdict(metric) for name, metric in record.metrics.items()
    }
    for name, key in _HASHES.items():
        metrics[name] = {
            "value": record.provenance[key],
            "low": None,
            "high": None,
            "n": None,
            "unit": "sha256",
        }
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": record.run_id,
        "verdict": asdict(record.verdict),
        "objectives": [asdict(objective) for objective in record.objectives],
        "metrics": metrics,
        "bottleneck": _bottleneck(record),
        "disparities": [asdict(found) for found in _disparities(record)],
        "scenario": record.scenario,
        "provenance": record.provenance,
        "notes": list(record.notes),
    }


def _bottleneck(record: RunRecord) -> dict[str, object] | None:
    """Name the busiest stage; None if none worked."""
    busiest = bottleneck(record.metrics)
    if busiest is None:
        return None
    return {"stage": str(busiest[0]), "utilisation": busiest[1]}


def _disparities(record: RunRecord) -> tuple[Disparity, ...]:
    return disparities(
        counted_passages(
            record.passages, record.plan, record.sent, instrument_of(record)
        )
    )


def read_run(folder: Path) -> RunRecord:
    """Read a run back.

    Raises:
        RunFolderError: If a file is missing or unreadable, or of another version.
    """
    try:
        text = (folder / "run.json").read_text(encoding="utf-8")
        table = {
            name: pq.read_table(folder / f"{name}.parquet") for name in TABLE_NAMES
        }
        return _record(json.loads(text), table)
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise RunFolderError(path=folder, reason=str(error)) from error


def recompute(folder: Path) -> dict[str, Metric]:
    """Compute the metrics of a stored run again, from its records alone."""
    record = read_run(folder)
    return compute_metrics(
        plan=record.plan,
        sent=record.sent,
        results=record.results,
        passages=record.passages,
        alerts=record.alerts,
        probes=record.probes,
        instrument=instrument_of(record),
        changes=record.changes,
    )


def instrument_of(record: RunRecord) -> Instrument:
    """Take the instrument's own record out of a run's provenance."""
    return TypeAdapter(Instrument).validate_python(record.provenance["instrument"])


def _record(said: Mapping[str, Any], table: Mapping[str, pa.Table]) -> RunRecord:
    if said["schema_version"] != SCHEMA_VERSION:
        message = (
            f"schema_version {said['schema_version']}; this program reads "
            f"{SCHEMA_VERSION}"
        )
        raise ValueError(message)
    planned, changes = changes_of(table["changes"])
    plan, sent = plan_of(table["plan"], planned)
    return RunRecord(
        run_id=said["run_id"],
        scenario=said["scenario"],
        provenance=said["provenance"],
        verdict=TypeAdapter(Verdict).validate_python(said["verdict"]),
        objectives=TypeAdapter(tuple[ObjectiveResult, ...]).validate_python(
            said["objectives"]
        ),
        metrics={
            name: Metric(**metric)
            for name, metric in said["metrics"].items()
            if name not in _HASHES
        },
        plan=plan,
        sent=sent,
        results=results_of(table),
        passages=from_table(table["passages"], PassageOutcome),
        alerts=from_table(table["alerts"], AlertOutcome),
        probes=from_table(table["probes"], ProbeOutcome),
        notes=tuple(said["notes"]),
        changes=changes,
    )


def _why(error: OSError) -> str:
    return str(error) if error.strerror is None else error.strerror
