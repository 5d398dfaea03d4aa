"""Arrivals, walks and casting."""

import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.errors import (
    DuplicateCameraError,
    EmptyCrowdError,
    NoCamerasError,
    PopulationTooSmallError,
)
from synthetic_crowds.people.population import IdentityDomain
from synthetic_crowds.street.arrivals import TICK_S, draw_arrivals
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.motion import walk_past
from synthetic_crowds.street.plan import plan_crowd

CROWD = CrowdConfig(duration_s=20.0, population_size=2_000)
CAMERA = CameraConfig()
LAYOUT = lay_out(CAMERA)


def plan(crowd=CROWD, cameras=(CAMERA,), size=50, share=0.2, seed=1):
    return plan_crowd(
        crowd,
        cameras,
        WatchlistConfig(size=size, mated_share=share),
        seed=seed,
        domain=IdentityDomain.SCENARIO,
    )


def test_footfall_is_people_a_minute_towards_the_camera():
    """Groups and counterflow do not change how many walk towards the camera."""
    crowd = CROWD.model_copy(update={"duration_s": 1800.0, "counterflow_share": 0.3})
    arrivals = draw_arrivals(crowd, LAYOUT, rng=np.random.default_rng(0))
    window_min = (crowd.duration_s + 24.0) / 60.0
    per_min = arrivals.towards.sum() / window_min
    # Groups of 1.4 on average make counts noisier than Poisson: 5 % is three sigma.
    assert per_min == pytest.approx(crowd.footfall_per_min, rel=0.08)
    assert 1 - arrivals.towards.mean() == pytest.approx(0.3, abs=0.05)


def test_mean_group_size_is_the_setting():
    """People who start together arrived together."""
    crowd = CROWD.model_copy(update={"duration_s": 1800.0, "mean_group_size": 2.0})
    arrivals = draw_arrivals(crowd, LAYOUT, rng=np.random.default_rng(0))
    groups = len(np.unique(arrivals.free_speed_m_s))
    assert len(arrivals.free_speed_m_s) / groups == pytest.approx(2.0, rel=0.06)


def test_walkers_keep_out_of_each_others_way_in_the_zone():
    """No two centres come nearer than half a body's width where faces are read."""
    walks = walk_past(CROWD, LAYOUT, rng=np.random.default_rng(3))
    for time_s in np.arange(0.0, CROWD.duration_s, 0.5):
        stances = [s for walk in walks if (s := walk.at(time_s)) is not None]
        places = np.array([(s.x_m, s.y_m) for s in stances if s.x_m < 12.0])
        gaps = np.linalg.norm(places[:, None] - places[None], axis=2)
        assert gaps[~np.eye(len(places), dtype=bool)].min(initial=9.0) > 0.2


def test_walkers_face_the_way_they_go_and_gait_follows_distance():
    """In the zone bodies face the camera, and travelled metres are path metres."""
    walks = walk_past(CROWD, LAYOUT, rng=np.random.default_rng(3))
    walk = next(w for w in walks if w.span_in(LAYOUT) is not None)
    begin, end = walk.span_in(LAYOUT)
    first, last = walk.at(begin + TICK_S), walk.at(end - TICK_S)
    assert abs((first.heading_deg % 360) - 180) < 40
    steps = np.diff(walk.rows[:, :2], axis=0)
    assert walk.rows[-1, 3] == pytest.approx(
        np.linalg.norm(steps, axis=1).sum(), rel=0.05
    )
    assert last.x_m < first.x_m


def test_nobody_walks_through_the_wall_beside_the_zone():
    """Whoever comes round the corner does so through the gap."""
    for walk in walk_past(CROWD, LAYOUT, rng=np.random.default_rng(5)):
        beside = walk.rows[walk.rows[:, 0] < LAYOUT.corner_near_x_m - 0.5]
        assert beside[:, 1].max(initial=0.0) < LAYOUT.wall_y_m


def test_same_seed_same_plan():
    """Equal seeds give equal walks and equal casting, other seeds do not."""
    one, again, other = plan(), plan(), plan(seed=2)
    assert one.cameras[0].people == again.cameras[0].people
    assert one.sought == again.sought
    for a, b in zip(one.cameras[0].walks, again.cameras[0].walks, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)
    assert one.sought != other.sought


def test_adding_a_camera_changes_nobody_at_the_first():
    """More capacity leaves the crowd untouched."""
    second = CameraConfig(camera_id="cam2")
    one, two = plan(), plan(cameras=(CAMERA, second))
    assert one.cameras[0].people == two.cameras[0].people
    assert not set(one.cameras[0].people) - set(two.walkers)


def test_people_return_at_a_later_camera():
    """With a share of 1 the second camera sees people whom the first has seen."""
    crowd = CROWD.model_copy(update={"return_share": 1.0, "duration_s": 60.0})
    both = plan(crowd, (CAMERA, CameraConfig(camera_id="cam2")))
    first, second = (set(p.people) for p in both.cameras)
    assert len(first & second) > 5
    people = both.cameras[1].people
    assert len(people) == len(set(people))


def test_watchlist_holds_the_mated_share_and_otherwise_strangers():
    """Mated subjects pass a camera; all others walk nowhere."""
    made = plan(size=200, share=0.5)
    assert len(made.sought) == len(set(made.sought)) == 200
    assert made.mated <= set(made.walkers)
    assert set(made.sought) & set(made.walkers) == made.mated
    towards = sum(walk.towards for walk in made.cameras[0].walks)
    assert 0 < len(made.mated) <= towards


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"cameras": ()}, NoCamerasError),
        ({"cameras": (CAMERA, CAMERA)}, DuplicateCameraError),
        ({"size": 2_000}, PopulationTooSmallError),
        (
            {"crowd": CrowdConfig(duration_s=2.0, footfall_per_min=1e-3)},
            EmptyCrowdError,
        ),
    ],
    ids=["no-cameras", "same-name", "watchlist-too-long", "nobody-came"],
)
def test_contradictory_settings_end_in_one_sentence(change, error):
    """Every mendable mistake names what to change."""
    with pytest.raises(error) as caught:
        plan(**change)
    assert "\n" not in str(caught.value)
