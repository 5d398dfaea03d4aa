"""People depend on seed, domain and index alone, and on nothing that a day changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from pydantic import ValidationError

from synthetic_crowds.basis.head_basis import load_head_basis
from synthetic_crowds.heads.morphs import morph_weights
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.face_shape import draw_face_shape
from synthetic_crowds.people.person import BeardStyle
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.records import Sex, age_band

LONDON = Demographics()


def people(count, *, domain=IdentityDomain.REALISM, seed=3):
    return [
        draw_person(LONDON, seed=seed, domain=domain, index=k) for k in range(count)
    ]


def same(one, other):
    return all(
        np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
        for a, b in (
            (getattr(one, f.name), getattr(other, f.name))
            for f in fields(one)
            if f.name != "skin"
        )
    )


def test_same_arguments_give_the_same_person():
    """A person is a function of its arguments, in whatever order people are drawn."""
    first, second = people(6), people(6)[::-1][::-1]
    alone = draw_person(LONDON, seed=3, domain=IdentityDomain.REALISM, index=5)
    assert all(same(a, b) for a, b in zip(first, second, strict=True))
    assert same(first[5], alone)
    assert np.array_equal(first[5].skin.marks, alone.skin.marks)


@pytest.mark.parametrize("domain", [d for d in IdentityDomain if d.value != 4])
def test_domains_never_share_a_face(domain):
    """Equal indices in two domains are different people."""
    for one, other in zip(people(5), people(5, domain=domain), strict=True):
        assert one.person_id != other.person_id
        assert not np.array_equal(one.face_shape, other.face_shape)


def test_seed_changes_everybody():
    """Another seed is another city."""
    for one, other in zip(people(5), people(5, seed=4), strict=True):
        assert not np.array_equal(one.face_shape, other.face_shape)


def test_shares_follow_the_demographics():
    """Drawn shares of women and of under 18s agree with what was asked for."""
    city = people(1500)
    women = np.mean([p.sex is Sex.FEMALE for p in city])
    young = np.mean([p.age_years < 18.0 for p in city])
    weights = np.array([w for _, _, w in LONDON.age_bands])
    # Four standard errors of a proportion at n = 1500.
    assert abs(women - LONDON.female_share) < 0.052
    assert abs(young - weights[:2].sum() / weights.sum()) < 0.040


def test_every_tone_lives_in_the_city():
    """All ten steps of the Monk scale occur."""
    assert {p.monk_tone for p in people(1500)} == set(range(1, 11))


def test_beards_grow_on_men_only():
    """No woman and no boy has facial hair."""
    for person in people(400):
        if person.sex is Sex.FEMALE or person.age_years <= 17.0:
            assert person.beard.style is BeardStyle.SHAVEN
            assert person.beard.density == 0.0


def test_shape_axes_stay_on_their_targets():
    """Axes lie in [-1, 1]; those without a negative end never go below 0."""
    basis = load_head_basis()
    shapes = np.stack(
        [draw_face_shape(rng=np.random.default_rng(k)) for k in range(99)]
    )
    assert shapes.shape == (99, len(basis.axes))
    assert np.abs(shapes).max() <= 1.0
    assert shapes[:, basis.one_sided].min() == 0.0
    assert shapes[:, ~basis.one_sided].min() < -0.3


def test_a_new_day_moves_no_bone():
    """Two days of one person differ in expression targets alone."""
    person = people(1)[0]
    rng = np.random.default_rng(0)
    days = [morph_weights(person, draw_appearance(person, rng=rng)) for _ in range(2)]
    changed = {name for name in days[0] if days[0][name] != days[1][name]}
    assert changed
    assert all(name.startswith("expression/") for name in changed)


def test_who_owns_no_glasses_never_wears_any():
    """`worn_share` 0 means never; about 1 means nearly always."""
    rng = np.random.default_rng(1)
    for person in people(60):
        worn = [draw_appearance(person, rng=rng).glasses_on for _ in range(8)]
        if person.glasses.worn_share == 0.0:
            assert not any(worn)
        if person.glasses.worn_share > 0.9:
            assert sum(worn) >= 5


@pytest.mark.parametrize(
    "settings",
    [
        {"group_shares": {"martian": 1.0}},
        {"group_shares": {"black": -0.5, "mixed": 1.0}},
        {"group_shares": {"black": 0.0}},
        {"age_bands": ((30.0, 20.0, 1.0),)},
        {"age_bands": ((20.0, 30.0, 0.0),)},
        {"female_share": 1.2},
        {"colour": "blue"},
        {"joint": (("female", 20, 30, "martian", 1),)},
        {"joint": (("female", 20, 30, "black", 0),)},
        {"preset": "paris"},
    ],
    ids=[
        "unknown",
        "negative",
        "empty",
        "backwards",
        "nobody",
        "share",
        "key",
        "cell",
        "weightless",
        "preset",
    ],
)
def test_impossible_shares_are_refused(settings):
    """Shares that describe no population fail when the scenario is read."""
    with pytest.raises(ValidationError):
        Demographics(**settings)


def test_balanced_preset_has_as_many_of_each_kind():
    """Sexes, reporting age bands and largest ancestries are equally frequent."""
    balanced = Demographics(preset="balanced", siblings_share=0.0, twins_share=0.0)
    city = [
        draw_person(balanced, seed=3, domain=IdentityDomain.REALISM, index=k)
        for k in range(900)
    ]
    women = np.mean([p.sex is Sex.FEMALE for p in city])
    bands = Counter(age_band(p.age_years) for p in city)
    ancestries = np.bincount([np.argmax(p.ancestry_shares) for p in city]) / 900
    # Four standard errors at n = 900.
    assert abs(women - 0.5) < 0.067
    assert all(abs(n / 900 - 0.2) < 0.053 for n in bands.values())
    assert np.abs(ancestries - 1 / 3).max() < 0.063
    assert Demographics(preset="balanced", female_share=0.9).female_share == 0.9


def test_joint_cells_tie_sex_age_and_group_together():
    """Only what a cell describes is drawn, siblings apart."""
    joint = Demographics(
        joint=(("female", 20, 30, "black", 1), ("male", 60, 70, "east_asian", 3)),
        siblings_share=0.0,
        twins_share=0.0,
    )
    city = [
        draw_person(joint, seed=3, domain=IdentityDomain.REALISM, index=k)
        for k in range(400)
    ]
    old_men = [p for p in city if p.sex is Sex.MALE]
    assert abs(len(old_men) / 400 - 0.75) < 0.087
    for p in city:
        wanted = (60, 70, "east_asian") if p in old_men else (20, 30, "black")
        assert wanted[0] <= p.age_years <= wanted[1]
        assert p.group == wanted[2]


def test_children_walk_in_london():
    """About one in eight Londoners of five and more years is below 15."""
    children = np.mean([p.age_years < 15.0 for p in people(1500)])
    assert 0.09 < children < 0.17
