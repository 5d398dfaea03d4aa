"""Feeds a network with batches that other processes make.

Owns the crossing from the processors, which degrade pictures, to the device, which
learns from them. A batch is a pure function of its number, so what a network sees
depends neither on how many workers make it nor on which of them is first.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

__all__ = ["Batch", "chosen_device", "feed"]

Batch = tuple["Tensor", ...]

# Batches that each worker keeps ready.
_AHEAD = 4


class _Numbered(Dataset[Batch]):
    """Batches by number, made when asked for."""

    def __init__(self, make: Callable[[int], Batch], numbers: range) -> None:
        self._make, self._numbers = make, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> Batch:
        return self._make(self._numbers[index])


def _alone(_worker: int) -> None:
    """Keep a worker to one core: there are as many of them as may be busy."""
    torch.set_num_threads(1)


def chosen_device(name: str) -> torch.device:
    """Return the device named, or the best there is for `auto`; speak up about it."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger(__name__).info("training on %s", name)
    return torch.device(name)


def feed(
    make: Callable[[int], Batch],
    numbers: range,
    *,
    workers: int,
    device: torch.device,
) -> Iterator[Batch]:
    """Make batches in worker processes and hand them over in order.

    Args:
        make: Batch number to tensors; called in a fork of this process, so it may
            read large arrays without copying them.
        numbers: Which batches.
        workers: Processes that make them.
        device: Where the tensors are wanted.

    Yields:
        The tensors of each number, on `device`.
    """
    # Here, not in the workers: a fork that inherits OpenCV's pool waits for threads
    # that only its parent has.
    cv2.setNumThreads(1)
    loader = DataLoader(
        _Numbered(make, numbers),
        batch_size=None,
        num_workers=workers,
        multiprocessing_context="fork",
        prefetch_factor=_AHEAD,
        pin_memory=device.type == "cuda",
        worker_init_fn=_alone,
    )
    for batch in loader:
        yield tuple(tensor.to(device, non_blocking=True) for tensor in batch)
