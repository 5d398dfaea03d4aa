"""How a matcher behind a network is brought up: station, proxy, process, rehearsal.

Owns the order of these steps and what is said of the wire afterwards. Knows nothing of
when frames are due. Part of the shell.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from bench.driving.matcher_process import running
from bench.driving.wire_ledger import WireLedger
from bench.driving.wire_target import WireTarget
from bench.errors import SystemGoneError, SystemStartError
from bench.host.cores import start_apart
from bench.wire.proxy import Route, open_proxy
from bench.wire.station import Transport, free_udp_port, open_station
from matcher.gallery import save
from matcher.messages import ReportStreams, StreamReport
from matcher.streams.capture_clock import this_boot
from matcher.streams.config import StreamConfig
from matcher.streams.intake import serve, serve_null
from matcher.streams.stamp import STATED_CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.driving.matcher_process import SystemLink
    from bench.driving.target import Ledger, OpenTarget, Target
    from bench.driving.wire_target import Cameras
    from bench.wire.proxy import Proxy
    from bench.wire.station import Station
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from matcher.streams.records import SourceCounts

    # What the process runs, and its arguments: given a folder and the cameras' streams.
    Serving: TypeAlias = Callable[
        [Path, tuple[StreamConfig, ...]], tuple[Callable[..., None], tuple[object, ...]]
    ]

__all__ = ["matcher_over_the_wire", "null_over_the_wire", "opened_over"]

# Rehearsals are repeated: a connection takes a moment, and a datagram may be lost.
_REHEARSAL_S = 0.25
_REHEARSED_S = 30.0
_STALL_S = 2.0


def matcher_over_the_wire(
    cameras: Cameras,
    config: MatcherConfig,
    gallery: Gallery,
    *,
    clock: Callable[[], int],
    told: Callable[[str], None],
) -> OpenTarget:
    """Run the matcher in a process of its own that reads the cameras' streams.

    Args:
        cameras: What publishes, and how.
        config: The matcher's settings.
        gallery: Whom it looks for.
        clock: Nanoseconds.
        told: Given, at the end, a sentence on each thing that befell the streams.
    """

    def serving(
        folder: Path, streams: tuple[StreamConfig, ...]
    ) -> tuple[Callable[..., None], tuple[object, ...]]:
        path = folder / "gallery"
        save(gallery, path)
        return serve, (config, path, streams)

    return opened_over(cameras, serving, name="matcher", clock=clock, told=told)


def null_over_the_wire(cameras: Cameras, *, clock: Callable[[], int]) -> OpenTarget:
    """Run a system that does nothing with the frames that it fetches."""

    def serving(
        _folder: Path, streams: tuple[StreamConfig, ...]
    ) -> tuple[Callable[..., None], tuple[object, ...]]:
        return serve_null, (streams,)

    return opened_over(
        cameras, serving, name="null system", clock=clock, told=lambda _sentence: None
    )


def opened_over(
    cameras: Cameras,
    serving: Serving,
    *,
    name: str,
    clock: Callable[[], int],
    told: Callable[[str], None],
) -> OpenTarget:
    """Make the target of any process that reads cameras' streams."""

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        wire_ledger = WireLedger(ledger, clock=clock)
        with ExitStack() as stack:
            folder = Path(
                stack.enter_context(TemporaryDirectory(prefix="lfr-harness-"))
            )
            # The matcher's cores for everything but the driver's own thread.
            started = stack.enter_context(start_apart())
            station, proxy, urls = _publishing(cameras, stack, clock=clock)
            streams = tuple(
                StreamConfig(camera_id=camera_id, url=url, stall_s=_STALL_S)
                for camera_id, url in zip(cameras.plan.camera_ids, urls, strict=True)
            )
            serve_it, arguments = serving(folder, streams)
            link = stack.enter_context(
                running(serve_it, *arguments, name=name, ledger=wire_ledger)
            )
            started()
            link.wait_ready()
            _rehearse(link, station, cameras)
            yield WireTarget(link, station, wire_ledger, cameras, proxy=proxy)
            for sentence in _remarks(link, wire_ledger, cameras, proxy):
                told(sentence)
            try:
                link.stop()
            except SystemGoneError:
                return

    return opened


