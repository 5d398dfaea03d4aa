"""How the hot loops are compiled.

Owns the options. Compiled functions here are handed every array that they need and
make none: so numba may leave out the counting of references (`_nrt`), which in small
functions over tuples of columns takes several times as long as the work, and may put
each function into its caller.
"""

from __future__ import annotations

from functools import partial

from numba import njit

__all__ = ["compiled"]

compiled = partial(njit, cache=True, nogil=True, _nrt=False, forceinline=True)
