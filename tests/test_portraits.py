"""Portraits show the right side, the right size, and the same bytes again."""

from __future__ import annotations

import numpy as np
import pytest

from synthetic_crowds.film.contact_sheet import contact_sheet
from synthetic_crowds.heads.build import build_head
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.picture.enrolment import enrolment_portrait
from synthetic_crowds.picture.portraits import (
    draw_studio_light,
    render_head,
    render_portrait,
    seat,
)
from synthetic_crowds.raster.pose import gaze_rotation


@pytest.fixture(scope="module")
def person():
    return draw_person(Demographics(), seed=21, domain=IdentityDomain.REALISM, index=8)


def view(person, yaw_deg=0.0, pitch_deg=0.0, roll_deg=0.0):
    rng = np.random.default_rng(0)
    appearance = draw_appearance(person, rng=rng)
    return render_head(
        seat(person, appearance, build_head(person, appearance, texture_px=64)),
        rotation=gaze_rotation(yaw_deg, pitch_deg, roll_deg),
        face_height_px=90.0,
        size_px=(128, 112),
        light=draw_studio_light(rng=rng),
        background_bgr=(10.0, 200.0, 10.0),
    )


def test_portraits_are_not_mirrored(person):
    """The subject's right eye is on the image's left."""
    right_eye, left_eye, nose, _, mouth_left = view(person).landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert left_eye[1] < nose[1] < mouth_left[1]


def test_positive_yaw_turns_the_nose_to_the_right(person):
    """The nose moves right against the eyes, and left for negative yaw."""
    offsets = []
    for yaw_deg in (-30.0, 0.0, 30.0):
        points = view(person, yaw_deg=yaw_deg).landmarks
        offsets.append(points[2, 0] - points[:2, 0].mean())
    assert offsets[0] < offsets[1] - 4.0
    assert offsets[2] > offsets[1] + 4.0


def test_positive_pitch_lifts_the_nose(person):
    """Looking up brings the nose nearer to the line of the eyes."""
    gaps = []
    for pitch_deg in (-20.0, 20.0):
        points = view(person, pitch_deg=pitch_deg).landmarks
        gaps.append(points[2, 1] - points[:2, 1].mean())
    assert gaps[1] < gaps[0] - 4.0


def test_box_has_the_asked_for_height_and_holds_the_points(person):
    """The box is as high as asked, within a person's own proportions."""
    portrait = view(person)
    left, top, right, bottom = portrait.box_xyxy
    assert 68.0 < bottom - top < 112.0
    assert np.all(portrait.landmarks > (left, top))
    assert np.all(portrait.landmarks < (right, bottom))


def test_face_covers_the_background(person):
    """No hole shows the wall through the face; the corners show nothing else."""
    portrait = view(person)
    left, top, right, bottom = np.rint(portrait.box_xyxy).astype(int)
    inner = portrait.image_bgr[top + 12 : bottom - 12, left + 14 : right - 14]
    wall = np.abs(inner.astype(int) - (10, 200, 10)).max(axis=-1) < 30
    assert not wall.any()
    assert np.abs(portrait.image_bgr[0, 0].astype(int) - (10, 200, 10)).max() <= 1


def test_enrolment_portraits_repeat(person):
    """The same stream takes the same picture; another day takes another one."""
    first = enrolment_portrait(person, rng=np.random.default_rng(5))
    again = enrolment_portrait(person, rng=np.random.default_rng(5))
    other = enrolment_portrait(person, rng=np.random.default_rng(6))
    assert first.image_bgr.shape == (256, 208, 3)
    assert np.array_equal(first.image_bgr, again.image_bgr)
    assert not np.array_equal(first.image_bgr, other.image_bgr)
    assert 80.0 < first.box_xyxy[3] - first.box_xyxy[1] < 180.0


def test_two_people_look_different(person):
    """Under one light and pose, another identity changes the face itself."""
    other = draw_person(Demographics(), seed=21, domain=IdentityDomain.REALISM, index=9)
    difference = np.abs(
        view(person).image_bgr.astype(int) - view(other).image_bgr.astype(int)
    )
    assert difference[40:90, 36:76].mean() > 8.0


def test_wall_is_drawn_when_none_is_given(person):
    """Leaving light and wall open draws both from the stream."""
    appearance = draw_appearance(person, rng=np.random.default_rng(0))
    walls = [
        render_portrait(
            person,
            appearance,
            yaw_deg=0.0,
            pitch_deg=0.0,
            roll_deg=0.0,
            face_height_px=60.0,
            size_px=(96, 96),
            light=None,
            background_bgr=None,
            rng=np.random.default_rng(seed),
        ).image_bgr[0, 0]
        for seed in (1, 2)
    ]
    assert not np.array_equal(*walls)


def test_contact_sheet_shows_every_view():
    """A sheet holds one tile for each person and yaw."""
    sheet = contact_sheet(
        Demographics(),
        seed=1,
        domain=IdentityDomain.REALISM,
        first=0,
        rows=1,
        columns=2,
        yaws_deg=(0.0, 40.0),
    )
    assert sheet.shape == (216, 4 * 180, 3)
    tiles = np.split(sheet, 4, axis=1)
    assert not any(np.array_equal(tiles[0], tile) for tile in tiles[1:])
