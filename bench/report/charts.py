"""Which charts the page shows, each with its caption; none without data.

Owns the choice and the captions. Knows nothing of how a chart is drawn.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bench.accuracy.identification import det_curve
from bench.report import (
    charts_accuracy,
    charts_latency,
    charts_load,
    charts_queue,
    series,
)
from bench.report.charts_accuracy import MIN_GROUP_N, GroupRate
from bench.report.view import Chart
from bench.report.words import count, grouping_title
from bench.running.folder import instrument_of
from bench.running.metrics import counted_passages

if TYPE_CHECKING:
    from bench.records import PassageOutcome, RunRecord

__all__ = ["accuracy_charts", "group_charts", "speed_charts"]

_RATE_CHARTS = (
    (
        "tpir",
        "group-tpir",
        "sought people alerted on, TPIR, %",
        "Sought people alerted on, by group.",
    ),
    (
        "fpir",
        "group-fpir",
        "other people alerted on, FPIR, %",
        "Other people alerted on, by group.",
    ),
)


def accuracy_charts(record: RunRecord) -> tuple[Chart, ...]:
    """Draw the scores and the trade between the two errors."""
    passages = _counted(record)
    scores = series.scores_of(passages)
    if len(scores.mated) + len(scores.non_mated) == 0:
        return ()
    metric = record.metrics.get("threshold")
    n_silent = len(passages) - len(scores.mated) - len(scores.non_mated)
    silent = f" {count(n_silent)} passages have no such score." if n_silent else ""
    charts = [
        Chart(
            svg=charts_accuracy.score_histogram(
                scores, threshold=None if metric is None else metric.value
            ),
            caption="Best score of each passage: of sought people with their own "
            "watchlist picture, of others with anyone's. At or above the threshold "
            f"an alert is raised.{silent}",
        )
    ]
    curve = det_curve(passages)
    if min(curve.n_mated, curve.n_non_mated) > 0:
        rates = [record.metrics.get(name) for name in ("fpir", "fnir")]
        fpir, fnir = (None if rate is None else rate.value for rate in rates)
        charts.append(
            Chart(
                svg=charts_accuracy.error_trade(
                    curve,
                    operating=None if fpir is None or fnir is None else (fpir, fnir),
                ),
                caption="What another threshold would have done (DET curve): fewer "
                "false alerts to the left, fewer misses below. The pale band is the "
                "95 % interval at each threshold. In the shaded edge lies "
                f"less than one of the {count(curve.n_non_mated)} other passages.",
            )
        )
    return tuple(charts)


def group_charts(record: RunRecord) -> tuple[Chart, ...]:
    """Draw the error rates by group."""
    charts = []
    for rate, name, axis, caption in _RATE_CHARTS:
        rates = _group_rates(record, rate)
        if not rates:
            continue
        whole = record.metrics.get(rate)
        small = any(not r.tells for r in rates)
        charts.append(
            Chart(
                svg=charts_accuracy.group_rates(
                    rates,
                    overall=None if whole is None else whole.value,
                    name=name,
                    axis=axis,
                ),
                caption=f"{caption} Dots are measured, lines are 95 % intervals, the "
                "upright line is everyone together."
                + (
                    f" Grey, hollow: fewer than {MIN_GROUP_N} passages, too few to "
                    "tell."
                )
                * small,
            )
        )
    return tuple(charts)


def speed_charts(record: RunRecord) -> tuple[Chart, ...]:
    """Draw latency, stages, utilisation and frame outcomes."""
    charts = []
    if _has_latency(record):
        charts += [*_latency_charts(record), *_delay_charts(record)]
    instrument = instrument_of(record)
    in_real_time = not instrument.unhurried
    times = series.stage_times(
        record.results, in_real_time=in_real_time, over_network=instrument.over_network
    )
    if times and instrument.tells_stages:
        charts.append(
            Chart(
                svg=charts_load.stages(times),
                caption="Where a frame's time goes, stage after stage. Waiting grows "
                "with load, service does not; transport is the way from the camera to "
                f"the matcher{', answer the way back' * instrument.over_network}."
                if in_real_time
                else "How long each stage works on a frame.",
            )
        )
    if in_real_time and record.results:
        charts.append(
            Chart(
                svg=charts_queue.queue_over_time(
                    series.queue_of(record), series.happenings_of(record)
                ),
                caption="How many frames the matcher held, waiting or in work. A load "
                "that it carries comes back to zero again and again.",
            )
        )
    shares = {
        name.removeprefix("utilisation."): metric.value
        for name, metric in record.metrics.items()
        if name.startswith("utilisation.") and metric.value is not None
    }
    if shares:
        charts.append(
            Chart(
                svg=charts_load.utilisation(shares),
                caption="How much of the run each stage was at work. The stages share "
                "one worker: it is full when they add up to 100 %.",
            )
        )
    charts.append(
        Chart(
            svg=charts_load.frame_outcomes(series.outcomes_by_camera(record)),
            caption="What became of every frame offered, warm-up included. A skipped "
            "frame was over budget: its people may be missed.",
        )
    )
    return (*charts, *_loss_charts(record))


def _latency_charts(record: RunRecord) -> list[Chart]:
    frames = series.frames_of(record)
    warm_up_s = instrument_of(record).warm_up_s
    happenings = series.happenings_of(record)
    counted = frames.latency_s[frames.time_s >= warm_up_s]
    if len(counted) == 0:
        return []
    quoted = {
        level: metric.value
        for level in ("p50", "p90", "p99")
        if (metric := record.metrics.get(f"glass_to_alert_s.{level}")) is not None
        and metric.value is not None
    }
    over_time = charts_latency.latency_series(
        frames,
        alerts=series.alert_points(record),
        warm_up_s=warm_up_s,
        happenings=happenings,
    )
    return [
        Chart(
            svg=charts_latency.latency_histogram(counted, quoted),
            caption=f"Planned capture to decision, {count(len(counted))} frames after "
            "the warm-up.",
        ),
        Chart(
            svg=over_time,
            caption="The same over the run. A rising line would mean a queue that "
            "never empties."
            + " Dotted: the watchlist changed, or a camera came or went."
            * bool(happenings),
        ),
    ]


def _loss_charts(record: RunRecord) -> list[Chart]:
    by_cause = {
        cause if cause else "no cause given": n
        for cause, n in series.causes(record.results)
    }
    late = (
        (name.rpartition(".")[2], metric.value)
        for name, metric in record.metrics.items()
        if name.startswith("frames.late_by.")
    )
    by_cause |= {f"late: {cause}": int(n) for cause, n in late if n}
    if not by_cause:
        return []
    n_offered = int((record.sent.sent_ns >= 0).sum())
    return [
        Chart(
            svg=charts_queue.losses(by_cause, n_offered=n_offered),
            caption="Why frames were not processed, or were late. Overtaken: newer "
            "frames of the camera were waiting by the time it was their turn. Late: "
            "done after the limit, and where most of the time went.",
        )
    ]


def _delay_charts(record: RunRecord) -> list[Chart]:
    mated = [p for p in _counted(record) if p.mated]
    delays_s = [p.time_to_alert_s for p in mated if p.time_to_alert_s is not None]
    if not delays_s:
        return []
    return [
        Chart(
            svg=charts_latency.alert_delays(np.array(delays_s), n_mated=len(mated)),
            caption="How soon sought people were alerted on. Most of it is the walk "
            "until the face is large enough; the matcher's part is the latency above.",
        )
    ]


def _counted(record: RunRecord) -> tuple[PassageOutcome, ...]:
    return counted_passages(
        record.passages, record.plan, record.sent, instrument_of(record)
    )


def _has_latency(record: RunRecord) -> bool:
    # An unhurried run has none: its frames wait for the matcher, not for a camera.
    longest = record.metrics.get("glass_to_alert_s.max")
    return longest is not None and longest.value is not None


def _group_rates(record: RunRecord, rate: str) -> tuple[GroupRate, ...]:
    rates = []
    for name, metric in record.metrics.items():
        found = re.fullmatch(rf"{rate}\.by_(\w+?)\.(.+)", name)
        if found is None or metric.n is None:
            continue
        if metric.value is None or metric.low is None or metric.high is None:
            continue
        rates.append(
            GroupRate(
                grouping=grouping_title(found[1]),
                group=found[2],
                value=metric.value,
                low=metric.low,
                high=metric.high,
                n=metric.n,
            )
        )
    return tuple(rates)
