"""Renders the people that the embedder learns from, and reads them back.

Owns which views of whom are rendered and the shards they lie in. Degradations are
not here: they are drawn anew each time a view is used.

    python -m training.faces_dataset

An interrupted run goes on where it stopped: whole shards are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cv2
import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.progress import track

from synthetic_crowds.film.processes import leave_with_parent
from synthetic_crowds.heads.build import build_head
from synthetic_crowds.people.ageing import years_ago
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.picture.enrolment import enrolment_portrait
from synthetic_crowds.picture.portraits import render_head, seat
from synthetic_crowds.picture.surroundings import draw_light, draw_wall, with_wall
from synthetic_crowds.raster.pose import gaze_rotation
from synthetic_crowds.records import CaptureQuality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.records import Portrait

__all__ = [
    "PORTIONS",
    "FaceViews",
    "FacesConfig",
    "Portion",
    "load_faces",
    "monk_tones",
    "render_faces",
]


class FacesConfig(BaseModel):
    """Which views of how many people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=1, ge=0, description="Of people and views.")
    domain: IdentityDomain = Field(default=IdentityDomain.TRAINING)
    first_identity: int = Field(default=0, ge=0, description="Index of the first.")
    identities: int = Field(default=9000, ge=1, description="People.")
    portrait: bool = Field(default=True, description="Whether day 0 has a portrait.")
    first_day: int = Field(default=1, ge=1, description="Number of the first day.")
    per_shard: int = Field(default=50, ge=1, description="People a file.")
    days: int = Field(
        default=4, ge=1, description="Days with street views; the portrait is another."
    )
    views_per_day: int = Field(default=4, ge=1)
    habits: Habits = Field(
        default=Habits(face_mask_share=0.04, sunglasses_share=0.02, hat_factor=1.5),
        description="More of what hides faces than a street shows: it is to be learnt.",
    )
    capture_shares: dict[CaptureQuality, float] = Field(
        default={
            CaptureQuality.CUSTODY: 0.55,
            CaptureQuality.PASSPORT: 0.15,
            CaptureQuality.SOCIAL_MEDIA: 0.15,
            CaptureQuality.CCTV_STILL: 0.15,
        },
        description="Kinds of portraits.",
    )
    oldest_image_years: float = Field(
        default=10.0, ge=0.0, le=15.0, description="Age of portraits, from 0."
    )
    oldest_day_years: float = Field(
        default=0.0,
        ge=0.0,
        le=15.0,
        description="How long ago days may be, from 0: other cuts, beards gone.",
    )
    yaw_sd_deg: float = Field(default=18.0, gt=0.0)
    yaw_limit_deg: float = Field(default=50.0, gt=0.0, le=90.0)
    pitch_mean_deg: float = Field(
        default=-4.0, description="Cameras hang above: faces are seen from above."
    )
    pitch_sd_deg: float = Field(default=9.0, gt=0.0)
    pitch_limit_deg: float = Field(default=25.0, gt=0.0, le=60.0)
    roll_sd_deg: float = Field(default=5.0, ge=0.0)
    render_px: int = Field(default=144, ge=32, description="Side of a render.")
    crop_px: int = Field(default=112, ge=32, description="Side of what is stored.")
    face_height_px: float = Field(default=84.0, gt=16.0, description="Within it.")


class Portion(StrEnum):
    """Views that are rendered together, into a folder of their own."""

    FIRST = "first"
    ABOVE = "above"
    NEWCOMERS = "newcomers"

    @property
    def folder(self) -> Path:
        """Where they lie unless told otherwise."""
        return Path("training/out/faces") / self


