"""Who is sought: enrolment pictures on disk, and a table of what may be said of them.

Owns the watchlist folder. The pictures were taken on other days than the walk.
Knows nothing of galleries or templates.
"""

from __future__ import annotations

import csv
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.film.cache import put
from synthetic_crowds.film.stamp import Stamp, stamp_png
from synthetic_crowds.people.ageing import YOUNGEST_PICTURED_YEARS
from synthetic_crowds.people.population import draw_person
from synthetic_crowds.picture.enrolment import enrolment_portrait
from synthetic_crowds.records import (
    Ancestry,
    CaptureQuality,
    EnrolmentImage,
    PersonId,
    Sex,
    Subject,
    Watchlist,
)
from synthetic_crowds.street.plan import Concern, stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from synthetic_crowds.config import WatchlistConfig
    from synthetic_crowds.people.person import Person
    from synthetic_crowds.people.population import Demographics, IdentityDomain

__all__ = [
    "TABLE_FILE",
    "PortraitTask",
    "count_portraits",
    "describe",
    "plan_images",
    "read_watchlist",
    "render_portraits",
    "write_table",
]

TABLE_FILE = "watchlist.csv"
_COLUMNS = (
    "subject_id", "image", "quality", "image_age_years", "sex", "age_years",
    "ancestry", "monk_tone", "siblings", "is_twin", "synthetic",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitTask:
    """All that a worker needs to take pictures of some subjects.

    Attributes:
        demographics: Of the city.
        watchlist: Which pictures to take.
        people: Indices in the city.
        seed: The scenario's.
        domain: Of their identities.
    """

    demographics: Demographics
    watchlist: WatchlistConfig
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
        siblings=person.siblings,
        is_twin=person.is_twin,
    )


def plan_images(
    subjects: Sequence[tuple[int, Subject]],
    config: WatchlistConfig,
    *,
    seed: int,
    domain: IdentityDomain,
) -> tuple[EnrolmentImage, ...]:
    """Decide which pictures there are of whom; paths are names in the folder.

    Args:
        subjects: Index in the city, and what may be said of them; in order.
        config: How many pictures, how old, of which kinds.
        seed: The scenario's.
        domain: Of their identities.
    """
    kinds = list(config.capture_shares)
    weights = np.array([config.capture_shares[kind] for kind in kinds])
    images = []
    for index, subject in subjects:
        rng = stream(seed, domain, Concern.IMAGES, index)
        for number in range(config.images_per_subject):
            kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
            years = float(rng.uniform(*config.image_age_years))
            oldest = max(subject.age_years - YOUNGEST_PICTURED_YEARS, 0.0)
            images.append(
                EnrolmentImage(
                    person_id=subject.person_id,
                    path=Path(_image_name(subject.person_id, number)),
                    quality=kind,
                    image_age_years=round(min(years, oldest), 3),
                )
            )
    return tuple(images)


def render_portraits(
    task: PortraitTask, folder: Path, *, tick: Callable[[], None]
) -> None:
    """Write the PNGs of some subjects, named after them; those there stay."""
    for index in task.people:
        person = draw_person(
            task.demographics, seed=task.seed, domain=task.domain, index=index
        )
        images = plan_images(
            [(index, describe(person))],
            task.watchlist,
            seed=task.seed,
            domain=task.domain,
        )
        for number, image in enumerate(images):
            if (folder / image.path).exists():
                continue
            portrait = enrolment_portrait(
                person,
                rng=stream(task.seed, task.domain, Concern.PORTRAIT, index, number),
                quality=image.quality,
                image_age_years=image.image_age_years,
            )
            done, png = cv2.imencode(".png", portrait.image_bgr)
            if not done:
                message = f"OpenCV could not encode the portrait of {person.person_id}"
                raise RuntimeError(message)
            stamped = stamp_png(png.tobytes(), Stamp.of(task.seed))
            put(folder / image.path, functools.partial(_write, stamped))
            tick()


def count_portraits(task: PortraitTask, folder: Path) -> int:
    """How many of a task's PNGs are there already."""
    return sum(
        (folder / _image_name(person_id, number)).exists()
        for person_id in (
            draw_person(
                task.demographics, seed=task.seed, domain=task.domain, index=index
            ).person_id
            for index in task.people
        )
        for number in range(task.watchlist.images_per_subject)
    )


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def write_table(
    subjects: Sequence[Subject], images: Sequence[EnrolmentImage], folder: Path
) -> None:
    """Write `watchlist.csv`: one row a picture, in order of enrolment."""
    known = {subject.person_id: subject for subject in subjects}
    with (folder / TABLE_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for image in images:
            subject = known[image.person_id]
            writer.writerow(
                (
                    subject.person_id,
                    image.path.name,
                    image.quality,
                    repr(image.image_age_years),
                    subject.sex,
                    repr(subject.age_years),
                    subject.ancestry,
                    subject.monk_tone,
                    " ".join(subject.siblings),
                    str(subject.is_twin).lower(),
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
    first = {row["subject_id"]: row for row in reversed(rows)}
    return Watchlist(
        folder=folder,
        subjects=tuple(
            _subject(first[name])
            for name in dict.fromkeys(row["subject_id"] for row in rows)
        ),
        images=tuple(
            EnrolmentImage(
                person_id=PersonId(row["subject_id"]),
                path=folder / row["image"],
                quality=CaptureQuality(row["quality"]),
                image_age_years=float(row["image_age_years"]),
            )
            for row in rows
        ),
        mated=mated,
        sha256=digest.hexdigest(),
    )


def _subject(row: dict[str, str]) -> Subject:
    return Subject(
        person_id=PersonId(row["subject_id"]),
        sex=Sex(row["sex"]),
        age_years=float(row["age_years"]),
        ancestry=Ancestry(row["ancestry"]),
        monk_tone=int(row["monk_tone"]),
        siblings=tuple(PersonId(name) for name in row["siblings"].split()),
        is_twin=row["is_twin"] == "true",
    )


def _image_name(person_id: PersonId, number: int) -> str:
    return f"{person_id}.png" if number == 0 else f"{person_id}_{number + 1}.png"
