"""How Locust's processes make one call: by its own fast client, timed by our clock.

Owns the step from a dialect's call to Locust's request and back. Imported by Locust's
processes alone: to import Locust is to patch the standard library.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from locust.contrib.fasthttp import FastHttpSession
from locust.event import EventHook

from bench.dialects.adapter import adapt
from bench.dialects.adapter_settings import AdapterConfig
from bench.dialects.dialect import Answer
from bench.dialects.native import NativeDialect
from bench.host.provenance import unix_offset_ns
from bench.swarm.brief import HEADERS_VARIABLE
from matcher.config import MatcherConfig

if TYPE_CHECKING:
    from bench.dialects.dialect import Call, Dialect
    from bench.swarm.brief import Brief

__all__ = ["clock_ns", "dialects_of", "make_call", "open_client"]

clock_ns = time.perf_counter_ns

_MANY = 64


def dialects_of(brief: Brief) -> tuple[Dialect, ...]:
    """Make the dialect for each address, with keys from the environment."""
    if brief.adapter:
        config = AdapterConfig.model_validate_json(brief.adapter)
        adapted = adapt(config, os.environ, unix_offset_ns=unix_offset_ns())
        return (adapted,) * len(brief.urls)
    return tuple(
        NativeDialect(
            matcher=MatcherConfig(), boot_id="", clock_offset_ns=clock_offset_ns
        )
        for clock_offset_ns in brief.clock_offsets_ns
    )


def headers_of_all() -> dict[str, str]:
    """Return what every call has: a token may be among them."""
    given: dict[str, str] = json.loads(os.environ.get(HEADERS_VARIABLE, "{}"))
    return given


def open_client(url: str, *, timeout_s: float) -> FastHttpSession:
    """Open a client whose requests no table of Locust's counts."""
    return FastHttpSession(
        base_url=url,
        request_event=EventHook(),
        user=None,
        network_timeout=timeout_s,
        connection_timeout=timeout_s,
        max_retries=0,
        concurrency=_MANY,
    )


def make_call(client: FastHttpSession, url: str, call: Call, *, name: str) -> Answer:
    """Make one call and wait for its answer; failures are answers too.

    Args:
        client: Locust's.
        url: What the call's path is appended to.
        call: What to send.
        name: In Locust's tables.
    """
    sent_ns = clock_ns()
    response = client.request(
        call.method,
        url + call.path,
        name=name,
        data=call.body if call.body else None,  # type: ignore[arg-type]  # bytes will do
        headers={**headers_of_all(), **dict(call.headers)},
        allow_redirects=False,
    )
    answered_ns = clock_ns()
    error = getattr(response, "error", None)
    status = int(response.status_code or 0)
    if status == 0:
        failure = _in_words(error)
        return Answer(
            status=0,
            body=b"",
            sent_ns=sent_ns,
            answered_ns=answered_ns,
            failure=failure,
        )
    content = response.content
    return Answer(
        status=status,
        body=bytes(content) if content else b"",
        sent_ns=sent_ns,
        answered_ns=answered_ns,
    )


def _in_words(error: object) -> str:
    """Name what kept an answer away, by the words that any run uses."""
    if isinstance(error, TimeoutError):
        return "timed out: no answer came"
    if isinstance(error, ConnectionRefusedError):
        return "unreachable: Connection refused"
    return f"connection lost: {error}"
