"""The targets that come with the harness: a matcher, elsewhere or here; null; oracle.

Owns how each is opened and closed. Knows nothing of when frames are due.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.driving.matcher_process import running
from bench.driving.oracle import ORACLE, Oracle
from bench.errors import SystemGoneError
from bench.host.cores import start_apart
from matcher.assembly import assemble, detector_sha256, embedder_sha256
from matcher.config import EngineConfig
from matcher.engine import limit_threads, serve
from matcher.errors import GalleryError
from matcher.gallery import save
from matcher.inbox import Inbox, Waiting
from matcher.landmarks import refiner_name
from matcher.messages import Changed, Stop, SystemDescription
from matcher.null import serve as serve_null
from matcher.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from bench.driving.target import Ledger, OpenTarget, Target
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from matcher.messages import GalleryChange
    from matcher.records import EncodedFrame
    from matcher.worker import Handler
    from synthetic_crowds.records import Crowd

__all__ = [
    "ChangeableInProcess",
    "InProcess",
    "TargetKind",
    "in_process",
    "matcher_here",
    "matcher_process",
    "null_process",
    "oracle",
]

_LEAVE_S = 5.0


class TargetKind(StrEnum):
    """The targets that a command line can name."""

    @property
    def is_on_a_wire(self) -> bool:
        """Whether frames travel over a network on their way to it."""
        return self in {TargetKind.MPEGTS, TargetKind.MPEGTS_UDP}

    PROCESS = "process"
    IN_PROCESS = "in-process"
    MPEGTS = "mpegts"
    MPEGTS_UDP = "mpegts-udp"
    RAY = "ray"
    NULL = "null"
    ORACLE = "oracle"


def matcher_process(config: MatcherConfig, gallery: Gallery) -> OpenTarget:
    """Run the matcher in a process of its own, as a deployment would."""

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        with TemporaryDirectory(prefix="lfr-harness-") as folder:
            path = Path(folder) / "gallery"
            save(gallery, path)
            with (
                start_apart() as started,
                running(serve, config, path, name="matcher", ledger=ledger) as link,
            ):
                started()
                link.wait_ready()
                yield link
                _stop(link.stop)

    return opened


def null_process() -> OpenTarget:
    """Run a system that does nothing in a process of its own."""

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        with (
            start_apart() as started,
            running(serve_null, name="null system", ledger=ledger) as link,
        ):
            started()
            link.wait_ready()
            yield link
            _stop(link.stop)

    return opened


def matcher_here(
    config: MatcherConfig, gallery: Gallery, *, clock: Callable[[], int]
) -> OpenTarget:
    """Run the matcher on a thread of this process: no pipe, but one interpreter."""

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        threads = limit_threads()
        assembly = assemble(config, gallery, clock=clock)
        system = SystemDescription(
            name="matcher in process",
            detector=f"{config.detector.name}@{detector_sha256(config.detector)}",
            embedder=f"{config.embedder.name}@{embedder_sha256(config.embedder)}",
            index=config.index.name,
            gallery_size=len(gallery),
            threshold=assembly.threshold.value,
            threshold_origin=assembly.threshold.origin,
            threads=threads,
            versions=(),
            n_cohort=assembly.threshold.n_cohort,
            refiner=refiner_name(config.alignment),
        )
        worker = Worker(assembly.pipeline, clock=clock)
        with in_process(
            worker,
            ledger,
            system=system,
            config=config.engine,
            clock=clock,
            change=assembly.gallery.carry_out,
        ) as target:
            yield target

    return opened


def oracle(
    crowd: Crowd, *, clock: Callable[[], int], held_back: Collection[str] = ()
) -> OpenTarget:
    """Answer every frame at once with the truth: what is measured is the measuring.

    Args:
        crowd: What is true.
        clock: Nanoseconds.
        held_back: Of the watchlist, who joins later.
    """

    @contextmanager
    def opened(ledger: Ledger) -> Iterator[Target]:
        knowing = Oracle(crowd, clock=clock, held_back=held_back)
        with in_process(
            knowing,
            ledger,
            system=ORACLE,
            config=EngineConfig(drop_policy="none"),
            clock=clock,
            change=knowing.carry_out,
        ) as target:
            yield target

    return opened


class InProcess:
    """A handler of frames on a thread of this process, as a target.

    Attributes:
        system: What the handler is.
        pid: None: its costs cannot be told from ours.
    """

    pid: int | None = None

    def __init__(
        self,
        ledger: Ledger,
        inbox: Inbox,
        *,
        system: SystemDescription,
        clock: Callable[[], int],
    ) -> None:
        """Take frames into an inbox that another thread empties.

        Args:
            ledger: Told of every frame that was issued.
            inbox: What waits, and what is skipped.
            system: What handles them.
            clock: Nanoseconds.
        """
        self.system = system
        self._ledger = ledger
        self._inbox = inbox
        self._clock = clock

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.system.name

    def read_clock(self, asked_ns: int) -> int:  # noqa: ARG002 - one clock for all
        """Read the clock, nanoseconds."""
        return self._clock()

    def issue(self, frame: EncodedFrame) -> None:
        """Put one frame into the inbox."""
        self._inbox.put(frame, received_ns=self._clock())
        self._ledger.issued()

    def flush(self) -> None:
        """Wait until every frame issued has ended.

        Raises:
            SystemGoneError: If the handler failed.
        """
        self._ledger.wait_for_room(1)


class ChangeableInProcess(InProcess):
    """The same with a watchlist that can change while frames are handled."""

    def __init__(
        self,
        ledger: Ledger,
        inbox: Inbox,
        *,
        system: SystemDescription,
        clock: Callable[[], int],
        change: Callable[[GalleryChange], None],
    ) -> None:
        """Take changes as well.

        Args:
            ledger: Told of their effect too.
            inbox: As for frames.
            system: What handles them.
            clock: Nanoseconds.
            change: Changes the gallery; raises GalleryError on what cannot be done.
        """
        super().__init__(ledger, inbox, system=system, clock=clock)
        self._change = change

    def change(self, change: GalleryChange) -> None:
        """Change the watchlist at once, whatever frames wait."""
        refusal = ""
        try:
            self._change(change)
        except GalleryError as error:
            refusal = str(error)
        effect = Changed(
            number=change.number,
            worker=0,
            in_effect_ns=self._clock(),
            refusal=refusal,
        )
        self._ledger.changed(effect)


@contextmanager
def in_process(
    handler: Handler,
    ledger: Ledger,
    *,
    system: SystemDescription,
    config: EngineConfig,
    clock: Callable[[], int],
    change: Callable[[GalleryChange], None] | None = None,
) -> Iterator[InProcess]:
    """Run a handler on a thread of its own until the block ends.

    Args:
        handler: Brings frames to their end.
        ledger: Where results are written.
        system: What the handler is.
        config: Drop policy.
        clock: Nanoseconds.
        change: Changes the handler's watchlist; none, if it cannot change.
    """
    inbox = Inbox(config)

    def work() -> None:
        try:
            while isinstance(waiting := inbox.take(), Waiting):
                ledger.report(handler.handle([waiting]))
        except Exception as error:  # noqa: BLE001 - whatever it is, the driver must hear
            sentence = f"it failed ({type(error).__name__}: {error})"
            ledger.lose(lambda: sentence)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield (
            InProcess(ledger, inbox, system=system, clock=clock)
            if change is None
            else ChangeableInProcess(
                ledger, inbox, system=system, clock=clock, change=change
            )
        )
    finally:
        inbox.request(Stop())
        thread.join(_LEAVE_S)


def _stop(stop: Callable[[], object]) -> None:
    """Ask a worker to leave; one that has gone already needs no asking."""
    try:
        stop()
    except SystemGoneError:
        return
