"""The audit log's chain: each line names the one before it, by its hash.

Owns the form of a line and the check of a whole log. Pure: lines in, findings out.
Who alters, drops, adds or reorders a line breaks the chain at that line; who cuts the
end off does not, so the head, number and hash of the last line, is kept elsewhere
too and can be asked for.

Source:
    Crosby and Wallach, Efficient data structures for tamper-evident logging, USENIX
    Security 2009 (hash chains, and what a truncated one cannot show).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import BinaryIO

__all__ = [
    "GENESIS",
    "Entry",
    "Fault",
    "Head",
    "Verification",
    "link",
    "read_line",
    "verify",
]

# An entry names people by identifiers of a few dozen letters; a batch names many.
_LONGEST_LINE = 64 * 2**20
_KEYS = {"number", "unix_ns", "time", "event", "actor", "data", "previous", "hash"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a chain.

    Attributes:
        number: Of the last line, from 1; 0 if there is none.
        sha256: Its hash.
    """

    number: int
    sha256: str


GENESIS = Head(number=0, sha256="0" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened, before it has a place in the chain.

    Attributes:
        event: What, in one word.
        actor: Who did it: a token's name, `local`, or `service`.
        data: More of it; plain JSON values.
        unix_ns: When, nanoseconds since 1970.
    """

    event: str
    actor: str
    data: Mapping[str, object]
    unix_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where a chain breaks first.

    Attributes:
        line: From 1.
        reason: What is wrong there.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a log's lines say together.

    Attributes:
        head: The last line that fits.
        n_torn_bytes: After it, an unfinished line: a crash cut it, and nothing that
            was confirmed to anybody is in it.
        fault: The first line that does not fit; None if all do.
        noted: The line whose hash was wanted; None if there is none of that number.
    """

    head: Head
    n_torn_bytes: int
    fault: Fault | None
    noted: Head | None


def link(entry: Entry, after: Head) -> tuple[bytes, Head]:
    """Give an entry its place; return its line and the new head."""
    record: dict[str, object] = {
        "number": after.number + 1,
        "unix_ns": entry.unix_ns,
        "time": _time(entry.unix_ns),
        "event": entry.event,
        "actor": entry.actor,
        "data": dict(entry.data),
        "previous": after.sha256,
    }
    sha256 = hashlib.sha256(_canonical(record)).hexdigest()
    line = _canonical({**record, "hash": sha256}) + b"\n"
    return line, Head(number=after.number + 1, sha256=sha256)


def read_line(line: bytes, after: Head) -> tuple[Head, dict[str, object]]:
    """Check one line against the one before it.

    Args:
        line: With its newline.
        after: What it must follow.

    Returns:
        The new head, and the line's record.

    Raises:
        ValueError: If it does not follow; the message says why.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        message = f"is no JSON ({error})"
        raise ValueError(message) from error
    if not isinstance(record, dict) or record.keys() != _KEYS:
        message = f"must hold {', '.join(sorted(_KEYS))} and nothing else"
        raise ValueError(message)
    if record["number"] != after.number + 1:
        message = f"must be number {after.number + 1}, it says {record['number']!r}"
        raise ValueError(message)
    if record["previous"] != after.sha256:
        message = "does not name the hash of the line before it"
        raise ValueError(message)
    stated = record.pop("hash")
    found = hashlib.sha256(_canonical(record)).hexdigest()
    if stated != found:
        message = "was altered: its hash is not that of its content"
        raise ValueError(message)
    if line != _canonical({**record, "hash": found}) + b"\n":
        message = "was rewritten: it is not laid out as it was"
        raise ValueError(message)
    return Head(number=after.number + 1, sha256=found), record


def verify(
    file: BinaryIO, *, after: Head = GENESIS, note: int | None = None
) -> Verification:
    """Check every line from the file's position on.

    Args:
        file: Open for reading bytes.
        after: What the first line must follow.
        note: Number of a line whose hash is wanted.
    """
    head, noted = after, None
    torn, fault = 0, None
    for line in _lines(file):
        if len(line) < _LONGEST_LINE and not line.endswith(b"\n"):
            torn = len(line)
            break
        try:
            head, _ = read_line(line, head)
        except ValueError as error:
            fault = Fault(line=head.number + 1, reason=str(error))
            break
        if head.number == note:
            noted = head
    return Verification(head=head, n_torn_bytes=torn, fault=fault, noted=noted)


def _lines(file: BinaryIO) -> Iterable[bytes]:
    while line := file.readline(_LONGEST_LINE):
        yield line


def _canonical(record: Mapping[str, object]) -> bytes:
    """Write a record in the one way in which it is hashed."""
    return json.dumps(
        record,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
    ).encode()


def _time(unix_ns: int) -> str:
    """Return the moment for people, to the microsecond, in UTC."""
    seconds, rest_ns = divmod(unix_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest_ns // 1000:06d}Z"
