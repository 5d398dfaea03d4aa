"""Runs a policy and gathers everything that its report tells.

Owns the order of work: one world, the policy, the policy it is compared with, then
checks, groups, sensitivity, failures and the grid. Computes only; the report and the
files are `bench.policy.report`. Knows nothing of scenario files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.policy.records import (
    CheckResult,
    FailureResult,
    InfluenceResult,
    PhaseRates,
    PolicyResult,
    TellResult,
)
from bench.policy.settings import RECORDED
from sim.policy.columns import Outcome
from sim.policy.comparison import compare
from sim.policy.discovery import discover
from sim.policy.groups import burdens, false_alerts_to_tell, recorded_ratio
from sim.policy.measures import MEASURES, estimate, measure_named
from sim.policy.programme import run_programme
from sim.policy.sensitivity import influences, quantities
from sim.policy.sweep import sweep
from sim.policy.world import build_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bench.policy.records import Evidence, PolicyJob
    from bench.policy.settings import CheckConfig
    from sim.policy.comparison import Difference
    from sim.policy.programme import ProgrammeResult
    from sim.policy.records import Deployments
    from sim.policy.sensitivity import Quantity
    from sim.policy.sweep import Cell
    from sim.policy.world import World

__all__ = ["run_policy"]

# The recorded count that the three-state statement is about, and whose it is.
_GROUP_FACT, _GROUP = "false_alerts_black", "Black"
# Ratios for which the reader is told how much evidence it would take.
_RATIOS_TO_TELL = (1.5, 2.0, 5.0)
# Measures whose sensitivity is told, and those told per phase.
_MOVED = ("arrests", "false_alerts")
_PER_PHASE = ("alerts", "false_alerts", "false_engaged", "arrests", "officer_hours")

# Streams of the report's own randomness, after the world's and the programme's.
_BURDENS, _RATIO = 20, 21


def run_policy(
    job: PolicyJob,
    evidence: Evidence,
    *,
    against: PolicyJob | None,
    workers: int,
    progress: Callable[[str, int, int], None],
) -> PolicyResult:
    """Run a policy, and what it is compared with, in one world.

    Args:
        job: The policy.
        evidence: The record and the facts.
        against: The policy to compare with, or None. Its programme's length, seed and
            beliefs are taken from `job`: only its phases and error rates count.
        workers: Threads; the result does not depend on them.
        progress: Told a stage, how much of it is done, and of how much.

    Raises:
        BadInputError: In one of its kinds, if the record or the error rates do not
            reach as far as the policy.
    """
    progress("calibrating", 0, 1)
    world = build_world(
        evidence.record,
        calibration=job.calibration,
        programme=job.programme,
        parameters=job.parameters,
    )
    progress("calibrating", 1, 1)
    mine = _run(job, job, world, workers=workers, progress=progress)
    differences: tuple[Difference, ...] = ()
    if against is not None:
        other = _run(against, job, world, workers=workers, progress=progress)
        differences = compare(other, mine)
    inputs = quantities(world, threshold=job.phases[-1].threshold)
    totals = mine.total()
    months, arrests, false_alerts = _recorded_months(evidence)
    return PolicyResult(
        job=job,
        evidence=evidence,
        programme=mine,
        estimates=tuple(
            estimate(measure.name, values)
            for measure in MEASURES
            if not np.isnan(values := measure.of(totals)).all()
        ),
        phases=_phases(mine),
        against="" if against is None else against.name,
        differences=differences,
        checks=tuple(_check(each, job, evidence, mine) for each in job.checks),
        burdens=burdens(mine, job.groups, rng=_stream(job, _BURDENS)),
        recorded_ratio=recorded_ratio(
            job.groups,
            group=_GROUP if _GROUP in job.groups.names else job.groups.names[-1],
            count=int(_counted(evidence, _GROUP_FACT)[0]),
            of=int(_counted(evidence, _GROUP_FACT)[1]),
            rng=_stream(job, _RATIO),
        ),
        tells=_tells(job, totals),
        influences=tuple(_influence(name, inputs, totals) for name in _MOVED),
        failures=_failures(job, inputs, totals),
        cells=_sweep(job, evidence, workers=workers, progress=progress),
        recorded_months=months,
        recorded_arrests=arrests,
        recorded_false=false_alerts,
    )


def _stream(job: PolicyJob, concern: int) -> np.random.Generator:
    address = np.random.SeedSequence(job.programme.seed, spawn_key=(concern,))
    return np.random.default_rng(address)


def _run(
    policy: PolicyJob,
    job: PolicyJob,
    world: World,
    *,
    workers: int,
    progress: Callable[[str, int, int], None],
) -> ProgrammeResult:
    return run_programme(
        world,
        name=policy.name,
        programme=job.programme,
        phases=policy.phases,
        points=policy.points,
        workers=workers,
        progress=lambda done, of: progress(f"simulating {policy.name}", done, of),
    )


def _phases(result: ProgrammeResult) -> tuple[PhaseRates, ...]:
    """Summarise each phase per deployment, so that phases of any length compare."""
    told = []
    starts = sorted({slot.phase.from_week for slot in result.slots})
    ends = [*starts[1:], result.weekly.shape[1]]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        totals = result.weekly[:, start:end].sum(axis=1)
        n = int(totals[0, Outcome.DEPLOYMENTS])
        told.append(
            PhaseRates(
                number=number,
                first_date=result.first_date + np.timedelta64(7 * start, "D"),
                deployments=n,
                estimates=tuple(
                    estimate(name, measure_named(name).of(totals) / n)
                    for name in _PER_PHASE
                ),
            )
        )
    return tuple(told)


def _check(
    check: CheckConfig, job: PolicyJob, evidence: Evidence, result: ProgrammeResult
) -> CheckResult:
    """Put a published total beside the model's, over the same days."""
    first, end = np.datetime64(check.first_date), np.datetime64(check.end_date)
    measure = measure_named(check.measure)
    totals = result.window(first, end)
    values = measure.of(totals)
    recorded_n, recorded = 0, 0.0
    if check.recorded_from is not None:
        before = evidence.record.between(
            np.datetime64(check.recorded_from), np.datetime64(job.programme.known_until)
        )
        recorded_n, recorded = len(before), _recorded(before, check.measure)
    if check.deployments is not None:
        simulated = totals[:, Outcome.DEPLOYMENTS]
        values = values * (check.deployments - recorded_n) / simulated
    predicted = estimate(check.measure, values + recorded)
    fact = evidence.facts[check.fact]
    return CheckResult(
        check=check,
        fact=fact,
        predicted=predicted,
        is_inside=predicted.low <= fact.value <= predicted.high,
    )


