"""The system under test, held at arm's length: a process, a pipe, a listener.

Owns starting the matcher's process, talking with it and ending it, whatever happens;
what it said is kept even if it dies. Knows nothing of when frames are due or of what
results mean.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, TypeVar

from bench.driving.target import Ledger
from bench.errors import BenchError, SystemGoneError, SystemStartError
from matcher.messages import (
    Changed,
    ClockProbe,
    ClockReading,
    Crashed,
    Flush,
    Flushed,
    Ready,
    Refused,
    Results,
    Stop,
    Stopped,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from matcher.messages import (
        FromWorker,
        GalleryChange,
        ResourceUse,
        SystemDescription,
        ToWorker,
    )
    from matcher.records import EncodedFrame

__all__ = ["SystemLink", "running"]

_LOG = logging.getLogger(__name__)

_Said = TypeVar("_Said")

# Importing and warming three networks takes seconds; a minute means that it hangs.
_START_S = 60.0
# A clock reading is answered in microseconds, between two frames at worst.
_CLOCK_S = 10.0
# While frames are being worked off, results come several times a second.
_SILENCE_S = 30.0
_GRACE_S = 5.0


class SystemLink:
    """One end of the pipe; a thread of its own hears what the other end says.

    Once ready, it is a `bench.driving.target.Target`.

    Attributes:
        pid: Of the worker's process; None if it runs in this one, as in tests.
        ledger: What was issued and what became of it.
    """

    def __init__(
        self,
        connection: Connection[ToWorker, FromWorker],
        *,
        pid: int | None,
        epitaph: Callable[[], str],
        ledger: Ledger | None = None,
    ) -> None:
        """Start to listen.

        Args:
            connection: To the worker.
            pid: Of the worker's process.
            epitaph: Says how the worker ended, once its end of the pipe is closed.
            ledger: Where results are written; one of its own if left out.
        """
        self.pid = pid
        self.ledger = Ledger() if ledger is None else ledger
        self._connection = connection
        self._epitaph = epitaph
        self._news = threading.Condition()
        self._said: list[FromWorker] = []
        self._closed = False
        self._torn = False
        self._n_flushes = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.system.name

    @property
    def system(self) -> SystemDescription:
        """What it said of itself when it was ready.

        Raises:
            SystemStartError: If it has not said so yet.
        """
        ready = self._find(Ready)
        if ready is None:
            raise SystemStartError(reason="it has not reported yet")
        return ready.system

    @property
    def has_stopped(self) -> bool:
        """The worker has said its last and is on its way out."""
        return self._has(Stopped)

    @property
    def has_ended(self) -> bool:
        """Its end of the pipe is closed: nothing more will be said or heard."""
        return self._closed

    @property
    def why_gone(self) -> str:
        """How it ended, in words."""
        return self._why_gone()

    def said(self, kind: type[_Said]) -> tuple[_Said, ...]:
        """Tell everything of one kind that it has said so far."""
        with self._news:
            return tuple(each for each in self._said if isinstance(each, kind))

    def wait_for(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Wait until what it has said fulfils a condition, it ends, or time is up."""
        self._await(condition, timeout_s)

    def order(self, message: ToWorker) -> None:
        """Say something that is no frame.

        Raises:
            SystemGoneError: If it no longer listens.
        """
        self._say(message)

    def wait_ready(self) -> SystemDescription:
        """Wait until the worker's networks are warm.

        Raises:
            BenchError: If it refuses its input.
            SystemStartError: If it ends or stays silent instead.
        """
        self._await(lambda: self._has(Ready) or self._has(Refused), _START_S)
        refused = self._find(Refused)
        if refused is not None:
            raise BenchError(refused.sentence)
        ready = self._find(Ready)
        if ready is None:
            raise SystemStartError(reason=self._why_gone())
        return ready.system

    def read_clock(self, asked_ns: int) -> int:
        """Ask for the worker's clock and wait for the reading, nanoseconds."""
        self._say(ClockProbe(sent_ns=asked_ns))
        self._await(lambda: self._reading(asked_ns) is not None, _CLOCK_S)
        reading = self._reading(asked_ns)
        if reading is None:
            raise SystemGoneError(reason=self._why_gone())
        return reading.read_ns

    def issue(self, frame: EncodedFrame) -> None:
        """Hand one frame over.

        Raises:
            SystemGoneError: If the worker has ended.
        """
        if self._closed:
            raise SystemGoneError(reason=self._why_gone())
        self._say(frame)
        self.ledger.issued()

    def change(self, change: GalleryChange) -> None:
        """Hand a change of the watchlist over; its workers say when it is in effect.

        Raises:
            SystemGoneError: If the worker has ended.
        """
        self._say(change)

    def flush(self) -> None:
        """Wait until every frame issued has ended, and every change is in effect.

        Raises:
            SystemGoneError: If the worker ends or falls silent before.
        """
        self._n_flushes += 1
        flush = Flush(token=self._n_flushes)
        self._say(flush)
        self._until(lambda: Flushed(token=flush.token) in self._said)

    def stop(self) -> ResourceUse | None:
        """Ask the worker to leave.

        Returns:
            What it used; None if it could no longer say.

        Raises:
            SystemGoneError: If it has left already.
        """
        self._say(Stop())
        self._await(lambda: self._has(Stopped), _GRACE_S)
        stopped = self._find(Stopped)
        return None if stopped is None else stopped.use

    def _say(self, message: ToWorker) -> None:
        if self._torn:
            raise SystemGoneError(reason="a message to it was cut short")
        # Ctrl-C can leave half a message in the pipe; nothing may follow it.
        self._torn = True
        try:
            self._connection.send(message)
        except OSError as error:
            # The listener may not have heard the end yet, and knows how it came.
            self._await(lambda: self._closed, _GRACE_S)
            raise SystemGoneError(reason=self._why_gone()) from error
        self._torn = False

    def _listen(self) -> None:
        try:
            while True:
                message = self._connection.recv()
                if isinstance(message, Crashed):
                    _LOG.error("the matcher crashed:\n%s", message.traceback)
                if isinstance(message, Results):
                    self.ledger.report(message.frames)
                if isinstance(message, Changed):
                    self.ledger.changed(message)
                with self._news:
                    if not isinstance(message, Results | Changed):
                        self._said.append(message)
                    self._news.notify_all()
        except (EOFError, OSError):
            with self._news:
                self._closed = True
                self._news.notify_all()
            self.ledger.lose(self._why_gone)

    def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition as long as the worker keeps talking.

        Raises:
            SystemGoneError: If it falls silent, or can talk no more.
        """
        with self._news:
            while not condition():
                if self._closed or not self._news.wait(_SILENCE_S):
                    raise SystemGoneError(reason=self._why_gone())

    def _await(self, condition: Callable[[], bool], timeout_s: float) -> None:
        with self._news:
            self._news.wait_for(lambda: condition() or self._closed, timeout_s)

    def _why_gone(self) -> str:
        crashed = self._find(Crashed)
        if crashed is not None:
            return f"it crashed ({crashed.sentence})"
        return self._epitaph() if self._closed else "it fell silent"

    def _find(self, kind: type[_Said]) -> _Said | None:
        return next((said for said in self._said if isinstance(said, kind)), None)

    def _has(self, kind: type[object]) -> bool:
        return self._find(kind) is not None

    def _reading(self, sent_ns: int) -> ClockReading | None:
        return next(
            (
                said
                for said in self._said
                if isinstance(said, ClockReading) and said.sent_ns == sent_ns
            ),
            None,
        )


@contextmanager
def running(
    serve: Callable[..., None],
    *arguments: object,
    name: str,
    ledger: Ledger | None = None,
) -> Iterator[SystemLink]:
    """Run a system in a process of its own; on leaving, it is gone, come what may.

    Args:
        serve: The worker's function; its first argument is its end of the pipe.
        arguments: Its other arguments.
        name: Of the process.
        ledger: Where its results are written; one of its own if left out.
    """
    # Spawned, not forked: a fork would copy the threads' locks but not the threads.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=True)
    # No daemon: the matcher has workers of its own, which daemons may not have.
    process = context.Process(target=serve, args=(theirs, *arguments), name=name)
    # Its start would lift the mask that the worker is to inherit.
    resource_tracker.ensure_running()
    with _interrupts_held():
        process.start()
    # Ours to close: else its end would stay open here, and its death go unheard.
    theirs.close()
    link = SystemLink(
        ours, pid=process.pid, epitaph=lambda: _epitaph(process), ledger=ledger
    )
    try:
        yield link
    finally:
        _end(process, patience_s=_GRACE_S if link.has_stopped else 0.0)
        ours.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let a child inherit a mask that keeps Ctrl-C out; ours waits till it is born.

    Ctrl-C goes to the whole process group. The worker has to outlive it to finish
    the frames that it holds; the pipe's end tells it when to go.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end(process: SpawnProcess, *, patience_s: float) -> None:
    process.join(patience_s)
    for force in (process.terminate, process.kill):
        if process.exitcode is None:
            force()
            process.join(_GRACE_S)


def _epitaph(process: SpawnProcess) -> str:
    process.join(_GRACE_S)
    code = process.exitcode
    if code is not None and code < 0:
        return f"its process was killed by {signal.Signals(-code).name}"
    return f"its process ended with exit code {code}"
