"""Who stops, who runs, who comes back, and when a street is busy."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from synthetic_crowds.bodies.build import build_body
from synthetic_crowds.bodies.skeleton import Bone
from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.people.clothing import draw_clothing
from synthetic_crowds.people.population import IdentityDomain
from synthetic_crowds.records import Sex
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.motion import walk_past
from synthetic_crowds.street.plan import plan_crowd
from synthetic_crowds.street.schedule import draw_moments

CAMERA = CameraConfig()
LAYOUT = lay_out(CAMERA)


def walks(seed=1, **settings):
    crowd = CrowdConfig(**{"duration_s": 60.0, "population_size": 5000, **settings})
    return walk_past(crowd, LAYOUT, rng=np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("settings", "busy", "quiet"),
    [
        ({"footfall_shape": "surge"}, (0.36, 0.49), (0.0, 0.25)),
        ({"footfall_shape": "diurnal"}, (0.50, 0.58), (0.04, 0.16)),
        ({"footfall_schedule": ((0.0, 0.2), (500.0, 3.0))}, (0.7, 0.9), (0.0, 0.2)),
    ],
    ids=["surge", "day", "knots"],
)
def test_footfall_follows_its_schedule(settings, busy, quiet):
    """There are at least twice as many arrivals a second when it is busy."""
    crowd = CrowdConfig(duration_s=1000.0, **settings)
    moments = (
        draw_moments(crowd, 2.0, 0.0, 1000.0, rng=np.random.default_rng(0)) / 1000.0
    )

    def rate(span):
        return np.mean((moments >= span[0]) & (moments < span[1])) / (span[1] - span[0])

    assert rate(busy) > 2.0 * rate(quiet)
    assert np.all(np.diff(moments) >= 0.0)


@pytest.mark.parametrize("shape", ["surge", "diurnal"])
def test_named_shapes_keep_the_footfall_of_the_whole(shape):
    """Shapes say when people come, not how many: within four standard errors."""
    crowd = CrowdConfig(duration_s=2000.0, footfall_shape=shape)
    moments = draw_moments(crowd, 2.0, 0.0, 2000.0, rng=np.random.default_rng(0))
    assert len(moments) == pytest.approx(4000, abs=4 * np.sqrt(4000) + 0.06 * 4000)


@pytest.mark.parametrize(
    "schedule",
    [((5.0, 1.0), (1.0, 1.0)), ((0.0, -1.0),), ((0.0, 0.0), (9.0, 0.0))],
    ids=["backwards", "negative", "nobody"],
)
def test_impossible_schedules_are_refused(schedule):
    """A street cannot be less than empty, nor go back in time."""
    with pytest.raises(ValidationError, match="footfall_schedule"):
        CrowdConfig(footfall_schedule=schedule)


def test_who_waits_stands_still_in_the_zone_and_goes_on():
    """Somebody stops within the zone, faces the camera, and leaves it in the end."""
    stopped = [walk for walk in walks(waiting_share=0.5) if walk.rows[:, 9].any()]
    assert len(stopped) >= 8
    for walk in stopped:
        still = walk.rows[:, 9] > 0.5
        places = walk.rows[still, :2]
        assert np.all(np.ptp(places, axis=0) < 0.35)
        assert LAYOUT.zone_near_x_m - 1.0 < places[0, 0] < LAYOUT.zone_far_x_m
        assert np.ptp(walk.rows[still, 2]) == 0.0
    assert np.mean([walk.rows[-1, 0] < 0.0 for walk in stopped]) > 0.7


def test_who_runs_is_faster_than_any_walker():
    """Runners pass the zone at more than 2 m/s, and are marked as running."""
    for walk in walks(running_share=1.0, footfall_per_min=8.0):
        assert walk.rows[:, 10].all()
        speed = np.hypot(walk.rows[:, 7], walk.rows[:, 8])
        assert np.median(speed) > 2.0
    assert not any(walk.rows[:, 9:].any() for walk in walks())


def test_standing_body_has_both_feet_on_the_ground():
    """At rest the soles are level, arms hang, and the body is no lower than walking."""
    body = build_body(
        sex=Sex.MALE,
        age_years=40.0,
        height_m=1.78,
        body_mass_index=24.0,
        skin_bgr=(120, 150, 200),
        clothing=draw_clothing(
            rng=np.random.default_rng(0), sex=Sex.MALE, age_years=40.0
        ),
    )
    walker = body.walker
    standing, running = walker.standing(), walker.running()
    assert standing.pelvis_height_m > walker.pelvis_height_m > running.pelvis_height_m
    assert running.stride_m > walker.stride_m
    pose = standing.pose(0.0)
    left, right = (
        pose.move(bone, walker.joints_m[bone]) for bone in (Bone.FOOT_L, Bone.FOOT_R)
    )
    assert abs(left[1] - right[1]) < 0.03
    assert abs(left[2] - right[2]) < 0.09


def test_people_come_back_past_the_same_camera():
    """With revisits, walks outnumber walkers, and nobody is in two places at once."""
    crowd = CrowdConfig(duration_s=120.0, population_size=5000, revisit_share=0.5)
    plan = plan_crowd(
        crowd,
        (CAMERA,),
        WatchlistConfig(size=10),
        seed=1,
        domain=IdentityDomain.SCENARIO,
    )
    camera = plan.cameras[0]
    assert len(set(camera.people)) < 0.8 * len(camera.people)
    last_end = {}
    for person, walk in zip(camera.people, camera.walks, strict=True):
        if person in last_end:
            assert walk.start_s >= last_end[person] + 5.0
        last_end[person] = walk.end_s
