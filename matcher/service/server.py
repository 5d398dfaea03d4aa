"""The server: listens, and leaves in good order.

Owns the socket and the signals. On SIGTERM it takes
nothing more, ends what is under way, and exits 0. Knows nothing of routes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import uvicorn

from matcher.service.errors import BindError
from matcher.service.gate.protocol import BoundedConfig
from matcher.service.routes.app import make_app
from matcher.service.service import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from matcher.service.config import ServiceConfig
    from matcher.service.service import Service

__all__ = ["Server", "listen"]

_LOG = logging.getLogger(__name__)

_SWITCH_S = 0.0005


def listen(config: ServiceConfig) -> socket.socket:
    """Open the socket.

    Raises:
        BindError: If the address may not be listened on, or cannot.
    """
    if not config.is_loopback and config.token_file is None:
        message = (
            f"without a token file the service must listen on loopback, got "
            f"{config.host}: anybody on the network could match faces and change "
            "watchlists; make tokens with `harness token` and name the file with "
            "--tokens"
        )
        raise BindError(message)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM
        )[0]
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(config.limits.max_connections)
        except OSError:
            opened.close()
            raise
    except OSError as error:
        message = (
            f"the service must be able to listen on {config.host} port {config.port}, "
            f"but: {error.strerror}; choose another with --host and --port"
        )
        raise BindError(message) from error
    opened.setblocking(False)  # noqa: FBT003 - the name says it
    return opened


class Server(uvicorn.Server):
    """Uvicorn's server around one service; it ends well when it is told to end.

    Args:
        service: Put together, not yet running.
        opened: As `listen` made it.
        beside: Entered once the service runs and before it answers; left after it has
            stopped to answer and before it stops to run.
        on_ready: Called once requests are answered.
    """

    def __init__(
        self,
        service: Service,
        opened: socket.socket,
        *,
        beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        limits = service.config.limits
        super().__init__(
            BoundedConfig(
                make_app(service),
                max_head_bytes=limits.max_header_bytes,
                head_timeout_s=limits.body_timeout_s,
                loop="uvloop",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                ws="none",
                limit_concurrency=limits.max_connections,
                timeout_graceful_shutdown=round(service.config.drain_s),
            )
        )
        self._service = service
        self._opened = opened
        self._beside = beside
        self._on_ready = on_ready
        self._loop: asyncio.AbstractEventLoop | None = None

    def run_to_end(self) -> None:
        """Serve until SIGTERM, Ctrl-C or `leave`, then end what is under way."""

        async def whole() -> None:
            self._loop = asyncio.get_running_loop()
            async with running(self._service), self._beside():
                await self.serve(sockets=[self._opened])

        # A lane must not wait Python's usual 5 ms for its turn after each network.
        sys.setswitchinterval(_SWITCH_S)
        with asyncio.Runner(loop_factory=self.config.get_loop_factory()) as runner:
            runner.run(whole())

    def leave(self) -> None:
        """Take nothing more, and end; may be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._leave)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave on a signal; do not, as uvicorn does, raise it again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and say so."""
        await super().startup(sockets=sockets)
        self._on_ready()

    def _leave(self) -> None:
        _LOG.info("leaving: nothing more is taken, what is under way ends first")
        self._service.load.is_draining = True
        # Listeners would otherwise stay for ever.
        self._service.desk.close()
        self.should_exit = True
