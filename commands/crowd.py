"""`harness crowd`: clips, truth and watchlist, without a matcher."""

from __future__ import annotations

import logging
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.load.ray_crew import ray_crew
from commands.console import bars
from commands.options import (
    DEFAULT_CACHE,
    CacheOption,
    QuietOption,
    SeedOption,
    SetOption,
    WorkersOption,
    cache_limit_bytes,
    processes,
)
from commands.photographs import face_finder, photographs_set
from commands.where import OnOption, Where, cluster
from lfr_errors import BadInputError
from scenarios import loader
from scenarios.streams import Stream, Streams
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.errors import UnstampedError
from synthetic_crowds.exchange.export import export
from synthetic_crowds.exchange.origin import Origin
from synthetic_crowds.exchange.preview import write_preview
from synthetic_crowds.exchange.supplied import read_crowd, unstamped, with_watchlist
from synthetic_crowds.film.pruning import prune
from synthetic_crowds.people.population import IdentityDomain

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.schema import Scenario
    from synthetic_crowds.film.crew import Crew
    from synthetic_crowds.records import Crowd

__all__ = ["NothingToMakeError", "crowd", "crowd_of"]


class NothingToMakeError(BadInputError):
    """A call that asks for nothing."""

    def __init__(self) -> None:
        super().__init__(
            "harness crowd needs a scenario to make or --prune, got neither; name a "
            "TOML file or one of `harness scenarios`"
        )


_LOG = logging.getLogger("harness")
# Long enough to see people come and go.
_PREVIEW_S = 8.0


def crowd(  # noqa: PLR0913
    scenario: Annotated[
        str | None,
        typer.Argument(help="A TOML file, or the name of a shipped scenario."),
    ] = None,
    *,
    seed: SeedOption = None,
    overrides: SetOption = None,
    cache: CacheOption = DEFAULT_CACHE,
    workers: WorkersOption = None,
    prune_cache: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Remove what was least lately used from the cache until it is within "
            "its limit; what a running process reads or makes stays.",
        ),
    ] = False,
    cache_limit_gb: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="What the cache may hold, in GB; 0 empties it. Default: "
            "$LFR_CACHE_LIMIT_GB, or 50.",
        ),
    ] = None,
    preview: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Only a look: some seconds of each camera with the truth drawn on, "
            "and the faces of those who walk.",
        ),
    ] = None,
    export_to: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="FOLDER",
            help="Also as MOTChallenge, COCO and Parquet, with a page on the columns.",
        ),
    ] = None,
    frames: Annotated[
        bool, typer.Option("--frames", help="With --export: every frame as a picture.")
    ] = False,
    backgrounds: Annotated[
        list[str] | None,
        typer.Option(
            "--background",
            metavar="NAME=PHOTO",
            help="Let a photograph of an empty site be the street before the camera of "
            "that name; repeatable. Its calibration stands in the scenario.",
        ),
    ] = None,
    on: OnOption = Where.LOCAL,
    quiet: QuietOption = False,
) -> None:
    """Make only the crowd: clips, truth and watchlist, in the cache.

    A crowd that was interrupted, by whatever, goes on where it stopped.

    Raises:
        NothingToMakeError: If there is neither a scenario nor anything to prune.
    """
    if scenario is None:
        if not prune_cache:
            raise NothingToMakeError
        _prune(cache, cache_limit_gb)
        return
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    if backgrounds:
        names = [camera.camera_id for camera in settings.cameras]
        chosen = [*(overrides or ()), *photographs_set(backgrounds, names)]
        settings = loader.load(scenario, overrides=chosen, seed=seed)
    if preview is not None:
        _preview(settings, preview, cache=cache, workers=workers, quiet=quiet)
        return
    with bars(hidden=quiet) as progress, cluster(on, workers=workers) as ray:
        made = crowd_of(
            settings,
            cache=cache,
            workers=workers,
            progress=progress,
            crew=None if ray is None else ray_crew(ray),
        )
        if export_to is not None:
            export(
                made,
                export_to,
                origin=Origin(
                    scenario=Path(scenario).stem,
                    seed=settings.scenario.seed,
                    version=version("lfr-harness"),
                ),
                with_frames=frames,
                progress=progress,
            )
    table = Table("camera", "frames", "passages", "clip", title="Synthetic crowd")
    for clip in made.clips:
        table.add_row(
            clip.camera_id, str(clip.n_frames), str(len(clip.passages)), str(clip.path)
        )
    Console().print(table)
    print(f"Watchlist: {len(made.watchlist.subjects)} in {made.watchlist.folder}")
    print(f"Truth SHA-256: {made.truth_sha256}")
    for source in made.sources:
        print(
            f"Made from {source.role} {source.name}: {source.detail}, "
            f"SHA-256 {source.sha256}"
        )
    if export_to is not None:
        print(f"Export: {export_to / 'SCHEMA.md'}")
    if prune_cache or cache_limit_gb is not None:
        _prune(cache, cache_limit_gb)


