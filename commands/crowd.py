"""`harness crowd`: clips, truth and watchlist, without a matcher."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from commands.console import bars
from commands.options import (
    DEFAULT_CACHE,
    CacheOption,
    QuietOption,
    ScenarioArgument,
    SeedOption,
    SetOption,
    WorkersOption,
    processes,
)
from scenarios import loader
from scenarios.streams import Stream, Streams
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.population import IdentityDomain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scenarios.schema import Scenario
    from synthetic_crowds.records import Crowd

__all__ = ["crowd", "crowd_of"]

_LOG = logging.getLogger("harness")


def crowd(
    scenario: ScenarioArgument,
    *,
    seed: SeedOption = None,
    overrides: SetOption = None,
    cache: CacheOption = DEFAULT_CACHE,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
) -> None:
    """Make only the crowd: clips, truth and watchlist, in the cache."""
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    with bars(hidden=quiet) as progress:
        made = crowd_of(settings, cache=cache, workers=workers, progress=progress)
    table = Table("camera", "frames", "passages", "clip", title="Synthetic crowd")
    for clip in made.clips:
        table.add_row(
            clip.camera_id, str(clip.n_frames), str(len(clip.passages)), str(clip.path)
        )
    Console().print(table)
    print(f"Watchlist: {len(made.watchlist.subjects)} in {made.watchlist.folder}")
    print(f"Truth SHA-256: {made.truth_sha256}")


def crowd_of(
    settings: Scenario,
    *,
    cache: Path,
    workers: int | None,
    progress: Callable[[str, int, int], None],
) -> Crowd:
    """Make a scenario's crowd, or take it from the cache; warn of what was re-made."""
    made = make_crowd(
        settings.crowd,
        settings.cameras,
        settings.watchlist,
        seed=Streams(seed=settings.scenario.seed).seed_of(Stream.CROWD),
        cache_dir=cache,
        workers=processes(workers),
        progress=progress,
        domain=IdentityDomain.SCENARIO,
    )
    for note in made.notes:
        _LOG.warning(note)
    return made
