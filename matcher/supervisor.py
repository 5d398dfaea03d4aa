"""The crew of worker processes: cameras are shared out, and the dead replaced.

Owns the workers' lives and the way of every message between them and the driver.
Knows nothing of what a worker does with a frame.

One thread and one loop: the supervisor never computes, so it is never busy for long,
and a process with one thread can be forked without a thought for locks. A forked
worker shares the libraries, the gallery and its index with all others, and stands a
quarter of a second after its predecessor fell.
"""

from __future__ import annotations

import logging
import os
import resource
import selectors
import signal
from dataclasses import replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

from matcher.berth import Berth, Orders
from matcher.change_ledger import ChangeLedger
from matcher.errors import EngineError, GalleryError
from matcher.messages import (
    Changed,
    ClockProbe,
    ClockReading,
    Crashed,
    Flush,
    Flushed,
    GalleryChange,
    Parcel,
    Ready,
    Refused,
    ResourceUse,
    Results,
    Routed,
    Stop,
    Stopped,
)
from matcher.records import EncodedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection

    from matcher.config import EngineConfig
    from matcher.ledger import FrameKey
    from matcher.messages import FromWorker, SystemDescription, ToWorker
    from matcher.records import CameraId

__all__ = ["Supervisor"]

_log = logging.getLogger(__name__)

_A_MINUTE_NS = 60_000_000_000
_GRACE_S = 5.0
# Linux counts kibibytes.
_RSS_UNIT = 1024


class _OverError(Exception):
    """The loop has no more to do; the message says why."""


