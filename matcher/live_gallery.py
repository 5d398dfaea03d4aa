"""Enrolment and withdrawal while cameras run.

Owns which row is whose in a `LiveIndex`. Knows nothing of images.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from matcher.errors import GalleryError
from matcher.indexes.live import LiveIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from matcher.gallery import Gallery
    from matcher.messages import GalleryChange
    from matcher.protocols import StoredIndex
    from matcher.records import SubjectId

__all__ = ["LiveGallery"]


class LiveGallery:
    """A gallery that subjects join and leave without a search being stopped.

    Args:
        gallery: Who is enrolled at the start.
        stored: An index over its templates.

    Attributes:
        index: What a pipeline searches.
    """

    def __init__(self, gallery: Gallery, stored: StoredIndex) -> None:
        self.index = LiveIndex(stored)
        self._dimension = gallery.templates.shape[1]
        self._subject_ids = list(gallery.subject_ids)
        self._row_of = {s: row for row, s in enumerate(gallery.subject_ids)}
        self._changing = threading.Lock()

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def subject_ids(self) -> Sequence[SubjectId]:
        """Whose each row is, the withdrawn included; it only ever grows."""
        return self._subject_ids

    def enrol(
        self, subject_ids: Sequence[SubjectId], templates: NDArray[np.float32]
    ) -> None:
        """Add subjects with one template (m, d) each, or none of them.

        Raises:
            GalleryError: If a subject is enrolled or named twice, or a template
                cannot be compared with the others.
        """
        self.change(enrol=subject_ids, templates=templates, withdraw=())

    def withdraw(self, subject_ids: Sequence[SubjectId]) -> None:
        """Remove subjects, all or none.

        Raises:
            GalleryError: If one of them is not enrolled, or nobody would be left.
        """
        nothing = np.empty((0, self._dimension), np.float32)
        self.change(enrol=(), templates=nothing, withdraw=subject_ids)

    def change(
        self,
        *,
        enrol: Sequence[SubjectId],
        templates: NDArray[np.float32],
        withdraw: Sequence[SubjectId],
    ) -> None:
        """Add and remove subjects in one step, or leave all as it was.

        Args:
            enrol: Who joins; nobody who is enrolled, whoever leaves included.
            templates: (m, d) float32, one each.
            withdraw: Who leaves.

        Raises:
            GalleryError: As `enrol` and `withdraw`.
        """
        with self._changing:
            self._check(enrol, templates, withdraw)
            # Names first: a search may find a row as soon as it is there. What a
            # refused template leaves behind is a name that no row points to.
            first = len(self._subject_ids)
            self._subject_ids.extend(enrol)
            try:
                rows = self.index.change(templates, [self._row_of[s] for s in withdraw])
            except GalleryError:
                del self._subject_ids[first:]
                raise
            for subject_id in withdraw:
                del self._row_of[subject_id]
            self._row_of.update(zip(enrol, rows.tolist(), strict=True))

    def carry_out(self, change: GalleryChange) -> None:
        """Change as a message asks.

        Raises:
            GalleryError: As `change`.
        """
        self.change(
            enrol=change.enrol, templates=change.templates, withdraw=change.withdraw
        )

    def _check(
        self,
        enrol: Sequence[SubjectId],
        templates: NDArray[np.float32],
        withdraw: Sequence[SubjectId],
    ) -> None:
        twice = [s for s in enrol if s in self._row_of]
        if twice or len(set(enrol)) != len(enrol):
            message = (
                "a gallery must hold each subject once, got "
                f"{(twice or list(enrol))[0]!r} again; withdraw the subject first"
            )
            raise GalleryError(message)
        if len(enrol) != len(templates):
            message = (
                f"a gallery must hold one template a subject, got {len(templates)} "
                f"templates and {len(enrol)} subjects; send as many of either"
            )
            raise GalleryError(message)
        unknown = [s for s in withdraw if s not in self._row_of]
        if unknown:
            message = (
                f"only enrolled subjects can be withdrawn, got {unknown[0]!r}, who is "
                f"not among the {len(self)}; check the identifier"
            )
            raise GalleryError(message)
