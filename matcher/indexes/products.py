"""The best of a matrix product that is never held whole.

Owns how several probes meet a large gallery in NumPy: a part at a time is streamed into
the processor's cache and multiplied there, in slices small enough for OpenBLAS to take
them as they are instead of packing them first. Pure. Knows no kind of index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.records import CandidateLists

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_of_products"]

# OpenBLAS's limit, in multiplications, of products that it does not pack for.
_LARGEST_SLICE = 1_000_000
# Numbers in a part: half a MB, half of what a core's second cache holds.
_PART = 131_072
_SLICES_A_PART = 4
_PROBES_AT_ONCE = 32
# Numbers that a vector register holds.
_LANES = 16


def best_of_products(
    templates: NDArray[np.float32], probes: NDArray[np.float32], *, k: int
) -> CandidateLists:
    """Find the k templates with the greatest inner product with each probe, best first.

    Args:
        templates: (n, d) float32, n at least 1.
        probes: (m, d) float32, m at least 1.
        k: How many to return, from 1 to n. Ties are in no particular order.
    """
    found = [
        _best_of_few(templates, probes[first : first + _PROBES_AT_ONCE], k)
        for first in range(0, len(probes), _PROBES_AT_ONCE)
    ]
    return CandidateLists(
        rows=np.concatenate([rows for rows, _ in found]),
        scores=np.concatenate([scores for _, scores in found]),
    )


def _best_of_few(
    templates: NDArray[np.float32], probes: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the k best of a few probes: (m, k) rows and scores.

    Of the templates at one place in the slices of a part, only the best score is kept;
    those at the k best places are compared once more.
    """
    (n, d), m = templates.shape, len(probes)
    height = _slice_height(d, m)
    step = _SLICES_A_PART * height
    best = _best_by_place(templates, probes, height)
    # The k best are in the k parts whose best is highest, at the k best places there.
    parts = _highest(best.max(axis=1).T, k)
    in_parts = best[parts, :, np.arange(m)[:, None]]
    part, place = np.divmod(_highest(in_parts.reshape(m, -1), k), height)
    first_rows = np.take_along_axis(parts, part, axis=1) * step + place
    rows = (first_rows[:, :, None] + height * np.arange(_SLICES_A_PART)).reshape(m, -1)
    scores = np.matmul(templates[np.minimum(rows, n - 1)], probes[:, :, None])[:, :, 0]
    scores[rows >= n] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return (
        np.take_along_axis(rows, order, axis=1),
        np.take_along_axis(scores, order, axis=1),
    )


def _slice_height(d: int, m: int) -> int:
    height = min(_LARGEST_SLICE // (m * d), _PART // (_SLICES_A_PART * d))
    return max(_LANES, height // _LANES * _LANES)


def _best_by_place(
    templates: NDArray[np.float32], probes: NDArray[np.float32], height: int
) -> NDArray[np.float32]:
    """Multiply part by part: (parts, height, m), the best at each place of a slice."""
    (n, d), m = templates.shape, len(probes)
    step = _SLICES_A_PART * height
    part = np.zeros((_SLICES_A_PART, height, d), np.float32)
    scores = np.empty((_SLICES_A_PART, height, m), np.float32)
    best = np.empty((-(-n // step), height, m), np.float32)
    across = np.ascontiguousarray(probes.T)
    for first, by_place in zip(range(0, n, step), best, strict=True):
        rows = templates[first : first + step]
        part.reshape(step, d)[: len(rows)] = rows
        np.matmul(part, across, out=scores)
        scores.reshape(step, m)[len(rows) :] = -np.inf
        np.maximum.reduce(scores, axis=0, out=by_place)
    return best


def _highest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Find the k highest of each row of (m, n), all if there are fewer, unordered."""
    if k >= values.shape[1]:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, -k, axis=1)[:, -k:]
