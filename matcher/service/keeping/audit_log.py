"""The audit log on disk: one JSON object a line, appended, flushed, chained.

Owns the file. A line that was confirmed is on the disk; a crash can at worst cut the
last one short, which was then confirmed to nobody and is cut off at the next start.
Knows nothing of what is recorded; `audit_chain` owns a line's form.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matcher.service.errors import AuditLogError, AuditUnavailableError
from matcher.service.keeping.audit_chain import GENESIS, Head, link, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from matcher.service.keeping.audit_chain import Entry

__all__ = ["BEGINNING", "Anchor", "AuditLog"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A line that the log is known to hold.

    Attributes:
        head: Its number and hash.
        end_bytes: Where it ends in the file.
        n_bytes: Its length.
    """

    head: Head
    end_bytes: int
    n_bytes: int


BEGINNING = Anchor(head=GENESIS, end_bytes=0, n_bytes=0)


class AuditLog:
    """A chained log that one process appends to.

    Args:
        path: Of the file; made if there is none.
        anchor: What it is known to hold, and must.
        on_known: Called with the record of every line after the anchor, in order.

    Raises:
        AuditLogError: If the file does not hold the anchor, or is broken after it.
    """

    def __init__(
        self,
        path: Path,
        *,
        anchor: Anchor = BEGINNING,
        on_known: Callable[[dict[str, object]], None] = lambda _: None,
    ) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._failed = False
        self._is_open = True
        is_new = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            with path.open("rb") as reading:
                self._anchor, self.n_torn_bytes = _catch_up(
                    reading, path, anchor, on_known
                )
            if self.n_torn_bytes > 0:
                os.ftruncate(self._file, self._anchor.end_bytes)
                os.fsync(self._file)
            if is_new:
                _sync_folder(path.parent)
        except BaseException:
            os.close(self._file)
            raise

    @property
    def anchor(self) -> Anchor:
        """The end of the log."""
        return self._anchor

    @property
    def is_writable(self) -> bool:
        """Whether every line so far could be written."""
        return self._is_open and not self._failed

    def require_writable(self) -> None:
        """Refuse to go on if a line could not be written.

        Raises:
            AuditUnavailableError: If so.
        """
        if not self.is_writable:
            raise AuditUnavailableError(self._complaint("an earlier line failed"))

    def append(self, entries: Sequence[Entry]) -> Anchor:
        """Write entries and wait until the disk has them; return the new end.

        Raises:
            AuditUnavailableError: If that cannot be; nothing more will be written
                until the next start, since nobody knows what the disk has.
        """
        with self._lock:
            self.require_writable()
            head, lines = self._anchor.head, []
            for entry in entries:
                line, head = link(entry, head)
                lines.append(line)
            content = b"".join(lines)
            try:
                _write_all(self._file, content)
                os.fdatasync(self._file)
            except OSError as error:
                self._failed = True
                raise AuditUnavailableError(self._complaint(str(error))) from error
            if lines:
                self._anchor = Anchor(
                    head=head,
                    end_bytes=self._anchor.end_bytes + len(content),
                    n_bytes=len(lines[-1]),
                )
            return self._anchor

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                os.close(self._file)

    def _complaint(self, reason: str) -> str:
        return (
            f"the audit log {self.path} must be writable, but: {reason}; make room "
            "and start the service again"
        )


def _catch_up(
    file: BinaryIO,
    path: Path,
    anchor: Anchor,
    on_known: Callable[[dict[str, object]], None],
) -> tuple[Anchor, int]:
    """Read on from the anchor to the end; return the end and what is torn there."""
    size = file.seek(0, os.SEEK_END)
    if size < anchor.end_bytes or not _holds(file, anchor):
        message = (
            f"the audit log {path} must hold line {anchor.head.number} with hash "
            f"{anchor.head.sha256[:16]}..., as the service's data says, but it was "
            "altered, cut or exchanged; `harness audit verify` finds where; restore "
            "it from a copy"
        )
        raise AuditLogError(message)
    end = anchor
    file.seek(end.end_bytes)
    for line in file:
        if not line.endswith(b"\n"):
            return end, len(line)
        try:
            head, record = read_line(line, end.head)
        except ValueError as error:
            message = (
                f"the audit log {path} must be an unbroken chain, but line "
                f"{end.head.number + 1} {error}; restore it from a copy"
            )
            raise AuditLogError(message) from error
        end = Anchor(head=head, end_bytes=end.end_bytes + len(line), n_bytes=len(line))
        on_known(record)
    return end, 0


def _holds(file: BinaryIO, anchor: Anchor) -> bool:
    """Say whether the anchor's line is where it was; those before it hang on it."""
    if anchor == BEGINNING:
        return True
    file.seek(anchor.end_bytes - anchor.n_bytes)
    line = file.read(anchor.n_bytes)
    try:
        previous = str(json.loads(line)["previous"])
        before = Head(number=anchor.head.number - 1, sha256=previous)
        head, _ = read_line(line, before)
    except (ValueError, KeyError, TypeError):
        return False
    return head == anchor.head


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
