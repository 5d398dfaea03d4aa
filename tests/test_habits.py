"""What is worn on a day: at the rates of the settings, and where it belongs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthetic_crowds.heads.build import build_head
from synthetic_crowds.heads.reflectance import melanin_of, skin_colour
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.person import FaceMask, Headwear
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person


def people(count):
    return [
        draw_person(Demographics(), seed=11, domain=IdentityDomain.REALISM, index=k)
        for k in range(count)
    ]


def days(count, habits):
    rng = np.random.default_rng(2)
    return [
        (person, draw_appearance(person, rng=rng, habits=habits))
        for person in people(count)
    ]


def test_masks_are_rare_unless_asked_for():
    """One in a hundred by default; everybody but small children at a share of 1."""
    worn = [day.face_mask is not FaceMask.NONE for _, day in days(600, Habits())]
    assert 0 < sum(worn) < 20
    for person, day in days(150, Habits(face_mask_share=1.0)):
        assert (day.face_mask is not FaceMask.NONE) == (person.age_years >= 6.0)
    kinds = {day.face_mask for _, day in days(150, Habits(face_mask_share=1.0))}
    assert {FaceMask.SURGICAL, FaceMask.CLOTH} <= kinds


@pytest.mark.parametrize("factor", [0.0, 50.0])
def test_factors_turn_habits_off_and_up(factor):
    """A factor of 0 leaves everything at home; a large one brings out what is owned."""
    habits = Habits(
        hat_factor=factor,
        scarf_factor=factor,
        glasses_factor=factor,
        make_up_factor=factor,
    )
    for person, day in days(120, habits):
        wants = factor > 0.0
        assert (day.headwear is not Headwear.NONE) == (
            wants and person.head_cover_share > 0.0
        )
        assert day.glasses_on == (wants and person.glasses.worn_share > 0.0)
        assert day.clothing.has_scarf == wants


def test_mask_covers_mouth_and_nose_and_leaves_the_eyes_free():
    """The cloth lies before the mouth's corners and the nose's tip, below the eyes."""
    for person, day in days(12, Habits(face_mask_share=1.0)):
        if day.face_mask is FaceMask.NONE:
            continue
        bare = replace(day, face_mask=FaceMask.NONE)
        head = build_head(person, day, texture_px=64)
        cloth = head.parts[-1].vertices
        assert len(head.parts) == len(build_head(person, bare, texture_px=64).parts) + 1
        assert np.isfinite(cloth).all()
        nose, right, left = head.landmarks[2:]
        middle = cloth[np.abs(cloth[:, 0]) < 0.012]
        assert middle[:, 2].max() > nose[2]
        assert middle[:, 1].min() < min(right[1], left[1]) - 0.015
        before_eyes = cloth[np.abs(cloth[:, 0]) < 0.045]
        assert before_eyes[:, 1].max() < head.landmarks[:2, 1].min() - 0.004


def test_skin_is_not_moved_by_what_is_worn():
    """Masks, hats and glasses change no vertex of the skin and no landmark."""
    person, day = days(1, Habits())[0]
    worn = replace(
        day, face_mask=FaceMask.CLOTH, headwear=Headwear.CAP, dark_lenses=True
    )
    one, other = build_head(person, day), build_head(person, worn)
    assert np.array_equal(one.parts[0].vertices, other.parts[0].vertices)
    assert np.array_equal(one.landmarks, other.landmarks)


def test_caps_have_a_peak_in_front():
    """A cap reaches further forward than the nose; a knitted hat does not."""
    person, day = days(1, Habits())[0]
    reach = {}
    for kind in (Headwear.BEANIE, Headwear.CAP):
        head = build_head(person, replace(day, headwear=kind), texture_px=64)
        reach[kind] = max(part.vertices[:, 2].max() for part in head.parts[2:])
    nose = build_head(person, day, texture_px=64).landmarks[2, 2]
    assert reach[Headwear.CAP] > nose > reach[Headwear.BEANIE]


def test_melanin_grows_with_tone_and_darkens_blue_most():
    """Beer and Lambert: more melanin, less light, blue first."""
    assert np.all(np.diff([melanin_of(tone) for tone in range(1, 11)]) > 0.0)
    light, dark = skin_colour(2.0, 0.0), skin_colour(6.0, 0.0)
    blue, green, red = dark / light
    assert blue < green < red < 1.0
