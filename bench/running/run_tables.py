"""A run's records as tables, and back: the Parquet half of a run folder.

Owns which columns there are and how rows of one table find those of another: column
`result` is the row in `frames`. Knows nothing of files or of JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bench.accuracy.passages import in_order_of_alert
from bench.records import (
    AlertOutcome,
    ArrivalPlan,
    PassageOutcome,
    PlannedChange,
    ProbeOutcome,
    RunRecord,
    SentFrames,
    WatchlistChange,
)
from bench.tables import from_table, to_table
from matcher.records import Alert, FrameOutcome, FrameResult, Probe, StageEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

__all__ = ["TABLE_NAMES", "changes_of", "plan_of", "results_of", "tables_of"]

TABLE_NAMES = (
    "plan",
    "changes",
    "frames",
    "events",
    "boxes",
    "probes",
    "alerts",
    "passages",
)

_CHANGES = pa.schema(
    {
        "offset_ns": pa.int64(),
        "enrol": pa.list_(pa.string()),
        "withdraw": pa.list_(pa.string()),
        "planned_ns": pa.int64(),
        "asked_ns": pa.int64(),
        "workers": pa.list_(pa.int64()),
        "in_effect_ns": pa.list_(pa.int64()),
        "refusal": pa.string(),
    }
)
_BOX = ("track_id", "x1_px", "y1_px", "x2_px", "y2_px")


def tables_of(
    record: RunRecord, *, counted: AbstractSet[PassageOutcome]
) -> Mapping[str, pa.Table]:
    """Lay out a run's records as one table per name in `TABLE_NAMES`.

    Args:
        record: The run.
        counted: Those of its passages that rates are of. A derived column, for
            readers without this program.
    """
    results = record.results
    probes = [(k, probe) for k, r in enumerate(results) for probe in r.probes]
    alerts = in_order_of_alert(results)
    boxes = [(k, box) for k, r in enumerate(results) for box in r.boxes]
    events = [(k, event) for k, r in enumerate(results) for event in r.events]
    return {
        "plan": _plan_table(record.plan, record.sent),
        "changes": _change_table(record),
        "frames": to_table([r.outcome for r in results], FrameOutcome, more={}),
        "events": to_table(
            [event for _, event in events], StageEvent, more=_result_column(events)
        ),
        "boxes": _box_table(boxes),
        "probes": to_table(
            record.probes,
            ProbeOutcome,
            more=_result_column(probes)
            | {
                "capture_time_ns": _ints([p.capture_time_ns for _, p in probes]),
                "decided_ns": _ints([p.decided_ns for _, p in probes]),
                "box_xyxy": pa.array(
                    [p.box_xyxy for _, p in probes], type=pa.list_(pa.float64(), 4)
                ),
                "runners_up": pa.array(
                    [p.runners_up for _, p in probes], type=pa.list_(pa.string())
                ),
            },
        ),
        "alerts": to_table(
            record.alerts,
            AlertOutcome,
            more=_result_column(alerts)
            | {
                "capture_time_ns": _ints([a.capture_time_ns for _, a in alerts]),
                "alert_time_ns": _ints([a.alert_time_ns for _, a in alerts]),
            },
        ),
        "passages": to_table(
            record.passages,
            PassageOutcome,
            more={"counted": pa.array([p in counted for p in record.passages])},
        ),
    }


def plan_of(
    table: pa.Table, changes: tuple[PlannedChange, ...]
) -> tuple[ArrivalPlan, SentFrames]:
    """Make the plan and what was done with it of table `plan`."""
    columns = {
        name: np.array(table.column(name).to_numpy())
        for name in ("offset_ns", "camera", "frame_index", "planned_ns", "sent_ns")
    }
    plan = ArrivalPlan(
        camera_ids=tuple(json.loads(table.schema.metadata[b"camera_ids"])),
        offset_ns=columns["offset_ns"],
        camera=columns["camera"],
        frame_index=columns["frame_index"],
        changes=changes,
    )
    sent = SentFrames(planned_ns=columns["planned_ns"], sent_ns=columns["sent_ns"])
    return plan, sent


def changes_of(
    table: pa.Table,
) -> tuple[tuple[PlannedChange, ...], tuple[WatchlistChange, ...]]:
    """Make the planned changes and what became of them of table `changes`."""
    rows = table.to_pylist()
    planned = tuple(
        PlannedChange(
            offset_ns=row["offset_ns"],
            enrol=tuple(row["enrol"]),
            withdraw=tuple(row["withdraw"]),
        )
        for row in rows
    )
    became = tuple(
        WatchlistChange(
            planned_ns=row["planned_ns"],
            asked_ns=row["asked_ns"],
            workers=tuple(row["workers"]),
            in_effect_ns=tuple(row["in_effect_ns"]),
            refusal=row["refusal"],
        )
        for row in rows
    )
    return planned, became


def results_of(table: Mapping[str, pa.Table]) -> tuple[FrameResult, ...]:
    """Make the matcher's results of the tables by name."""
    outcomes = from_table(table["frames"], FrameOutcome)
    n = len(outcomes)
    boxes = list(
        zip(*(table["boxes"].column(b).to_pylist() for b in _BOX), strict=True)
    )
    of_result = {
        "events": _grouped(from_table(table["events"], StageEvent), table["events"], n),
        "probes": _grouped(from_table(table["probes"], Probe), table["probes"], n),
        "alerts": _grouped(from_table(table["alerts"], Alert), table["alerts"], n),
        "boxes": _grouped(boxes, table["boxes"], n),
    }
    return tuple(
        FrameResult(
            outcome=outcome, **{name: rows[k] for name, rows in of_result.items()}
        )
        for k, outcome in enumerate(outcomes)
    )


def _plan_table(plan: ArrivalPlan, sent: SentFrames) -> pa.Table:
    return pa.table(
        {
            "camera_id": pa.array([plan.camera_ids[k] for k in plan.camera]),
            "camera": pa.array(plan.camera),
            "frame_index": pa.array(plan.frame_index),
            "offset_ns": pa.array(plan.offset_ns),
            "planned_ns": pa.array(sent.planned_ns),
            "sent_ns": pa.array(sent.sent_ns),
        }
    ).replace_schema_metadata({"camera_ids": json.dumps(plan.camera_ids)})


def _change_table(record: RunRecord) -> pa.Table:
    rows = [
        {**asdict(planned), **asdict(change)}
        for planned, change in zip(record.plan.changes, record.changes, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=_CHANGES)


def _box_table(boxes: Sequence[tuple[int, tuple[float, ...]]]) -> pa.Table:
    columns = {name: [box[k] for _, box in boxes] for k, name in enumerate(_BOX)}
    kinds = {name: pa.float64() for name in _BOX} | {"track_id": pa.int64()}
    cells = {name: pa.array(columns[name], type=kinds[name]) for name in _BOX}
    return pa.table({**_result_column(boxes), **cells})


def _result_column(rows: Sequence[tuple[int, object]]) -> dict[str, pa.Array]:
    return {"result": _ints([k for k, _ in rows])}


def _ints(values: Sequence[int]) -> pa.Array:
    return pa.array(values, type=pa.int64())


def _grouped(rows: Sequence[Any], table: pa.Table, n: int) -> list[tuple[Any, ...]]:
    """Gather rows by the result that they belong to, in their order."""
    groups: list[list[Any]] = [[] for _ in range(n)]
    for row, k in zip(rows, table.column("result").to_pylist(), strict=True):
        groups[k].append(row)
    return [tuple(group) for group in groups]
