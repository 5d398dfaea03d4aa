"""The whole page as one value, and that value as HTML.

Owns the order of the report and its templates. Knows nothing of where a run folder
keeps its files, but for the pictures it is handed the folder of.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict

from bench.report import cards, charts, gallery, headline
from bench.report.view import Header, Page, ProvenanceGroup
from bench.running.folder import instrument_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.records import RunRecord
    from bench.report.album import Album

__all__ = ["compose_page", "page_html"]


class _About(BaseModel):
    """What the page takes from the resolved scenario: its `[scenario]` table."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str
    description: str
    seed: int


def compose_page(record: RunRecord, album: Album, *, run_folder: Path) -> Page:
    """Turn a run and its pictures into what the page shows."""
    alerts = gallery.alert_cards(
        run_folder,
        album,
        record.alerts,
        in_real_time=not instrument_of(record).unhurried,
    )
    return Page(
        warning=headline.origin_warning(record),
        header=_header(record),
        verdict=headline.verdict_banner(record.verdict, record.objectives),
        summary=headline.summary(record),
        objectives=headline.objective_rows(record),
        accuracy_cards=cards.accuracy_cards(record),
        speed_cards=cards.speed_cards(record),
        cameras=gallery.camera_figures(run_folder, album),
        alert_cards=gallery.pictured_first(alerts),
        alerts=alerts,
        alerts_note=gallery.alerts_note(
            alerts, prefix=gallery.shared_prefix(record.alerts)
        ),
        accuracy_charts=charts.accuracy_charts(record),
        group_charts=charts.group_charts(record),
        disparities=headline.disparity_rows(record),
        speed_charts=charts.speed_charts(record),
        figures=headline.figure_rows(record),
        provenance=_provenance(record),
        notes=record.notes,
    )


def page_html(page: Page) -> str:
    """Lay the page out as one self-contained HTML document."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bench.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    css, _, _ = environment.loader.get_source(environment, "report.css")  # type: ignore[union-attr]  # set above
    return environment.get_template("report.html").render(page=page, css=Markup(css))  # noqa: S704 - our own style sheet


def _header(record: RunRecord) -> Header:
    about = _About.model_validate(record.scenario["scenario"])
    facts = [("Run", record.run_id), ("Seed", str(about.seed))]
    began = record.provenance.get("began")
    if isinstance(began, str):
        facts.append(("Began", _moment(began)))
    code = record.provenance.get("code")
    if isinstance(code, Mapping) and isinstance(code.get("commit"), str):
        changed = ", with uncommitted changes" if code.get("dirty") else ""
        facts.append(("Commit", code["commit"][:12] + changed))
    return Header(title=about.title, description=about.description, facts=tuple(facts))


def _moment(stamp: str) -> str:
    """Write an ISO 8601 time as `23 November 2026, 10:15 UTC`; others as they are."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    zone = f" {moment.tzname()}" if moment.tzinfo is not None else ""
    return f"{moment.day} {moment:%B %Y, %H:%M}{zone}"


def _provenance(record: RunRecord) -> tuple[ProvenanceGroup, ...]:
    """Group the facts: one table of the plain ones, one for each nested mapping."""
    plain = [
        (name, _plain(value))
        for name, value in record.provenance.items()
        if not isinstance(value, Mapping)
    ]
    groups = [ProvenanceGroup(heading="Run", facts=tuple(plain))] if plain else []
    groups += [
        ProvenanceGroup(
            heading=name.replace("_", " ").capitalize(), facts=tuple(_flat(value))
        )
        for name, value in record.provenance.items()
        if isinstance(value, Mapping)
    ]
    return tuple(groups)


def _flat(facts: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _plain(value)


def _plain(value: object) -> str:
    match value:
        case None:
            return "not known"
        case "":
            return "none"
        case float():
            return f"{value:.6g}"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(_plain(item) for item in value)
        case _:
            return str(value)
