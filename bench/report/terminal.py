"""The summary of a run for the terminal.

Owns which figures it leads with and how they stand in a table. Builds only what rich
renders: `harness.py` prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from bench.report.headline import (
    objective_rows,
    origin_warning,
    summary,
    verdict_banner,
)
from bench.report.words import figure_text, metric_title
from bench.running.folder import instrument_of, read_run

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from bench.records import RunRecord
    from bench.report.view import ObjectiveRow, VerdictBanner

__all__ = ["run_summary", "terminal_summary"]

_LEADING = (
    "tpir",
    "tpir.face_60px",
    "fpir",
    "fta",
    "glass_to_alert_s.p50",
    "glass_to_alert_s.p90",
    "glass_to_alert_s.p99",
    "glass_to_alert_s.max",
    "frames.skipped_share",
    "offered_hz",
    "throughput_fps",
    "utilisation",
    "watchlist.size",
    "threshold",
    "target_fpir",
)
_OF_A_MATCHER = (
    "tpir",
    "tpir.face_60px",
    "fpir",
    "fta",
    "utilisation",
    "watchlist.size",
    "threshold",
)
_IN_REAL_TIME = ("glass_to_alert_s.", "frames.skipped_share", "offered_hz")
_STYLES = {"VALID": "bold green", "INVALID": "bold red", "INCONCLUSIVE": "bold yellow"}
_OUTCOME_STYLES = {"met": "green", "missed": "bold red", "cannot tell": "yellow"}


def terminal_summary(folder: Path) -> RenderableType:
    """Summarise a run folder.

    Raises:
        RunFolderError: If the folder is no run folder.
    """
    return run_summary(read_run(folder))


def run_summary(record: RunRecord) -> RenderableType:
    """Summarise a run: what happened, its figures, its objectives, its verdict."""
    warning = origin_warning(record)
    parts: list[RenderableType] = [
        *([Text(warning, style="bold red")] if warning else []),
        Text(" ".join(summary(record))),
        Text(""),
        _figures(record),
    ]
    objectives = objective_rows(record)
    if objectives:
        parts += [Text(""), _objectives(objectives)]
    parts += [Text(""), _verdict(verdict_banner(record.verdict, record.objectives))]
    return Group(*parts)


def _figures(record: RunRecord) -> Table:
    table = _table("Synthetic people", "value", "95 % interval", "from")
    instrument = instrument_of(record)
    for name in _LEADING:
        text = figure_text(name, record.metrics.get(name))
        if text.is_missing and name == "target_fpir":
            continue  # The threshold was given: it was set for no target.
        if instrument.is_null and name in _OF_A_MATCHER:
            continue  # There was none.
        if instrument.unhurried and name.startswith(_IN_REAL_TIME):
            continue  # Nobody waited between the frames.
        table.add_row(
            Text(metric_title(name)),
            Text(text.value, style="dim" if text.is_missing else "bold"),
            Text(text.interval),
            Text(text.basis, style="dim"),
        )
    return table


def _objectives(rows: tuple[ObjectiveRow, ...]) -> Table:
    table = _table("Objective", "limit", "measured", "outcome")
    for row in rows:
        table.add_row(
            Text(row.title),
            Text(row.limit),
            Text(row.value),
            Text(row.outcome, style=_OUTCOME_STYLES[row.outcome]),
        )
    return table


def _verdict(banner: VerdictBanner) -> Text:
    text = Text()
    text.append(f"{banner.status}  ", style=_STYLES[banner.status])
    text.append(banner.meaning)
    if banner.objectives:
        text.append(f" {banner.objectives}.")
    for reason in banner.reasons:
        text.append(f"\n  {reason.message}\n")
        text.append(f"    Cure: {reason.cure}", style="bold")
    return text


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
