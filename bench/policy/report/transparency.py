"""The transparency report: rows in the form that forces publish.

Owns two tables: each deployment of one simulated year, and each period over all
replications. Knows nothing of files or pages.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from sim.policy.columns import Outcome
from sim.policy.measures import Estimate, estimate, measure_named

if TYPE_CHECKING:
    from bench.policy.records import PolicyResult

__all__ = [
    "DeploymentRow",
    "PeriodRow",
    "deployment_rows",
    "deployments_csv",
    "period_rows",
    "periods_csv",
]

_PERIOD_MEASURES = (
    "faces",
    "alerts",
    "true_alerts",
    "false_alerts",
    "false_engaged",
    "arrests",
    "other_outcome",
    "no_action",
    "charged",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRow:
    """One deployment of the first replication, as a force would publish it."""

    basis: str
    date: str
    place: str
    duration_min: int
    watchlist_size: int
    threshold: float
    faces_seen: int
    total_alerts: int
    true_alerts: int
    false_alerts: int
    true_recognition_rate: str
    false_alert_rate_percent: str
    people_stopped_on_false_alert: int
    arrests: int
    other_outcome: int
    no_action: int
    charged_or_cautioned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRow:
    """One period over all replications.

    Attributes:
        period: A month, or the whole.
        deployments: In it.
        estimates: Of the published measures.
        by_group: People stopped on a false alert by group; the whole period only.
    """

    period: str
    deployments: int
    estimates: tuple[Estimate, ...]
    by_group: tuple[tuple[str, Estimate], ...]


def deployment_rows(result: PolicyResult) -> tuple[DeploymentRow, ...]:
    """Return every deployment of the first replication."""
    sample = result.programme.sample
    return tuple(_deployment(result, row) for row in range(len(sample.site)))


def _deployment(result: PolicyResult, row: int) -> DeploymentRow:
    slot = result.programme.slots[row]
    sample = result.programme.sample
    counts = {
        outcome: round(float(sample.outcomes[row, outcome])) for outcome in Outcome
    }
    mated, faces = counts[Outcome.MATED], counts[Outcome.FACES]
    false_alerts = counts[Outcome.FALSE_ALERTS]
    return DeploymentRow(
        basis="synthetic",
        date=str(slot.date),
        place=sample.site[row],
        duration_min=round(60.0 * float(sample.hours[row])),
        watchlist_size=round(slot.watchlist_size),
        threshold=slot.phase.threshold,
        faces_seen=faces,
        total_alerts=counts[Outcome.TRUE_ALERTS] + false_alerts,
        true_alerts=counts[Outcome.TRUE_ALERTS],
        false_alerts=false_alerts,
        # Known here alone: no force can print it for a street.
        true_recognition_rate=(
            f"{counts[Outcome.TRUE_ALERTS]}/{mated}" if mated else "0/0"
        ),
        false_alert_rate_percent=f"{100 * false_alerts / faces:.4f}" if faces else "",
        people_stopped_on_false_alert=counts[Outcome.FALSE_ENGAGED],
        arrests=counts[Outcome.ARRESTS],
        other_outcome=counts[Outcome.OTHER_OUTCOME],
        no_action=counts[Outcome.NO_ACTION],
        charged_or_cautioned=counts[Outcome.CHARGED],
    )


def period_rows(result: PolicyResult) -> tuple[PeriodRow, ...]:
    """Return every month, then the whole programme."""
    programme = result.programme
    days = np.arange(programme.weekly.shape[1]) * np.timedelta64(7, "D")
    month_of_week = (programme.first_date + days).astype("datetime64[M]")
    rows = [
        _period(str(month), programme.weekly[:, month_of_week == month].sum(axis=1))
        for month in np.unique(month_of_week)
    ]
    whole = _period("whole programme", programme.total())
    by_group = tuple((each.group, each.stopped) for each in result.burdens)
    return (
        *rows,
        PeriodRow(
            period=whole.period,
            deployments=whole.deployments,
            estimates=whole.estimates,
            by_group=by_group,
        ),
    )


def _period(
    name: str, totals: np.ndarray[tuple[int, int], np.dtype[np.float64]]
) -> PeriodRow:
    return PeriodRow(
        period=name,
        deployments=round(float(totals[0, Outcome.DEPLOYMENTS])),
        estimates=tuple(
            estimate(measure, measure_named(measure).of(totals))
            for measure in _PERIOD_MEASURES
        ),
        by_group=(),
    )


def deployments_csv(rows: tuple[DeploymentRow, ...]) -> str:
    """Write the deployments as CSV, one line each."""
    names = [field.name for field in fields(DeploymentRow)]
    return _csv(names, [[getattr(row, name) for name in names] for row in rows])


def periods_csv(rows: tuple[PeriodRow, ...]) -> str:
    """Write the periods as CSV, one line for each period and measure."""
    header = [
        "basis",
        "period",
        "deployments",
        "measure",
        "median",
        "low_90",
        "high_90",
    ]
    lines: list[list[object]] = []
    for row in rows:
        told = [(each.measure, each) for each in row.estimates]
        told += [
            (f"people_stopped_on_false_alert.{group}", each)
            for group, each in row.by_group
        ]
        lines += [
            [
                "synthetic",
                row.period,
                row.deployments,
                name,
                f"{each.median:.6g}",
                f"{each.low:.6g}",
                f"{each.high:.6g}",
            ]
            for name, each in told
        ]
    return _csv(header, lines)


def _csv(header: list[str], lines: list[list[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return stream.getvalue()
