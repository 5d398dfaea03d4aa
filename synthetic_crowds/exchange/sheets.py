"""Contact sheets by subject: what a crowd can look like, to judge by eye.

Owns which people, days, pictures and streets each sheet shows. Returns pictures;
whoever asks writes them down.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, Setting, WatchlistConfig
from synthetic_crowds.film.clips import first_frame, split
from synthetic_crowds.people.ageing import years_ago
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.picture.enrolment import enrolment_portrait
from synthetic_crowds.picture.portraits import render_portrait
from synthetic_crowds.records import CaptureQuality
from synthetic_crowds.street.plan import plan_crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Person

__all__ = ["SheetKind", "draw_sheet"]

_SIZE_PX = (190, 158)
_FACE_HEIGHT_PX = 98.0
_WALL_BGR = (168.0, 172.0, 176.0)
_STREET_PX = (480, 270)
_DOMAIN = IdentityDomain.REALISM


class SheetKind(StrEnum):
    """What a sheet is about."""

    TONES = "tones"
    AGES = "ages"
    DAYS = "days"
    SIBLINGS = "siblings"
    EXTREMES = "extremes"
    PORTRAITS = "portraits"
    CAMERAS = "cameras"
    WEATHER = "weather"
    OBSTACLES = "obstacles"


def _people(seed: int, demographics: Demographics | None = None) -> Iterator[Person]:
    drawn = Demographics() if demographics is None else demographics
    for index in count():
        yield draw_person(drawn, seed=seed, domain=_DOMAIN, index=index)


def _face(
    person: Person, *, day: int, habits: Habits | None = None, yaw_deg: float = 0.0
) -> NDArray[np.uint8]:
    rng = np.random.default_rng(day)
    usual = Habits(face_mask_share=0.0, sunglasses_share=0.0)
    appearance = draw_appearance(
        person, rng=rng, habits=usual if habits is None else habits
    )
    return render_portrait(
        person,
        appearance,
        yaw_deg=yaw_deg,
        pitch_deg=0.0,
        roll_deg=0.0,
        face_height_px=_FACE_HEIGHT_PX,
        size_px=_SIZE_PX,
        light=None,
        background_bgr=_WALL_BGR,
        rng=rng,
    ).image_bgr


def _tile(rows: list[list[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def _tones(seed: int) -> NDArray[np.uint8]:
    """Monk tones 1 to 10 from left to right, two people each."""
    found: dict[int, list[NDArray[np.uint8]]] = {tone: [] for tone in range(1, 11)}
    for day, person in enumerate(_people(seed)):
        if person.age_years > 18.0 and len(found[person.monk_tone]) < 2:
            found[person.monk_tone].append(_face(person, day=day))
        if all(len(faces) == 2 for faces in found.values()):
            break
    return _tile([[found[tone][row] for tone in found] for row in range(2)])


def _ages(seed: int) -> NDArray[np.uint8]:
    """Four people of 64 to 70 years, and they 10, 20, 30, 40 and 50 years younger."""
    old = (p for p in _people(seed) if 64.0 < p.age_years < 70.0)
    rows = []
    for day, person in enumerate(next(old) for _ in range(4)):
        rows.append(
            [
                _face(years_ago(person, years, rng=np.random.default_rng(day)), day=day)
                for years in (50.0, 40.0, 30.0, 20.0, 10.0, 0.0)
            ]
        )
    return _tile(rows)


def _days(seed: int) -> NDArray[np.uint8]:
    """Four people on eight days each: the usual ones, and four in all sorts of wear."""
    much = Habits(
        face_mask_share=0.5,
        sunglasses_share=0.3,
        hat_factor=8.0,
        scarf_factor=3.0,
        glasses_factor=3.0,
    )
    adults = (p for p in _people(seed) if 20.0 < p.age_years < 60.0)
    return _tile(
        [
            [
                _face(person, day=day, habits=None if day < 4 else much)
                for day in range(8)
            ]
            for person in (next(adults) for _ in range(4))
        ]
    )


def _siblings(seed: int) -> NDArray[np.uint8]:
    """Pairs: identical twins above, brothers and sisters below."""
    families = Demographics(siblings_share=0.5, twins_share=0.5)
    pairs: dict[bool, list[NDArray[np.uint8]]] = {True: [], False: []}
    people = _people(seed, families)
    while min(len(faces) for faces in pairs.values()) < 8:
        first, second = next(people), next(people)
        if len(pairs[first.is_twin]) < 8:
            pairs[first.is_twin] += [_face(first, day=1), _face(second, day=2)]
    return _tile([pairs[True], pairs[False]])


def _extremes(seed: int) -> NDArray[np.uint8]:
    """Of 2,000 people those whose shape is furthest from the average, twice."""
    some = [person for person, _ in zip(_people(seed), range(2000), strict=False)]
    some.sort(key=lambda p: -float((p.face_shape**2).sum()))
    shown = [
        [_face(person, day=day, yaw_deg=yaw_deg) for day, person in enumerate(some[:9])]
        for yaw_deg in (0.0, 35.0)
    ]
    return _tile(shown)


def _portraits(seed: int) -> NDArray[np.uint8]:
    """Custody, passport, social media, CCTV; then custody 5, 10 and 15 years ago."""
    adults = (p for p in _people(seed) if 25.0 < p.age_years < 70.0)
    rows = []
    for day, person in enumerate(next(adults) for _ in range(4)):
        shots = [(kind, 0.0) for kind in CaptureQuality]
        shots += [(CaptureQuality.CUSTODY, years) for years in (5.0, 10.0, 15.0)]
        rows.append(
            [
                np.asarray(
                    cv2.resize(
                        enrolment_portrait(
                            person,
                            rng=np.random.default_rng((day, number)),
                            quality=kind,
                            image_age_years=years,
                        ).image_bgr,
                        (156, 192),
                        interpolation=cv2.INTER_AREA,
                    ),
                    np.uint8,
                )
                for number, (kind, years) in enumerate(shots)
            ]
        )
    return _tile(rows)


def _street(
    seed: int, crowd: dict[str, object], camera: dict[str, object]
) -> NDArray[np.uint8]:
    config = CameraConfig.model_validate({"width_px": 640, "height_px": 360, **camera})
    settings = CrowdConfig.model_validate(
        {"duration_s": 2.0, "footfall_per_min": 50.0, **crowd}
    )
    plan = plan_crowd(
        settings,
        (config,),
        WatchlistConfig(size=1, mated_share=0.0),
        seed=seed,
        domain=_DOMAIN,
    )
    frame = first_frame(split(settings, plan.cameras[0], seed=seed, domain=_DOMAIN)[0])
    small = cv2.resize(frame, _STREET_PX, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _cameras(seed: int) -> NDArray[np.uint8]:
    """As it comes; long; from above; shallow focus; dirt; glare; slow; noisy; small."""
    views: tuple[dict[str, object], ...] = (
        {},
        {"hfov_deg": 20.0, "tilt_deg": 7.0, "mount_height_m": 2.6},
        {"mount_height_m": 4.5, "tilt_deg": 20.0, "hfov_deg": 50.0},
        {"pupil_mm": 25.0, "focus_m": 6.0},
        {"dirt": 0.8},
        {"glare": 0.8},
        {"exposure_s": 0.04},
        {"gain_db": 30.0},
        {"width_px": 320, "height_px": 180},
    )
    shown = [_street(seed, {}, view) for view in views]
    return _tile([shown[0:3], shown[3:6], shown[6:9]])


def _weather(seed: int) -> NDArray[np.uint8]:
    """Three kinds of street by day, under clouds, at dusk, indoors, at night; rain."""
    views: tuple[tuple[dict[str, object], dict[str, object]], ...] = (
        ({}, {}),
        ({"setting": Setting.STATION_GATE, "weather": "indoor"}, {}),
        ({"setting": Setting.STADIUM_EGRESS, "weather": "dusk"}, {}),
        ({"weather": "overcast"}, {}),
        ({"weather": "overcast", "rain_mm_per_h": 8.0}, {"exposure_s": 0.01}),
        ({"weather": "dusk"}, {}),
        ({"weather": "night"}, {"gain_db": 18.0}),
        ({"weather": "night", "rain_mm_per_h": 4.0}, {"gain_db": 18.0}),
        ({"setting": Setting.STADIUM_EGRESS, "weather": "night"}, {"gain_db": 18.0}),
    )
    shown = [_street(seed, *view) for view in views]
    return _tile([shown[0:3], shown[3:6], shown[6:9]])


def _obstacles(seed: int) -> NDArray[np.uint8]:
    """Kiosk, planters, bench, bollards and a shop on three streets."""
    shop = {"x_m": 13.5, "look_share": 0.4, "enter_share": 0.3}
    things = (
        {"kind": "kiosk", "x_m": 12.5, "y_m": -1.0},
        {"kind": "planter", "x_m": 8.0, "y_m": 0.7},
        {"kind": "bench", "x_m": 10.0, "y_m": 2.1},
        {"kind": "bollard", "x_m": 6.6, "y_m": -0.6},
        {"kind": "bollard", "x_m": 6.6, "y_m": -1.3},
    )
    views: tuple[dict[str, object], ...] = (
        {},
        {"obstacles": things, "shops": (shop,)},
        {"obstacles": things, "shops": (shop,), "weather": "dusk"},
        {"obstacles": things, "setting": Setting.STATION_GATE, "weather": "indoor"},
        {"obstacles": things, "setting": Setting.STADIUM_EGRESS},
        {"obstacles": things, "weather": "overcast", "rain_mm_per_h": 6.0},
    )
    shown = [_street(seed, view, {}) for view in views]
    return _tile([shown[0:3], shown[3:6]])


_SHEETS: dict[SheetKind, Callable[[int], NDArray[np.uint8]]] = {
    SheetKind.TONES: _tones,
    SheetKind.AGES: _ages,
    SheetKind.DAYS: _days,
    SheetKind.SIBLINGS: _siblings,
    SheetKind.EXTREMES: _extremes,
    SheetKind.PORTRAITS: _portraits,
    SheetKind.CAMERAS: _cameras,
    SheetKind.WEATHER: _weather,
    SheetKind.OBSTACLES: _obstacles,
}


def draw_sheet(kind: SheetKind, *, seed: int) -> NDArray[np.uint8]:
    """Draw a contact sheet.

    Args:
        kind: What it is about.
        seed: Whom it shows.

    Returns:
        (h, w, 3) uint8, sRGB B, G, R.
    """
    return _SHEETS[kind](seed)
