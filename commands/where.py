"""Where a command's work is done: on this machine, or on a Ray cluster.

Owns the option and the joining. Knows nothing of the work.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.host.ray_cluster import ray_session
from commands.options import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OnOption", "Where", "cluster"]


class Where(StrEnum):
    """Who does the work."""

    LOCAL = "local"
    RAY = "ray"


OnOption = Annotated[
    Where,
    typer.Option(
        "--on",
        help="Who does the work: processes of this machine, or a Ray cluster (the one "
        "that RAY_ADDRESS names, else a local one).",
    ),
]


@contextmanager
def cluster(on: Where, *, workers: int | None) -> Iterator[Any | None]:
    """Join a cluster until the block ends, if one is asked for.

    Yields:
        The module `ray`; None if the work is done here.
    """
    if on is Where.LOCAL:
        yield None
        return
    with ray_session(cpus=processes(workers)) as ray:
        yield ray