def _recorded(record: Deployments, measure: str) -> float:
    """Return the recorded sum of a measure; only those of `RECORDED` are printed."""
    columns = (record.alerts, record.arrests, record.false_alerts, record.true_alerts)
    return float(columns[RECORDED.index(measure)].sum())


def _counted(evidence: Evidence, fact_id: str) -> tuple[float, float]:
    fact = evidence.facts[fact_id]
    if fact.numerator is None or fact.denominator is None:
        raise KeyError(fact_id)
    return fact.numerator, fact.denominator


def _tells(job: PolicyJob, totals: NDArray[np.float64]) -> tuple[TellResult, ...]:
    groups = job.groups
    column = groups.names.index(_GROUP) if _GROUP in groups.names else -1
    share = groups.crowd_shares[column]
    per_deployment = float(
        totals[:, Outcome.FALSE_ALERTS].mean() / totals[:, Outcome.DEPLOYMENTS].mean()
    )
    told = []
    for ratio in _RATIOS_TO_TELL:
        needed = false_alerts_to_tell(share, ratio)
        told.append(
            TellResult(
                ratio=ratio,
                false_alerts=needed,
                deployments=None
                if needed is None or per_deployment == 0.0
                else int(np.ceil(needed / per_deployment)),
            )
        )
    return tuple(told)


def _influence(
    name: str, inputs: tuple[Quantity, ...], totals: NDArray[np.float64]
) -> InfluenceResult:
    values = measure_named(name).of(totals)
    return InfluenceResult(measure=name, influences=influences(inputs, values))


def _failures(
    job: PolicyJob, inputs: tuple[Quantity, ...], totals: NDArray[np.float64]
) -> tuple[FailureResult, ...]:
    told = []
    for failure in job.failures:
        values = measure_named(failure.measure).of(totals)
        # An undefined ratio (no arrest at all) is a failure of what it stands for.
        known = np.nan_to_num(values, nan=np.inf)
        fails = known > failure.limit if failure.fails_above else known < failure.limit
        can_look = bool(fails.any() and not fails.all())
        told.append(
            FailureResult(
                failure=failure,
                share=float(fails.mean()),
                n=len(fails),
                box=discover(inputs, fails, max_bounds=3) if can_look else None,
            )
        )
    return tuple(told)


def _sweep(
    job: PolicyJob,
    evidence: Evidence,
    *,
    workers: int,
    progress: Callable[[str, int, int], None],
) -> tuple[Cell, ...]:
    asked = job.sweep
    if not (asked.thresholds and asked.watchlist_sizes and asked.deployments_per_week):
        return ()
    programme = job.programme.model_copy(
        update={"weeks": asked.weeks, "replications": asked.replications}
    )
    world = build_world(
        evidence.record,
        calibration=job.calibration,
        programme=programme,
        parameters=job.parameters,
    )
    return sweep(
        world,
        programme=programme,
        phase=job.phases[-1],
        thresholds=asked.thresholds,
        watchlist_sizes=asked.watchlist_sizes,
        deployments_per_week=asked.deployments_per_week,
        points=job.points,
        workers=workers,
        progress=lambda done, of: progress("sweeping", done, of),
    )


def _recorded_months(
    evidence: Evidence,
) -> tuple[NDArray[np.datetime64], NDArray[np.int64], NDArray[np.int64]]:
    record = evidence.record
    months = record.date.astype("datetime64[M]")
    names = np.unique(months)
    arrests = [int(record.arrests[months == name].sum()) for name in names]
    false = [int(record.false_alerts[months == name].sum()) for name in names]
    return names, np.array(arrests), np.array(false)
