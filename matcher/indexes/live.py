"""A gallery that changes while it is searched.

Owns the newly enrolled and the withdrawn beside a stored index that never changes.
Knows nothing of subjects: a row is a number that is given once and never again.

A search reads one reference and works on what it found there; a change makes a new
state beside the old one and then swaps the reference. So no search ever waits for a
change, or sees half of one, and every kind of index can live without knowing it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matcher.errors import GalleryError
from matcher.records import CandidateLists

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from matcher.protocols import StoredIndex
    from matcher.records import Embeddings

__all__ = ["LiveIndex", "check_templates"]

_LENGTH_TOLERANCE = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _State:
    """One consistent gallery; never changed, only replaced.

    Attributes:
        added: (m, d), enrolled since the stored index was made; their rows follow its.
        gone: (n + m,) bool, withdrawn.
        n_gone_stored: Withdrawn rows of the stored index.
    """

    added: NDArray[np.float32]
    gone: NDArray[np.bool_]
    n_gone_stored: int


class LiveIndex:
    """A stored index with additions and withdrawals.

    Any number of threads may search while one after another changes it.

    Args:
        stored: Where most of the gallery is.
    """

    def __init__(self, stored: StoredIndex) -> None:
        self._stored = stored
        n, d = stored.templates.shape
        self._changing = threading.Lock()
        self._state = _State(
            added=np.empty((0, d), np.float32), gone=np.zeros(n, bool), n_gone_stored=0
        )

    def __len__(self) -> int:
        return int(np.count_nonzero(~self._state.gone))

    def add(self, templates: NDArray[np.float32]) -> NDArray[np.int64]:
        """Enrol templates (m, d) float32, unit length; return their rows.

        Raises:
            GalleryError: If they cannot be compared with those that are there.
        """
        return self.change(templates, ())

    def withdraw(self, rows: Collection[int]) -> None:
        """Let some rows be found no more.

        Raises:
            GalleryError: If one is not there, or none would be left.
        """
        dimension = self._stored.templates.shape[1]
        self.change(np.empty((0, dimension), np.float32), rows)

    def change(
        self, templates: NDArray[np.float32], gone_rows: Collection[int]
    ) -> NDArray[np.int64]:
        """Enrol templates and withdraw rows in one step: no search sees half of it.

        Args:
            templates: (m, d) float32, unit length.
            gone_rows: Of those that are there before.

        Returns:
            The rows of the templates.

        Raises:
            GalleryError: As `add` and `withdraw`; nothing has changed then.
        """
        check_templates(templates, dimension=self._stored.templates.shape[1])
        with self._changing:
            state = self._state
            gone = state.gone.copy()
            for row in gone_rows:
                if not 0 <= row < len(gone) or gone[row]:
                    message = (
                        f"only enrolled rows can be withdrawn, got {row}, which is "
                        f"not among the {len(gone)} or is withdrawn already; check it"
                    )
                    raise GalleryError(message)
                gone[row] = True
            first = len(gone)
            gone = np.concatenate([gone, np.zeros(len(templates), bool)])
            if gone.all():
                message = (
                    "at least one template must stay in the gallery, got a withdrawal "
                    f"of all {len(gone)}; enrol somebody else first"
                )
                raise GalleryError(message)
            n = len(self._stored.templates)
            self._state = _State(
                added=np.concatenate([state.added, templates]),
                gone=gone,
                n_gone_stored=int(np.count_nonzero(gone[:n])),
            )
        return np.arange(first, first + len(templates))

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Return the k best of the gallery for each probe, best first."""
        state = self._state
        if state.n_gone_stored == 0 and len(state.added) == 0:
            return self._stored.search(probes, k=k)
        found = self._search_stored(probes, k, state)
        n = len(self._stored.templates)
        scores = probes.vectors @ state.added.T
        scores[:, state.gone[n:]] = -np.inf
        rows = np.broadcast_to(np.arange(n, n + len(state.added)), scores.shape)
        all_rows = np.concatenate([found.rows, rows], axis=1)
        all_scores = np.concatenate([found.scores, scores], axis=1)
        depth = min(k, int(np.count_nonzero(~state.gone)))
        best = np.argsort(-all_scores, axis=1, kind="stable")[:, :depth]
        return CandidateLists(
            rows=np.take_along_axis(all_rows, best, axis=1),
            scores=np.take_along_axis(all_scores, best, axis=1),
        )

    def _search_stored(
        self, probes: Embeddings, k: int, state: _State
    ) -> CandidateLists:
        """Search the stored index, deeper until withdrawn rows hide none of k."""
        n = len(self._stored.templates)
        live = min(k, n - state.n_gone_stored)
        # At first as if few of the withdrawn stood among the best, as it mostly is.
        extra = min(state.n_gone_stored, k)
        while True:
            found = self._stored.search(probes, k=k + extra)
            hidden = state.gone[found.rows]
            if np.all((~hidden).sum(axis=1) >= live) or k + extra >= n:
                scores = np.where(hidden, np.float32(-np.inf), found.scores)
                return CandidateLists(rows=found.rows, scores=scores)
            extra = 2 * extra + 1


def check_templates(templates: NDArray[np.float32], *, dimension: int) -> None:
    """Refuse templates that no score could be trusted of.

    Raises:
        GalleryError: If they are not (m, dimension) float32 of unit length; NaN and
            zeros are of no length at all.
    """
    shape = templates.shape
    if len(shape) != 2 or shape[1] != dimension or templates.dtype != np.float32:
        message = (
            f"templates must be (m, {dimension}) float32 like those enrolled, got "
            f"{shape} {templates.dtype.name}; embed with the gallery's embedder"
        )
        raise GalleryError(message)
    lengths = np.linalg.norm(templates, axis=1)
    # Written so that NaN is refused too.
    bad = np.flatnonzero(~(np.abs(lengths - 1.0) <= _LENGTH_TOLERANCE))
    if len(bad) > 0:
        message = (
            f"templates must be of unit length, got length {lengths[bad[0]]:g} in row "
            f"{bad[0]}; embed that face again"
        )
        raise GalleryError(message)
