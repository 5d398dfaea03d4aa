"""What a system under test has to offer to be measured: a name, issue, flush.

Owns the interface that third parties implement (docs/targets.md shows how), and the
ledger in which the harness keeps what was issued and what came back. Knows nothing of
when frames are due.

The harness keeps time, order and truth; a target only takes frames and says, in its
own time and in any order, what became of each:

    harness ── issue(frame) ──► target          any number, never blocked for long
    harness ◄── ledger.report(results) ─ target  from any thread, exactly once a frame
    harness ── change(change) ──► target       a refresh of the watchlist, if it can
    harness ◄── ledger.changed(effect) ─ target  once it is in effect, from each worker
    harness ── flush() ──► target               returns once all issued have ended
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from bench.errors import SystemGoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from matcher.messages import Changed, GalleryChange, SystemDescription
    from matcher.records import EncodedFrame, FrameResult

__all__ = ["Carried", "ChangeableTarget", "Ledger", "OpenTarget", "Target"]

# While frames are being worked off, results come several times a second.
_SILENCE_S = 30.0


class Target(Protocol):
    """A system under test, ready to take frames."""

    @property
    def name(self) -> str:
        """What a report calls it."""
        ...

    @property
    def system(self) -> SystemDescription:
        """What a result must name to be repeated."""
        ...

    @property
    def pid(self) -> int | None:
        """Process whose processor time and memory are its own; None if none is."""
        ...

    def read_clock(self, asked_ns: int) -> int:
        """Read the clock that its stamps are of, nanoseconds.

        Args:
            asked_ns: The harness's clock.
        """
        ...

    def issue(self, frame: EncodedFrame) -> None:
        """Take one frame.

        Raises:
            SystemGoneError: If it can take no more.
        """
        ...

    def flush(self) -> None:
        """Return once every frame issued has ended and been reported.

        Raises:
            SystemGoneError: If that will not come.
        """
        ...


@runtime_checkable
class Carried(Protocol):
    """A target to which processes of the harness's own carry the frames."""

    @property
    def carrier_pids(self) -> tuple[int, ...]:
        """Those processes: what they use, the harness uses."""
        ...


@runtime_checkable
class ChangeableTarget(Target, Protocol):
    """A target whose watchlist can change while frames are handled."""

    def change(self, change: GalleryChange) -> None:
        """Take one change; each worker reports to the ledger once it is in effect.

        A later `flush` returns once all changes taken are in effect.

        Raises:
            SystemGoneError: If it can take no more.
        """
        ...


class Ledger:
    """What was issued and what was reported; many threads may write."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._results: list[FrameResult] = []
        self._effects: list[Changed] = []
        self._n_issued = 0
        self._why_lost: Callable[[], str] | None = None

    @property
    def results(self) -> tuple[FrameResult, ...]:
        """Everything reported so far, in the order in which it was."""
        with self._news:
            return tuple(self._results)

    @property
    def effects(self) -> tuple[Changed, ...]:
        """What became of changes of the watchlist, worker by worker."""
        with self._news:
            return tuple(self._effects)

    @property
    def n_in_flight(self) -> int:
        """Frames issued that have not ended."""
        return self._n_issued - len(self._results)

    def issued(self) -> None:
        """Note that a frame was handed to the target."""
        self._n_issued += 1

    def report(self, results: Sequence[FrameResult]) -> None:
        """Note what became of some frames."""
        with self._news:
            self._results.extend(results)
            self._news.notify_all()

    def changed(self, effect: Changed) -> None:
        """Note that a change is in effect in one worker, or was refused."""
        with self._news:
            self._effects.append(effect)

    def lose(self, why: Callable[[], str]) -> None:
        """Note that nothing more will be reported; `why` is asked only if need be."""
        with self._news:
            self._why_lost = why
            self._news.notify_all()

    def wait_for_room(self, max_in_flight: int) -> None:
        """Wait until fewer than `max_in_flight` frames issued have not ended.

        Raises:
            SystemGoneError: If the target is lost or falls silent instead.
        """
        with self._news:
            while self.n_in_flight >= max_in_flight:
                if self._why_lost is not None:
                    raise SystemGoneError(reason=self._why_lost())
                if not self._news.wait(_SILENCE_S):
                    raise SystemGoneError(reason="it fell silent")

    def settle(self, quiet_s: float) -> bool:
        """Wait until every frame issued has ended, or none has for so long.

        Returns:
            Whether all have.

        Raises:
            SystemGoneError: If the target is lost.
        """
        with self._news:
            while self.n_in_flight > 0:
                if self._why_lost is not None:
                    raise SystemGoneError(reason=self._why_lost())
                if not self._news.wait(quiet_s):
                    return False
        return True


OpenTarget: TypeAlias = "Callable[[Ledger], AbstractContextManager[Target]]"
