"""The search that `[load] find` asks `harness run` for: how many cameras?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from bench.running.run import Settings
from bench.search.find_cameras import find_max_cameras
from scenarios import loader
from scenarios.streams import Stream, Streams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bench.records import RunRecord
    from bench.search.capacity_search import Capacity
    from scenarios.schema import Scenario
    from synthetic_crowds.records import Crowd

__all__ = ["capacity_table", "find"]


def find(
    settings: Scenario,
    crowd: Crowd,
    folder: Path,
    *,
    provenance: Mapping[str, object],
    progress: Callable[[str, int, int], None],
) -> tuple[Capacity, RunRecord]:
    """Search, and write what was found to `capacity.json` in a run's folder."""
    seed = settings.scenario.seed
    found, shown = find_max_cameras(
        crowd,
        Settings(
            matcher=settings.matcher,
            load=settings.load,
            objectives=settings.objectives,
        ),
        rng_of=lambda trial: Streams(seed=seed, replication=trial).generator(
            Stream.ARRIVALS
        ),
        progress=progress,
        scenario=loader.resolved(settings),
        provenance=provenance,
    )
    content = {
        "schema_version": 1,
        "capacity": asdict(found),
        "scenario": loader.resolved(settings),
        "provenance": provenance,
    }
    text = json.dumps(content, indent=2, allow_nan=False)
    (folder / "capacity.json").write_text(text + "\n", encoding="utf-8")
    return found, shown


def capacity_table(found: Capacity) -> Table:
    """Lay out the trials, and the answer above them."""
    upper = "no limit was met" if found.at_most is None else f"at most {found.at_most}"
    table = Table(
        "trial",
        "cameras",
        "passed",
        "why not",
        title=f"{found.n_cameras} cameras (at least {found.at_least}, {upper}, each "
        f"with {found.confidence:.0%} confidence), synthetic people",
        caption=_caption(found),
    )
    for number, trial in enumerate(found.trials, start=1):
        table.add_row(
            str(number),
            str(trial.n_cameras),
            "yes" if trial.passed else "no",
            trial.why,
        )
    return table


def _caption(found: Capacity) -> str:
    memory = found.memory_per_camera_bytes
    told = "unknown" if memory is None else f"{memory / 2**20:,.1f} MiB"
    busiest = found.bottleneck if found.bottleneck else "unknown"
    return f"busiest stage: {busiest}; memory per camera: {told}"
