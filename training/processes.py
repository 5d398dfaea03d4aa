"""Runs a training function in several processes that share their gradients.

Owns the start and the meeting point. One single-threaded process per core beats
threads here: they meet once a step, not in every layer, and so hardly wait for each
other on a busy machine.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cv2
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["joined", "spread"]


@contextmanager
def joined(rank: int, n_processes: int, *, meeting_point: Path) -> Iterator[None]:
    """Join the group of processes that train one network.

    Args:
        rank: Which process this is, from 0.
        n_processes: How many there are.
        meeting_point: A file that does not exist yet, the same for all.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{meeting_point.resolve()}",
        rank=rank,
        world_size=n_processes,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def spread(
    function: Callable[..., None], arguments: tuple[Any, ...], *, n_processes: int
) -> None:
    """Call `function(rank, *arguments)` in each process; wait for all."""
    # Read by the children as they import PyTorch: too late to set it there.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    spawn(function, args=arguments, nprocs=n_processes, join=True)
