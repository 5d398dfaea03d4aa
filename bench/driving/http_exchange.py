"""One HTTP call and its answer, whatever becomes of it.

Owns the HTTP client (aiohttp), its connections and time-outs, and the words for calls
that were not answered. Knows nothing of what is said.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import aiohttp
from yarl import URL

from bench.dialects.dialect import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from bench.dialects.dialect import Call, Conversation

    Exchange = Callable[[Call], Answer]

__all__ = ["Sending", "converse", "exchanging", "fetch", "open_session"]

_Said = TypeVar("_Said")

# Shorter than servers keep idle connections (uvicorn: 5 s): the client closes first,
# and no frame meets a connection that is just being closed.
_IDLE_S = 4.0


@dataclass(slots=True)
class Sending:
    """A call on its way out.

    Attributes:
        sent_ns: When its last byte was handed to the network; -1 before.
        written: Set then, or when it failed.
    """

    sent_ns: int = -1
    written: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def open_session(
    headers: Sequence[tuple[str, str]], *, clock: Callable[[], int]
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open as many connections as calls are under way, and keep them.

    Args:
        headers: Of every call.
        clock: Nanoseconds.
    """

    async def on_sent(
        _session: aiohttp.ClientSession,
        context: object,
        _params: aiohttp.TraceRequestChunkSentParams,
    ) -> None:
        sending = getattr(context, "trace_request_ctx", None)
        if isinstance(sending, Sending):
            sending.sent_ns = clock()
            sending.written.set()

    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(on_sent)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_S),
        headers=dict(headers),
        trace_configs=[trace],
        auto_decompress=True,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield session


async def fetch(
    session: aiohttp.ClientSession,
    url: str,
    call: Call,
    *,
    timeout_s: float,
    clock: Callable[[], int],
    sending: Sending,
) -> Answer:
    """Make one call and wait for its answer; failures are answers too.

    Args:
        session: As opened.
        url: What the call's path is appended to.
        call: What to send.
        timeout_s: Longest wait, connecting included.
        clock: Nanoseconds.
        sending: Told when the call is out.
    """
    began_ns = clock()
    status, body, failure = 0, b"", ""
    try:
        async with session.request(
            call.method,
            URL(url + call.path, encoded=True),
            headers=dict(call.headers),
            data=call.body if call.body else None,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            allow_redirects=False,
            trace_request_ctx=sending,
        ) as response:
            body = await response.read()
            status = response.status
    except TimeoutError:
        failure = f"timed out: no answer within {timeout_s:g} s"
    except aiohttp.ClientConnectorError as error:
        failure = f"unreachable: {error.os_error.strerror or error}"
    except (aiohttp.ClientError, OSError) as error:
        failure = f"connection lost: {error or type(error).__name__}"
    finally:
        sending.written.set()
    return Answer(
        status=0 if failure else status,
        body=b"" if failure else body,
        sent_ns=began_ns if sending.sent_ns < 0 else sending.sent_ns,
        answered_ns=clock(),
        failure=failure,
    )


@contextmanager
def exchanging(
    url: str,
    headers: Sequence[tuple[str, str]],
    *,
    timeout_s: float,
    clock: Callable[[], int],
) -> Iterator[Exchange]:
    """Yield a call that makes calls one after another, for conversations.

    Args:
        url: What paths are appended to.
        headers: Of every call.
        timeout_s: Longest wait for an answer.
        clock: Nanoseconds.
    """
    with asyncio.Runner() as runner:
        opened = open_session(headers, clock=clock)
        session = runner.run(opened.__aenter__())

        def exchange(call: Call) -> Answer:
            return runner.run(
                fetch(
                    session,
                    url,
                    call,
                    timeout_s=timeout_s,
                    clock=clock,
                    sending=Sending(),
                )
            )

        try:
            yield exchange
        finally:
            runner.run(opened.__aexit__(None, None, None))


def converse(
    talk: Conversation[_Said],
    exchange: Exchange,
    *,
    on_answer: Callable[[int], None] = lambda _: None,
) -> _Said:
    """Carry a conversation to its end.

    Args:
        talk: Yields calls.
        exchange: Makes them.
        on_answer: Told how many were answered.

    Returns:
        What it came to.
    """
    n_answered = 0
    try:
        call = next(talk)
        while True:
            answer = exchange(call)
            n_answered += 1
            on_answer(n_answered)
            call = talk.send(answer)
    except StopIteration as end:
        said: _Said = end.value
        return said
