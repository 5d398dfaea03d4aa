"""What the page shows, ready to be laid out: words, percentages, pictures.

Owns the records that the templates read; every figure in them is already text.
Knows nothing of how they were computed or of HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = [
    "AlertCard",
    "Bar",
    "CameraFigure",
    "Card",
    "Chart",
    "DisparityRow",
    "FigureRow",
    "Header",
    "ObjectiveRow",
    "Page",
    "ProvenanceGroup",
    "ReasonRow",
    "VerdictBanner",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A value with its interval on a short scale, in percent of the scale's length.

    Attributes:
        value, low, high: Where they lie, 0 to 100.
        limit: Where the objective's limit lies; None without one.
        end: What the right end of the scale stands for.
        alt: The same in words.
    """

    value: float
    low: float
    high: float
    limit: float | None
    end: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One headline figure.

    Attributes:
        title: What it is.
        value, interval, basis: As text; empty where there is none.
        note: What stands beside it, e.g. the standard's name of the rate.
        bar: Its interval drawn; None where there is none.
        is_missing: `value` says why there is no value.
    """

    title: str
    value: str
    interval: str
    basis: str
    note: str
    bar: Bar | None
    is_missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The top of the page: title, description, and facts as `(name, value)`."""

    title: str
    description: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """Why the run is not VALID, and the cure."""

    code: str
    status: str
    message: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictBanner:
    """The verdict in words.

    Attributes:
        status: VALID, INVALID or INCONCLUSIVE.
        meaning: What that means for the figures.
        objectives: How many were met; empty without objectives.
        reasons: Why it is not VALID.
    """

    status: str
    meaning: str
    objectives: str
    reasons: tuple[ReasonRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRow:
    """One objective: `outcome` is `met`, `missed` or `cannot tell`."""

    title: str
    code: str
    limit: str
    value: str
    interval: str
    basis: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFigure:
    """One camera's frame as a data URI, with its words."""

    uri: str
    width_px: int
    height_px: int
    alt: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCard:
    """One alert with its pictures.

    Attributes:
        index: Number in the run, from 1.
        is_true: The subject named is the person seen.
        probe_uri, reference_uri: Pictures as data URIs; None if not kept.
        named, seen: Who was named, and who it was, in words.
        score, threshold: As text.
        score_at, threshold_at: On a scale from 0 to 1, in percent.
        latency: Capture to alert; empty where it means nothing.
        place: Camera and time.
    """

    index: int
    is_true: bool
    probe_uri: str | None
    reference_uri: str | None
    named: str
    seen: str
    score: str
    threshold: str
    score_at: float
    threshold_at: float
    latency: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart with its caption."""

    svg: Markup
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """One metric of the run, as text."""

    code: str
    title: str
    value: str
    interval: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceGroup:
    """Facts about where the figures come from, under one heading."""

    heading: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisparityRow:
    """One group against everyone else, as text.

    Attributes:
        rate, group: What is compared, and whose.
        ratio, interval: The group's rate over the others'.
        basis: Passages behind either.
        answer: Equal, unequal, or what it would take to tell.
        tells: The answer is one of the first two.
    """

    rate: str
    group: str
    ratio: str
    interval: str
    basis: str
    answer: str
    tells: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole report.

    `warning` is repeated on every printed page; empty where there is none.
    """

    warning: str
    header: Header
    verdict: VerdictBanner
    summary: tuple[str, ...]
    objectives: tuple[ObjectiveRow, ...]
    accuracy_cards: tuple[Card, ...]
    speed_cards: tuple[Card, ...]
    cameras: tuple[CameraFigure, ...]
    alert_cards: tuple[AlertCard, ...]
    alerts: tuple[AlertCard, ...]
    alerts_note: str
    accuracy_charts: tuple[Chart, ...]
    group_charts: tuple[Chart, ...]
    disparities: tuple[DisparityRow, ...]
    speed_charts: tuple[Chart, ...]
    figures: tuple[FigureRow, ...]
    provenance: tuple[ProvenanceGroup, ...]
    notes: tuple[str, ...]
