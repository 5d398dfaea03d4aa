"""Every figure of a run, computed from what was recorded, and from nothing else.

Owns the one way from records to the metrics map: the run itself and a later reader
of its folder both come through here. Knows nothing of clocks or files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.accuracy.fairness import group_metrics
from bench.accuracy.identification import identification_metrics
from bench.accuracy.passages import counting_windows
from bench.records import Metric
from bench.running.instrument import instrument_metrics
from bench.timing.frames import tabulate
from bench.timing.latency import latency_metrics, percentile
from bench.timing.stages import cause_metrics, flow_metrics, span_s, stage_metrics
from matcher.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.records import AlertOutcome, ArrivalPlan, PassageOutcome, SentFrames
    from bench.running.instrument import Instrument
    from bench.timing.frames import FrameTable
    from matcher.records import FrameResult

__all__ = ["compute_metrics", "counted_passages"]

_NO_TIMES: NDArray[np.float64] = np.empty(0)


def compute_metrics(
    *,
    plan: ArrivalPlan,
    sent: SentFrames,
    results: tuple[FrameResult, ...],
    passages: Sequence[PassageOutcome],
    alerts: Sequence[AlertOutcome],
    instrument: Instrument,
) -> dict[str, Metric]:
    """Compute the metrics map of a run.

    An unhurried run has no latencies, delays or goodput: they are there without a
    value, since frames were sent as fast as they were taken.

    Args:
        plan: What was to be sent.
        sent: What was sent.
        results: What the matcher said.
        passages: Every passage with what the matcher made of it; those that lie
            inside the counting window are picked here.
        alerts: Every alert with whom it was raised on.
        instrument: What the harness knows of itself.
    """
    frames = tabulate(plan, sent, results, warm_up_s=instrument.warm_up_s)
    unhurried, offered_hz = instrument.unhurried, instrument.offered_hz
    wall_s = span_s(frames, offered_hz=offered_hz, unhurried=unhurried)
    counted = counted_passages(passages, plan, sent, instrument)
    return {
        **_latencies(frames, alerts, instrument),
        **flow_metrics(
            frames,
            offered_hz=offered_hz,
            deadline_s=instrument.deadline_s,
            unhurried=unhurried,
        ),
        **cause_metrics(results),
        **instrument_metrics(instrument),
        "passages.excluded": Metric(
            value=len(passages) - len(counted), n=len(passages), unit="passages"
        ),
        **identification_metrics(counted, alerts),
        **group_metrics(counted),
        **stage_metrics(results, plan, frames, wall_s=wall_s),
    }


def counted_passages(
    passages: Sequence[PassageOutcome],
    plan: ArrivalPlan,
    sent: SentFrames,
    instrument: Instrument,
) -> tuple[PassageOutcome, ...]:
    """Pick the passages that the run saw from end to end, the unit of every rate."""
    windows = counting_windows(
        plan, sent, fps=instrument.fps, warm_up_s=instrument.warm_up_s
    )
    return tuple(p for p in passages if windows[p.camera_id].holds(p))


def _latencies(
    frames: FrameTable, alerts: Sequence[AlertOutcome], instrument: Instrument
) -> dict[str, Metric]:
    """Report the times from planned capture to decision, to alert, and to sending.

    `glass_to_alert_s` is measured on every processed frame: its decision complete is
    the moment at which an alert on it was, or would have been, raised. The alerts
    alone are far too few for a percentile; `alert_latency_s` shows them.
    """
    to_decision_s = alert_s = delay_s = _NO_TIMES
    if not instrument.unhurried:
        rows = frames.counted & frames.ended(Outcome.PROCESSED)
        to_decision_s = (frames.done_ns - frames.planned_ns)[rows] / 1e9
        delay_s = (frames.sent_ns - frames.planned_ns)[frames.counted] / 1e9
        alert_s = np.array([alert.latency_s for alert in alerts], dtype=np.float64)
    largest_s = float(delay_s.max()) if len(delay_s) > 0 else None
    return {
        **latency_metrics("glass_to_alert_s", to_decision_s),
        **latency_metrics("alert_latency_s", alert_s),
        "schedule_delay_s.p99": percentile(delay_s, level=0.99),
        "schedule_delay_s.max": Metric(value=largest_s, n=len(delay_s), unit="s"),
    }
