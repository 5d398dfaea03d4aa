"""A Ray cluster for one command: the one that is configured, or a local one.

Owns the joining and the leaving, and the words when Ray is absent. Knows nothing of
what runs there: placement, supervision and retries are Ray's.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["needs_cpus", "ray_session"]

# Ray's own name for the cluster to join.
_ADDRESS = "RAY_ADDRESS"


@contextmanager
def ray_session(*, cpus: int) -> Iterator[Any]:
    """Join a cluster until the block ends; one that was joined before stays joined.

    Args:
        cpus: Processors of a local cluster, if none is configured by `RAY_ADDRESS`.

    Yields:
        The module `ray`.

    Raises:
        BenchError: If Ray is not installed, or the cluster cannot be joined.
    """
    try:
        import ray  # noqa: PLC0415 - an extra: most people do without a cluster
    except ImportError as error:
        message = (
            "`--on ray` needs Ray, got none; install it with "
            "`pip install -c constraints.txt 'lfr-harness[ray]'`"
        )
        raise BenchError(message) from error
    if ray.is_initialized():
        yield ray
        return
    address = os.environ.get(_ADDRESS)
    try:
        if address is None:
            ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False)
        else:
            ray.init(address=address, log_to_driver=False)
    except ConnectionError as error:
        message = (
            f"{_ADDRESS} must name a Ray cluster that is up, got '{address}' "
            f"({error}); start one with `ray start --head`, or unset it"
        )
        raise BenchError(message) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def needs_cpus(ray: Any, n_cpus: int, *, what: str) -> None:  # noqa: ANN401 - a module
    """See that a cluster has the processors that something is going to ask for.

    Raises:
        BenchError: If it has not; Ray itself would wait for them for ever.
    """
    there = int(ray.cluster_resources().get("CPU", 0))
    if there < n_cpus:
        message = (
            f"{what} need {n_cpus} processors, got a Ray cluster of {there}; ask for "
            "fewer or add nodes"
        )
        raise BenchError(message)
