"""`harness curve`: errors, latency and skips over cameras, or over the watchlist."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.host.provenance import describe_origin
from bench.report.curve_page import growth_sentence, write_curve_page
from bench.report.words import figure_text
from bench.running.folder import create_folder
from bench.running.run import Settings
from bench.search.curve import OverWhat
from bench.search.curve_runs import run_curve
from commands.console import bars, logged
from commands.crowd import crowd_of
from commands.options import (
    DEFAULT_CACHE,
    DEFAULT_OUT,
    CacheOption,
    JsonOption,
    OutOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
)
from matcher.assembly import check_threshold
from scenarios import loader
from scenarios.streams import Stream, Streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.search.curve import CurvePoint

__all__ = ["curve"]


def curve(
    scenario: ScenarioArgument,
    *,
    over: Annotated[
        OverWhat, typer.Option(help="What changes from run to run.")
    ] = OverWhat.CAMERAS,
    values: Annotated[
        str, typer.Option(help="Loads, with commas between them, increasing.")
    ] = "1,2,4,8",
    seed: SeedOption = None,
    overrides: SetOption = None,
    out: OutOption = DEFAULT_OUT,
    cache: CacheOption = DEFAULT_CACHE,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what load, or a longer watchlist, does to errors and latency."""
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    check_threshold(settings.matcher)
    loads = _numbers(values)
    folder = create_folder(out, name=f"curve-{Path(scenario).stem}")
    seed_used = settings.scenario.seed
    with logged(folder), bars(hidden=quiet or as_json) as progress:
        crowd = crowd_of(settings, cache=cache, workers=None, progress=progress)
        provenance = describe_origin(seed=seed_used)
        points, growth = run_curve(
            crowd,
            Settings(
                matcher=settings.matcher,
                load=settings.load,
                objectives=settings.objectives,
            ),
            over=over,
            values=loads,
            rng_of=lambda k: Streams(seed=seed_used, replication=k).generator(
                Stream.ARRIVALS
            ),
            progress=progress,
            scenario=loader.resolved(settings),
            provenance=provenance,
        )
    content = {
        "schema_version": 1,
        "over": over.value,
        "points": [asdict(point) for point in points],
        "growth": None if growth is None else asdict(growth),
        "scenario": loader.resolved(settings),
        "provenance": provenance,
    }
    text = json.dumps(content, indent=2, allow_nan=False)
    (folder / "curve.json").write_text(text + "\n", encoding="utf-8")
    page = folder / "curve.html"
    write_curve_page(page, points, growth, over=over, title=settings.scenario.title)
    if as_json:
        print(text)
        return
    Console().print(_table(points, over=over))
    if over is OverWhat.WATCHLIST:
        print(growth_sentence(growth))
    print(f"Report: {page}")


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        message = f"values must be whole numbers with commas between them, got '{text}'"
        raise typer.BadParameter(message) from error


def _table(points: Sequence[CurvePoint], *, over: OverWhat) -> Table:
    table = Table(
        over.value,
        "FNIR",
        "FPIR",
        "load adds, FNIR",
        "skipped",
        "p95",
        "verdict",
        title="Synthetic people, 95 % intervals",
    )
    for point in points:
        figures = (
            ("fnir", point.figures["fnir"]),
            ("fpir", point.figures["fpir"]),
            ("fnir", point.induced["fnir"]),
            ("frames.skipped_share", point.figures["frames.skipped_share"]),
            ("glass_to_alert_s.p95", point.figures["glass_to_alert_s.p95"]),
        )
        texts = (figure_text(name, metric) for name, metric in figures)
        told = (f"{text.value}\n{text.interval}" for text in texts)
        table.add_row(f"{point.x:,}", *told, point.status)
    return table
