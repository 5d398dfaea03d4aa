"""The thread that writes: one at a time, and what waits together, together.

Owns the order of writes to the archive. The event loop never waits for a disk, and
many small records cost one flush. Knows nothing of what is written.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matcher.service.keeping.archive import Archive
    from matcher.service.keeping.audit_chain import Entry

__all__ = ["Keeper"]

T = TypeVar("T")


class _Act:
    """Something to do on the keeper's thread, and who waits for it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Any] = self._loop.create_future()

    def run(self) -> None:
        try:
            found = self._work()
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self.fail(error)
        else:
            self.succeed(found)

    def succeed(self, found: object) -> None:
        self._loop.call_soon_threadsafe(self._settle, found, None)

    def fail(self, error: Exception) -> None:
        self._loop.call_soon_threadsafe(self._settle, None, error)

    def _settle(self, found: object, error: Exception | None) -> None:
        # Whoever waited may have been cancelled meanwhile.
        if self.done.cancelled():
            return
        if error is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(found)


class _Note(_Act):
    """An audit entry without a change; several are written at once."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(lambda: None)
        self.entry = entry


class Keeper:
    """A thread with its queue.

    Args:
        archive: What it writes to.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._news = threading.Condition()
        self._acts: deque[_Act] = deque()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    async def run(self, work: Callable[[], T]) -> T:
        """Do something on the keeper's thread; wait until it is done."""
        act = _Act(work)
        self._submit(act)
        found: T = await act.done
        return found

    async def note(self, entry: Entry) -> None:
        """Record something; wait until the disk has it.

        Raises:
            AuditUnavailableError: If the log cannot be written.
        """
        note = _Note(entry)
        self._submit(note)
        await note.done

    def stop(self) -> None:
        """Do what is here, then leave."""
        with self._news:
            self._is_stopping = True
            self._news.notify()
        self._thread.join()

    def _submit(self, act: _Act) -> None:
        with self._news:
            self._acts.append(act)
            self._news.notify()

    def _run(self) -> None:
        while acts := self._take():
            first = acts[0]
            if isinstance(first, _Note):
                self._write([act for act in acts if isinstance(act, _Note)])
            else:
                first.run()

    def _take(self) -> list[_Act]:
        """Take one act, or all notes that stand together at the front."""
        with self._news:
            self._news.wait_for(lambda: self._acts or self._is_stopping)
            taken: list[_Act] = []
            while self._acts and (not taken or isinstance(self._acts[0], _Note)):
                taken.append(self._acts.popleft())
                if not isinstance(taken[0], _Note):
                    break
            return taken

    def _write(self, notes: Sequence[_Note]) -> None:
        try:
            self._archive.note([note.entry for note in notes])
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            for note in notes:
                note.fail(error)
        else:
            for note in notes:
                note.succeed(None)
