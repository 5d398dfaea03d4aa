"""Where the time goes: waiting, service and utilisation of every stage.

Owns the figures about stages and about the flow of frames. Knows nothing of how a
stage works.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from bench.intervals.dependence import dependent_share
from bench.records import Metric
from bench.timing.frames import NEVER, PlanRows
from bench.timing.latency import percentile
from matcher.records import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bench.records import ArrivalPlan
    from bench.timing.frames import FrameTable
    from matcher.records import FrameResult

__all__ = ["bottleneck", "cause_metrics", "flow_metrics", "span_s", "stage_metrics"]

# These stages work on faces: on a frame without any they have nothing to serve.
_OF_FACES = frozenset({Stage.ALIGN, Stage.EMBED, Stage.SEARCH, Stage.DECIDE})


def flow_metrics(
    frames: FrameTable, *, offered_hz: float, deadline_s: float, unhurried: bool
) -> dict[str, Metric]:
    """Count frames by outcome, and the rates at which they passed.

    `frames.*` counts are of the whole run, warm-up included, so that they add up to
    what was sent; shares and rates leave the warm-up out.

    Args:
        frames: The joined frames.
        offered_hz: What the cameras send together.
        deadline_s: Goodput counts frames done within this much of their capture.
        unhurried: Planned times say nothing of when frames were sent.
    """
    counted = frames.counted
    processed = frames.ended(Outcome.PROCESSED) & counted
    n_sent = int(frames.sent.sum())
    metrics = {"frames.offered": Metric(value=n_sent, n=len(counted), unit="frames")}
    for outcome in Outcome:
        ended = frames.ended(outcome)
        metrics[f"frames.{outcome}"] = Metric(
            value=int(ended.sum()), n=n_sent, unit="frames"
        )
        metrics[f"frames.{outcome}_share"] = dependent_share(ended[counted])
    n_silent = int((frames.sent & (frames.n_outcomes == 0)).sum())
    metrics["frames.unaccounted"] = Metric(value=n_silent, n=n_sent, unit="frames")
    metrics["offered_hz"] = Metric(value=offered_hz, unit="Hz")
    wall_s = span_s(frames, offered_hz=offered_hz, unhurried=unhurried)
    metrics["throughput_fps"] = _rate(int(processed.sum()), wall_s)
    if unhurried:
        metrics["goodput_hz"] = Metric(value=None, n=0, unit="Hz")
    else:
        in_time = frames.done_ns - frames.planned_ns <= round(deadline_s * 1e9)
        metrics["goodput_hz"] = _rate(int((processed & in_time).sum()), wall_s)
        metrics["frames.late_share"] = dependent_share(~in_time[processed])
    return metrics


def cause_metrics(results: tuple[FrameResult, ...]) -> dict[str, Metric]:
    """Count frames that were not processed by what kept them from it.

    A cause's kind stands before its colon, e.g. `frames.lost_to.overtaken`.
    """
    kinds = Counter(
        result.outcome.cause.partition(":")[0].strip().replace(" ", "_")
        for result in results
        if result.outcome.outcome is not Outcome.PROCESSED
    )
    return {
        f"frames.lost_to.{kind if kind else 'no_cause_given'}": Metric(
            value=k, n=len(results), unit="frames"
        )
        for kind, k in sorted(kinds.items())
    }


def span_s(frames: FrameTable, *, offered_hz: float, unhurried: bool) -> float:
    """Measure the wall time in which the counted frames were dealt with, seconds.

    From the first capture to one mean interval after the last, or to the last end if
    that is later: a backlog still being worked off belongs to the time it took.
    """
    rows = frames.counted & (frames.done_ns != NEVER)
    if not rows.any():
        return 0.0
    last_ns = int(frames.done_ns[rows].max())
    if unhurried:
        return (last_ns - int(frames.received_ns[rows].min())) / 1e9
    planned_ns = frames.planned_ns[frames.counted]
    end_ns = max(last_ns, int(planned_ns.max()) + round(1e9 / offered_hz))
    return (end_ns - int(planned_ns.min())) / 1e9


def stage_metrics(
    results: tuple[FrameResult, ...],
    plan: ArrivalPlan,
    frames: FrameTable,
    *,
    wall_s: float,
) -> dict[str, Metric]:
    """Summarise each stage: `waiting_s.*`, `service_s.*`, `utilisation.*`.

    Waiting and service of stages that work on faces count frames with faces only;
    the frames without would drown them in zeros.

    Args:
        results: With the three stamps of every stage.
        plan: Gives frames their order in time.
        frames: Says which frames count.
        wall_s: Utilisation is a stage's busy time over this.
    """
    rows = PlanRows(plan)
    stamps: dict[Stage, list[tuple[int, int, int, int, int]]] = {s: [] for s in Stage}
    for result in results:
        for event in result.events:
            row = rows.row(event.camera_id, event.frame_index)
            if row != NEVER and frames.counted[row]:
                stamps[event.stage].append(
                    (
                        row,
                        event.n_faces,
                        event.enqueued_ns,
                        event.started_ns,
                        event.ended_ns,
                    )
                )
    metrics: dict[str, Metric] = {}
    busy_s = 0.0
    for stage, table in stamps.items():
        columns = np.array(sorted(table), dtype=np.int64).reshape(-1, 5)
        service_s = (columns[:, 4] - columns[:, 3]) / 1e9
        waiting_s = (columns[:, 3] - columns[:, 2]) / 1e9
        stage_busy_s = float(service_s.sum())
        busy_s += stage_busy_s
        metrics[f"utilisation.{stage}"] = _utilisation(stage_busy_s, wall_s)
        at_work = columns[:, 1] > 0 if stage in _OF_FACES else slice(None)
        metrics |= _percentiles(f"waiting_s.{stage}", waiting_s[at_work])
        metrics |= _percentiles(f"service_s.{stage}", service_s[at_work])
    # The stages run one after another in one worker: together they are its load.
    metrics["utilisation"] = _utilisation(busy_s, wall_s)
    return metrics


def bottleneck(metrics: Mapping[str, Metric]) -> tuple[Stage, float] | None:
    """Name the stage with the highest utilisation, with it; None if none worked."""
    loads = [
        (load, stage)
        for stage in Stage
        if (load := metrics[f"utilisation.{stage}"].value) is not None
    ]
    if not loads:
        return None
    load, stage = max(loads)
    return stage, load


def _percentiles(name: str, series_s: NDArray[np.float64]) -> dict[str, Metric]:
    return {
        f"{name}.p50": percentile(series_s, level=0.50),
        f"{name}.p99": percentile(series_s, level=0.99),
    }


def _rate(count: int, wall_s: float) -> Metric:
    value = count / wall_s if wall_s > 0.0 else None
    return Metric(value=value, n=count, unit="Hz")


def _utilisation(busy_s: float, wall_s: float) -> Metric:
    return Metric(value=busy_s / wall_s if wall_s > 0.0 else None)
