"""Measures what templates look like, so that millions can be drawn without pixels.

Owns the experiment (people of the domain CALIBRATION, an enrolment picture and two
later days of two views each, every view degraded to several face heights), the
moments that the model is fitted by, and the comparison of drawn with measured scores.

    python -m training.fit_templates
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field

from matcher.assembly import embedder_sha256, make_embedder
from matcher.config import EmbedderConfig
from synthetic_crowds.people.population import (
    Demographics,
    IdentityDomain,
    draw_person,
)
from synthetic_crowds.records import Ancestry, Sex
from synthetic_crowds.templates.model import (
    ENROLMENT,
    SHIPPED,
    TemplateModel,
    save_model,
)
from training.augment import CLEAN, STREET, degraded_chip
from training.faces_dataset import FacesConfig, load_faces, render_faces
from training.template_fit import goodness_of_fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.protocols import Embedder
    from training.augment import DegradationConfig
    from training.faces_dataset import FaceViews

__all__ = ["MeasuredTemplates", "TemplatesConfig", "fit", "measure"]


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
        groups: Names.
        conditions: q names.
    """

    enrolled: NDArray[np.float32]
    street: NDArray[np.float32]
    group: NDArray[np.int64]
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
    groups, group = _groups(config, n)
    return MeasuredTemplates(
        enrolled=_embed(embedder, faces, desk, config=CLEAN, rng=rng),
        street=np.stack(conditions),
        group=group,
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


def _groups(
    config: TemplatesConfig, n: int
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Name the groups, sex by largest ancestry, and find everybody's."""
    names = tuple(f"{sex}, {ancestry}" for sex in Sex for ancestry in Ancestry)
    group = np.empty(n, np.int64)
    for index in range(n):
        person = draw_person(
            Demographics(),
            seed=config.seed,
            domain=IdentityDomain.CALIBRATION,
            index=index,
        )
        ancestry = int(np.argmax(person.ancestry_shares))
        group[index] = tuple(Sex).index(person.sex) * len(Ancestry) + ancestry
    return names, group


def fit(measured: MeasuredTemplates, *, embedder: str) -> TemplateModel:
    """Fit the model by moments.

    Between two pictures of one person on different days only group and identity are
    shared, so that with the enrolment as unit

        cov(enrolled, street_q)          = gain_q   * identity
        cov(street_q, street_q, 2 days)  = gain_q^2 * identity
        cov(street_q, street_q, 1 day)   = gain_q^2 * (identity + day)
        cov(street_q)                    = gain_q^2 * (identity + day) + shot_q

    where everything is taken within groups.

    Args:
        measured: Templates.
        embedder: SHA-256 of the model that made them.
    """
    n_groups = len(measured.groups)
    shares = np.bincount(measured.group, minlength=n_groups) / len(measured.group)
    enrolled, desk_mean, group_means = _centred(measured.enrolled, measured.group)
    gains, identities, days, means = [1.0], [], [], [desk_mean]
    within = []
    for street in measured.street:
        flat = street.reshape(-1, street.shape[-1])
        mean = flat.mean(axis=0)
        people = street - mean
        for_group = np.stack(
            [
                people[measured.group == g].reshape(-1, people.shape[-1]).mean(axis=0)
                if (measured.group == g).any()
                else np.zeros(people.shape[-1])
                for g in range(n_groups)
            ]
        )
        people = people - for_group[measured.group][:, None, None]
        first, second = people[:, 0], people[:, 1]
        across = _covariance(first.mean(axis=1), second.mean(axis=1))
        with_desk = _covariance(enrolled, people.mean(axis=(1, 2)))
        gain = float(np.trace(across) / np.trace(with_desk))
        one_day = (
            _covariance(first[:, 0], first[:, 1])
            + _covariance(second[:, 0], second[:, 1])
        ) / 2
        gains.append(gain)
        means.append(mean)
        identities.append(with_desk / gain)
        days.append(one_day / gain**2 - across / gain**2)
        within.append(np.cov(people.reshape(-1, people.shape[-1]).T))
    identity = _root(np.mean(identities, axis=0))
    day = _root(np.mean(days, axis=0))
    shared = identity @ identity.T + day @ day.T
    shots = [np.cov(enrolled.T) - shared]
    shots += [
        total - gain**2 * shared for total, gain in zip(within, gains[1:], strict=True)
    ]
    return TemplateModel(
        embedder_sha256=embedder,
        groups=np.array(measured.groups),
        group_shares=shares,
        group_means=group_means.astype(np.float32),
        conditions=np.array(measured.conditions),
        means=np.stack(means).astype(np.float32),
        gains=np.array(gains),
        identity=identity.astype(np.float32),
        day=day.astype(np.float32),
        shot=np.stack([_root(shot) for shot in shots]).astype(np.float32),
    )


def _centred(
    templates: NDArray[np.float32], group: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what is left within groups, the mean, and the groups' means about it."""
    mean = templates.mean(axis=0, dtype=np.float64)
    left = templates - mean
    n_groups = int(group.max()) + 1
    means = np.zeros((n_groups, templates.shape[1]))
    for g in range(n_groups):
        if (group == g).any():
            means[g] = left[group == g].mean(axis=0)
    return left - means[group], mean, means


def _covariance(
    a: NDArray[np.floating], b: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Symmetrised covariance of paired rows (n, d), whose means are zero."""
    product = a.astype(np.float64).T @ b / len(a)
    return (product + product.T) / 2


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square root of the nearest covariance; what noise made negative becomes zero."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def main(
    folder: Annotated[Path, typer.Option()] = Path("training/out/faces_templates"),
    identities: Annotated[int, typer.Option()] = 1500,
    workers: Annotated[int, typer.Option()] = 2,
    out: Annotated[Path, typer.Option()] = SHIPPED,
) -> None:
    """Measure templates, fit the model, write it, and print how well it fits."""
    config = TemplatesConfig(identities=identities)
    measured = measure(config, folder=folder, workers=workers)
    model = fit(measured, embedder=embedder_sha256(EmbedderConfig()))
    save_model(model, out)
    typer.echo(goodness_of_fit(model, measured.enrolled, measured.street, seed=1))


if __name__ == "__main__":
    typer.run(main)
