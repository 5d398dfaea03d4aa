"""From Locust's rows to a run: the same frames, figures and verdict as any other.

Owns the reading of what the master kept, and the figures that only such a run has.
Knows nothing of Locust.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgpack
import numpy as np
import pyarrow as pa

from bench.dialects.dialect import Answer, FrameLabel
from bench.driving.driver import Drive
from bench.driving.session import Session
from bench.host.resources import Account
from bench.intervals.proportion import proportion
from bench.records import Metric, Reason, SentFrames, Status
from bench.swarm.messages import FRAME, PROBE, Row
from bench.timing.latency import percentile
from matcher.records import CameraId, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.dialects.dialect import Dialect, Identified
    from bench.host.clock import ClockCheck
    from bench.records import ArrivalPlan
    from bench.swarm.probes import ProbePicture
    from matcher.messages import SystemDescription

__all__ = ["Heard", "offered_reason", "read_test", "requests_table", "swarm_metrics"]

# What Locust sends may differ from the plan by as much.
_MAX_OFF_PLAN = 0.02


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """One finished test.

    Attributes:
        start_ns: Planned times count from here.
        null_hz: Frames per second that all workers together post to a service that
            does nothing; None if one of them did not say.
        drive_s: From there to the end.
        harness: What master and workers used in that time.
        matcher: What the matchers used; None if they run elsewhere.
        rows: Every request.
    """

    start_ns: int
    null_hz: float | None
    drive_s: float
    harness: Account
    matcher: Account | None
    rows: tuple[Row, ...]

    def session(
        self,
        plan: ArrivalPlan,
        dialects: Sequence[Dialect],
        sizes: Sequence[tuple[int, int]],
        *,
        system: SystemDescription,
        clock_check: ClockCheck,
        lost: str,
        interrupted: bool,
    ) -> Session:
        """Read every frame's end, and make a sitting of it as any target's.

        Args:
            plan: What was to be sent.
            dialects: Of each address; camera `k` spoke to number `k` modulo theirs.
            sizes: Of each camera's pictures.
            system: What the matcher is.
            clock_check: Whether its stamps are of our clock.
            lost: Why it could take no more; empty if it could.
            interrupted: Someone pressed Ctrl-C.
        """
        planned_ns = plan.offset_ns + self.start_ns
        sent_ns = np.full(len(plan), -1, dtype=np.int64)
        results = []
        for kind, row, sent, answered, status, failure, body in self.rows:
            if kind != FRAME:
                continue
            sent_ns[row] = sent
            camera = int(plan.camera[row])
            width_px, height_px = sizes[camera]
            label = FrameLabel(
                camera_id=CameraId(plan.camera_ids[camera]),
                index=int(plan.frame_index[row]),
                capture_time_ns=int(planned_ns[row]),
                width_px=width_px,
                height_px=height_px,
            )
            answer = Answer(
                status=status,
                body=body,
                sent_ns=sent,
                answered_ns=answered,
                failure=failure,
            )
            results.append(dialects[camera % len(dialects)].frame_result(label, answer))
        return Session(
            system=system,
            clock_check=clock_check,
            drive=Drive(
                sent=SentFrames(planned_ns=planned_ns, sent_ns=sent_ns),
                interrupted=interrupted,
                lost=lost,
            ),
            results=tuple(results),
            drive_s=self.drive_s,
            harness=self.harness,
            matcher=self.matcher,
        )


def read_test(folder: Path, number: int) -> Heard:
    """Read what the master kept of one test."""
    told = json.loads((folder / f"test-{number}.json").read_text("utf-8"))
    path = folder / f"answers-{number}.bin"
    rows: list[Row] = []
    if path.exists():
        with path.open("rb") as file:
            for kind, row, sent, answered, status, failure, body in msgpack.Unpacker(
                file, raw=False
            ):
                rows.append((kind, row, sent, answered, status, failure, body))
    harness = _account(told["harness"])
    return Heard(
        start_ns=told["start_ns"],
        null_hz=told["null_hz"],
        drive_s=(told["end_ns"] - told["start_ns"]) / 1e9,
        harness=Account(cpu_s=0.0, wait_s=None, rss_bytes=0)
        if harness is None
        else harness,
        matcher=_account(told["matcher"]),
        rows=tuple(rows),
    )


def requests_table(
    heard: Heard,
    plan: ArrivalPlan,
    probe_plan: ArrivalPlan,
    *,
    probes: Sequence[ProbePicture],
    mated: frozenset[str],
    dialect: Dialect,
) -> pa.Table:
    """Lay out every request, of frames and of probes, with what was true of the latter.

    Args:
        heard: The test.
        plan: When frames were due.
        probe_plan: When probes were.
        probes: Posted in turn.
        mated: Who of them is on the watchlist.
        dialect: Reads what came of a probe.
    """
    due = {FRAME: plan.offset_ns, PROBE: probe_plan.offset_ns}
    lines = []
    for kind, row, sent, answered, status, failure, body in heard.rows:
        line: dict[str, object] = {
            "kind": kind,
            "row": row,
            "planned_ns": heard.start_ns + int(due[kind][row]),
            "sent_ns": sent,
            "answered_ns": answered,
            "status": status,
            "failure": failure,
            "outcome": None,
            "person_id": None,
            "mated": None,
            "subject_id": None,
            "comparison_score": None,
            "alerted": None,
        }
        if kind == PROBE:
            answer = Answer(
                status=status,
                body=body,
                sent_ns=sent,
                answered_ns=answered,
                failure=failure,
            )
            line |= _probe_columns(dialect.identified(answer), row, probes, mated)
        lines.append(line)
    return pa.Table.from_pylist(lines, schema=_SCHEMA)


_SCHEMA = pa.schema(
    {
        "kind": pa.string(),
        "row": pa.int64(),
        "planned_ns": pa.int64(),
        "sent_ns": pa.int64(),
        "answered_ns": pa.int64(),
        "status": pa.int64(),
        "failure": pa.string(),
        "outcome": pa.string(),
        "person_id": pa.string(),
        "mated": pa.bool_(),
        "subject_id": pa.string(),
        "comparison_score": pa.float64(),
        "alerted": pa.bool_(),
    }
)


def swarm_metrics(
    requests: pa.Table, *, plan: ArrivalPlan, n_probes: int
) -> dict[str, Metric]:
    """Report what only a run by Locust has; from its table alone.

    `response_s.planned.*` counts from the planned moment, `response_s.locust.*` from
    the sending, as Locust's own tables do.

    Args:
        requests: As laid out above.
        plan: Of the frames.
        n_probes: Planned.
    """
    rows = requests.to_pylist()
    frames = [row for row in rows if row["kind"] == FRAME]
    probes = [row for row in rows if row["kind"] == PROBE]
    answered = [row for row in frames if row["status"] != 0]
    searched = [row for row in probes if row["outcome"] == Outcome.PROCESSED]
    mated = [row for row in searched if row["mated"]]
    others = [row for row in searched if not row["mated"]]
    spans_s = float(np.ptp(plan.offset_ns)) / 1e9 if len(plan) > 1 else 0.0
    sent_ns = np.array([row["sent_ns"] for row in frames], dtype=np.int64)
    sent_s = float(np.ptp(sent_ns)) / 1e9 if len(sent_ns) > 1 else 0.0
    metrics = {
        "offered.share_of_plan": Metric(
            value=len(frames) / len(plan) if len(plan) > 0 else None,
            n=len(plan),
        ),
        "offered.planned_hz": _rate(len(plan), spans_s),
        "offered.sent_hz": _rate(len(frames), sent_s),
        "identify.planned": Metric(value=n_probes, unit="probes"),
        "identify.offered": Metric(value=len(probes), n=n_probes, unit="probes"),
        "identify.searched": Metric(value=len(searched), n=len(probes), unit="probes"),
        "identify.tpir": proportion(
            sum(r["alerted"] and r["subject_id"] == r["person_id"] for r in mated),
            len(mated),
        ),
        "identify.fpir": proportion(sum(r["alerted"] for r in others), len(others)),
    }
    for name, of in (("response_s", answered), ("identify_s", searched)):
        in_order = sorted(of, key=lambda row: int(row["planned_ns"]))
        for level, word in ((0.50, "p50"), (0.99, "p99")):
            for since, column in (("planned", "planned_ns"), ("locust", "sent_ns")):
                taken_s = np.array(
                    [(r["answered_ns"] - r[column]) / 1e9 for r in in_order],
                    dtype=np.float64,
                )
                metrics[f"{name}.{since}.{word}"] = percentile(taken_s, level=level)
    causes = Counter(
        row["failure"].partition(":")[0].replace(" ", "_")
        if row["failure"]
        else f"status_{row['status']}"
        for row in probes
        if row["outcome"] != Outcome.PROCESSED
    )
    for cause, count in sorted(causes.items()):
        metrics[f"identify.lost_to.{cause}"] = Metric(
            value=count, n=len(probes), unit="probes"
        )
    return metrics


def offered_reason(requests: pa.Table, plan: ArrivalPlan) -> Reason | None:
    """Hold what Locust sent against the plan: within 2 %, or the run is INVALID."""
    rows = requests.column("kind").to_pylist()
    n_sent = sum(kind == FRAME for kind in rows)
    if len(plan) == 0 or abs(n_sent / len(plan) - 1.0) <= _MAX_OFF_PLAN:
        return None
    return Reason(
        code="offered_load",
        status=Status.INVALID,
        message=f"Locust must offer the planned {len(plan)} frames within "
        f"{_MAX_OFF_PLAN:.0%}, but offered {n_sent}",
        cure="see the workers' logs in locust/; use more workers, or lower the load",
    )


def _probe_columns(
    found: Identified,
    row: int,
    probes: Sequence[ProbePicture],
    mated: frozenset[str],
) -> dict[str, object]:
    person_id = probes[row % len(probes)].person_id
    return {
        "outcome": str(found.outcome),
        "person_id": person_id,
        "mated": person_id in mated,
        "subject_id": found.subject_id,
        "comparison_score": found.comparison_score,
        "alerted": found.alerted,
    }


def _account(row: Sequence[float | None] | None) -> Account | None:
    if row is None:
        return None
    cpu_s, wait_s, rss_bytes = row
    return Account(
        cpu_s=0.0 if cpu_s is None else cpu_s,
        wait_s=wait_s,
        rss_bytes=0 if rss_bytes is None else round(rss_bytes),
    )


def _rate(count: int, seconds: float) -> Metric:
    # So many points span one interval less than there are points.
    value = (count - 1) / seconds if seconds > 0.0 else None
    return Metric(value=value, n=count, unit="Hz")
