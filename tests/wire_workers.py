"""Matchers of honest stand-ins that fetch their cameras over the network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from matcher_workers import serve_colours

from matcher.engine import manners
from matcher.streams.intake import mediate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from matcher.config import EngineConfig
    from matcher.streams.config import StreamConfig


def serve_colours_over_the_wire(
    connection: Connection, engine: EngineConfig, streams: Sequence[StreamConfig]
) -> None:
    """Be an intake before a supervisor of such workers."""
    with manners(connection):
        mediate(connection, partial(serve_colours, engine=engine), streams)
