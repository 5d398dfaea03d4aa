"""A matcher at the other end of HTTP, as a target.

Owns what has to be known to drive one (`Remote`), and how it is readied, opened and
left. Knows nothing of any dialect's words, nor of when frames are due.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench.dialects.dialect import EnrolWay, FrameFormat
from bench.dialects.native import NativeDialect
from bench.dialects.stills import stills_of
from bench.driving.http_client import ClientSpec, serve_http
from bench.driving.http_exchange import converse, exchanging
from bench.driving.matcher_process import running
from bench.driving.picture_store import write_store
from bench.errors import BenchError, SystemGoneError
from lfr_errors import LfrError
from matcher.config import MatcherConfig
from matcher.messages import SystemDescription

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.dialects.dialect import Dialect, Sought, Standing
    from bench.driving.matcher_process import SystemLink
    from bench.driving.target import Ledger, OpenTarget, Target
    from matcher.records import EncodedFrame
    from synthetic_crowds.records import Clip

__all__ = [
    "HttpTarget",
    "Remote",
    "checked_url",
    "http_target",
    "null_over_network",
    "readied",
]

_LOG = logging.getLogger(__name__)

# Enrolling a batch of pictures, or finding a threshold, takes seconds.
_SET_UP_S = 300.0
_NULL = SystemDescription(
    name="null service",
    detector="none",
    embedder="none",
    index="none",
    gallery_size=0,
    threshold=1.0,
    threshold_origin="nothing is compared",
    threads=(),
    versions=(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A matcher elsewhere, and how to speak to it.

    Attributes:
        url: What paths are appended to.
        dialect: How to say it.
        picture: What frames are posted as.
        way: How the watchlist gets there.
        headers: Of every call; a token may be among them.
        timeout_s: Longest wait for an answer to a frame.
    """

    url: str
    dialect: Dialect
    picture: FrameFormat
    way: EnrolWay
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    timeout_s: float = 10.0


def checked_url(url: str) -> str:
    """Return a URL without the slash at its end.

    Raises:
        BenchError: If it is none of HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query:
        message = (
            "a target's address must be http://HOST:PORT or https://…, without a "
            f"query, got '{url}'; write it as `harness serve` prints it"
        )
        raise BenchError(message)
    return url.rstrip("/")


@contextmanager
def readied(
    remote: Remote,
    sought: Sought,
    *,
    clock: Callable[[], int],
    progress: Callable[[str, int, int], None],
) -> Iterator[Standing]:
    """Have a matcher search the run's watchlist in the block; leave it as it was.

    Args:
        remote: The matcher.
        sought: The watchlist.
        clock: Nanoseconds.
        progress: Told how many calls were answered.

    Raises:
        RemoteError: If it refuses, or cannot be reached.
    """
    task = "set up the matcher"
    progress(task, 0, 1)
    with exchanging(
        remote.url, remote.headers, timeout_s=_SET_UP_S, clock=clock
    ) as exchange:
        standing = converse(
            remote.dialect.set_up(sought),
            exchange,
            on_answer=lambda n: progress(task, n, n + 1),
        )
    progress(task, 1, 1)
    try:
        yield standing
    finally:
        try:
            with exchanging(
                remote.url, remote.headers, timeout_s=_SET_UP_S, clock=clock
            ) as exchange:
                converse(remote.dialect.tear_down(sought, standing), exchange)
        except LfrError as error:
            _LOG.warning("the matcher could not be left as it was found: %s", error)


class HttpTarget:
    """A matcher elsewhere, behind a process that posts frames to it.

    Attributes:
        system: What it is.
        pid: Of its process, where that is on this machine.
        carrier_pids: The process that posts.
    """

    def __init__(self, link: SystemLink, standing: Standing) -> None:
        """Put a ready client in front of a matcher that is set up."""
        self.system = standing.system
        self.pid = standing.pid
        self.carrier_pids = () if link.pid is None else (link.pid,)
        self._link = link

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.system.name

    def read_clock(self, asked_ns: int) -> int:
        """Read the clock that its stamps are of, nanoseconds."""
        return self._link.read_clock(asked_ns)

    def issue(self, frame: EncodedFrame) -> None:
        """Hand one frame to the client.

        Raises:
            SystemGoneError: If the client has ended.
        """
        self._link.issue(frame)

    def flush(self) -> None:
        """Wait until every frame issued has ended.

        Raises:
            SystemGoneError: If nobody answers any more.
        """
        self._link.flush()


def http_target(
    remote: Remote,
    standing: Standing,
    clips: Sequence[Clip],
    packets: Sequence[Sequence[bytes]],
    *,
    in_order: bool,
    unhurried: bool,
    progress: Callable[[str, int, int], None],
) -> OpenTarget:
    """Drive a matcher that was readied.

    Args:
        remote: The matcher.
        standing: How it stands.
        clips: Of each camera of the plan.
        packets: Likewise, the packet of each frame.
        in_order: A camera's frame waits for the answer to the last.
        unhurried: Capture times are the plan's own.
        progress: Told of the pictures made before the run.
    """

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        with TemporaryDirectory(prefix="lfr-harness-") as folder:
            store = None
            if remote.picture is not FrameFormat.H264:
                store = Path(folder)
                _write_stills(store, remote.picture, clips, packets, progress=progress)
            spec = ClientSpec(
                url=remote.url,
                headers=remote.headers,
                dialect=remote.dialect.at(standing),
                system=standing.system,
                media_type=remote.picture.media_type,
                sizes={str(c.camera_id): (c.width_px, c.height_px) for c in clips},
                store=store,
                timeout_s=remote.timeout_s,
                in_order=in_order,
                unhurried=unhurried,
            )
            with running(serve_http, spec, name="http client", ledger=ledger) as link:
                link.wait_ready()
                yield HttpTarget(link, standing)
                try:
                    link.stop()
                except SystemGoneError:
                    return

    return opened


def null_over_network(url: str, clips: Sequence[Clip]) -> OpenTarget:
    """Drive a service that does nothing: what is measured then is harness and client.

    Args:
        url: Of the null service.
        clips: Of each camera of the plan.
    """
    native = NativeDialect(matcher=MatcherConfig(), boot_id="")

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        spec = ClientSpec(
            url=url,
            headers=(),
            dialect=native,
            system=_NULL,
            media_type=FrameFormat.H264.media_type,
            sizes={str(c.camera_id): (c.width_px, c.height_px) for c in clips},
            store=None,
            timeout_s=10.0,
            in_order=False,
            unhurried=False,
        )
        with running(serve_http, spec, name="http client", ledger=ledger) as link:
            link.wait_ready()
            yield link
            link.stop()

    return opened


def _write_stills(
    folder: Path,
    form: FrameFormat,
    clips: Sequence[Clip],
    packets: Sequence[Sequence[bytes]],
    *,
    progress: Callable[[str, int, int], None],
) -> None:
    """Make every picture before the run: encoding one takes longer than matching."""
    total = sum(len(series) for series in packets)
    done = 0

    def counted(series: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal done
        for picture in series:
            yield picture
            done += 1
            progress(f"make {form} stills", done, total)

    write_store(
        folder,
        {
            str(clip.camera_id): counted(
                stills_of(series, camera_id=str(clip.camera_id), form=form)
            )
            for clip, series in zip(clips, packets, strict=True)
        },
    )
