"""Who is sought: enrolment pictures on disk, and a table of what may be said of them.

Owns the watchlist folder. The pictures were taken on another day than the walk.
Knows nothing of galleries or templates.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.people.population import draw_person
from synthetic_crowds.picture.portraits import enrolment_portrait
from synthetic_crowds.records import Ancestry, PersonId, Sex, Subject, Watchlist
from synthetic_crowds.street.plan import Concern, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from synthetic_crowds.people.person import Person
    from synthetic_crowds.people.population import Demographics, IdentityDomain

__all__ = [
    "PortraitTask",
    "describe",
    "read_watchlist",
    "render_portraits",
    "write_table",
]

TABLE_FILE = "watchlist.csv"
_COLUMNS = (
    "subject_id", "image", "sex", "age_years", "ancestry", "monk_tone", "synthetic",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitTask:
    """All that a worker needs to take pictures of some subjects.

    Attributes:
        demographics: Of the city.
        people: Indices in the city.
        seed: The scenario's.
        domain: Of their identities.
    """

    demographics: Demographics
    people: tuple[int, ...]
    seed: int
    domain: IdentityDomain


def describe(person: Person) -> Subject:
    """What reports may say of a person."""
    return Subject(
        person_id=person.person_id,
        sex=person.sex,
        age_years=person.age_years,
        ancestry=tuple(Ancestry)[int(np.argmax(person.ancestry_shares))],
        monk_tone=person.monk_tone,
    )


def render_portraits(
    task: PortraitTask, folder: Path, *, tick: Callable[[], None]
) -> None:
    """Write one PNG per subject, named after them."""
    for index in task.people:
        person = draw_person(
            task.demographics, seed=task.seed, domain=task.domain, index=index
        )
        rng = stream(task.seed, task.domain, Concern.PORTRAIT, index)
        portrait = enrolment_portrait(person, rng=rng)
        done, png = cv2.imencode(".png", portrait.image_bgr)
        if not done:
            message = f"OpenCV could not encode the portrait of {person.person_id}"
            raise RuntimeError(message)
        (folder / _image_name(person.person_id)).write_bytes(png.tobytes())
        tick()


def write_table(subjects: Sequence[Subject], folder: Path) -> None:
    """Write `watchlist.csv`, in order of enrolment."""
    with (folder / TABLE_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for subject in subjects:
            writer.writerow(
                (
                    subject.person_id,
                    _image_name(subject.person_id),
                    subject.sex,
                    repr(subject.age_years),
                    subject.ancestry,
                    subject.monk_tone,
                    "true",
                )
            )


def read_watchlist(folder: Path, mated: frozenset[PersonId]) -> Watchlist:
    """Read a watchlist folder.

    Args:
        folder: With the table and its pictures.
        mated: Who of them walks past a camera; the folder does not tell.
    """
    with (folder / TABLE_FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row["subject_id"].encode())
        digest.update((folder / row["image"]).read_bytes())
    return Watchlist(
        folder=folder,
        subjects=tuple(
            Subject(
                person_id=PersonId(row["subject_id"]),
                sex=Sex(row["sex"]),
                age_years=float(row["age_years"]),
                ancestry=Ancestry(row["ancestry"]),
                monk_tone=int(row["monk_tone"]),
            )
            for row in rows
        ),
        image_paths=tuple(folder / row["image"] for row in rows),
        mated=mated,
        sha256=digest.hexdigest(),
    )


def _image_name(person_id: PersonId) -> str:
    return f"{person_id}.png"