def _prune(cache: Path, limit_gb: float | None) -> None:
    """Bring the cache within its limit, and say what that took."""
    done = prune(cache, limit_bytes=cache_limit_bytes(limit_gb))
    print(
        f"Pruned: {len(done.removed)} folders, {done.freed_bytes / 1e9:.2f} GB. "
        f"The cache holds {done.kept_bytes / 1e9:.2f} GB, "
        f"{done.in_use_bytes / 1e9:.2f} GB of it in use: {cache}"
    )


def _preview(
    settings: Scenario,
    folder: Path,
    *,
    cache: Path,
    workers: int | None,
    quiet: bool,
) -> None:
    """Make some seconds of the crowd and write what a person wants to see first."""
    short = settings.model_copy(
        update={
            "crowd": settings.crowd.model_copy(
                update={"duration_s": min(_PREVIEW_S, settings.crowd.duration_s)}
            ),
            "watchlist": settings.watchlist.model_copy(
                update={"size": 1, "mated_share": 0.0}
            ),
        }
    )
    with bars(hidden=quiet) as progress:
        made = crowd_of(short, cache=cache, workers=workers, progress=progress)
        write_preview(
            made,
            folder,
            config=short.crowd,
            cameras=short.cameras,
            seed=Streams(seed=short.scenario.seed).seed_of(Stream.CROWD),
            domain=IdentityDomain.SCENARIO,
            progress=progress,
        )
    for path in sorted(folder.glob("*.*")):
        print(path)


def crowd_of(
    settings: Scenario,
    *,
    cache: Path,
    workers: int | None,
    progress: Callable[[str, int, int], None],
    crew: Crew | None = None,
    allow_unstamped: bool = False,
    domain: IdentityDomain = IdentityDomain.SCENARIO,
) -> Crowd:
    """Make a scenario's crowd, or take it from the cache or the folder it names.

    Args:
        settings: The scenario.
        cache: Of clips and portraits.
        workers: Processes that render; None for every core.
        progress: Told of frames and portraits.
        crew: Who renders; None for processes of this machine.
        allow_unstamped: Whether pictures may do without a stamp.
        domain: Of the people.

    Raises:
        UnstampedError: If a picture does not say that it is synthetic, and that is not
            allowed.
    """
    supplied = settings.supplied
    if supplied.clips_folder is not None:
        names = [camera.camera_id for camera in settings.cameras]
        made = read_crowd(Path(supplied.clips_folder), names)
    else:
        made = make_crowd(
            settings.crowd,
            settings.cameras,
            settings.watchlist,
            seed=Streams(seed=settings.scenario.seed).seed_of(Stream.CROWD),
            cache_dir=cache,
            workers=processes(workers),
            progress=progress,
            domain=domain,
            crew=crew,
            find_faces=(
                face_finder()
                if any(camera.background for camera in settings.cameras)
                else None
            ),
        )
    if supplied.watchlist_folder is not None:
        made = with_watchlist(made, Path(supplied.watchlist_folder))
    strange = unstamped(made)
    if strange and not allow_unstamped:
        n_pictures = len(made.clips) + len(made.watchlist.images)
        raise UnstampedError(paths=strange, n_pictures=n_pictures)
    if supplied.clips_folder is None:
        pruned = prune(cache, limit_bytes=cache_limit_bytes())
        if pruned.removed:
            _LOG.warning(
                "the cache was over its limit: removed %d folders, %.2f GB",
                len(pruned.removed),
                pruned.freed_bytes / 1e9,
            )
    for note in made.notes:
        _LOG.warning(note)
    return made
