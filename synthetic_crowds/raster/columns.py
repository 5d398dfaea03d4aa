"""Columns: what is known of a batch of triangles or samples, in one flat array.

Owns where a number lies. A processor works on as many of a column's numbers as its
registers hold, and numba knows that columns of one array never overlap. Knows nothing
of what they say.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["BATCH", "ROOM", "column_at"]

# So many are prepared at once. Columns do not begin a round number apart, for then they
# would push each other out of the caches.
BATCH = 256
ROOM = BATCH + 16


@njit(cache=True, nogil=True, error_model="numpy")
def column_at(column: int, k: int) -> np.uint64:
    """Where the k-th of a batch lies in a column."""
    return np.uint64(column * ROOM + k)
