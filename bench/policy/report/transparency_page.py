"""Lays out the transparency report for readers.

Owns its words. Knows nothing of HTML or of files.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from bench.policy.report.figures import interval_text, label_of, number_text
from bench.policy.report.transparency import (
    DeploymentRow,
    deployment_rows,
    period_rows,
)

if TYPE_CHECKING:
    from bench.policy.records import PolicyResult

__all__ = ["TransparencyPage", "compose_transparency"]

# Told once above the table rather than in every row.
_HIDDEN = {"basis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    period: str
    deployments: int
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    group: str
    share: str
    mean: str
    interval: str
    rate: str
    rate_interval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransparencyPage:
    """Everything on the page."""

    kind: str
    tag: str
    title: str
    question: str
    facts: tuple[tuple[str, str], ...]
    footer: str
    replications: str
    period_columns: tuple[str, ...]
    periods: tuple[_Period, ...]
    groups: tuple[_Group, ...]
    deployment_columns: tuple[str, ...]
    deployments: tuple[tuple[str, ...], ...]


def compose_transparency(result: PolicyResult) -> TransparencyPage:
    """Put the transparency report into words."""
    programme = result.job.programme
    periods = period_rows(result)
    names = [each.name for each in fields(DeploymentRow) if each.name not in _HIDDEN]
    return TransparencyPage(
        kind="Transparency report",
        tag="Computed by a model, not measured",
        title=result.job.header.title,
        question="What the force would publish, if the year went as the model "
        "computes it.",
        facts=(
            ("Period", f"{programme.weeks} weeks from {programme.first_date}"),
            ("Deployments", number_text(len(result.programme.slots))),
            ("Seed", str(programme.seed)),
        ),
        footer="Every figure on this page is synthetic.",
        replications=number_text(programme.replications),
        period_columns=tuple(label_of(each.measure) for each in periods[0].estimates),
        periods=tuple(
            _Period(
                period=row.period,
                deployments=row.deployments,
                cells=tuple(
                    (number_text(each.median), interval_text(each))
                    for each in row.estimates
                ),
            )
            for row in periods
        ),
        groups=tuple(
            _Group(
                group=each.group,
                share=f"{100 * each.crowd_share:.1f} %",
                mean=number_text(each.stopped.mean),
                interval=f"{number_text(each.stopped.low)} to "
                f"{number_text(each.stopped.high)}",
                rate=number_text(each.stopped_per_million.mean),
                rate_interval=f"{number_text(each.stopped_per_million.low)} to "
                f"{number_text(each.stopped_per_million.high)}",
            )
            for each in result.burdens
        ),
        deployment_columns=tuple(name.replace("_", " ") for name in names),
        deployments=tuple(
            tuple(str(getattr(row, name)) for name in names)
            for row in deployment_rows(result)
        ),
    )
