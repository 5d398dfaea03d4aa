"""Claims about enrolment and what may stand in one gallery."""

from pathlib import Path

import numpy as np
import pytest
from matcher_doubles import ColourDetector, ColourEmbedder, painted

from matcher.errors import GalleryError
from matcher.gallery import Enrolment, Gallery, enrol, load, save, withdraw
from matcher.landmarks import AsDetected
from matcher.records import SubjectId


def _gallery(templates: np.ndarray | None = None, ids: str = "abc") -> Gallery:
    return Gallery(
        templates=np.eye(3, 4, dtype=np.float32) if templates is None else templates,
        subject_ids=tuple(SubjectId(i) for i in ids),
        embedder_sha256="0" * 64,
    )


def _enrol(*images: np.ndarray) -> Enrolment:
    return enrol(
        images,
        [SubjectId(f"s{k}") for k in range(len(images))],
        detector=ColourDetector(),
        refiner=AsDetected(),
        embedder=ColourEmbedder(),
        embedder_sha256="0" * 64,
    )


@pytest.mark.parametrize(
    ("templates", "ids", "complaint"),
    [
        (np.zeros((3, 4), np.float32), "abc", "unit length"),
        (np.full((3, 4), np.nan, np.float32), "abc", "unit length"),
        (2 * np.eye(3, dtype=np.float32), "abc", "unit length"),
        (np.eye(3, dtype=np.float64), "abc", "float32"),
        (np.empty((0, 4), np.float32), "", "at least one"),
        (np.eye(3, dtype=np.float32), "ab", "one template a subject"),
        (np.eye(3, dtype=np.float32), "aba", "each subject once"),
    ],
    ids=["zeros", "NaN", "too long", "doubles", "empty", "one too many", "twice"],
)
def test_gallery_refuses_what_cannot_be_compared(
    templates: np.ndarray, ids: str, complaint: str
) -> None:
    """The error says what was required and names the culprit."""
    with pytest.raises(GalleryError, match=complaint):
        _gallery(templates, ids)


def test_image_without_a_face_is_listed_not_raised() -> None:
    """Failure to enrol is an outcome; the others are enrolled, in order."""
    enrolment = _enrol(
        painted((40, 40, 90, 90)), painted(None), painted((9, 9, 70, 70))
    )

    assert enrolment.gallery.subject_ids == ("s0", "s2")
    assert [f.subject_id for f in enrolment.failures] == ["s1"]
    assert "160x120" in enrolment.failures[0].cause


def test_largest_face_of_an_image_is_enrolled() -> None:
    """A bystander in the background is not the subject."""
    image = painted((10, 10, 30, 30), channel=0)
    image[40:100, 80:140] = painted((80, 40, 140, 100), channel=2)[40:100, 80:140]
    enrolment = _enrol(image)

    assert enrolment.gallery.templates[0].argmax() == 2


def test_nobody_enrolled_is_an_error() -> None:
    """A run against an empty gallery would find nothing and look good."""
    with pytest.raises(GalleryError, match="at least one subject"):
        _enrol(painted(None), painted(None))


def test_saved_gallery_is_read_back_unchanged(tmp_path: Path) -> None:
    """Templates, subjects and the embedder's name survive, bit for bit."""
    gallery = _gallery()
    save(gallery, tmp_path / "gallery")
    again = load(tmp_path / "gallery")

    assert np.array_equal(again.templates, gallery.templates)
    assert again.subject_ids == gallery.subject_ids
    assert again.embedder_sha256 == gallery.embedder_sha256


@pytest.mark.parametrize("content", [None, b"", b"nonsense"], ids=repr)
def test_damaged_gallery_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """One sentence with the path and the remedy."""
    path = tmp_path / "gallery"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GalleryError, match=r"gallery cannot be read"):
        load(path)


def test_withdrawn_subject_is_gone_and_the_others_stay() -> None:
    """Rows and subjects move together."""
    left = withdraw(_gallery(), [SubjectId("b")])

    assert left.subject_ids == ("a", "c")
    assert np.array_equal(left.templates, np.eye(3, 4, dtype=np.float32)[[0, 2]])


@pytest.mark.parametrize("who", ["x", "abc"], ids=["unknown", "everyone"])
def test_withdrawal_that_cannot_be_done_is_refused(who: str) -> None:
    """Neither a stranger nor the last subject can be withdrawn."""
    with pytest.raises(GalleryError):
        withdraw(_gallery(), [SubjectId(i) for i in who])


def test_several_images_of_a_subject_make_one_template() -> None:
    """The mean of what they show; an image without a face takes nothing away."""
    blue, red = (painted((40, 40, 90, 90), channel=c) for c in (0, 2))
    ids = [SubjectId(s) for s in ("a", "b", "a", "a", "c")]
    enrolment = enrol(
        [blue, red, red, painted(None), painted(None)],
        ids,
        detector=ColourDetector(),
        refiner=AsDetected(),
        embedder=ColourEmbedder(),
        embedder_sha256="0" * 64,
    )
    a, b = enrolment.gallery.templates

    assert enrolment.gallery.subject_ids == ("a", "b")
    assert [f.subject_id for f in enrolment.failures] == ["c"]
    assert np.allclose(a[0], a[2], atol=1e-2)
    assert b.argmax() == 2
    assert np.isclose(np.linalg.norm(a), 1.0, atol=1e-5)


def test_loaded_templates_are_mapped_not_copied(tmp_path: Path) -> None:
    """Processes that load one gallery share one copy of it."""
    save(_gallery(), tmp_path / "gallery")

    assert isinstance(load(tmp_path / "gallery").templates, np.memmap)