PORTIONS = {
    Portion.FIRST: FacesConfig(),
    # The same people once more, as a camera on a mast sees those who are near: 15 to
    # 22 degrees down.
    Portion.ABOVE: FacesConfig(
        portrait=False,
        first_day=5,
        days=1,
        views_per_day=4,
        pitch_mean_deg=-18.0,
        pitch_sd_deg=6.0,
        pitch_limit_deg=34.0,
    ),
    # Fewer views of more people, whose days lie years apart.
    Portion.NEWCOMERS: FacesConfig(
        first_identity=9000,
        identities=24000,
        views_per_day=3,
        oldest_day_years=8.0,
        pitch_mean_deg=-8.0,
        pitch_limit_deg=34.0,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceViews:
    """Clean renders of faces, n rows.

    Attributes:
        images_bgr: (n, c, c, 3) uint8.
        landmarks: (n, 5, 2) float32, pixels.
        face_height_px: (n,) float32.
        person: (n,) int64, index in the identity domain.
        day: (n,) int64; views of one day share an appearance.
        enrolment: (n,) bool, a portrait as for a watchlist.
    """

    images_bgr: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    face_height_px: NDArray[np.float32]
    person: NDArray[np.int64]
    day: NDArray[np.int64]
    enrolment: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.person)

    def take(self, rows: NDArray[np.int64]) -> FaceViews:
        """Return the views at `rows`."""
        return FaceViews(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def _cut(
    portrait: Portrait, config: FacesConfig
) -> tuple[NDArray[np.uint8], NDArray[np.float32], float]:
    """Cut the stored square about the landmarks, shrinking the face to its height."""
    left, top, right, bottom = (float(v) for v in portrait.box_xyxy)
    height = bottom - top
    factor = min(1.0, config.face_height_px / height)
    image = portrait.image_bgr
    if factor < 1.0:
        image = np.asarray(
            cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA),
            dtype=np.uint8,
        )
    # Midway between box and landmarks: a turned head's box is mostly its side.
    centre = 0.5 * portrait.landmarks.mean(axis=0)
    centre = centre + 0.25 * np.array([left + right, top + bottom])
    corner = np.round(factor * centre - config.crop_px / 2).astype(int)
    margin = config.crop_px
    padded = cv2.copyMakeBorder(
        image, margin, margin, margin, margin, cv2.BORDER_REPLICATE
    )
    x, y = corner + margin
    crop = padded[y : y + config.crop_px, x : x + config.crop_px]
    points = factor * portrait.landmarks - corner
    return (
        np.ascontiguousarray(crop, dtype=np.uint8),
        points.astype(np.float32),
        factor * height,
    )


def _views(index: int, config: FacesConfig) -> list[tuple[Portrait, int, bool]]:
    """Render every view of one person: portrait, day, whether it is an enrolment."""
    person = draw_person(
        Demographics(), seed=config.seed, domain=config.domain, index=index
    )
    rng = np.random.default_rng(
        np.random.SeedSequence(
            config.seed, spawn_key=(int(config.domain), index, config.first_day)
        )
    )
    views = []
    if config.portrait:
        kinds = list(config.capture_shares)
        weights = np.array([config.capture_shares[kind] for kind in kinds])
        portrait = enrolment_portrait(
            person,
            rng=rng,
            quality=kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))],
            image_age_years=float(rng.uniform(0.0, config.oldest_image_years)),
        )
        views.append((portrait, 0, True))
    for day in range(config.first_day, config.first_day + config.days):
        then = person
        if config.oldest_day_years > 0.0:
            years = float(rng.uniform(0.0, config.oldest_day_years))
            then = years_ago(person, years, rng=rng)
        appearance = draw_appearance(then, rng=rng, habits=config.habits)
        sitter = seat(then, appearance, build_head(then, appearance))
        for _ in range(config.views_per_day):
            yaw = rng.normal(0.0, config.yaw_sd_deg)
            pitch = rng.normal(config.pitch_mean_deg, config.pitch_sd_deg)
            wall = draw_wall(rng=rng)
            portrait = render_head(
                sitter,
                rotation=gaze_rotation(
                    float(np.clip(yaw, *_span(config.yaw_limit_deg))),
                    float(np.clip(pitch, *_span(config.pitch_limit_deg))),
                    float(rng.normal(0.0, config.roll_sd_deg)),
                ),
                face_height_px=config.face_height_px,
                size_px=(config.render_px, config.render_px),
                light=draw_light(rng=rng),
                background_bgr=wall,
            )
            views.append((with_wall(portrait, wall, rng=rng), day, False))
    return views


