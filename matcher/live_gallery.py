"""Enrolment and withdrawal while cameras run.

Owns which row is whose in a `LiveIndex`. Knows nothing of images.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from matcher.errors import GalleryError
from matcher.indexes.live import LiveIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from matcher.gallery import Gallery
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
        with self._changing:
            twice = [s for s in subject_ids if s in self._row_of]
            if twice or len(set(subject_ids)) != len(subject_ids):
                message = (
                    "a gallery must hold each subject once, got "
                    f"{(twice or list(subject_ids))[0]!r} again; withdraw the subject "
                    "first"
                )
                raise GalleryError(message)
            if len(subject_ids) != len(templates):
                message = (
                    f"a gallery must hold one template a subject, got "
                    f"{len(templates)} templates and {len(subject_ids)} subjects"
                )
                raise GalleryError(message)
            # Names first: a search may find a row as soon as it is there. What a
            # refused template leaves behind is a name that no row points to.
            first = len(self._subject_ids)
            self._subject_ids.extend(subject_ids)
            try:
                rows = self.index.add(templates)
            except GalleryError:
                del self._subject_ids[first:]
                raise
            self._row_of.update(zip(subject_ids, rows.tolist(), strict=True))

    def withdraw(self, subject_ids: Sequence[SubjectId]) -> None:
        """Remove subjects, all or none.

        Raises:
            GalleryError: If one of them is not enrolled, or nobody would be left.
        """
        with self._changing:
            unknown = [s for s in subject_ids if s not in self._row_of]
            if unknown:
                message = (
                    f"only enrolled subjects can be withdrawn, got {unknown[0]!r}, who "
                    f"is not among the {len(self)}; check the identifier"
                )
                raise GalleryError(message)
            self.index.withdraw([self._row_of[s] for s in subject_ids])
            for subject_id in subject_ids:
                del self._row_of[subject_id]
