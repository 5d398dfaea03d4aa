"""Measures templates of people whose kin, group and days are known.

Owns the experiment: people of the domain CALIBRATION, an enrolment picture and two
later days of two views each, every view degraded to several face heights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from matcher.assembly import make_embedder, make_picture_embedder
from matcher.config import EmbedderConfig
from synthetic_crowds.people.kin import Kinship
from synthetic_crowds.people.population import (
    Demographics,
    IdentityDomain,
    draw_person,
)
from synthetic_crowds.records import Ancestry, Sex
from synthetic_crowds.templates.model import ENROLMENT
from training.augment import CLEAN, STREET, degraded_chip
from training.faces_dataset import FacesConfig, load_faces, render_faces

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.protocols import Embedder
    from training.augment import DegradationConfig
    from training.faces_dataset import FaceViews

__all__ = ["KINSHIPS", "MeasuredTemplates", "TemplatesConfig", "measure"]

# Those that the model knows, in its order.
KINSHIPS = (Kinship.SIBLING, Kinship.TWIN)


class TemplatesConfig(BaseModel):
    """Whose templates are measured, and under which conditions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=11, ge=0, description="Of people, views and draws.")
    identities: int = Field(default=1500, ge=10, description="People measured.")
    face_heights_px: tuple[int, ...] = Field(
        default=(32, 48, 64, 96), description="Of the street conditions."
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredTemplates:
    """Templates of n people under q conditions, the enrolment first.

    Attributes:
        enrolled: (n, d) float32.
        street: (q - 1, n, 2, 2, d) float32: condition, person, day, view.
        group: (n,) int64, into `groups`.
        kin: (n // 2,) int64: what persons 2k and 2k + 1 are to each other, a place in
            `KINSHIPS`, -1 for strangers.
        groups: Names.
        conditions: q names.
    """

    enrolled: NDArray[np.float32]
    street: NDArray[np.float32]
    group: NDArray[np.int64]
    kin: NDArray[np.int64]
    groups: tuple[str, ...]
    conditions: tuple[str, ...]


def measure(
    config: TemplatesConfig, *, folder: Path, workers: int
) -> MeasuredTemplates:
    """Render, degrade and embed.

    Args:
        config: Whom.
        folder: Where renders are kept.
        workers: Processes that render.
    """
    faces_config = FacesConfig(
        seed=config.seed,
        domain=IdentityDomain.CALIBRATION,
        identities=config.identities,
        days=2,
        views_per_day=2,
    )
    render_faces(faces_config, folder=folder, workers=workers)
    faces = load_faces([folder])
    embedder = make_embedder(EmbedderConfig())
    rng = np.random.default_rng(config.seed)
    desk = np.flatnonzero(faces.enrolment)
    street = np.flatnonzero(~faces.enrolment)
    n = len(desk)
    conditions = [
        _embed(
            embedder,
            faces,
            street,
            config=STREET.model_copy(update={"face_height_px": (height, height)}),
            rng=rng,
        ).reshape(n, 2, 2, -1)
        for height in config.face_heights_px
    ]
    groups, group, kin = _people(config, n)
    return MeasuredTemplates(
        enrolled=_embed(
            make_picture_embedder(EmbedderConfig()), faces, desk, config=CLEAN, rng=rng
        ),
        street=np.stack(conditions),
        group=group,
        kin=kin,
        groups=groups,
        conditions=(ENROLMENT, *(f"{h} px" for h in config.face_heights_px)),
    )


def _embed(
    embedder: Embedder,
    faces: FaceViews,
    rows: NDArray[np.int64],
    *,
    config: DegradationConfig,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    chips = np.stack(
        [
            degraded_chip(
                faces.images_bgr[row],
                faces.landmarks[row],
                float(faces.face_height_px[row]),
                config=config.model_copy(update={"mirror": 0.0}),
                chip_px=embedder.chip_px,
                rng=rng,
            )[0]
            for row in rows
        ]
    )
    batches = np.array_split(chips, max(1, len(chips) // 64))
    return np.concatenate([embedder.embed(batch).vectors for batch in batches])


def _people(
    config: TemplatesConfig, n: int
) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    """Name the groups, sex by largest ancestry; find everybody's, and who is kin."""
    names = tuple(f"{sex}, {ancestry}" for sex in Sex for ancestry in Ancestry)
    group = np.empty(n, np.int64)
    kin = np.full(n // 2, -1)
    for index in range(n):
        person = draw_person(
            Demographics(),
            seed=config.seed,
            domain=IdentityDomain.CALIBRATION,
            index=index,
        )
        ancestry = int(np.argmax(person.ancestry_shares))
        group[index] = tuple(Sex).index(person.sex) * len(Ancestry) + ancestry
        if index % 2 == 1 and person.siblings:
            kinship = Kinship.TWIN if person.is_twin else Kinship.SIBLING
            kin[index // 2] = KINSHIPS.index(kinship)
    return names, group, kin
