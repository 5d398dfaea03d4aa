"""Workers for processes of their own; they import little, to start soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcher.messages import Ready, SystemDescription

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

SYSTEM = SystemDescription(
    name="double",
    detector="double@0",
    embedder="double@0",
    index="double",
    gallery_size=3,
    threshold=0.5,
    threshold_origin="given",
    threads=(),
    versions=(),
)


def serve_until_killed(connection: Connection) -> None:
    """Say ready, then wait for the end of the pipe."""
    connection.send(Ready(system=SYSTEM))
    try:
        connection.recv()
    except EOFError:
        return
