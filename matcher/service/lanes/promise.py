"""What a lane's thread will say, awaited on the event loop.

Owns the crossing between the two. Knows nothing of what is said.
"""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

__all__ = ["Promise"]

T = TypeVar("T")


class Promise(Generic[T]):
    """Made on the event loop, kept on any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[T] = self._loop.create_future()

    def keep(self, end: T | Exception) -> None:
        """Say what became of it; an exception is raised where it is awaited."""
        self._loop.call_soon_threadsafe(self._settle, end)

    async def kept(self) -> T:
        """Wait for it."""
        return await self._future

    def _settle(self, end: T | Exception) -> None:
        # Whoever waited may have been cancelled meanwhile.
        if self._future.done():
            return
        if isinstance(end, Exception):
            self._future.set_exception(end)
        else:
            self._future.set_result(end)
