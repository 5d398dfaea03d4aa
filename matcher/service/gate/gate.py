"""The gate: what every request passes before the app sees it.

Owns the order of the checks, cheapest first: is the service open, who asks, what do
they bring, is there room, and only then is the body read. A refusal costs little, so
an overload of requests leaves the lanes their time. Counts and times every answer.
"""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.service.errors import AuditUnavailableError
from matcher.service.gate.admission import Admission
from matcher.service.gate.bodies import ClientGoneError, Held, linger, read_body
from matcher.service.gate.doors import Body, Queue, door_of
from matcher.service.refusals import RefusedError
from matcher.stills import StillKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from contextlib import AbstractContextManager
    from typing import Any

    from matcher.service.clocks import Clocks
    from matcher.service.config import ServiceConfig
    from matcher.service.gate.access import Access
    from matcher.service.gate.doors import Door
    from matcher.service.metrics import Metrics

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

__all__ = ["H264", "Gate", "Load", "problem_for"]

_LOG = logging.getLogger(__name__)

H264 = "video/h264"
_STILLS = frozenset(str(kind) for kind in StillKind)
# JSON by its own name alone: a page in a browser may post plain text anywhere, and
# would be heard.
_JSON = frozenset({"application/json"})
_TYPES = {
    Body.FRAME: _STILLS | {H264},
    Body.PICTURE: _STILLS,
    Body.BULK: _JSON,
    Body.SMALL: _JSON,
}
# Of a request that only says what it wants.
_SMALL_BYTES = 64 * 1024
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Load:
    """What is under way, and whether more is let in at all.

    Args:
        config: Of the service.

    Attributes:
        frames, photos, bulk: Who is let into the lanes.
        held: Bytes of all bodies.
        is_draining: Whether the service is on its way out.
    """

    def __init__(self, config: ServiceConfig) -> None:
        self.frames = Admission(
            "a frame",
            max_under_way=config.frames.max_waiting,
            max_wait_s=config.frames.max_wait_s,
        )
        self.photos = Admission(
            "a picture",
            max_under_way=config.photos.max_waiting,
            max_wait_s=config.photos.max_wait_s,
        )
        self.bulk = Admission("a batch", max_under_way=2, max_wait_s=3600.0)
        self.held = Held(config.limits.max_held_bytes)
        self.is_draining = False

    def place(self, queue: Queue) -> AbstractContextManager[None]:
        """Hold a place in a queue while the block lasts.

        Raises:
            RefusedError: On entering, if there is none.
        """
        match queue:
            case Queue.FRAMES:
                return self.frames.one()
            case Queue.PHOTOS:
                return self.photos.one()
            case Queue.BULK:
                return self.bulk.one()
            case Queue.NONE:
                return nullcontext()


class Gate:
    """Middleware around the app.

    Args:
        app: Answers what gets through.
        config: Limits.
        access: Who may.
        load: What is under way.
        clocks: What time it is.
        metrics: Counts.
    """

    def __init__(
        self,
        app: App,
        *,
        config: ServiceConfig,
        access: Access,
        load: Load,
        clocks: Clocks,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._limits = config.limits
        self._access = access
        self._load = load
        self._clocks = clocks
        self._metrics = metrics

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        door = door_of(scope["method"], scope["path"])
        answer = _Answer(send)
        try:
            await self._let_in(scope, receive, answer, door)
        except ClientGoneError:
            return
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            if answer.status is not None:
                # It was answered; the app has said what it could.
                _LOG.exception("%s %s failed", scope["method"], door.name)
                self._metrics.internal_errors.inc()
            else:
                await self._refuse(error, receive, answer, door)
        self._metrics.requests.labels(door.name, str(answer.status)).inc()
        if door.name != "alert_stream":
            took_s = time.perf_counter() - began_s
            self._metrics.request_seconds.labels(door.name).observe(took_s)

    async def _let_in(
        self,
        scope: MutableMapping[str, Any],
        receive: Receive,
        answer: _Answer,
        door: Door,
    ) -> None:
        headers = dict(scope["headers"])
        state = scope.setdefault("state", {})
        state["actor"] = self._access.actor(
            headers, door, unix_ns=self._clocks.unix_ns()
        )
        if self._load.is_draining and not door.is_open:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "draining",
                "the service is on its way out and takes nothing more; ask another "
                "replica",
                retry_after_s=5,
            )
        if scope["method"] in _BODILESS:
            await self._app(scope, receive, answer)
            return
        kind = _media_type(headers)
        if scope["method"] != "DELETE" and kind not in _TYPES[door.body]:
            raise RefusedError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "content_type",
                f"Content-Type must be {' or '.join(sorted(_TYPES[door.body]))} here, "
                f"got {kind!r}; say what the body is",
            )
        with self._load.place(door.queue), self._load.held.share() as hold:
            body = await read_body(
                receive,
                headers,
                max_bytes=self._max_bytes(door.body),
                timeout_s=self._limits.body_timeout_s,
                hold=hold,
            )
            state["body"] = body
            state["media_type"] = kind
            state["received_ns"] = self._clocks.monotonic_ns()
            await self._app(scope, _replayed(body, receive), answer)

    def _max_bytes(self, body: Body) -> int:
        match body:
            case Body.FRAME | Body.PICTURE:
                return self._limits.max_body_bytes
            case Body.BULK:
                return self._limits.max_bulk_bytes
            case Body.SMALL:
                return _SMALL_BYTES

    async def _refuse(
        self, error: Exception, receive: Receive, answer: _Answer, door: Door
    ) -> None:
        refusal = problem_for(error)
        if refusal.status is HTTPStatus.INTERNAL_SERVER_ERROR:
            _LOG.error("%s failed", door.name, exc_info=error)
            self._metrics.internal_errors.inc()
        self._metrics.refusals.labels(refusal.code).inc()
        # Whoever sends too much, or too slowly, may not go on on this connection.
        closes = refusal.code in {"body_too_large", "slow_body", "draining"}
        await answer.problem(refusal, closes=closes)
        if refusal.code == "body_too_large":
            await linger(receive)
        if closes:
            await answer.end()


class _Answer:
    """An answer on its way, and its status once it has one."""

    def __init__(self, send: Send) -> None:
        self.status: int | None = None
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)

    async def problem(self, refusal: RefusedError, *, closes: bool) -> None:
        """Send a refusal; leave the answer open if the connection is to be closed."""
        content = refusal.problem().model_dump_json().encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(content)).encode()),
            *((k.lower().encode(), v.encode()) for k, v in refusal.headers.items()),
        ]
        if closes:
            headers.append((b"connection", b"close"))
        start = {"type": "http.response.start", "status": int(refusal.status)}
        await self({**start, "headers": headers})
        await self._send(
            {"type": "http.response.body", "body": content, "more_body": closes}
        )

    async def end(self) -> None:
        """Close the answer, and with it the connection."""
        await self._send({"type": "http.response.body", "body": b""})


def problem_for(error: Exception) -> RefusedError:
    """Turn whatever went wrong into what may be said of it."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, AuditUnavailableError):
        return RefusedError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "audit_unavailable",
            "what is done must be recorded to be done, but the audit log cannot be "
            "written; tell whoever runs the service",
        )
    return RefusedError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "the service failed at this; its log says how",
    )


def _media_type(headers: dict[bytes, bytes]) -> str:
    said = headers.get(b"content-type", b"").decode("latin-1")
    return said.partition(";")[0].strip().lower()


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the app the body that was read, once, and what comes after it."""
    is_given = False

    async def replay() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
