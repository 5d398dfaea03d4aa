"""What a comparison takes from a run folder: figures, passages, and what was run.

Owns the reading of folders that another build may have written: only what the
`run.json` contract promises is asked for. Part of the shell.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import RunFolderError
from bench.regression.comparison import Figure
from bench.regression.error_comparison import PassageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["RunSample", "read_sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSample:
    """One run, as far as it can be compared.

    Attributes:
        run_id: Its name.
        began: When, ISO 8601.
        status: Its verdict.
        commit: Of the code; empty if unknown.
        machine: Processor and cores: times of different ones are not comparable.
        truth_sha256: Of the crowd: errors on different ones are not paired.
        title: Of the scenario.
        figures: Metrics that have a value, by name; `max_cameras` if it was searched.
        passages: Those that count.
    """

    run_id: str
    began: str
    status: str
    commit: str
    machine: str
    truth_sha256: str
    title: str
    figures: Mapping[str, Figure]
    passages: tuple[PassageError, ...]


def read_sample(folder: Path) -> RunSample:
    """Read a run folder.

    Raises:
        RunFolderError: If it is none.
    """
    try:
        said = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        rows = pq.read_table(folder / "passages.parquet").to_pylist()
        return _sample(said, rows, _capacity(folder))
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise RunFolderError(path=folder, reason=str(error)) from error


def _capacity(folder: Path) -> dict[str, Figure]:
    """Read what a search for cameras found there; nothing, if none was made.

    The bounds are whole cameras: the edge may lie anywhere up to the next one.
    """
    path = folder / "capacity.json"
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))["capacity"]
    at_most = found["at_most"]
    return {
        "max_cameras": Figure(
            value=found["n_cameras"],
            low=max(found["at_least"] - 1.0, 0.5),
            high=None if at_most is None else at_most + 1.0,
        )
    }


def _sample(
    said: Mapping[str, Any], rows: list[dict[str, Any]], capacity: dict[str, Figure]
) -> RunSample:
    provenance = said["provenance"]
    machine = provenance.get("machine", {})
    commit = provenance.get("code", {}).get("commit")
    return RunSample(
        run_id=said["run_id"],
        began=str(provenance.get("began", "")),
        status=said["verdict"]["status"],
        commit="" if commit is None else str(commit),
        machine=f"{machine.get('processor', '?')}, {machine.get('cores', '?')} cores",
        truth_sha256=str(provenance.get("truth_sha256", "")),
        title=said["scenario"]["scenario"]["title"],
        figures={
            name: Figure(value=m["value"], low=m["low"], high=m["high"])
            for name, m in said["metrics"].items()
            if isinstance(m["value"], int | float)
        }
        | capacity,
        passages=tuple(
            PassageError(
                passage_id=row["passage_id"],
                person_id=row["person_id"],
                mated=row["mated"],
                is_error=not row["true_alert"] if row["mated"] else row["alerted"],
            )
            for row in rows
            if row["counted"]
        ),
    )
