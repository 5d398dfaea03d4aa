"""Enrolment portraits: the picture under which somebody is sought.

Owns how four kinds of picture are taken and stored: in custody, for a passport, for
social media, by a CCTV camera. Knows nothing of watchlists.

The ranges are chosen by eye after what such pictures look like; no survey stands
behind them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.heads.build import build_head
from synthetic_crowds.people.ageing import years_ago
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.person import Headwear
from synthetic_crowds.picture.bust import dressed_shoulders
from synthetic_crowds.picture.portraits import draw_studio_light, render_head, seat
from synthetic_crowds.picture.surroundings import draw_light, draw_wall, with_wall
from synthetic_crowds.raster.pose import gaze_rotation
from synthetic_crowds.records import CaptureQuality

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance, Person
    from synthetic_crowds.records import Portrait

__all__ = ["enrolment_portrait"]

_SIZE_PX = (256, 208)
_FACE_HEIGHT_PX = (112.0, 145.0)
_UNMASKED = Habits(face_mask_share=0.0, sunglasses_share=0.0)
# Somebody may keep spectacles on in custody, seldom.
_GLASSES_KEPT = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sitting:
    """How one kind of picture is taken and stored.

    Attributes:
        turn_sd_deg: Of yaw, pitch and roll.
        pitch_mean_deg: Negative where the camera hangs above.
        expression: Factor on the day's smile, open mouth and brows.
        is_plain: Whether it is taken before a plain wall in studio light, and
            without what is worn on the head.
        stored_face_px: Height of the face as stored, before it is enlarged again;
            `None` where it stays as taken.
        blur_px: Standard deviation, in stored pixels.
        noise_sd: sRGB levels.
        jpeg: Quality; `None` where none was made.
    """

    turn_sd_deg: tuple[float, float, float]
    pitch_mean_deg: float = 0.0
    expression: float = 1.0
    is_plain: bool = True
    stored_face_px: tuple[float, float] | None = None
    blur_px: tuple[float, float] = (0.0, 0.0)
    noise_sd: tuple[float, float] = (0.0, 0.0)
    jpeg: tuple[int, int] | None = None


_SITTINGS = {
    CaptureQuality.CUSTODY: _Sitting(turn_sd_deg=(3.0, 2.5, 1.5)),
    # ISO/IEC 39794-5 asks for a neutral expression and at most 5 degrees of turn.
    CaptureQuality.PASSPORT: _Sitting(
        turn_sd_deg=(1.6, 1.6, 1.0),
        expression=0.25,
        blur_px=(0.2, 0.7),
        jpeg=(80, 95),
    ),
    CaptureQuality.SOCIAL_MEDIA: _Sitting(
        turn_sd_deg=(13.0, 7.0, 6.0),
        expression=1.7,
        is_plain=False,
        stored_face_px=(60.0, 130.0),
        blur_px=(0.0, 0.8),
        noise_sd=(0.0, 3.0),
        jpeg=(50, 85),
    ),
    CaptureQuality.CCTV_STILL: _Sitting(
        turn_sd_deg=(14.0, 5.0, 3.0),
        pitch_mean_deg=-14.0,
        is_plain=False,
        stored_face_px=(34.0, 64.0),
        blur_px=(0.4, 1.1),
        noise_sd=(3.0, 9.0),
        jpeg=(35, 70),
    ),
}


def enrolment_portrait(
    person: Person,
    *,
    rng: Generator,
    quality: CaptureQuality = CaptureQuality.CUSTODY,
    image_age_years: float = 0.0,
) -> Portrait:
    """Take the picture under which somebody is put on a watchlist.

    By default a custody picture of some other day: frontal within a few degrees,
    evenly lit, before a plain wall, as a rule without glasses, never with a hat.

    Args:
        person: Who, as they are today.
        rng: Of the day of the picture.
        quality: What kind of picture it is.
        image_age_years: How long ago it was taken; see `ageing.years_ago`.

    Returns:
        A portrait 256 pixels high; a small one has been enlarged.
    """
    sitting = _SITTINGS[quality]
    then = years_ago(person, image_age_years, rng=rng)
    appearance = _prepared(then, sitting, rng=rng)
    yaw, pitch, roll = rng.normal(0.0, sitting.turn_sd_deg)
    wall = _plain_wall(rng=rng) if sitting.is_plain else draw_wall(rng=rng)
    light = draw_studio_light(rng=rng) if sitting.is_plain else draw_light(rng=rng)
    height_px = float(rng.uniform(*_FACE_HEIGHT_PX))
    portrait = render_head(
        seat(
            then,
            appearance,
            build_head(then, appearance),
            shoulders=dressed_shoulders(then, appearance),
        ),
        rotation=gaze_rotation(
            float(yaw), float(pitch) + sitting.pitch_mean_deg, float(roll)
        ),
        face_height_px=height_px,
        size_px=_SIZE_PX,
        light=light,
        background_bgr=wall,
    )
    if not sitting.is_plain:
        portrait = with_wall(portrait, wall, rng=rng, colourful=0.2)
    stored = _store(portrait.image_bgr, sitting, height_px, rng=rng)
    return replace(portrait, image_bgr=stored)


def _prepared(person: Person, sitting: _Sitting, *, rng: Generator) -> Appearance:
    appearance = draw_appearance(person, rng=rng, habits=_UNMASKED)
    keeps_glasses = rng.random() < _GLASSES_KEPT
    appearance = replace(
        appearance,
        smile=float(np.clip(appearance.smile * sitting.expression, -0.3, 1.0)),
        mouth_open=min(appearance.mouth_open * sitting.expression, 1.0),
        brow_raise=float(np.clip(appearance.brow_raise * sitting.expression, -1, 1)),
    )
    if not sitting.is_plain:
        return appearance
    return replace(
        appearance,
        glasses_on=appearance.glasses_on and bool(keeps_glasses),
        headwear=Headwear.NONE,
        clothing=replace(appearance.clothing, has_scarf=False),
    )


def _plain_wall(*, rng: Generator) -> tuple[float, float, float]:
    blue, green, red = rng.uniform(90.0, 220.0) * rng.uniform(0.94, 1.0, 3)
    return float(blue), float(green), float(red)


def _store(
    image_bgr: NDArray[np.uint8],
    sitting: _Sitting,
    face_height_px: float,
    *,
    rng: Generator,
) -> NDArray[np.uint8]:
    """Shrink, blur, add noise, compress, and enlarge again."""
    height, width = image_bgr.shape[:2]
    stored = image_bgr.astype(np.float32)
    if sitting.stored_face_px is not None:
        scale = min(float(rng.uniform(*sitting.stored_face_px)) / face_height_px, 1.0)
        size = (max(round(width * scale), 8), max(round(height * scale), 8))
        shrunk = cv2.resize(stored, size, interpolation=cv2.INTER_AREA)
        stored = np.asarray(shrunk, np.float32)
    blur_px = float(rng.uniform(*sitting.blur_px))
    if blur_px > 0.1:
        stored = np.asarray(cv2.GaussianBlur(stored, (0, 0), blur_px), np.float32)
    noise_sd = float(rng.uniform(*sitting.noise_sd))
    if noise_sd > 0.0:
        noise = rng.standard_normal(stored.shape, dtype=np.float32)
        stored = stored + np.float32(noise_sd) * noise
    picture = np.clip(np.rint(stored), 0, 255).astype(np.uint8)
    if sitting.jpeg is not None:
        level = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*sitting.jpeg))]
        _, coded = cv2.imencode(".jpg", picture, level)
        picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    if picture.shape[0] != height:
        enlarged = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
        picture = np.asarray(enlarged, np.uint8)
    return picture
