"""Statements on realism follow from the judges' answers, on answers made by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from training.realism.conditions import find_conditions, find_membership, find_recall
from training.realism.people_apart import find_days, find_kin
from training.realism.shards import Answers


def answers(**columns):
    n = len(columns["subject"])
    plain = {
        "condition": np.full(n, "plain"),
        "day": np.zeros(n, np.int64),
        "sex": np.full(n, "female"),
        "group": np.full(n, "other"),
        "ancestry": np.zeros(n, np.int64),
        "tone": np.full(n, 2, np.int64),
        "is_twin": np.zeros(n, np.bool_),
        "yaw_deg": np.zeros(n, np.float32),
        "height_px": np.full(n, 100.0, np.float32),
        "contrast": np.full(n, 40.0, np.float32),
        "found": np.ones(n, np.bool_),
        "extra": np.zeros(n, np.int64),
        "vector": np.zeros((n, 128), np.float32),
    }
    return Answers(**{**plain, **columns})


def faces(people, views, noise, seed=0):
    """Vectors of `people`, `views` each, this far apart from their own mean."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(0.0, 1.0, (people, 128)), views, axis=0)
    drawn = centres + rng.normal(0.0, noise, centres.shape)
    return np.repeat(np.arange(people), views), drawn.astype(np.float32)


def finding(findings, claim):
    return next(f for f in findings if claim in f.claim)


def test_recall_counts_what_is_near_and_turned_little():
    """The stated bin holds every face of 40 px and 45 degrees, and no other."""
    found = find_recall(
        answers(
            subject=np.arange(300),
            height_px=np.repeat([100.0, 30.0, 100.0], 100).astype(np.float32),
            yaw_deg=np.repeat([10.0, 10.0, 70.0], 100).astype(np.float32),
            found=np.repeat([True, False, False], 100),
        ),
        "recall",
    )
    assert found[0].measured.startswith("100/100")
    assert found[0].met
    assert finding(found, "28 to 40 px").measured.startswith("0/100")


@pytest.mark.parametrize(("noise", "met"), [(0.2, True), (1.6, False)])
def test_people_apart_meet_the_bound_and_muddled_ones_do_not(noise, met):
    """D' is large for tight clusters and small for loose ones."""
    subject, vector = faces(60, 4, noise)
    found = find_days(
        answers(subject=subject, vector=vector, day=np.tile([0, 0, 1, 1], 60)), "days"
    )
    assert finding(found, "d', same day").met is met
    assert finding(found, "d', another day").met is met


def test_kin_are_ranked_between_strangers_and_twins():
    """Siblings' vectors half shared, twins' nearly: the order is found."""
    rng = np.random.default_rng(1)
    own = rng.normal(0.0, 1.0, (240, 128))
    own[:120] += 0.4  # the sexes differ, so that strangers of one sex are closer
    twin = np.repeat(np.arange(120) % 3 == 0, 2)
    share = np.where(twin, 0.98, 0.5)[1::2, None]
    own[1::2] = share * own[::2] + np.sqrt(1 - share**2) * own[1::2]
    found = find_kin(
        answers(
            subject=np.arange(240),
            vector=own.astype(np.float32),
            is_twin=twin,
            sex=np.repeat(["female", "male"], 120),
        ),
        "kin",
    )
    assert finding(found, "impostor scores rise").met


@pytest.mark.parametrize(("leak", "met"), [(0.0, True), (1.0, False)])
def test_a_leak_of_membership_is_found(leak, met):
    """Vectors that tell who is sought give an AUC far from a half."""
    rng = np.random.default_rng(2)
    member = np.tile([True, False], 400)
    vector = rng.normal(0.0, 1.0, (800, 128)) + leak * member[:, None]
    found = find_membership(
        answers(
            subject=np.arange(800),
            condition=np.where(member, "member", "other"),
            vector=vector.astype(np.float32),
        ),
        "membership",
    )
    assert found[0].met is met


def test_conditions_in_the_wrong_order_are_said_so():
    """A yaw of 60 degrees that hurts less than one of 15 is no fall."""
    names = ("reference age 0", "plain", "yaw 15", "yaw 30", "yaw 45", "yaw 60")
    for noises, met in (((0.1, 0.2, 0.4, 0.8, 1.2, 1.8), True),
                        ((0.1, 0.2, 1.8, 1.2, 0.8, 0.4), False)):  # fmt: skip
        parts = [faces(50, 1, noise) for noise in noises]
        found = find_conditions(
            answers(
                subject=np.concatenate([subject for subject, _ in parts]),
                vector=np.concatenate([vector for _, vector in parts]),
                condition=np.repeat(names, 50),
            ),
            "conditions",
        )
        assert finding(found, "d' falls with yaw").met is met
