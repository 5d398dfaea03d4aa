"""HTTP/1.1 with bounds on a request's head.

Owns how long a head may be and take. Uvicorn's parser would take any number of headers
and wait for ever for the next. Knows nothing of what a request says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["BoundedConfig", "BoundedProtocol"]


class BoundedConfig(uvicorn.Config):
    """Uvicorn's settings with bounds on a request's head.

    Args:
        app: Answers.
        max_head_bytes: Of a head that does not end.
        head_timeout_s: A head must have arrived within this.
        settings: Uvicorn's own.
    """

    def __init__(
        self,
        app: Any,  # noqa: ANN401 - uvicorn's own word for it
        *,
        max_head_bytes: int,
        head_timeout_s: float,
        **settings: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(app, http=BoundedProtocol, **settings)
        self.max_head_bytes = max_head_bytes
        self.head_timeout_s = head_timeout_s


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    config: BoundedConfig

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first request."""
        self._is_in_head = False
        self._n_head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing more."""
        self._head_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; give up on a head that does not end."""
        super().data_received(data)
        if self._is_in_head:
            self._n_head_bytes += len(data)
            if self._n_head_bytes > self.config.max_head_bytes:
                self._give_up("431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._await_head()

    def on_headers_complete(self) -> None:
        """Note that it has ended."""
        self._head_arrived()
        super().on_headers_complete()

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(
                self.config.head_timeout_s, self._give_up, "408 Request Timeout"
            )

    def _head_arrived(self) -> None:
        self._is_in_head, self._n_head_bytes = False, 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self, status: str) -> None:
        self._head_arrived()
        if not self.transport.is_closing():
            answer = f"HTTP/1.1 {status}\r\nconnection: close\r\n\r\n"
            self.transport.write(answer.encode())
            self.transport.close()
