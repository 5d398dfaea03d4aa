"""A service that does nothing: it reads a frame and says at once that it is done.

Owns the other end of a null run over HTTP: what is measured against it is the harness
and its client. Knows nothing of matching.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from bench.errors import SystemStartError
from matcher.records import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

__all__ = ["null_service"]

_START_S = 60.0
_GRACE_S = 5.0


@contextmanager
def null_service() -> Iterator[str]:
    """Run it in a process of its own, on a free port of this machine.

    Yields:
        Its URL.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=True)
    process = context.Process(target=_serve, args=(theirs,), name="null service")
    process.start()
    theirs.close()
    try:
        if not ours.poll(_START_S):
            raise SystemStartError(
                reason=f"the null service was silent for {_START_S:g} s"
            )
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        ours.close()
        process.join(_GRACE_S)
        if process.exitcode is None:
            process.kill()
            process.join(_GRACE_S)


def _serve(connection: Connection[int, None]) -> None:
    asyncio.run(_run(connection))


async def _run(connection: Connection[int, None]) -> None:
    runner = web.ServerRunner(web.Server(_answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0]
    connection.send(port)
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def leave() -> None:
        if not over.done():
            over.set_result(None)

    # Its end of the pipe becomes readable when ours is closed.
    asyncio.get_running_loop().add_reader(connection.fileno(), leave)
    await over
    await runner.cleanup()


async def _answer(request: web.BaseRequest) -> web.StreamResponse:
    await request.read()
    now_ns = time.perf_counter_ns()
    if request.path == "/v1/clock":
        return _json({"monotonic_ns": now_ns, "unix_ns": 0})
    if request.path == "/v1/identify":
        return _json(_NOBODY)
    query = request.query
    camera_id = query.get("camera_id", "none")
    return _json(
        {
            "outcome": {
                "camera_id": camera_id,
                "frame_index": int(query.get("frame_index", "0")),
                "capture_time_ns": int(query.get("capture_time_ns", "0")),
                "received_ns": now_ns,
                "done_ns": now_ns,
                "outcome": Outcome.PROCESSED,
                "cause": "",
                "n_faces": 0,
            },
            "detections": [],
            "alerts": [],
            # As long as a real answer: reading it is the harness's work.
            "events": [
                {
                    "stage": stage,
                    "n_faces": 0,
                    "enqueued_ns": now_ns,
                    "started_ns": now_ns,
                    "ended_ns": now_ns,
                }
                for stage in Stage
            ],
            "probes": [],
        }
    )


_NOBODY = {
    "candidates": [],
    "above_threshold": False,
    "threshold": 1.0,
    "box_xyxy": [0.0, 0.0, 1.0, 1.0],
    "n_faces": 1,
    "watchlist": "none",
    "watchlist_version": 1,
}


def _json(content: object) -> web.Response:
    return web.Response(body=json.dumps(content), content_type="application/json")
