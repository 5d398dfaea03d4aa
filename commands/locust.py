"""`harness locust`: the scenario's load from Locust's workers, with tables and UI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bench.dialects.dialect import EnrolWay
from bench.host.provenance import describe_origin
from bench.report import render_report, terminal_summary
from bench.report.pictures import write_pictures
from bench.running.folder import create_folder, write_run
from bench.running.rig import make_rig
from bench.running.run import Origin, Settings
from bench.swarm.probes import draw_probe_plan
from bench.swarm.run import prepared, write_requests
from bench.swarm.sitting import sitting
from commands.console import bars, logged
from commands.crowd import crowd_of
from commands.exit_code import ExitCode
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
from commands.remote import (
    AdapterOption,
    EnrolOption,
    FramesOption,
    TokenFileOption,
    remote_at,
)
from commands.run import exit_code_of
from scenarios import loader
from scenarios.streams import Stream, Streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.driving.session import Progress
    from bench.records import RunRecord
    from bench.swarm.run import Prepared
    from bench.swarm.sitting import Sitting
    from scenarios.schema import Scenario
    from synthetic_crowds.records import Crowd

__all__ = ["locust"]

_WEB_PORT = 8089


def locust(  # noqa: PLR0913 - a load test, and its options
    scenario: ScenarioArgument,
    *,
    target: Annotated[
        list[str],
        typer.Option(
            metavar="URL", help="A matcher; give it again for each of its replicas."
        ),
    ],
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Locust's worker processes.")
    ] = 2,
    headless: Annotated[
        bool,
        typer.Option("--headless", help="No web UI: start at once, end at the end."),
    ] = False,
    web_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Of Locust's web UI.")
    ] = _WEB_PORT,
    identify_hz: Annotated[
        float,
        typer.Option(
            min=0.0, max=10_000.0, help="Probes a second by identify users; 0 for none."
        ),
    ] = 1.0,
    identify_users: Annotated[
        int, typer.Option(min=1, max=1000, help="Who post them.")
    ] = 2,
    adapter: AdapterOption = None,
    enrol: EnrolOption = EnrolWay.PORTRAITS,
    frames: FramesOption = None,
    token_file: TokenFileOption = None,
    seed: SeedOption = None,
    overrides: SetOption = None,
    out: OutOption = DEFAULT_OUT,
    cache: CacheOption = DEFAULT_CACHE,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let Locust's users be the cameras: one master, several workers, one verdict."""
    settings = loader.load(scenario, overrides=overrides or (), seed=seed)
    remotes = [
        remote_at(
            url,
            settings,
            adapter=adapter,
            enrol=enrol,
            frames=frames,
            token_file=token_file,
        )
        for url in target
    ]
    name = Path(scenario).stem
    folder = create_folder(out, name=name)
    record = None
    with logged(folder), bars(hidden=quiet or as_json) as progress:
        crowd = crowd_of(settings, cache=cache, workers=None, progress=progress)
        streams = Streams(seed=settings.scenario.seed)
        rig = make_rig(crowd, settings.load, rng=streams.generator(Stream.ARRIVALS))
        chosen = Settings(
            matcher=settings.matcher,
            load=settings.load,
            objectives=settings.objectives,
        )
        probe_plan = draw_probe_plan(
            settings.load,
            rate_hz=identify_hz,
            duration_s=float(rig.plan.offset_ns[-1]) / 1e9,
            n_users=identify_users,
            rng=streams.generator(Stream.PROBES),
        )
        with (
            prepared(
                rig,
                chosen,
                _origin(folder, settings),
                remotes=remotes,
                probe_plan=probe_plan,
                n_identify=len(probe_plan.camera_ids),
                progress=progress,
            ) as ready,
            sitting(
                ready.folder,
                folder / "locust",
                n_workers=workers,
                web_port=None if headless else web_port,
                host=remotes[0].url,
                headers=remotes[0].headers,
                stop_timeout_s=remotes[0].timeout_s,
            ) as watched,
        ):
            if not headless:
                address = f"http://127.0.0.1:{web_port}"
                Console(stderr=True).print(
                    f"Locust's web UI: {address}. Press Start there; Ctrl-C here ends."
                )
            for number, interrupted in _finished(watched, progress, headless=headless):
                if number > 1:
                    folder = create_folder(out, name=name)
                record = _written(
                    ready,
                    number,
                    chosen,
                    settings,
                    crowd,
                    folder,
                    interrupted=interrupted,
                    progress=progress,
                )
                _show(folder, as_json=as_json)
    if record is None:
        raise typer.Exit(ExitCode.NOT_VALID)
    raise typer.Exit(exit_code_of(record))


def _finished(
    watched: Sitting, progress: Progress, *, headless: bool
) -> Iterator[tuple[int, bool]]:
    """Yield each finished test, and whether Ctrl-C ended it."""
    number = 0
    try:
        for number in watched.tests(progress):
            if headless:
                watched.wait()
            yield number, False
    except KeyboardInterrupt:
        watched.stop()
        for late in watched.tests(progress):
            if late > number:
                yield late, True


def _written(
    ready: Prepared,
    number: int,
    chosen: Settings,
    settings: Scenario,
    crowd: Crowd,
    folder: Path,
    *,
    interrupted: bool,
    progress: Progress,
) -> RunRecord:
    record, requests = ready.conclude(
        number, chosen, _origin(folder, settings), interrupted=interrupted
    )
    write_requests(requests, folder)
    write_run(record, folder)
    progress("report", 0, 2)
    write_pictures(folder, crowd, record)
    progress("report", 1, 2)
    render_report(folder)
    progress("report", 2, 2)
    return record


def _show(folder: Path, *, as_json: bool) -> None:
    if as_json:
        print((folder / "run.json").read_text(encoding="utf-8"))
        return
    Console().print(terminal_summary(folder))
    print(f"Report: {folder / 'report.html'}")
    print(f"Locust's tables: {folder / 'locust'}")


def _origin(folder: Path, settings: Scenario) -> Origin:
    return Origin(
        run_id=folder.name,
        scenario=loader.resolved(settings),
        provenance=describe_origin(seed=settings.scenario.seed),
    )
