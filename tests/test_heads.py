"""Heads are sound: sized like heads, landmarks where they belong, bytes repeatable."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from synthetic_crowds.heads.build import build_head
from synthetic_crowds.heads.face_canvas import load_face_canvas
from synthetic_crowds.heads.hairline import over_hairline
from synthetic_crowds.heads.reflectance import skin_colour
from synthetic_crowds.heads.scalp import load_scalp
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.person import HairStyle, Headwear
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.records import Sex


def somebody(index=0):
    person = draw_person(
        Demographics(), seed=11, domain=IdentityDomain.REALISM, index=index
    )
    return person, draw_appearance(person, rng=np.random.default_rng(index))


def digest(head):
    sha = hashlib.sha256(head.landmarks.tobytes())
    for part in head.parts:
        for array in (part.vertices, part.normals, part.uv, part.texture_bgra):
            sha.update(array.tobytes())
    return sha.hexdigest()


def test_heads_are_the_same_in_another_process():
    """Equal arguments give equal bytes, whatever ran before."""
    code = (
        "from tests.test_heads import *;"
        "print(digest(build_head(*somebody(2), texture_px=128)))"
    )
    build_head(*somebody(1), texture_px=128)
    here = digest(build_head(*somebody(2), texture_px=128))
    there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


@pytest.mark.parametrize("sex", list(Sex))
@pytest.mark.parametrize("ancestry", [0, 1, 2], ids=["african", "asian", "european"])
@pytest.mark.parametrize("age_years", [6.0, 12.0, 30.0, 80.0])
def test_heads_of_every_kind_have_human_size(sex, ancestry, age_years):
    """No combination of age, sex and ancestry leaves the range of human heads."""
    person, appearance = somebody()
    shares = np.zeros(3, np.float32)
    shares[ancestry] = 1.0
    person = replace(
        person,
        sex=sex,
        masculinity=float(sex is Sex.MALE),
        age_years=age_years,
        ancestry_shares=shares,
    )
    head = build_head(person, appearance, texture_px=64)
    eyes_m = np.linalg.norm(head.landmarks[1] - head.landmarks[0])
    tall_m = np.ptp(head.outline[:, 1])
    wide_m = np.ptp(head.outline[:, 0])
    assert 0.042 < eyes_m < 0.075
    assert 0.12 < tall_m < 0.22
    assert 0.09 < wide_m < 0.17
    assert np.abs(head.parts[0].vertices).max() < 0.25


def test_landmarks_lie_on_the_sides_they_are_named_for():
    """Right is the subject's own right, which is negative x."""
    for index in range(8):
        right_eye, left_eye, nose, mouth_right, mouth_left = build_head(
            *somebody(index), texture_px=64
        ).landmarks
        assert right_eye[0] < nose[0] < left_eye[0]
        assert mouth_right[0] < nose[0] < mouth_left[0]
        assert mouth_left[1] < nose[1] < left_eye[1]
        assert nose[2] > max(left_eye[2], right_eye[2])


def test_outline_holds_the_landmarks():
    """The face's box contains its five points."""
    for index in range(8):
        head = build_head(*somebody(index), texture_px=64)
        low, high = head.outline.min(axis=0), head.outline.max(axis=0)
        assert np.all(head.landmarks[:, :2] > low[:2])
        assert np.all(head.landmarks[:, :2] < high[:2])


def test_neck_goes_down_straight_into_the_collar():
    """Below the root of the neck nothing is wider than a neck."""
    for index in range(8):
        head = build_head(*somebody(index), texture_px=64)
        skin = head.parts[0].vertices
        low = skin[skin[:, 1] < head.neck_root_m[1]]
        assert len(low) > 20
        assert np.abs(low[:, 0]).max() < 1.6 * head.neck_radius_m


def test_hair_ends_on_the_skin():
    """Outside the hairline the cap lies within 2 mm of the skin, so no gap opens."""
    person, appearance = somebody()
    bald = replace(appearance, hair_style=HairStyle.BALD, headwear=Headwear.NONE)
    curly = replace(bald, hair_style=HairStyle.CURLY)
    hair = replace(person.hair, recession=0.0, fringe_m=0.0)
    person = replace(person, hair=hair)
    skin = build_head(person, bald, texture_px=64).parts[0].vertices
    cap = build_head(person, curly, texture_px=64).parts[2].vertices
    scalp = load_scalp()
    stands_out = np.linalg.norm(cap - skin[scalp.ids], axis=1)
    height = over_hairline(scalp.template_m, hair)
    assert stands_out[height <= 0.0].max() < 0.002
    assert stands_out[height > 0.05].mean() > 0.012


@pytest.mark.parametrize("tone", [1.0, 5.0, 8.0, 10.0])
def test_brows_show_on_every_skin(tone):
    """Brows are darker than the forehead above them, on Monk 10 as on Monk 1."""
    person, appearance = somebody(3)
    person = replace(
        person,
        age_years=30.0,
        skin=replace(person.skin, tone=tone, marks=np.zeros((0, 5), np.float32)),
        hair=replace(
            person.hair, colour_bgr=(22.0, 26.0, 32.0), grey=0.0, fringe_m=0.0
        ),
        brows=replace(person.brows, density=0.9, thickness_m=0.009, height_m=0.0),
    )
    position = load_face_canvas(128).position_m
    x, y = np.abs(position[..., 0]), position[..., 1]
    texture = build_head(person, appearance, texture_px=128).parts[0].texture_bgra
    light = texture[..., :3].astype(float).mean(axis=-1)
    column = (x > 0.020) & (x < 0.034) & (position[..., 2] > 0.05)
    brow = light[column & (y > 0.0535) & (y < 0.0575)].mean()
    forehead = light[column & (y > 0.068) & (y < 0.073)].mean()
    assert brow < 0.75 * forehead


def test_darker_tones_are_darker():
    """Skin grows darker along the whole Monk scale."""
    light = [skin_colour(tone, 0.0).sum() for tone in np.arange(1.0, 10.5, 0.5)]
    assert np.all(np.diff(light) < 0.0)


def test_glasses_and_hats_are_parts_of_the_day():
    """What the appearance puts on is there, and only then."""
    person, appearance = somebody(4)
    style = HairStyle.CROP
    plain = replace(
        appearance, hair_style=style, glasses_on=False, headwear=Headwear.NONE
    )
    counts = [
        len(build_head(person, replace(plain, **change), texture_px=64).parts)
        for change in ({}, {"glasses_on": True}, {"headwear": Headwear.BEANIE})
    ]
    assert counts == [3, 4, 3]


def test_smile_lifts_the_corners_of_the_mouth():
    """A smile moves the mouth and leaves the eyeballs where they are."""
    person, appearance = somebody(5)
    sober = build_head(person, replace(appearance, smile=0.0), texture_px=64)
    happy = build_head(person, replace(appearance, smile=0.9), texture_px=64)
    lifted = happy.landmarks - sober.landmarks
    assert lifted[3:, 1].min() > 0.001
    assert np.abs(lifted[:2]).max() < 0.001
