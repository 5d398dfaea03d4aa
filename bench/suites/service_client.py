"""A client that costs little, so that what is measured is the service.

Owns bare requests over connections that are kept, posted at planned times or one after
another; every latency counts from the planned time. Knows nothing of what is posted.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

__all__ = ["Replies", "Reply", "post_always", "post_at", "request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One request and its answer.

    Attributes:
        status: Of HTTP; 0 if the connection broke.
        planned_s, ended_s: When it was due, and when it was answered.
        body: Of the answer.
    """

    status: int
    planned_s: float
    ended_s: float
    body: bytes


class Replies:
    """Many of them."""

    def __init__(self, replies, wall_s):
        self.all = list(replies)
        self.wall_s = wall_s

    def of(self, status):
        """Those of one status."""
        return [r for r in self.all if r.status == status]

    def latencies_s(self, status=200):
        """From planned to answered."""
        return np.array([r.ended_s - r.planned_s for r in self.of(status)])

    def statuses(self):
        """How many of each status."""
        found = {}
        for reply in self.all:
            found[reply.status] = found.get(reply.status, 0) + 1
        return dict(sorted(found.items()))


def request(url, path, content, media_type):
    """Lay out a POST once, to be sent many times."""
    host = urlsplit(url).netloc
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def post_always(url, requests, *, connections, duration_s):
    """Keep so many requests under way for a time: a closed load.

    Args:
        url: Of the service.
        requests: Called with a number, returns the bytes of that request.
        connections: Each with one request at a time.
        duration_s: Of the load.
    """

    async def run():
        numbers = iter(range(10**9))
        replies = []
        ends_s = time.perf_counter() + duration_s

        async def work():
            connection = _Connection(url)
            while (now_s := time.perf_counter()) < ends_s:
                replies.append(await connection.post(requests(next(numbers)), now_s))
            await connection.close()

        began_s = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(connections)))
        return Replies(replies, time.perf_counter() - began_s)

    return asyncio.run(run())


def post_at(url, requests, *, rate_hz, duration_s, connections):
    """Post at planned times whatever the answers do: an open load.

    A request that finds no free connection waits for one, and its wait counts.
    """

    async def run():
        free = asyncio.Queue()
        for _ in range(connections):
            free.put_nowait(_Connection(url))
        replies, tasks = [], set()

        async def one(number, planned_s):
            connection = await free.get()
            try:
                replies.append(await connection.post(requests(number), planned_s))
            finally:
                free.put_nowait(connection)

        began_s = time.perf_counter()
        for number in range(int(rate_hz * duration_s)):
            planned_s = began_s + number / rate_hz
            left_s = planned_s - time.perf_counter()
            if left_s > 0:
                await asyncio.sleep(left_s)
            task = asyncio.create_task(one(number, planned_s))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        wall_s = time.perf_counter() - began_s
        while not free.empty():
            await free.get_nowait().close()
        return Replies(replies, wall_s)

    return asyncio.run(run())


class _Connection:
    """One connection, opened when it is needed."""

    def __init__(self, url):
        parts = urlsplit(url)
        self._address = parts.hostname, parts.port
        self._streams = None

    async def post(self, content, planned_s):
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._address)
            reader, writer = self._streams
            writer.write(content)
            head = await reader.readuntil(b"\r\n\r\n")
            lower = head.lower()
            at = lower.index(b"content-length:") + 15
            length = int(lower[at : lower.index(b"\r\n", at)])
            body = await reader.readexactly(length)
            if b"connection: close" in lower:
                await self.close()
            status = int(head[9:12])
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            status, body = 0, b""
        return Reply(
            status=status,
            planned_s=planned_s,
            ended_s=time.perf_counter(),
            body=body,
        )

    async def close(self):
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
