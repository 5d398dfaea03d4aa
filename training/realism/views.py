"""What the judges are shown: who, on which day, under which condition.

Owns the experiments' pictures, drawn from the domain REALISM, used by nothing else. A
picture depends on the experiment, the subject's number and the seed alone. Knows
nothing of judges or statistics.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.heads.build import build_head
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.person import FaceMask
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.picture.enrolment import enrolment_portrait
from synthetic_crowds.picture.portraits import draw_studio_light, render_head, seat
from synthetic_crowds.picture.surroundings import draw_light, draw_wall, with_wall
from synthetic_crowds.raster.colour import linear_to_srgb, srgb_to_linear
from synthetic_crowds.raster.optics import build_optics, expose
from synthetic_crowds.raster.pose import gaze_rotation
from synthetic_crowds.records import CaptureQuality
from synthetic_crowds.street.plan import plan_crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance, Person
    from synthetic_crowds.records import Portrait

__all__ = ["EXPERIMENTS", "Experiment", "RealismConfig", "View"]

_SIZE_PX = (256, 256)
_NOTHING_ON = Habits(face_mask_share=0.0, sunglasses_share=0.0, hat_factor=0.0)
_FAMILIES = Demographics(siblings_share=0.67, twins_share=0.33)
# Each experiment's people, by their first index.
_FIRST = {
    "days": 1_000_000,
    "conditions": 1_100_000,
    "kin": 1_200_000,
    "recall": 1_300_000,
    "tones": 1_400_000,
}
_FACE_PX = 112.0
YAWS_DEG = (15.0, 30.0, 45.0, 60.0)
BLURS_PX = (1.5, 3.0, 5.0)
DIMMINGS = (16, 64, 256)
IMAGE_AGES_YEARS = (0.0, 5.0, 10.0, 15.0)
TONES = (3.0, 9.0)


class RealismConfig(BaseModel):
    """How many subjects each experiment has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=4, ge=0)
    people: int = Field(
        default=1000, ge=2, description="Identities told apart, and of portraits found."
    )
    degraded: int = Field(default=400, ge=2, description="Identities under conditions.")
    families: int = Field(default=300, ge=2, description="Pairs of siblings and twins.")
    members: int = Field(
        default=500, ge=10, description="Watchlist members, and as many others."
    )
    retoned: int = Field(
        default=150, ge=2, description="Identities in two tones of skin."
    )
    streets: int = Field(default=12, ge=1, description="Streets for the detector.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """One picture with what is true of it.

    Attributes:
        person: Who.
        portrait: The picture.
        condition: What was done to it, e.g. `"yaw 30"`.
        day: Views of one day share an appearance.
        yaw_deg: Of the head.
    """

    person: Person
    portrait: Portrait
    condition: str
    day: int
    yaw_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One set of pictures.

    Attributes:
        subjects: How many subjects it has, by config.
        views: Everything shown of one subject, by config and number.
        embeds: Whether the embedder is asked, too.
    """

    subjects: Callable[[RealismConfig], int]
    views: Callable[[RealismConfig, int], Iterator[View]]
    embeds: bool = True


def _subject(
    config: RealismConfig, name: str, number: int, demographics: Demographics
) -> tuple[Person, Generator]:
    index = _FIRST[name] + number
    person = draw_person(
        demographics, seed=config.seed, domain=IdentityDomain.REALISM, index=index
    )
    return person, np.random.default_rng((config.seed, 1, index))


def _picture(
    person: Person,
    appearance: Appearance,
    *,
    turn_deg: tuple[float, float, float],
    face_height_px: float,
    rng: Generator,
    street: bool = False,
) -> Portrait:
    wall = draw_wall(rng=rng)
    portrait = render_head(
        seat(person, appearance, build_head(person, appearance)),
        rotation=gaze_rotation(*turn_deg),
        face_height_px=face_height_px,
        size_px=_SIZE_PX,
        light=draw_light(rng=rng) if street else draw_studio_light(rng=rng),
        background_bgr=wall,
    )
    return with_wall(portrait, wall, rng=rng)


def _near_frontal(rng: Generator) -> tuple[float, float, float]:
    return (
        float(rng.uniform(-20.0, 20.0)),
        float(rng.uniform(-12.0, 8.0)),
        float(rng.normal(0.0, 4.0)),
    )


def _days(config: RealismConfig, number: int) -> Iterator[View]:
    """Two days, two views each, yaw up to 20 degrees, faces 80 to 160 px."""
    person, rng = _subject(config, "days", number, Demographics())
    for day in range(2):
        appearance = draw_appearance(person, rng=rng, habits=_unmasked())
        for _ in range(2):
            turn = _near_frontal(rng)
            portrait = _picture(
                person,
                appearance,
                turn_deg=turn,
                face_height_px=float(rng.uniform(80.0, 160.0)),
                rng=rng,
            )
            yield View(
                person=person,
                portrait=portrait,
                condition="plain",
                day=day,
                yaw_deg=turn[0],
            )


def _unmasked() -> Habits:
    return Habits(face_mask_share=0.0, sunglasses_share=0.0)


def _conditions(config: RealismConfig, number: int) -> Iterator[View]:
    """References of several ages and kinds, and probes under one condition each."""
    person, rng = _subject(config, "conditions", number, Demographics())

    def reference(condition: str, quality: CaptureQuality, years: float) -> View:
        portrait = enrolment_portrait(
            person, rng=rng, quality=quality, image_age_years=years
        )
        return View(
            person=person, portrait=portrait, condition=condition, day=0, yaw_deg=0.0
        )

    for years in IMAGE_AGES_YEARS:
        yield reference(f"reference age {years:g}", CaptureQuality.CUSTODY, years)
    for quality in CaptureQuality:
        if quality is not CaptureQuality.CUSTODY:
            yield reference(f"reference {quality}", quality, 0.0)

    appearance = draw_appearance(person, rng=rng, habits=_NOTHING_ON)
    masked = replace(
        appearance, face_mask=FaceMask.SURGICAL, mask_bgr=(204.0, 188.0, 150.0)
    )

    def probe(condition: str, day: Appearance, yaw_deg: float) -> View:
        side = float(rng.choice((-1.0, 1.0)))
        turn = side * yaw_deg + float(rng.uniform(-3.0, 3.0))
        portrait = _picture(
            person,
            day,
            turn_deg=(turn, float(rng.uniform(-6.0, 3.0)), float(rng.normal(0.0, 2.0))),
            face_height_px=_FACE_PX,
            rng=rng,
        )
        return View(
            person=person, portrait=portrait, condition=condition, day=1, yaw_deg=turn
        )

    yield probe("plain", appearance, 0.0)
    for yaw_deg in YAWS_DEG:
        yield probe(f"yaw {yaw_deg:g}", appearance, yaw_deg)
    for blur_px in BLURS_PX:
        view = probe(f"blur {blur_px:g}", appearance, 0.0)
        yield _redone(view, cv2.GaussianBlur(view.portrait.image_bgr, (0, 0), blur_px))
    for dimming in DIMMINGS:
        view = probe(f"dim {dimming}", appearance, 0.0)
        yield _redone(view, _dim(view.portrait.image_bgr, dimming, rng=rng))
    yield probe("mask", masked, 0.0)


def _redone(view: View, image_bgr: NDArray[np.generic]) -> View:
    changed = np.asarray(image_bgr, np.uint8)
    return replace(view, portrait=replace(view.portrait, image_bgr=changed))


def _dim(
    image_bgr: NDArray[np.uint8], dimming: int, *, rng: Generator
) -> NDArray[np.uint8]:
    """Photograph with so many times less light: half the loss, in stops, is gained."""
    gain = float(dimming) ** 0.7
    linear = srgb_to_linear(image_bgr) * np.float32(gain / dimming)
    camera = CameraConfig(
        width_px=_SIZE_PX[1], height_px=_SIZE_PX[0], gain_db=20.0 * np.log10(gain)
    )
    optics = build_optics(camera, rng=rng)
    return expose(linear_to_srgb(linear), optics, rng=rng)


def _kin(config: RealismConfig, number: int) -> Iterator[View]:
    """One view each of both people of a pair; numbers 2k and 2k + 1 are kin."""
    person, rng = _subject(config, "kin", number, _FAMILIES)
    appearance = draw_appearance(person, rng=rng, habits=_unmasked())
    turn = _near_frontal(rng)
    yield View(
        person=person,
        portrait=_picture(
            person, appearance, turn_deg=turn, face_height_px=_FACE_PX, rng=rng
        ),
        condition="plain",
        day=0,
        yaw_deg=turn[0],
    )


def _recall(config: RealismConfig, number: int) -> Iterator[View]:
    """Six views of one day: heights from 12 to 160 px, yaws up to 80 degrees."""
    person, rng = _subject(config, "recall", number, Demographics())
    appearance = draw_appearance(person, rng=rng)
    for _ in range(6):
        turn = float(rng.uniform(-80.0, 80.0))
        height_px = float(np.exp(rng.uniform(np.log(12.0), np.log(160.0))))
        portrait = _picture(
            person,
            appearance,
            turn_deg=(turn, float(rng.uniform(-15.0, 8.0)), float(rng.normal(0, 4))),
            face_height_px=height_px,
            rng=rng,
            street=True,
        )
        level = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))]
        _, coded = cv2.imencode(".jpg", portrait.image_bgr, level)
        view = View(
            person=person, portrait=portrait, condition="plain", day=0, yaw_deg=turn
        )
        yield _redone(view, np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)))


