"""A request's body, read piece by piece, with an eye on its size and its time.

Owns the limits: of one body, of all that are held together, and of the time to
arrive. A body that says its length is refused before it is read, one that does not,
as soon as it shows. Knows nothing of what is in it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.service.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
    from typing import Any

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

__all__ = ["ClientGoneError", "Held", "linger", "read_body"]

# How long a client that is sending too much may go on, so that it can hear why: in all,
# and without a byte.
_LINGER_S, _LINGER_SILENCE_S = 30.0, 5.0


class ClientGoneError(Exception):
    """The client hung up; nobody waits for an answer."""


class Held:
    """Bytes of all bodies that are in memory.

    Args:
        max_bytes: Together.
    """

    def __init__(self, max_bytes: int) -> None:
        self.n_bytes = 0
        self._max_bytes = max_bytes

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """Yield a call that adds bytes; they are let go when the block ends."""
        mine = 0

        def add(n_bytes: int) -> None:
            nonlocal mine
            if self.n_bytes + n_bytes > self._max_bytes:
                raise RefusedError(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "full",
                    f"all requests together must stay below {self._max_bytes:,} bytes, "
                    "and this one would not; try again in 1 s, or send smaller ones",
                    retry_after_s=1,
                )
            self.n_bytes += n_bytes
            mine += n_bytes

        try:
            yield add
        finally:
            self.n_bytes -= mine


async def read_body(
    receive: Receive,
    headers: Mapping[bytes, bytes],
    *,
    max_bytes: int,
    timeout_s: float,
    hold: Callable[[int], None],
) -> bytes:
    """Read a body to its end.

    Raises:
        RefusedError: If it is too large or too slow.
        ClientGoneError: If it breaks off.
    """
    stated = headers.get(b"content-length", b"")
    if stated.isdigit() and int(stated) > max_bytes:
        raise _too_large(max_bytes, f"{int(stated):,}")
    pieces: list[bytes] = []
    n_bytes = 0
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                piece: bytes = message.get("body", b"")
                n_bytes += len(piece)
                if n_bytes > max_bytes:
                    raise _too_large(max_bytes, f"at least {n_bytes:,}")
                hold(len(piece))
                pieces.append(piece)
                if not message.get("more_body", False):
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except TimeoutError:
        raise RefusedError(
            HTTPStatus.REQUEST_TIMEOUT,
            "slow_body",
            f"a body must have arrived within {timeout_s:g} s, got {n_bytes:,} bytes "
            "by then; send it again",
        ) from None


async def linger(receive: Receive) -> None:
    """Let a client finish what it is sending, unread, so that it can hear its answer.

    Closing at once would reset the connection under an answer not read yet.
    """
    ends_s = time.monotonic() + _LINGER_S
    with suppress(TimeoutError):
        while time.monotonic() < ends_s:
            async with asyncio.timeout(_LINGER_SILENCE_S):
                message = await receive()
            if message["type"] != "http.request" or not message.get("more_body"):
                return


def _too_large(max_bytes: int, arrived: str) -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body_too_large",
        f"a body must be at most {max_bytes:,} bytes here, got {arrived}; send a "
        "smaller one, or in parts",
    )
