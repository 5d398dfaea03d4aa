"""Siblings and twins: rare, symmetrical, alike by as much as is stated."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from synthetic_crowds.people.face_shape import bound_face_shape, draw_face_shape
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person

FAMILIES = Demographics(siblings_share=0.5, twins_share=0.3)


def people(count, demographics=FAMILIES, seed=3):
    return [
        draw_person(demographics, seed=seed, domain=IdentityDomain.REALISM, index=k)
        for k in range(count)
    ]


@pytest.fixture(scope="module")
def pairs():
    city = people(240)
    return list(zip(city[::2], city[1::2], strict=True))


def likeness(pair):
    return float(np.corrcoef(pair[0].face_shape, pair[1].face_shape)[0, 1])


def test_shares_of_siblings_and_twins_are_those_asked_for(pairs):
    """Of 120 pairs half are siblings and three in ten are twins, within 4 errors."""
    twins = np.mean([first.is_twin for first, _ in pairs])
    siblings = np.mean(
        [bool(first.siblings) and not first.is_twin for first, _ in pairs]
    )
    assert abs(twins - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 120)
    assert abs(siblings - 0.5) < 4 * np.sqrt(0.5 * 0.5 / 120)


def test_siblings_name_each_other(pairs):
    """The truth of kinship is the same from both sides, and strangers have none."""
    for first, second in pairs:
        assert first.is_twin == second.is_twin
        if first.siblings:
            assert first.siblings == (second.person_id,)
            assert second.siblings == (first.person_id,)
            assert first.group == second.group
        else:
            assert second.siblings == ()


def test_shape_is_shared_in_order_of_kinship(pairs):
    """Strangers' shapes are unrelated, siblings' half, twins' nearly the same."""
    twins = [likeness(pair) for pair in pairs if pair[0].is_twin]
    strangers = [likeness(pair) for pair in pairs if not pair[0].siblings]
    siblings = [
        likeness(pair) for pair in pairs if pair[0].siblings and not pair[0].is_twin
    ]
    assert abs(np.mean(strangers)) < 0.1
    assert 0.4 < np.mean(siblings) < 0.6
    assert min(twins) > 0.95


def test_twins_share_sex_age_and_colours_but_not_their_moles(pairs):
    """What is inherited is equal; what chance puts on a skin is not."""
    for first, second in pairs:
        if first.is_twin:
            assert (first.sex, first.age_years) == (second.sex, second.age_years)
            assert first.iris_bgr == second.iris_bgr
            assert first.skin.tone == second.skin.tone
            assert not np.array_equal(first.skin.marks, second.skin.marks)


def test_a_city_without_kin_is_the_default_one_but_for_its_kin():
    """Rates of kinship move nobody who has no sibling."""
    related, alone = (
        people(120),
        people(120, Demographics(siblings_share=0.0, twins_share=0.0)),
    )
    for one, other in zip(related, alone, strict=True):
        if not one.siblings:
            assert np.array_equal(one.face_shape, other.face_shape)
            assert one.age_years == other.age_years


def test_more_kin_than_people_is_refused():
    """Shares are of all people."""
    with pytest.raises(ValidationError, match="must not exceed 1 together"):
        Demographics(siblings_share=0.8, twins_share=0.3)


def test_no_part_of_a_face_is_strange_in_every_respect():
    """A face with every axis at its end is pulled in; a usual one is left alone."""
    usual = draw_face_shape(rng=np.random.default_rng(5))
    assert np.allclose(bound_face_shape(usual), usual, atol=1e-6)
    monster = np.ones_like(usual)
    bounded = bound_face_shape(monster)
    assert np.abs(bounded).max() < 0.75
    assert np.allclose(bound_face_shape(bounded), bounded, atol=1e-6)
