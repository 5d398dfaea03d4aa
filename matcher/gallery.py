"""The enrolled: templates, whose they are, and which embedder made them.

Owns enrolment, withdrawal and persistence, and refuses what cannot stand in one
gallery. Knows nothing of how it is searched, nor why anyone is in it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from matcher.errors import GalleryError
from matcher.fusion import unit_length
from matcher.portraits import largest_face, no_face
from matcher.records import SubjectId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.protocols import Detector, Embedder, LandmarkRefiner

__all__ = [
    "Enrolment",
    "FailureToEnrol",
    "Gallery",
    "enrol",
    "load",
    "mean_templates",
    "save",
    "withdraw",
]

# float16 storage and averaging move a length by less; a template that was never scaled
# to unit length is further off.
_LENGTH_TOLERANCE = 1e-2
_BATCH = 32
_TEMPLATES, _SUBJECTS = "templates.npy", "subjects.npz"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gallery:
    """Templates and their subjects, one each, in order of enrolment.

    Attributes:
        templates: (n, d) float32, unit length, n at least 1.
        subject_ids: n different ones.
        embedder_sha256: Of the model that made the templates: no other can be
            compared with them.
    """

    templates: NDArray[np.float32]
    subject_ids: tuple[SubjectId, ...]
    embedder_sha256: str

    def __post_init__(self) -> None:
        """Check, then freeze.

        Raises:
            GalleryError: If templates and subjects are not what is stated above.
        """
        shape = self.templates.shape
        if len(shape) != 2 or self.templates.dtype != np.float32 or shape[0] == 0:
            message = (
                "a gallery must hold templates (n, d) float32 with n >= 1, got "
                f"{shape} {self.templates.dtype.name}; enrol at least one subject"
            )
            raise GalleryError(message)
        if shape[0] != len(self.subject_ids):
            message = (
                f"a gallery must hold one template a subject, got {shape[0]} "
                f"templates and {len(self.subject_ids)} subjects; enrol again"
            )
            raise GalleryError(message)
        twice = [s for s, n in Counter(self.subject_ids).items() if n > 1]
        if twice:
            message = (
                f"a gallery must hold each subject once, got {twice[0]!r} "
                f"{self.subject_ids.count(twice[0])} times; withdraw the subject first"
            )
            raise GalleryError(message)
        lengths = np.linalg.norm(self.templates, axis=1)
        # Written so that NaN is refused too.
        bad = np.flatnonzero(~(np.abs(lengths - 1.0) <= _LENGTH_TOLERANCE))
        if len(bad) > 0:
            row = int(bad[0])
            message = (
                f"templates must be of unit length, got length {lengths[row]:g} for "
                f"{self.subject_ids[row]!r}; embed that subject again"
            )
            raise GalleryError(message)
        self.templates.setflags(write=False)

    def __len__(self) -> int:
        return len(self.subject_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureToEnrol:
    """A subject who is not in the gallery, and why.

    Attributes:
        subject_id: Who.
        cause: Why.
    """

    subject_id: SubjectId
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Enrolment:
    """What became of the images.

    Attributes:
        gallery: Those enrolled.
        failures: Those not, in order.
    """

    gallery: Gallery
    failures: tuple[FailureToEnrol, ...]


def enrol(
    images_bgr: Iterable[NDArray[np.uint8]],
    subject_ids: Iterable[SubjectId],
    *,
    detector: Detector,
    refiner: LandmarkRefiner,
    embedder: Embedder,
    embedder_sha256: str,
) -> Enrolment:
    """Make a gallery of one template a subject.

    A subject given with several images is enrolled with the mean of their templates.
    Of several faces in an image the largest is taken. An image without a face is a
    failure to enrol: listed, counted, no error.

    Args:
        images_bgr: (h, w, 3) uint8 each; read one at a time.
        subject_ids: As many; the same one again is another image of that subject.
        detector: Finds the faces.
        refiner: Corrects their landmarks.
        embedder: Makes the templates.
        embedder_sha256: Of its model.

    Raises:
        GalleryError: If nobody could be enrolled.
    """
    chips, enrolled, failures = [], [], []
    for image_bgr, subject_id in zip(images_bgr, subject_ids, strict=True):
        portrait = largest_face(
            image_bgr, detector=detector, refiner=refiner, chip_px=embedder.chip_px
        )
        if portrait is None:
            cause = no_face(image_bgr)
            failures.append(FailureToEnrol(subject_id=subject_id, cause=cause))
        else:
            chips.append(portrait.chip_bgr)
            enrolled.append(subject_id)
    if not enrolled:
        message = (
            f"at least one subject must be enrolled, got {len(failures)} images "
            "without a face; check the images and the detector"
        )
        raise GalleryError(message)
    batches = [
        embedder.embed(np.concatenate(chips[first : first + _BATCH])).vectors
        for first in range(0, len(chips), _BATCH)
    ]
    templates, subjects = mean_templates(np.concatenate(batches), enrolled)
    gallery = Gallery(
        templates=templates, subject_ids=subjects, embedder_sha256=embedder_sha256
    )
    # One image with a face is enough to be enrolled.
    failed = tuple(f for f in failures if f.subject_id not in set(subjects))
    return Enrolment(gallery=gallery, failures=failed)


def mean_templates(
    templates: NDArray[np.float32], subject_ids: list[SubjectId]
) -> tuple[NDArray[np.float32], tuple[SubjectId, ...]]:
    """Average the templates (n, d) of each subject, in order of first appearance."""
    row_of = {s: row for row, s in enumerate(dict.fromkeys(subject_ids))}
    sums = np.zeros((len(row_of), templates.shape[1]), np.float32)
    np.add.at(sums, [row_of[s] for s in subject_ids], templates)
    return unit_length(sums), tuple(row_of)


def withdraw(gallery: Gallery, subject_ids: Collection[SubjectId]) -> Gallery:
    """Leave some subjects out.

    Raises:
        GalleryError: If one of them is not enrolled, or nobody would be left.
    """
    unknown = sorted(set(subject_ids) - set(gallery.subject_ids))
    if unknown:
        message = (
            f"only enrolled subjects can be withdrawn, got {unknown[0]!r}, who is not "
            f"among the {len(gallery)}; check the identifier"
        )
        raise GalleryError(message)
    gone = set(subject_ids)
    stays = [row for row, s in enumerate(gallery.subject_ids) if s not in gone]
    return Gallery(
        templates=gallery.templates[stays],
        subject_ids=tuple(gallery.subject_ids[row] for row in stays),
        embedder_sha256=gallery.embedder_sha256,
    )


def save(gallery: Gallery, path: Path) -> None:
    """Write a gallery to a folder, to be made: templates, and whose they are."""
    path.mkdir()
    np.save(path / _TEMPLATES, gallery.templates)
    with (path / _SUBJECTS).open("wb") as file:
        np.savez(
            file,
            subject_ids=np.array(gallery.subject_ids, dtype=np.str_),
            embedder_sha256=np.array(gallery.embedder_sha256, dtype=np.str_),
        )


def load(path: Path) -> Gallery:
    """Read a gallery from its folder.

    The templates are mapped into memory, not read: processes that load the same
    gallery share one copy.

    Raises:
        GalleryError: If the folder is absent, damaged, or holds no gallery.
    """
    try:
        templates = np.load(path / _TEMPLATES, mmap_mode="r", allow_pickle=False)
        with np.load(path / _SUBJECTS, allow_pickle=False) as held:
            subject_ids = [SubjectId(str(s)) for s in held["subject_ids"]]
            sha256 = str(held["embedder_sha256"])
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        message = f"gallery {path} cannot be read ({error}); enrol again"
        raise GalleryError(message) from error
    return Gallery(
        templates=templates, subject_ids=tuple(subject_ids), embedder_sha256=sha256
    )
