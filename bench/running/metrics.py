"""Every figure of a run, computed from what was recorded, and from nothing else.

Owns the one way from records to the metrics map: the run itself and a later reader
of its folder both come through here. Knows nothing of clocks or files.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.accuracy.diagnostics import frame_metrics, rank_metrics
from bench.accuracy.fairness import group_metrics
from bench.accuracy.identification import identification_metrics
from bench.accuracy.passages import counting_windows
from bench.records import Metric
from bench.running.instrument import instrument_metrics
from bench.running.watchlist_changes import change_metrics
from bench.timing.frames import tabulate
from bench.timing.latency import latency_metrics, percentile
from bench.timing.lateness import late_metrics
from bench.timing.stages import cause_metrics, flow_metrics, span_s, stage_metrics
from matcher.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.records import (
        AlertOutcome,
        ArrivalPlan,
        PassageOutcome,
        ProbeOutcome,
        SentFrames,
        WatchlistChange,
    )
    from bench.running.instrument import Instrument
    from bench.timing.frames import FrameTable
    from matcher.records import FrameResult

__all__ = ["compute_metrics", "counted_passages"]

_RESAMPLING_SEED = 19795
_NO_TIMES: NDArray[np.float64] = np.empty(0)


def compute_metrics(
    *,
    plan: ArrivalPlan,
    sent: SentFrames,
    results: tuple[FrameResult, ...],
    passages: Sequence[PassageOutcome],
    alerts: Sequence[AlertOutcome],
    probes: Sequence[ProbeOutcome],
    instrument: Instrument,
    changes: Sequence[WatchlistChange] = (),
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
        probes: Every search with whom it was made of.
        instrument: What the harness knows of itself.
        changes: What became of the plan's changes of the watchlist.
    """
    frames = tabulate(plan, sent, results, warm_up_s=instrument.warm_up_s)
    unhurried, offered_hz = instrument.unhurried, instrument.offered_hz
    # Stages that were not told have no utilisation, rather than none at all.
    wall_s = (
        span_s(frames, offered_hz=offered_hz, unhurried=unhurried)
        if instrument.tells_stages
        else 0.0
    )
    counted = counted_passages(passages, plan, sent, instrument)
    return {
        **_latencies(frames, alerts, instrument),
        **_way_back(results, instrument),
        **flow_metrics(
            frames,
            offered_hz=offered_hz,
            deadline_s=instrument.deadline_s,
            unhurried=unhurried,
        ),
        **cause_metrics(results),
        **_late(results, plan, frames, instrument),
        **instrument_metrics(instrument),
        **change_metrics(
            plan,
            changes,
            n_watchlist=instrument.n_watchlist,
            in_real_time=not (unhurried or instrument.closed),
        ),
        **_left_out(passages, counted),
        **_searched(
            {
                **identification_metrics(counted, alerts),
                **frame_metrics(
                    counted,
                    probes,
                    threshold=instrument.threshold,
                    rng=np.random.default_rng(_RESAMPLING_SEED),
                ),
                **group_metrics(counted),
            },
            instrument,
        ),
        **_alerts_in_time(alerts, instrument, wall_s=wall_s),
        **rank_metrics(counted, n_candidates=instrument.n_candidates),
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
    return tuple(
        p for p in passages if windows[p.camera_id].holds(p) and not p.straddles_change
    )


def _left_out(
    passages: Sequence[PassageOutcome], counted: Sequence[PassageOutcome]
) -> dict[str, Metric]:
    """Count the passages that are of no rate, by why."""
    n = len(passages)
    astride = sum(p.straddles_change for p in passages)
    return {
        "passages.excluded": Metric(
            value=n - len(counted) - astride, n=n, unit="passages"
        ),
        "passages.straddling": Metric(value=astride, n=n, unit="passages"),
    }


def _late(
    results: tuple[FrameResult, ...],
    plan: ArrivalPlan,
    frames: FrameTable,
    instrument: Instrument,
) -> dict[str, Metric]:
    if instrument.unhurried:
        return {}
    return late_metrics(results, plan, frames, deadline_s=instrument.deadline_s)


def _alerts_in_time(
    alerts: Sequence[AlertOutcome], instrument: Instrument, *, wall_s: float
) -> dict[str, Metric]:
    """Count the alerts that were raised inside the limit: what an operator can use."""
    if instrument.unhurried:
        return {}
    n = sum(alert.latency_s <= instrument.deadline_s for alert in alerts)
    rate = n / wall_s if wall_s > 0.0 else None
    return {
        "alerts.in_time": Metric(value=n, n=len(alerts), unit="alerts"),
        "alert_goodput_hz": Metric(value=rate, n=n, unit="Hz"),
    }


def _way_back(
    results: tuple[FrameResult, ...], instrument: Instrument
) -> dict[str, Metric]:
    """Report how long an answer takes from the end of the last stage to its reader.

    It is part of `glass_to_alert_s`: over HTTP nobody sees an alert before.
    """
    if not instrument.over_network or not instrument.tells_stages:
        return {}
    taken_s = np.array(
        [
            (r.outcome.done_ns - r.events[-1].ended_ns) / 1e9
            for r in results
            if r.outcome.outcome is Outcome.PROCESSED and r.events
        ],
        dtype=np.float64,
    )
    return {
        "way_back_s.p50": percentile(taken_s, level=0.50),
        "way_back_s.p99": percentile(taken_s, level=0.99),
    }


def _searched(metrics: dict[str, Metric], instrument: Instrument) -> dict[str, Metric]:
    """Leave failures to acquire without a value where searches are not told."""
    if instrument.tells_probes:
        return metrics
    return {
        name: replace(metric, value=None, low=None, high=None)
        if name == "fta" or name.startswith("fta.")
        else metric
        for name, metric in metrics.items()
    }


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
