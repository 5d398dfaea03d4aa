"""`harness headroom`: is the harness punctual, and how much faster than the matcher?"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.load.feeds import feed_of
from bench.running.capability import measure_capability
from bench.running.enrolment import enrol_watchlist
from commands.console import bars
from commands.crowd import crowd_of
from commands.exit_code import ExitCode
from commands.options import (
    DEFAULT_CACHE,
    CacheOption,
    JsonOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
)
from scenarios import loader
from scenarios.streams import Stream, Streams

if TYPE_CHECKING:
    from bench.running.capability import Capability

__all__ = ["headroom"]

_MAX_DELAY_S = 0.001
_MIN_RATIO = 20.0


def headroom(
    scenario: ScenarioArgument = "smoke",
    *,
    rate: Annotated[
        float, typer.Option(min=1.0, help="Frames a second to be punctual at.")
    ] = 500.0,
    seed: SeedOption = None,
    overrides: SetOption = None,
    cache: CacheOption = DEFAULT_CACHE,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the harness against a system that does nothing, and the matcher."""
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    with bars(hidden=quiet or as_json) as progress:
        crowd = crowd_of(settings, cache=cache, workers=workers, progress=progress)
        enrolment = enrol_watchlist(
            crowd.watchlist, settings.matcher, progress=progress
        )
        found = measure_capability(
            crowd,
            [feed_of(clip) for clip in crowd.clips],
            matcher=settings.matcher,
            gallery=enrolment.gallery,
            rate_hz=rate,
            rng=Streams(seed=settings.scenario.seed).generator(Stream.ARRIVALS),
            clock=time.perf_counter_ns,
            progress=progress,
        )
    if as_json:
        print(json.dumps({**asdict(found), "ratio": found.ratio}))
    else:
        Console().print(_table(found))
    p99_s = found.schedule_delay_p99_s.value
    is_good = p99_s is not None and p99_s <= _MAX_DELAY_S and found.ratio >= _MIN_RATIO
    raise typer.Exit(ExitCode.GOOD if is_good else ExitCode.OBJECTIVE_MISSED)


def _table(found: Capability) -> Table:
    table = Table("what", "measured", "asked", title="The harness itself")
    delay = found.schedule_delay_p99_s
    p99 = "too few frames" if delay.value is None else f"{delay.value * 1e3:.3f} ms"
    if delay.low is not None and delay.high is not None:
        p99 += f" (95 %: {delay.low * 1e3:.3f} to {delay.high * 1e3:.3f})"
    table.add_row(
        f"schedule delay p99 at {found.offered_hz:,.0f} frames/s from "
        f"{found.n_cameras} cameras, null system, n = {delay.n:,}",
        p99,
        f"at most {_MAX_DELAY_S * 1e3:g} ms",
    )
    table.add_row("largest", f"{found.schedule_delay_max_s * 1e3:.3f} ms", "")
    table.add_row("null system", f"{found.null_hz:,.0f} frames/s", "")
    table.add_row("matcher, unhurried", f"{found.matcher_hz:,.1f} frames/s", "")
    table.add_row("ratio", f"{found.ratio:,.1f}", f"at least {_MIN_RATIO:g}")
    return table
