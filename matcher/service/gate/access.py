"""Who is asking, and may they?

Owns the check of a request's token and, where no tokens are in use, of the name by
which the service was called: a page in a browser can send its visitors' requests to
this machine under a name of its own (DNS rebinding). Knows nothing of bodies.

Source:
    RFC 6750, The OAuth 2.0 authorization framework: bearer token usage, 2.1 and 3.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.service.gate.tokens import Standing
from matcher.service.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matcher.service.gate.doors import Door
    from matcher.service.gate.tokens import Tokens

__all__ = ["LOCAL", "SERVICE", "Access"]

LOCAL, SERVICE = "local", "service"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1", "testserver"})


class Access:
    """Checks requests.

    Args:
        tokens: Who may do what; None if everybody on this machine may do everything.
        host: On which the service listens; a request may call it so.
    """

    def __init__(self, tokens: Tokens | None, *, host: str) -> None:
        self._tokens = tokens
        self._names = _LOOPBACK | {host.lower(), f"[{host.lower()}]"}

    def actor(self, headers: Mapping[bytes, bytes], door: Door, *, unix_ns: int) -> str:
        """Return who asks; the audit log will name them.

        Raises:
            RefusedError: If they may not.
        """
        if self._tokens is None:
            self._check_host(headers)
            return LOCAL
        if door.is_open:
            return LOCAL
        scheme, _, presented = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "unauthenticated",
                "a request must carry Authorization: Bearer TOKEN, got none; "
                "`harness token` makes one",
            )
        standing, token = self._tokens.find(
            presented.strip().decode("latin-1"), unix_ns=unix_ns
        )
        if token is None or standing is not Standing.VALID:
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "unauthenticated",
                "the token must be one of the service's and not have expired, got one "
                f"that is {standing}; `harness token` makes another",
            )
        if door.role is not None and door.role not in token.roles:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "forbidden",
                f"this needs the role {door.role}, the token {token.name!r} has "
                f"{', '.join(token.roles)}; use another token",
            )
        return token.name

    def _check_host(self, headers: Mapping[bytes, bytes]) -> None:
        said = headers.get(b"host", b"").decode("latin-1").lower()
        name, colon, port = said.rpartition(":")
        if not colon or not port.isdecimal():
            name = said
        if name not in self._names:
            raise RefusedError(
                HTTPStatus.FORBIDDEN,
                "host",
                "without a token file the service must be called by a name of this "
                f"machine, got {said!r}; call it 127.0.0.1, or start it with "
                "--tokens FILE",
            )