def _tones(config: RealismConfig, number: int) -> Iterator[View]:
    """The same bones in light and in dark skin: two days, two views each.

    Everybody is of African ancestry and has black hair; nothing but melanin differs.
    """
    only_black = Demographics(group_shares={"black": 1.0})
    person, rng = _subject(config, "tones", number, only_black)
    seeds = rng.integers(2**31, size=4)
    for tone in TONES:
        toned = replace(person, skin=replace(person.skin, tone=tone))
        for day in range(2):
            habits = _unmasked()
            day_rng = np.random.default_rng(int(seeds[day]))
            appearance = draw_appearance(toned, rng=day_rng, habits=habits)
            for view in range(2):
                view_rng = np.random.default_rng((int(seeds[2 + view]), day))
                turn = _near_frontal(view_rng)
                yield View(
                    person=toned,
                    portrait=_picture(
                        toned,
                        appearance,
                        turn_deg=turn,
                        face_height_px=float(view_rng.uniform(80.0, 160.0)),
                        rng=view_rng,
                    ),
                    condition=f"tone {tone:g}",
                    day=day,
                    yaw_deg=turn[0],
                )


@lru_cache(maxsize=1)
def _walkers(config: RealismConfig) -> tuple[tuple[int, bool], ...]:
    """People of one long crowd, members and others in turn."""
    crowd = CrowdConfig(
        duration_s=3600.0, footfall_per_min=60.0, population_size=40_000
    )
    plan = plan_crowd(
        crowd,
        (CameraConfig(),),
        WatchlistConfig(size=5000, mated_share=0.3),
        seed=config.seed,
        domain=IdentityDomain.REALISM,
    )
    members = sorted(plan.mated)[: config.members]
    others = [index for index in plan.walkers if index not in plan.mated]
    return tuple(
        pair
        for member, other in zip(members, others, strict=False)
        for pair in ((member, True), (other, False))
    )


def _membership(config: RealismConfig, number: int) -> Iterator[View]:
    """Somebody as the street shows them: on the watchlist, or not."""
    index, member = _walkers(config)[number]
    person = draw_person(
        Demographics(), seed=config.seed, domain=IdentityDomain.REALISM, index=index
    )
    rng = np.random.default_rng((config.seed, 2, index))
    appearance = draw_appearance(person, rng=rng, habits=_unmasked())
    turn = _near_frontal(rng)
    yield View(
        person=person,
        portrait=_picture(
            person, appearance, turn_deg=turn, face_height_px=_FACE_PX, rng=rng
        ),
        condition="member" if member else "other",
        day=0,
        yaw_deg=turn[0],
    )


EXPERIMENTS: dict[str, Experiment] = {
    "recall": Experiment(subjects=lambda c: c.people, views=_recall, embeds=False),
    "days": Experiment(subjects=lambda c: c.people, views=_days),
    "conditions": Experiment(subjects=lambda c: c.degraded, views=_conditions),
    "kin": Experiment(subjects=lambda c: 2 * c.families, views=_kin),
    "membership": Experiment(subjects=lambda c: 2 * c.members, views=_membership),
    "tones": Experiment(subjects=lambda c: c.retoned, views=_tones),
}