class Supervisor:
    """Starts a crew, serves a driver through it, and ends it.

    Args:
        driver: The other end is whoever sends frames.
        work: The worker's function, run in a forked process with its end of a pipe
            and its orders; it speaks the lower half of `matcher.messages`.
        config: How many workers, where, and how often they may die.
        clock: Nanoseconds, the same in every process of the machine.
        change: Changes the gallery that workers to come are forked with; those there
            are change their own. Raises GalleryError on what cannot be done.
    """

    def __init__(
        self,
        driver: Connection[FromWorker, ToWorker],
        *,
        work: Callable[[Connection[FromWorker, ToWorker], Orders], None],
        config: EngineConfig,
        clock: Callable[[], int],
        change: Callable[[GalleryChange], None],
    ) -> None:
        self._driver = driver
        self._work = work
        self._config = config
        self._clock = clock
        self._change = change
        self._changes = ChangeLedger()
        self._crew = [Berth(number=number) for number in range(config.workers)]
        self._berth_of: dict[CameraId, Berth] = {}
        self._flushes: list[tuple[Flush, set[FrameKey]]] = []
        self._selector = selectors.DefaultSelector()
        self._system: SystemDescription | None = None
        self._is_stopping = False
        self._n_frames = 0
        self._n_restarts = 0

    def run(self) -> None:
        """Serve the driver until it asks to stop or hangs up.

        Raises:
            EngineError: If a worker dies more often than the settings allow.
        """
        begun_ns = self._clock()
        for berth in self._crew:
            self._start(berth)
        self._selector.register(self._driver, selectors.EVENT_READ, self._hear_driver)
        try:
            while True:
                for key, _ in self._selector.select():
                    key.data()
        except _OverError as over:
            _log.info("the matcher leaves: %s", over)
        finally:
            self._dismiss()
        if all(berth.use is not None for berth in self._crew):
            self._driver.send(Stopped(use=self._use(begun_ns)))

    def _start(self, berth: Berth) -> None:
        context = get_context("fork")
        ours, theirs = context.Pipe(duplex=True)
        memories, frames = berth.ledger.legacy()
        cpus = sorted(os.sched_getaffinity(0))
        orders = Orders(
            number=berth.number,
            cpu=cpus[berth.number % len(cpus)] if self._config.pin_workers else None,
            memories=memories,
            frames=frames,
        )
        not_theirs = [self._driver, ours, *self._connections()]
        berth.process = context.Process(
            target=_begin,
            args=(self._work, theirs, orders, not_theirs),
            name=f"worker-{berth.number}",
            daemon=True,
        )
        berth.process.start()
        theirs.close()
        berth.connection, berth.is_ready = ours, False
        self._selector.register(
            ours, selectors.EVENT_READ, lambda: self._hear_worker(berth)
        )

    def _connections(self) -> Iterable[Connection[ToWorker, FromWorker]]:
        return [b.connection for b in self._crew if b.connection is not None]

    def _hear_driver(self) -> None:
        try:
            message = self._driver.recv()
        except (EOFError, OSError):
            raise _OverError("the driver hung up") from None
        received_ns = self._clock()
        match message:
            case EncodedFrame():
                self._n_frames += 1
                self._route(Routed(frame=message, received_ns=received_ns))
            case ClockProbe(sent_ns=sent_ns):
                self._driver.send(ClockReading(sent_ns=sent_ns, read_ns=received_ns))
            case GalleryChange():
                self._pass_on(message)
            case Flush():
                owed = {key for berth in self._crew for key in berth.owed}
                self._flushes.append((message, owed))
                self._settle()
            case Stop():
                self._is_stopping = True
                self._settle()

    def _pass_on(self, change: GalleryChange) -> None:
        """Change the gallery of workers to come, then that of those there are."""
        refusal = ""
        try:
            self._change(change)
        except GalleryError as error:
            refusal = str(error)
        for berth in self._crew:
            if refusal == "":
                self._changes.sent(change.number, worker=berth.number)
                self._tell(berth, change)
            else:
                self._say_changed(change.number, berth, refusal=refusal)

    def _say_changed(self, number: int, berth: Berth, *, refusal: str = "") -> None:
        self._driver.send(
            Changed(
                number=number,
                worker=berth.number,
                in_effect_ns=self._clock(),
                refusal=refusal,
            )
        )

    def _route(self, routed: Routed) -> None:
        camera_id = routed.frame.camera_id
        berth = self._berth_of.get(camera_id)
        if berth is None:
            # The least laden; equal ones in order, so that runs repeat.
            berth = min(self._crew, key=lambda b: len(b.ledger.cameras))
            self._berth_of[camera_id] = berth
            berth.ledger.take_on(camera_id)
        if berth.is_ready:
            self._hand(berth, routed)
        else:
            berth.backlog.append(routed)

    def _hand(self, berth: Berth, routed: Routed) -> None:
        berth.ledger.sent(routed)
        self._tell(berth, routed)

    def _tell(self, berth: Berth, message: Routed | GalleryChange | Stop) -> None:
        if berth.connection is not None:
            try:
                berth.connection.send(message)
            except OSError:
                _log.info("worker %d no longer listens", berth.number)

    def _hear_worker(self, berth: Berth) -> None:
        if berth.connection is None:
            return
        try:
            message = berth.connection.recv()
        except (EOFError, OSError):
            self._bury(berth)
            return
        match message:
            case Parcel():
                berth.ledger.heard(message)
                self._driver.send_bytes(message.payload)
                self._ended(message.ended)
            case Ready(system=system):
                self._welcome(berth, system)
            case Changed(number=number):
                self._changes.heard(number, worker=berth.number)
                self._driver.send(replace(message, worker=berth.number))
            case Refused() | Crashed():
                self._driver.send(message)
                raise _OverError(message.sentence)
            case Stopped(use=use):
                berth.use = use
                if all(b.use is not None for b in self._crew):
                    raise _OverError("the driver asked it to")
        self._settle()

    def _welcome(self, berth: Berth, system: SystemDescription) -> None:
        """Give a worker what waits for it; say Ready once the whole crew is."""
        berth.is_ready = True
        for number in self._changes.risen(berth.number):
            self._say_changed(number, berth)
        while berth.backlog:
            self._hand(berth, berth.backlog.popleft())
        if self._system is None and all(berth.is_ready for berth in self._crew):
            threads = (("workers", len(self._crew)), *system.threads)
            self._system = replace(system, threads=threads)
            self._driver.send(Ready(system=self._system))

    def _ended(self, keys: Iterable[FrameKey]) -> None:
        for _, owed in self._flushes:
            owed.difference_update(keys)

    def _settle(self) -> None:
        """Answer flushes whose frames have all ended; let an idle crew stop."""
        if not self._changes.is_settled:
            return
        while self._flushes and not self._flushes[0][1]:
            flush, _ = self._flushes.pop(0)
            self._driver.send(Flushed(token=flush.token))
        if self._is_stopping and not any(berth.owed for berth in self._crew):
            self._is_stopping = False
            for berth in self._crew:
                self._tell(berth, Stop())

    def _bury(self, berth: Berth) -> None:
        """Write off what a dead worker owes, and put another in its place.

        Raises:
            EngineError: If too many have died there.
        """
        cause = f"lost: worker {berth.number} {self._discharge(berth)}"
        if berth.use is not None:
            return
        now_ns = self._clock()
        self._changes.died(berth.number)
        lost = berth.ledger.lose(cause=cause, now_ns=now_ns)
        _log.warning("%s; %d frames with it", cause, len(lost))
        if lost:
            self._driver.send(Results(frames=lost))
            self._ended((r.outcome.camera_id, r.outcome.frame_index) for r in lost)
        recent = [ns for ns in berth.died_ns if now_ns - ns < _A_MINUTE_NS]
        berth.died_ns = [*recent, now_ns]
        if len(berth.died_ns) > self._config.max_restarts:
            message = (
                f"a worker must live longer than a minute over "
                f"{self._config.max_restarts + 1} lives, but {cause[6:]} for the "
                f"{len(berth.died_ns)}. time; see harness.log for what it was doing"
            )
            raise EngineError(message)
        self._n_restarts += 1
        self._start(berth)
        self._settle()

    def _discharge(self, berth: Berth) -> str:
        """Take leave of a worker whose pipe has closed; say how it ended."""
        connection, process = berth.connection, berth.process
        berth.connection = berth.process = None
        if connection is None or process is None:
            return "was never there"
        self._selector.unregister(connection)
        connection.close()
        process.join(_GRACE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def _dismiss(self) -> None:
        """Let everybody go: without a supervisor a worker has nothing to live for."""
        for berth in self._crew:
            if berth.connection is not None and berth.process is not None:
                if berth.use is None:
                    berth.process.terminate()
                self._discharge(berth)
        self._selector.close()

    def _use(self, begun_ns: int) -> ResourceUse:
        """Add up what the crew used, the dead included, and the supervisor itself."""
        own, crew = (
            resource.getrusage(whose)
            for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        peaks = [berth.use.peak_rss_bytes for berth in self._crew if berth.use]
        return ResourceUse(
            cpu_s=sum(u.ru_utime + u.ru_stime for u in (own, crew)),
            wall_s=(self._clock() - begun_ns) / 1e9,
            peak_rss_bytes=own.ru_maxrss * _RSS_UNIT + sum(peaks),
            n_frames=self._n_frames,
            n_restarts=self._n_restarts,
        )


def _begin(
    work: Callable[[Connection[FromWorker, ToWorker], Orders], None],
    connection: Connection[FromWorker, ToWorker],
    orders: Orders,
    not_ours: Iterable[Connection[object, object]],
) -> None:
    """Be a worker: keep only what is its own, take its core, and work."""
    for inherited in not_ours:
        # Held here, a pipe would stay open after its rightful holder has died.
        inherited.close()
    if orders.cpu is not None:
        try:
            os.sched_setaffinity(0, {orders.cpu})
        except OSError as error:
            _log.info("worker %d runs on any core: %s", orders.number, error)
    work(connection, orders)
