"""`harness serve`: the matcher as an HTTP service."""

from __future__ import annotations

import json
import logging
import os
import re
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.console import bars
from commands.crowd import crowd_of
from commands.options import (
    DEFAULT_CACHE,
    CacheOption,
    JsonOption,
    QuietOption,
    SetOption,
    WorkersOption,
)
from matcher.service.cameras import reading_cameras
from matcher.service.clocks import Clocks
from matcher.service.desks.watchlist_folder import read_folder
from matcher.service.lanes.stages import load_stages
from matcher.service.server import Server, listen
from matcher.service.service import make_service
from matcher.service.stocking import stock
from matcher.streams.config import named_stream
from matcher.streams.room import distinct
from scenarios import loader
from scenarios.serve_loader import load_serve

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from commands.console import ProgressCall
    from matcher.service.desks.watchlist_folder import WatchlistFolder
    from matcher.service.service import Service

__all__ = ["serve"]

_LOG = logging.getLogger("matcher.service")
DEFAULT_DATA = Path("service-data")


def serve(  # noqa: PLR0913 - a service, and its options
    *,
    scenario: Annotated[
        str | None,
        typer.Option(
            help="Take the matcher's settings from this scenario, a file or a shipped "
            "one; default: the defaults."
        ),
    ] = None,
    watchlist: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|SCENARIO",
            help="Search this: pictures named after their subjects, a watchlist "
            "folder of `harness crowd`, or a scenario's watchlist. Default: what was "
            "searched when the service last ran.",
        ),
    ] = None,
    data: Annotated[
        Path,
        typer.Option(
            help="Where watchlists, alerts and the audit log are kept; one service "
            "each."
        ),
    ] = DEFAULT_DATA,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; any but loopback needs --tokens."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(help="Token file, as `harness token` writes it."),
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=URL",
            help="Read this camera too: a file, tcp://host:port or udp://:port with "
            "MPEG-TS, rtsp://…, anything PyAV opens; repeat for more "
            "(docs/streams.md).",
        ),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="A TOML file with a [service] or a [matcher] table."),
    ] = None,
    overrides: SetOption = None,
    cache: CacheOption = DEFAULT_CACHE,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put the matcher behind HTTP: frames in, alerts out (docs/service.md)."""
    flags = {"host": host, "port": port, "token_file": tokens}
    told = load_serve(
        scenario=scenario,
        path=settings,
        overrides=[
            *(overrides or ()),
            *(f"service.{k}={_toml(v)}" for k, v in flags.items() if v is not None),
        ],
    )
    streams = distinct([named_stream(text) for text in camera or ()])
    hidden = quiet or as_json
    _log_to_user(quiet=hidden)
    # First of all, so that a wrong address is not told of after a minute of enrolment.
    with closing(listen(told.service)) as opened:
        with bars(hidden=hidden) as progress:
            folder = None
            if watchlist is not None:
                path = _folder_of(
                    watchlist, cache=cache, workers=workers, progress=progress
                )
                folder = read_folder(path)
            progress("load networks", 0, 1)
            clocks = Clocks()
            stages = load_stages(told.matcher, clock=clocks.monotonic_ns)
            progress("load networks", 1, 1)
        service = make_service(
            told.service, told.matcher, stages, data=data, clocks=clocks
        )

        @asynccontextmanager
        async def beside() -> AsyncIterator[None]:
            if folder is not None and watchlist is not None:
                await _stock(service, folder, watchlist, hidden=hidden)
            async with reading_cameras(service, streams):
                yield

        Server(
            service,
            opened,
            beside=beside,
            on_ready=lambda: _say(service, opened, quiet=quiet, as_json=as_json),
        ).run_to_end()


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int) else json.dumps(str(value))


def _folder_of(
    watchlist: str, *, cache: Path, workers: int | None, progress: ProgressCall
) -> Path:
    """Return the folder named, or that of a scenario's watchlist, made if need be."""
    if Path(watchlist).is_dir():
        return Path(watchlist)
    settings = loader.load(watchlist)
    made = crowd_of(settings, cache=cache, workers=workers, progress=progress)
    return made.watchlist.folder


async def _stock(
    service: Service, folder: WatchlistFolder, watchlist: str, *, hidden: bool
) -> None:
    with bars(hidden=hidden) as progress:
        enrolled = await stock(
            service, folder, name=_name_of(watchlist), progress=progress
        )
    if enrolled is not None and enrolled.failures:
        first = enrolled.failures[0]
        _LOG.warning(
            "%d of %d failed to enrol, the first being %s (%s)",
            len(enrolled.failures),
            len(folder.pictures),
            first.subject_id,
            first.cause,
        )


def _name_of(watchlist: str) -> str:
    """Name a watchlist after its folder or scenario."""
    stem = Path(watchlist).resolve().stem.lower()
    name = re.sub(r"[^a-z0-9_-]", "-", stem).strip("-_")
    return name[:64] or "watchlist"


def _log_to_user(*, quiet: bool) -> None:
    """Show what the service has to say; uvicorn's small talk is left out."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for talker in ("matcher.service", "matcher.streams"):
        logging.getLogger(talker).setLevel(logging.WARNING if quiet else logging.INFO)


def _say(
    service: Service, opened: socket.socket, *, quiet: bool, as_json: bool
) -> None:
    """Tell where the service is and what it searches."""
    host, port = opened.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    watch = service.current.watch
    if as_json:
        said = {
            "url": url,
            "pid": os.getpid(),
            "watchlist": None if watch is None else watch.name,
            "n_subjects": 0 if watch is None else len(watch.live),
            "threshold": None if watch is None else watch.threshold.value,
        }
        print(json.dumps(said), flush=True)
        return
    print(f"Listening on {url}, API at {url}/openapi.json", flush=True)
    if watch is None:
        print("No watchlist is active yet: PUT /v1/active-watchlist, or --watchlist.")
    elif not quiet:
        print(
            f"Watchlist {watch.name}: {len(watch.live)} subjects, threshold "
            f"{watch.threshold.value:.4f} ({watch.threshold.origin})."
        )
    if not quiet:
        access = (
            "everybody on this machine"
            if service.config.token_file is None
            else f"tokens of {service.config.token_file}"
        )
        print(f"Access: {access}. Ctrl-C ends it.", flush=True)
