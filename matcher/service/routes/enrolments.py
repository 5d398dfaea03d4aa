"""From the words of an enrolment to pictures and templates that may be used.

Owns the checks of a batch: how many, in which of three ways, of which embedder, and
that every template is one. Knows nothing of watchlists.
"""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import TYPE_CHECKING

import numpy as np

from matcher.errors import GalleryError
from matcher.indexes.live import check_templates
from matcher.records import SubjectId
from matcher.service.desks.curation import NewSubject
from matcher.service.gate.pictures import check_still
from matcher.service.refusals import RefusedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.service.config import LimitsConfig
    from matcher.service.lanes.stages import Stages
    from matcher.service.wire import EnrolmentRequest, SubjectEnrolment

__all__ = ["check_count", "new_subjects"]


def check_count(n_subjects: int, limits: LimitsConfig) -> None:
    """Refuse a batch of too many.

    Raises:
        RefusedError: If so.
    """
    if n_subjects > limits.max_batch_subjects:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"a batch must name at most {limits.max_batch_subjects:,} subjects, got "
            f"{n_subjects:,}; send it in parts",
        )


def new_subjects(
    request: EnrolmentRequest, *, limits: LimitsConfig, stages: Stages
) -> list[NewSubject]:
    """Turn a batch into what can be enrolled.

    Raises:
        RefusedError: If anything in it cannot be used; nobody is enrolled then.
    """
    check_count(len(request.subjects), limits)
    subjects = [_subject(subject, limits) for subject in request.subjects]
    by_template = [s for s in subjects if s.template is not None]
    if by_template:
        _check_embedder(request.embedder_sha256, stages.embedder_sha256)
    for subject in by_template:
        _check_template(subject, stages.dimension)
    return subjects


def _subject(subject: SubjectEnrolment, limits: LimitsConfig) -> NewSubject:
    ways = (subject.images_base64, subject.template, subject.template_f32_base64)
    if sum(way is not None for way in ways) != 1:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"a subject must come by exactly one of images_base64, template and "
            f"template_f32_base64, {subject.subject_id!r} comes by "
            f"{sum(way is not None for way in ways)}",
        )
    pictures = tuple(
        _decoded(subject.subject_id, text) for text in subject.images_base64 or ()
    )
    for picture in pictures:
        check_still(picture, limits)
    return NewSubject(
        subject_id=SubjectId(subject.subject_id),
        pictures=pictures,
        template=_template(subject),
    )


def _template(subject: SubjectEnrolment) -> NDArray[np.float32] | None:
    if subject.template is not None:
        with np.errstate(over="ignore"):
            return np.array(subject.template, np.float64).astype(np.float32)
    if subject.template_f32_base64 is None:
        return None
    content = _decoded(subject.subject_id, subject.template_f32_base64)
    if len(content) % 4 != 0:
        raise _bad_template(subject.subject_id, f"{len(content)} bytes are no float32")
    return np.frombuffer(content, "<f4").astype(np.float32)


def _check_template(subject: NewSubject, dimension: int) -> None:
    if subject.template is None:
        return
    try:
        check_templates(subject.template[None], dimension=dimension)
    except GalleryError as error:
        raise _bad_template(subject.subject_id, str(error)) from error


def _check_embedder(stated: str | None, in_use: str) -> None:
    if stated != in_use:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "other_embedder",
            f"templates must be of the embedder in use, embedder_sha256 {in_use}, got "
            f"{stated}; embed with that one (GET /v1/system names it), or send "
            "pictures",
        )


def _bad_template(subject_id: str, why: str) -> RefusedError:
    return RefusedError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "bad_template",
        f"a template must be one that can be compared, that of {subject_id!r} is not: "
        f"{why}",
    )


def _decoded(subject_id: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"base64 must be base64, that of {subject_id!r} is not: {error}",
        ) from error
