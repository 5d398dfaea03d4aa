"""VALID, INVALID or INCONCLUSIVE: whether a run's figures may be quoted.

Owns the rules and their limits, each with the change that would cure it. Knows
nothing of how figures are measured, nor of exit codes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.intervals.proportion import cases_needed
from bench.records import ObjectiveResult, Reason, Status, Verdict
from bench.timing.latency import samples_needed
from matcher.records import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.objectives import Objective
    from bench.records import Metric, WatchlistChange
    from bench.running.instrument import Instrument
    from bench.timing.frames import FrameTable

__all__ = ["applicable", "judge", "judge_objectives"]

# Limits from DESIGN.md, section Verdict.
_MAX_DELAY_SHARE = 0.10
_MIN_HEADROOM = 3.0
# The harness may have kept the matcher from the processor for this share of the time.
_MAX_STARVED_SHARE = 0.05

# These mean nothing if frames are sent as fast as they are taken.
_NEEDS_REAL_TIME = ("glass_to_alert_s.", "frames.skipped_share")


def judge(
    frames: FrameTable,
    instrument: Instrument,
    objectives: tuple[ObjectiveResult, ...],
    metrics: Mapping[str, Metric],
    *,
    changes: Sequence[WatchlistChange] = (),
) -> Verdict:
    """Judge a run.

    Args:
        frames: What became of every frame.
        instrument: What the harness knows of itself.
        objectives: The judged objectives.
        metrics: The figures behind them.
        changes: What became of the planned changes of the watchlist.

    Returns:
        INVALID if any rule is broken, else INCONCLUSIVE if an objective cannot be
        told from its limit, else VALID; with every reason, INVALID ones first.
    """
    reasons = (
        *_unfinished(frames, instrument),
        *_incomplete(frames, instrument),
        *_clock(frames, instrument),
        *_load(frames, instrument),
        *_changes(changes, instrument),
        *_undecided(objectives, metrics),
    )
    statuses = {reason.status for reason in reasons}
    worst = next(
        (s for s in (Status.INVALID, Status.INCONCLUSIVE) if s in statuses),
        Status.VALID,
    )
    return Verdict(status=worst, reasons=reasons)


def applicable(
    objectives: tuple[Objective, ...], *, unhurried: bool, is_null: bool = False
) -> tuple[Objective, ...]:
    """Leave out the objectives that a run cannot speak to.

    Unhurried, nothing is said of time; a system that does nothing meets or misses none.
    """
    if is_null:
        return ()
    if not unhurried:
        return objectives
    return tuple(o for o in objectives if not o.metric.startswith(_NEEDS_REAL_TIME))


def judge_objectives(
    objectives: tuple[Objective, ...], metrics: Mapping[str, Metric]
) -> tuple[ObjectiveResult, ...]:
    """Hold each objective against the interval of its metric.

    Met or missed only if the whole interval lies on one side of the limit; a bound
    that is missing could lie anywhere.
    """
    results = []
    for objective in objectives:
        metric = metrics[objective.metric]
        low = -math.inf if metric.low is None else metric.low
        high = math.inf if metric.high is None else metric.high
        limit = objective.limit
        within = high <= limit if objective.at_most else low >= limit
        beyond = low > limit if objective.at_most else high < limit
        known = metric.value is not None and (within or beyond)
        results.append(
            ObjectiveResult(
                metric=objective.metric,
                limit=limit,
                at_most=objective.at_most,
                value=metric.value,
                met=within if known else None,
            )
        )
    return tuple(results)


def _invalid(code: str, message: str, cure: str) -> Reason:
    return Reason(code=code, status=Status.INVALID, message=message, cure=cure)


def _unfinished(frames: FrameTable, instrument: Instrument) -> Iterator[Reason]:
    n_sent, n = int(frames.sent.sum()), len(frames.sent)
    if instrument.interrupted:
        yield _invalid(
            "interrupted",
            f"all {n} planned frames must be sent, but Ctrl-C came after {n_sent}",
            "run it again and let it finish",
        )
    if instrument.lost:
        yield _invalid(
            "matcher_died",
            f"the matcher must outlive the run, but {instrument.lost} after {n_sent} "
            f"of {n} frames",
            "see harness.log for its last words, mend it, and run again",
        )
    if not frames.counted.any():
        yield _invalid(
            "warm_up",
            f"frames must be sent past the warm-up of {instrument.warm_up_s:g} s, but "
            "none was",
            "raise load.duration_s or lower load.warm_up_s",
        )


def _incomplete(frames: FrameTable, instrument: Instrument) -> Iterator[Reason]:
    silent = int((frames.sent & (frames.n_outcomes == 0)).sum())
    repeated = int((frames.n_outcomes > 1).sum())
    # A system that does nothing has no stages to log, and one that tells none leaves
    # none out.
    processed = frames.ended(Outcome.PROCESSED) & (not instrument.is_null)
    due = len(Stage) * frames.n_outcomes if instrument.tells_stages else 0
    patchy = int((processed & (frames.n_stages != due)).sum())
    if silent or repeated or patchy or frames.n_strangers:
        yield _invalid(
            "incomplete_log",
            "each frame sent must end exactly once, with every stage logged if it was "
            f"processed, but {silent} never ended, {repeated} ended more than once, "
            f"{patchy} lack a stage and {frames.n_strangers} were never sent",
            "mend the matcher's log; skipped frames have to be reported as skipped",
        )


def _clock(frames: FrameTable, instrument: Instrument) -> Iterator[Reason]:
    if instrument.clock_stopped:
        yield _invalid(
            "clock_stopped",
            "the harness's clock must move on, but it stood still while a frame waited "
            f"for its time, after {int(frames.sent.sum())} frames",
            "run on a machine, or in a virtual machine, that keeps time",
        )
    if frames.n_backwards > 0:
        yield _invalid(
            "clock_backwards",
            "the matcher's stamps must move on from capture to decision, but those of "
            f"{frames.n_backwards} frames run backwards",
            "let the matcher stamp with the monotonic clock of this machine",
        )
    if instrument.clock_disagreement_ns > 0:
        yield _invalid(
            "clock",
            "matcher and harness must read one clock, but theirs differ by at least "
            f"{instrument.clock_disagreement_ns / 1e6:.3f} ms",
            "run both on one machine, in one time namespace",
        )


def _load(frames: FrameTable, instrument: Instrument) -> Iterator[Reason]:
    if instrument.unhurried or instrument.closed:
        return  # nothing was due at a time of the plan's
    delay_s = (frames.sent_ns - frames.planned_ns)[frames.counted] / 1e9
    limit_s = _MAX_DELAY_SHARE * instrument.frame_interval_s
    if len(delay_s) > 0:
        # For the check, any number of frames will do: a figure is quoted elsewhere.
        p99_s = float(np.quantile(delay_s, 0.99, method="inverted_cdf"))
        if p99_s > limit_s:
            yield _invalid(
                "schedule_delay",
                f"frames must be sent on time, p99 of the delay within {limit_s:.4f} s "
                f"(10 % of the frame interval), but it is {p99_s:.4f} s",
                "stop other work on this machine, or send fewer frames per second",
            )
    starved = instrument.starved_s / max(instrument.drive_s, 1e-9)
    if starved > _MAX_STARVED_SHARE:
        yield _invalid(
            "starved",
            "the harness must leave the matcher its processor, but may have kept it "
            f"waiting for {starved:.1%} of the time (limit {_MAX_STARVED_SHARE:.0%})",
            "use a machine with more cores, or send fewer frames per second",
        )
    if instrument.headroom is None or instrument.headroom < _MIN_HEADROOM:
        found = (
            "it was not measured"
            if instrument.headroom is None
            else f"it manages {instrument.headroom:.1f} times"
        )
        yield _invalid(
            "headroom",
            f"the harness alone must manage {_MIN_HEADROOM:g} times the offered "
            f"{instrument.offered_hz:g} frames per second, but {found}",
            "use a faster machine, or send fewer frames per second",
        )


def _changes(
    changes: Sequence[WatchlistChange], instrument: Instrument
) -> Iterator[Reason]:
    if instrument.lost or instrument.interrupted or instrument.clock_stopped:
        return  # the run ended before them, and says why
    for number, change in enumerate(changes, start=1):
        if change.refusal or not change.in_effect_ns:
            why = change.refusal if change.refusal else "no worker ever answered"
            yield _invalid(
                "watchlist_change",
                "every planned change of the watchlist must come into effect, but of "
                f"change {number} {why}",
                "let the target take load.watchlist_change, or leave it out",
            )


def _undecided(
    objectives: tuple[ObjectiveResult, ...], metrics: Mapping[str, Metric]
) -> Iterator[Reason]:
    for objective in objectives:
        if objective.met is None:
            metric = metrics[objective.metric]
            yield Reason(
                code="undecided",
                status=Status.INCONCLUSIVE,
                message=_straddle(objective, metric),
                cure=_cure(objective, metric),
            )


def _straddle(objective: ObjectiveResult, metric: Metric) -> str:
    bound = "at most" if objective.at_most else "at least"
    asked = f"{objective.metric} must be {bound} {objective.limit:g}"
    if metric.value is None:
        return f"{asked}, but {metric.n} samples do not allow to quote it"
    low = "unknown" if metric.low is None else f"{metric.low:.4g}"
    high = "unknown" if metric.high is None else f"{metric.high:.4g}"
    return (
        f"{asked}, but {metric.value:.4g} with the interval from {low} to {high} "
        "(95 %) does not tell"
    )


def _cure(objective: ObjectiveResult, metric: Metric) -> str:
    n = 0 if metric.n is None else metric.n
    if metric.unit == "s":
        needed = _frames_needed(objective, metric, n)
        unit, lever = "frames", "raise load.duration_s or add cameras"
    else:
        share = 0.0 if metric.value is None else metric.value
        needed = cases_needed(share, objective.limit)
        unit, lever = (
            ("frames", "raise load.duration_s or add cameras")
            if objective.metric.startswith("frames.")
            else ("passages", "raise crowd.duration_s or crowd.footfall_per_min")
        )
    if needed is None or needed <= n:
        return "the value lies at its limit: no length of run will tell them apart"
    return f"about {needed - n:,} more {unit}, if the value stays: {lever}"


def _frames_needed(objective: ObjectiveResult, metric: Metric, n: int) -> int | None:
    # `p99` is 0.99 and `p999` is 0.999.
    level = float("0." + objective.metric.rpartition(".p")[2])
    if metric.value is None:
        return samples_needed(level)
    bound = metric.high if metric.value <= objective.limit else metric.low
    if bound is None:
        # The interval ends where the effective sample has an order statistic left:
        # it lacks one with the probability level**n, which must fall to 2.5 %.
        return max(2 * n, math.ceil(math.log(0.025) / math.log(level)))
    distance = abs(metric.value - objective.limit)
    if distance == 0.0:
        return None
    # Intervals narrow with the square root of the sample.
    return math.ceil(n * (abs(bound - metric.value) / distance) ** 2)
