"""`harness cohort`: whom nobody seeks at a site, so that a threshold can be found.

A threshold belongs to an embedder. That of the reference embedder is calibrated on a
cohort that comes with the weights; another embedder needs a cohort of its own.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.accuracy.cohort import record_clips
from bench.errors import BenchError
from commands.console import bars
from commands.crowd import crowd_of
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
from matcher.calibration import LEAST_EXCEEDANCES, save_cohort
from scenarios import loader
from synthetic_crowds.config import CrowdConfig, SuppliedConfig, WatchlistConfig
from synthetic_crowds.people.population import IdentityDomain

if TYPE_CHECKING:
    from scenarios.schema import Scenario

__all__ = ["cohort"]

# What the crowd of a short scenario is drawn from may be too few for a long walk.
_LEAST_POPULATION = CrowdConfig().population_size


def cohort(
    scenario: ScenarioArgument = "high_street",
    *,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the cohort goes.")
    ] = Path("cohort.npz"),
    minutes: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=600.0,
            help="How long each camera watches; a thousand passages settle FPIR 1 %.",
        ),
    ] = 12.0,
    seed: SeedOption = None,
    overrides: SetOption = None,
    cache: CacheOption = DEFAULT_CACHE,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
) -> None:
    """Record what people on no list would search for, with any detector and embedder.

    They pass the scenario's cameras and are in no scenario, whatever its seed. With
    `decision.cohort` a run finds its threshold on them: the least that keeps FPIR.
    An interrupted recording goes on where it stopped.

    Raises:
        BenchError: If the scenario's clips are somebody's own.
    """
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    if settings.supplied.clips_folder is not None:
        message = (
            "a cohort must be walked by people of its own, got "
            f"supplied.clips_folder = {settings.supplied.clips_folder}; leave it out"
        )
        raise BenchError(message)
    out.parent.mkdir(parents=True, exist_ok=True)
    with bars(hidden=quiet) as progress:
        crowd = crowd_of(
            _walked(settings, seconds=60.0 * minutes),
            cache=cache,
            workers=workers,
            progress=progress,
            domain=IdentityDomain.CALIBRATION,
        )
        found = record_clips(
            crowd.clips,
            settings.matcher,
            cache=cache,
            workers=processes(workers),
            progress=progress,
        )
    save_cohort(found, out)
    n_searches = len(found.passages)
    print(f"Cohort: {found.n_passages:,} passages, {n_searches:,} searches: {out}")
    if found.n_passages < LEAST_EXCEEDANCES:
        print(f"Too few for any FPIR: {LEAST_EXCEEDANCES} at least; raise --minutes.")
        return
    least = LEAST_EXCEEDANCES / found.n_passages
    kept = [*(overrides or ()), f"matcher.decision.cohort={out}"]
    sets = " ".join(f"--set {shlex.quote(each)}" for each in kept)
    print(f"It settles thresholds for FPIR {least:.2g} and more.")
    print(f"Use it: harness run {scenario} {sets}")


def _walked(settings: Scenario, *, seconds: float) -> Scenario:
    """Let the same cameras watch for so long, with nobody sought."""
    population = max(settings.crowd.population_size, _LEAST_POPULATION)
    return settings.model_copy(
        update={
            "crowd": settings.crowd.model_copy(
                update={"duration_s": seconds, "population_size": population}
            ),
            "watchlist": WatchlistConfig(size=1, mated_share=0.0),
            "supplied": SuppliedConfig(),
        }
    )
