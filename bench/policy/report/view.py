"""What the policy page shows: words and pictures, ready to be set.

Owns the fields that the template reads. Knows nothing of how they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = [
    "ChartView",
    "CheckRow",
    "FactRow",
    "FailureRow",
    "MeasureRow",
    "PhaseRow",
    "PolicyPage",
    "TellRow",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """One chart with its words."""

    title: str
    svg: Markup
    caption: str
    basis: str
    basis_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A published figure beside the model's."""

    what: str
    period: str
    published: str
    median: str
    interval: str
    inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRow:
    """One measure, and its change against another policy."""

    label: str
    median: str
    interval: str
    change: str
    change_interval: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRow:
    """One phase of the policy, per deployment."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellRow:
    """What it takes to tell one ratio of error rates."""

    ratio: str
    false_alerts: str
    deployments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """Where the policy fails."""

    title: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One named fact."""

    name: str
    value: str
    unit: str
    mark: str
    date: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPage:
    """Everything on the page, in words and pictures."""

    kind: str
    tag: str
    title: str
    question: str
    facts: tuple[tuple[str, str], ...]
    footer: str
    summary: tuple[str, ...]
    notes: tuple[str, ...]
    known_until: str
    against: str
    replications: str
    checks: tuple[CheckRow, ...]
    moved_most: str
    funnel: ChartView
    measures: tuple[MeasureRow, ...]
    change_chart: ChartView | None
    phase_columns: tuple[str, ...]
    phases: tuple[PhaseRow, ...]
    fans: tuple[ChartView, ...]
    group_state: str
    group_words: str
    group_charts: tuple[ChartView, ...]
    tells: tuple[TellRow, ...]
    tornados: tuple[ChartView, ...]
    failures: tuple[FailureRow, ...]
    grid: ChartView | None
    grid_caption: str
    grid_columns: tuple[str, ...]
    grid_rows: tuple[tuple[str, ...], ...]
    evidence: tuple[FactRow, ...]
