"""The walk keeps its feet on the ground, its bones whole, and its two halves alike."""

from __future__ import annotations

import numpy as np
import pytest

from synthetic_crowds.bodies.body_basis import body_basis
from synthetic_crowds.bodies.footfalls import FLAT_AT, HEEL_OFF_AT, TOE_OFF_AT
from synthetic_crowds.bodies.gait import Walker, walker
from synthetic_crowds.bodies.skeleton import (
    PARENTS,
    Bone,
    Pose,
    aligned,
    framed,
    turned,
)

PHASES = np.arange(40) / 40.0


@pytest.fixture(scope="module")
def adult() -> Walker:
    """An average body 1.7 m high."""
    mean = body_basis().mean_m
    joints = mean[len(body_basis().bones) :][: len(Bone)].astype(np.float64)
    joints[:, 1] -= mean[-1, 1]
    return walker(joints * 1.7 / 1.53, height_m=1.7, age_years=30.0)


def joint(pose: Pose, adult: Walker, bone: Bone) -> np.ndarray:
    """Where a bone's joint is."""
    return pose.move(bone, adult.joints_m[bone])


def test_flat_foot_does_not_slide(adult: Walker) -> None:
    """While a foot bears weight flat, it moves back exactly as the body advances."""
    phases = np.linspace(FLAT_AT, HEEL_OFF_AT, 8, endpoint=False)
    ankles = np.array([joint(adult.pose(p), adult, Bone.FOOT_L) for p in phases])

    on_ground = ankles + np.outer(phases * adult.stride_m, [0.0, 0.0, 1.0])

    assert np.ptp(on_ground, axis=0).max() < 1e-9


def test_ball_of_the_foot_stays_while_the_heel_rises(adult: Walker) -> None:
    """Until toe-off the foot turns about its ball, which stays where it was."""
    phases = np.linspace(HEEL_OFF_AT, TOE_OFF_AT, 8, endpoint=False)
    balls = np.array([joint(adult.pose(p), adult, Bone.TOES_L) for p in phases])

    on_ground = balls + np.outer(phases * adult.stride_m, [0.0, 0.0, 1.0])

    # Turned out by a few degrees, the ball wanders a little as the foot lifts.
    assert np.ptp(on_ground, axis=0).max() < 0.010


def test_nothing_sinks_into_the_ground(adult: Walker) -> None:
    """Ankles stay above their height at rest, toes above theirs."""
    poses = [adult.pose(p) for p in PHASES]
    for bone in (Bone.FOOT_L, Bone.FOOT_R, Bone.TOES_L, Bone.TOES_R):
        lowest = min(joint(p, adult, bone)[1] for p in poses)
        assert lowest > adult.joints_m[bone, 1] - 0.004


def test_bones_keep_their_length(adult: Walker) -> None:
    """Joints stay where the bones that meet there put them, legs not overstretched."""
    for phase in PHASES:
        pose = adult.pose(phase)
        for bone in Bone:
            parent = PARENTS[bone]
            if parent >= 0:
                gap = pose.move(Bone(parent), adult.joints_m[bone]) - joint(
                    pose, adult, bone
                )
                assert np.linalg.norm(gap) < 2e-3, (phase, bone.name)


def test_right_side_repeats_the_left_half_a_stride_later(adult: Walker) -> None:
    """The walk is symmetrical: mirrored, phase 0.5 is phase 0."""
    mirror = np.array([-1.0, 1.0, 1.0])
    for phase in (0.0, 0.13, 0.4):
        left = joint(adult.pose(phase), adult, Bone.SHIN_L)
        right = joint(adult.pose(phase + 0.5), adult, Bone.SHIN_R)
        np.testing.assert_allclose(left, right * mirror, atol=2e-3)


def test_knees_and_hips_move_as_measured_in_humans(adult: Walker) -> None:
    """Peaks lie within 12 degrees of Winter's curves for natural cadence.

    Source: Winter 2009, appendix A: hip 20 forwards to 20 backwards of the trunk's
    line with 5 either way for its tilt; knee 5 to 65.
    """
    hip, knee = [], []
    for phase in PHASES:
        pose = adult.pose(phase)
        joints = [
            joint(pose, adult, b) for b in (Bone.THIGH_L, Bone.SHIN_L, Bone.FOOT_L)
        ]
        thigh, shin = joints[1] - joints[0], joints[2] - joints[1]
        hip.append(np.degrees(np.arctan2(thigh[2], -thigh[1])))
        cosine = thigh @ shin / np.linalg.norm(thigh) / np.linalg.norm(shin)
        knee.append(np.degrees(np.arccos(cosine)))

    assert max(knee) == pytest.approx(65.0, abs=12.0)
    assert min(knee) == pytest.approx(5.0, abs=12.0)
    assert 0.70 < PHASES[int(np.argmax(knee))] < 0.90
    assert max(hip) == pytest.approx(30.0, abs=12.0)
    assert min(hip) == pytest.approx(-15.0, abs=12.0)


def test_arms_swing_against_the_legs(adult: Walker) -> None:
    """At left heel strike the right hand is in front of the left one."""
    strike = adult.pose(0.0)

    right, left = (joint(strike, adult, b)[2] for b in (Bone.HAND_R, Bone.HAND_L))

    assert right - left > 0.2


def test_old_people_take_shorter_strides(adult: Walker) -> None:
    """Strides shorten beyond sixty."""
    old = walker(adult.joints_m, height_m=1.7, age_years=85.0)

    assert old.stride_m == pytest.approx(0.88 * adult.stride_m)


def test_rotations_are_proper(adult: Walker) -> None:
    """No bone is mirrored or visibly scaled."""
    for rotation in adult.pose(0.3).rotations:
        assert np.linalg.det(rotation) == pytest.approx(1.0, abs=0.01)


def test_helper_rotations_do_what_they_say() -> None:
    """The short way from one direction to another; about x, up turns forwards."""
    forward, up = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])

    np.testing.assert_allclose(aligned(forward, up) @ forward, up, atol=1e-12)
    np.testing.assert_allclose(turned(0, np.pi / 2) @ up, forward, atol=1e-12)
    frame = framed(2.0 * forward, up + forward)
    np.testing.assert_allclose(frame.T @ frame, np.eye(3), atol=1e-12)