def monk_tones(people: NDArray[np.int64]) -> NDArray[np.int64]:
    """Say which Monk tone, 1 to 10, people of the portions have: (n,) indices."""
    of = FacesConfig()
    return np.array(
        [
            draw_person(
                Demographics(), seed=of.seed, domain=of.domain, index=int(index)
            ).monk_tone
            for index in people
        ]
    )


def _span(limit: float) -> tuple[float, float]:
    return -limit, limit


def _render_shard(task: tuple[FacesConfig, int, Path]) -> None:
    config, shard, path = task
    first = config.first_identity + shard * config.per_shard
    end = config.first_identity + config.identities
    rows = [
        (*_cut(portrait, config), index, day, enrolment)
        for index in range(first, min(first + config.per_shard, end))
        for portrait, day, enrolment in _views(index, config)
    ]
    images, landmarks, heights, person, day, enrolment = zip(*rows, strict=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        images_bgr=np.stack(images),
        landmarks=np.stack(landmarks),
        face_height_px=np.array(heights, np.float32),
        person=np.array(person, np.int64),
        day=np.array(day, np.int64),
        enrolment=np.array(enrolment, np.bool_),
    )
    partial.rename(path)


def render_faces(config: FacesConfig, *, folder: Path, workers: int) -> None:
    """Render what the folder lacks.

    Args:
        config: Whom, and how; a folder holds the views of one config.
        folder: Where the shards lie.
        workers: Processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.model_dump_json(indent=2))
    n_shards = -(-config.identities // config.per_shard)
    tasks = [(config, k, folder / f"shard_{k:04d}.npz") for k in range(n_shards)]
    missing = [task for task in tasks if not task[2].exists()]
    with get_context("spawn").Pool(workers, initializer=leave_with_parent) as pool:
        done = pool.imap_unordered(_render_shard, missing)
        for _ in track(done, total=len(missing), description="Rendering faces"):
            pass


def load_faces(folders: Sequence[Path]) -> FaceViews:
    """Read every shard of some folders, in order.

    Raises:
        FileNotFoundError: If a folder has none.
    """
    paths = []
    for folder in folders:
        found = sorted(folder.glob("shard_????.npz"))
        if not found:
            message = (
                f"training needs rendered faces, found no shard_*.npz in {folder}; "
                "run python -m training.faces_dataset first"
            )
            raise FileNotFoundError(message)
        paths += found
    shards = [np.load(path) for path in paths]
    return FaceViews(**{f.name: _column(shards, f.name) for f in fields(FaceViews)})


def _column(shards: Sequence[np.lib.npyio.NpzFile], name: str) -> NDArray[Any]:
    """Read one array of every shard into one, never holding all of them twice."""
    ends = np.cumsum([len(shard["person"]) for shard in shards])
    first = shards[0][name]
    column = np.empty((ends[-1], *first.shape[1:]), first.dtype)
    for shard, end in zip(shards, ends, strict=True):
        part = shard[name]
        column[end - len(part) : end] = part
    return column


def main(
    portion: Annotated[Portion, typer.Argument(help="Which views.")] = Portion.FIRST,
    folder: Annotated[
        Path | None, typer.Option(help="Where the shards lie.", show_default=False)
    ] = None,
    identities: Annotated[
        int | None, typer.Option(help="People.", show_default=False)
    ] = None,
    workers: Annotated[int, typer.Option()] = 2,
) -> None:
    """Render the training views of people in the training domain."""
    config = PORTIONS[portion]
    if identities is not None:
        config = config.model_copy(update={"identities": identities})
    render_faces(config, folder=folder or portion.folder, workers=workers)


if __name__ == "__main__":
    typer.run(main)