def _publishing(
    cameras: Cameras, stack: ExitStack, *, clock: Callable[[], int]
) -> tuple[Station, Proxy | None, list[str]]:
    """Open the cameras' sockets and the network behind them; say where it ends."""
    ids = cameras.plan.camera_ids
    wires = [cameras.network.of(camera_id) for camera_id in ids]
    is_tcp = cameras.transport is Transport.TCP
    receiving = [0 if is_tcp else free_udp_port() for _ in ids]
    seeds = np.random.SeedSequence(cameras.seed).generate_state(len(ids), np.uint64)

    def routes(ports: Sequence[int]) -> list[Route]:
        return [
            Route(camera_id=i, is_tcp=is_tcp, port=port, config=wire, seed=int(seed))
            for i, port, wire, seed in zip(ids, ports, wires, seeds, strict=True)
        ]

    is_perfect = all(wire.is_perfect for wire in wires)
    proxy = None
    entries: Sequence[int] = receiving
    if not is_tcp and not is_perfect:
        # Datagrams are pushed: the proxy must be there before the cameras.
        proxy = stack.enter_context(open_proxy(routes(receiving)))
        entries = proxy.ports
    station, served = stack.enter_context(
        open_station(
            ids,
            cameras.transport,
            network=cameras.network,
            udp_ports=entries,
            clock_name=this_boot() if cameras.is_timed else STATED_CLOCK,
            clock=clock,
        )
    )
    if is_tcp and not is_perfect:
        # Streams are fetched: the cameras must be there before the proxy.
        proxy = stack.enter_context(open_proxy(routes(served)))
        served = proxy.ports
    if is_tcp:
        return station, proxy, [f"tcp://127.0.0.1:{port}" for port in served]
    address = "udp://127.0.0.1:{}?localaddr=127.0.0.1"
    return station, proxy, [address.format(port) for port in receiving]


def _rehearse(link: SystemLink, station: Station, cameras: Cameras) -> None:
    """Send frames that nobody looks at until the matcher has heard every camera.

    Raises:
        SystemStartError: If it does not hear one.
    """
    ends_s = time.monotonic() + _REHEARSED_S
    key_frames = dict(
        zip(cameras.plan.camera_ids, (p[0] for p in cameras.packets), strict=True)
    )

    def unheard() -> list[str]:
        heard = {report.rehearsed for report in link.said(StreamReport)}
        return [camera_id for camera_id in key_frames if camera_id not in heard]

    while silent := unheard():
        if time.monotonic() > ends_s:
            raise SystemStartError(
                reason=f"in {_REHEARSED_S:g} s it heard nothing of camera '{silent[0]}'"
            )
        for camera_id in silent:
            station.rehearse(camera_id, key_frames[camera_id])
        link.wait_for(lambda: not unheard(), _REHEARSAL_S)


def _remarks(
    link: SystemLink, ledger: WireLedger, cameras: Cameras, proxy: Proxy | None
) -> Iterator[str]:
    """Say what befell the streams, if anything did."""
    yield (
        f"Frames travelled as MPEG-TS over {cameras.transport.upper()}; "
        f"{ledger.n_lost} were lost on the wire."
    )
    for lot in () if proxy is None else proxy.counts():
        if lot.n_lost + lot.n_resent + lot.n_overtaking + lot.n_resets > 0:
            yield (
                f"The wire of camera {lot.camera_id} took {lot.n_packets:,} packets: "
                f"{lot.n_lost:,} lost, {lot.n_resent:,} sent again, "
                f"{lot.n_overtaking:,} out of order; {lot.n_resets:,} connections cut."
            )
    for counts in _stream_counts(link):
        told = [
            f"{n} {what}"
            for n, what in (
                (counts.n_connections - 1, "times connected anew"),
                (counts.n_stalls, "stalls"),
                (counts.n_failures, "failures"),
                (counts.n_before_key, "frames before a key frame"),
                (counts.n_refused, "frames refused"),
                (counts.n_clock_jumps, "jumps of its clock"),
                (counts.n_size_changes, "changes of its pictures' size"),
            )
            if n > 0
        ]
        if told:
            yield f"The matcher's stream of camera {counts.camera_id}: " + (
                ", ".join(told) + "."
            )


def _stream_counts(link: SystemLink) -> tuple[SourceCounts, ...]:
    """Ask the matcher what became of its streams; nothing if it has gone."""
    try:
        link.order(ReportStreams())
    except SystemGoneError:
        return ()
    link.wait_for(lambda: any(r.counts for r in link.said(StreamReport)), _REHEARSAL_S)
    return next((r.counts for r in link.said(StreamReport) if r.counts), ())
