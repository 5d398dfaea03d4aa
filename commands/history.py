"""`harness history`: every run's figures over time, and where they step."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from bench.errors import BenchError
from bench.intervals.change_points import change_points
from bench.regression.history import kept_series, read_series, take_in
from bench.report.history_page import history_chart
from commands.options import DEFAULT_OUT, JsonOption, OutOption

__all__ = ["history"]

_SHUFFLING_SEED = 19795


def history(
    metric: Annotated[
        str, typer.Argument(help="A figure of run.json.")
    ] = "glass_to_alert_s.p95",
    *,
    title: Annotated[
        str | None, typer.Option(help="Of the scenario; default: the one run most.")
    ] = None,
    out: OutOption = DEFAULT_OUT,
    database: Annotated[
        Path | None, typer.Option(help="Default: history.sqlite in the run folders'.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take in new runs, then show one figure over time with its change points."""
    path = out / "history.sqlite" if database is None else database
    n_new = take_in(path, out)
    series = [s for s in kept_series(path) if title is None or s[0] == title]
    if not series:
        message = (
            f"a history must have at least one sound run, got none of "
            f"{'any scenario' if title is None else repr(title)} in {path}; run one"
        )
        raise BenchError(message)
    scenario, machine, _ = max(series, key=lambda s: s[2])
    points = read_series(path, metric=metric, title=scenario, machine=machine)
    if not points:
        message = (
            f"metric must be a figure that runs of '{scenario}' have, got '{metric}'; "
            "see the metrics in a run.json"
        )
        raise BenchError(message)
    changes = change_points(
        [p.value for p in points], rng=np.random.default_rng(_SHUFFLING_SEED)
    )
    if as_json:
        content = {
            "metric": metric,
            "title": scenario,
            "machine": machine,
            "points": [asdict(p) for p in points],
            "changes": [asdict(c) for c in changes],
        }
        print(json.dumps(content, indent=2, allow_nan=False))
        return
    table = Table(
        "began", "run", "commit", metric, title=f"{scenario} on {machine}, synthetic"
    )
    starts = {c.position for c in changes}
    for k, point in enumerate(points):
        table.add_row(
            point.began[:16].replace("T", " "),
            point.run_id,
            point.commit[:10],
            f"{point.value:.4g}" + (" ← steps here" if k in starts else ""),
        )
    Console().print(table)
    picture = path.with_name(f"history-{metric}.svg")
    chart = history_chart(points, changes, metric=metric)
    picture.write_text(
        chart.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1), "utf-8"
    )
    print(f"{n_new} new runs; {len(changes)} steps; picture: {picture}")
