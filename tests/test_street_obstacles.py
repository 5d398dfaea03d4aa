"""Obstacles and shops: who walks round, who stops, and that nobody else is changed."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, Setting, WatchlistConfig, Weather
from synthetic_crowds.errors import StreetError
from synthetic_crowds.film.clips import first_frame, split
from synthetic_crowds.people.population import IdentityDomain
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.optics import build_optics
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.motion import walk_past
from synthetic_crowds.street.obstacles import BODY_M, footprints_of, local
from synthetic_crowds.street.plan import plan_crowd
from synthetic_crowds.street.routing import find_ways
from synthetic_crowds.street.scene import build_scene
from synthetic_crowds.street.settings import ObstacleConfig, ShopConfig

CAMERA = CameraConfig()
LAYOUT = lay_out(CAMERA)
KIOSK = {"kind": "kiosk", "x_m": 9.0, "y_m": 0.2}
CLUTTER = (
    KIOSK,
    {"kind": "planter", "x_m": 6.5, "y_m": -1.0, "turn_deg": 35.0},
    {"kind": "bench", "x_m": 12.5, "y_m": 1.9},
    {"kind": "bollard", "x_m": 5.2, "y_m": 0.4},
)
SHOP = {"x_m": 10.0, "look_share": 0.3, "enter_share": 0.3, "inside_mean_s": 6.0}


def crowd(**settings):
    return CrowdConfig(**{"duration_s": 30.0, "population_size": 5000, **settings})


def walks(seed=1, **settings):
    return walk_past(crowd(**settings), LAYOUT, rng=np.random.default_rng(seed))


def depth_in(obstacle, rows):
    """How far within an obstacle places are, Chebyshev, along its own axes."""
    taken = footprints_of([obstacle], LAYOUT, camera_id="cam1")
    places = [local(row[:2], taken.centre_m[0], taken.axis[0]) for row in rows]
    return (taken.half_m[0] - np.abs(places)).min(axis=1)


def test_street_without_obstacles_and_shops_is_as_it_was():
    """Walks keep the places that they had before either could be set."""
    plan = plan_crowd(
        CrowdConfig(duration_s=30, population_size=2000),
        (CAMERA, CameraConfig(camera_id="b", mount_height_m=3.0, hfov_deg=35.0)),
        WatchlistConfig(size=20),
        seed=3,
        domain=IdentityDomain.SCENARIO,
    )
    ends = [sum(w.rows[-1, 0] for w in camera.walks) for camera in plan.cameras]
    assert [len(camera.walks) for camera in plan.cameras] == [63, 52]
    # Crowds make metres of the last digit in which processors differ.
    assert ends == pytest.approx([193.1, 104.5], abs=1.0)
    waiting = plan_crowd(
        CrowdConfig(
            duration_s=30,
            population_size=2000,
            waiting_share=0.4,
            running_share=0.1,
            footfall_shape="surge",
        ),
        (CAMERA,),
        WatchlistConfig(size=20),
        seed=3,
        domain=IdentityDomain.SCENARIO,
    )
    rows = [walk.rows for walk in waiting.cameras[0].walks]
    assert len(rows) == 47
    assert sum(r[-1, 0] for r in rows) == pytest.approx(-14.4, abs=1.0)


@pytest.mark.parametrize(
    ("setting", "weather", "rain", "mean"),
    [
        ("high_street", "day", 0.0, 110.29731224279836),
        ("station_gate", "overcast", 4.0, 108.86610339506173),
        ("stadium_egress", "day", 0.0, 114.98274948559671),
    ],
)
def test_frames_without_obstacles_and_shops_are_as_they_were(
    setting, weather, rain, mean
):
    """Pictures keep the light that they had before either could be set."""
    config = crowd(
        setting=setting,
        weather=weather,
        rain_mm_per_h=rain,
        duration_s=4.0,
        population_size=500,
    )
    plan = plan_crowd(
        config,
        (CameraConfig(width_px=480, height_px=270, fps=2),),
        WatchlistConfig(size=5),
        seed=2,
        domain=IdentityDomain.SCENARIO,
    )
    tasks = split(config, plan.cameras[0], seed=2, domain=IdentityDomain.SCENARIO)
    assert first_frame(tasks[0]).mean() == pytest.approx(mean, abs=1e-3)


def test_things_before_other_cameras_change_nothing():
    """What stands before another camera leaves walks equal to the last bit."""
    plain = walks()
    elsewhere = walks(
        obstacles=({**KIOSK, "cameras": ("b",)},), shops=({**SHOP, "cameras": ("b",)},)
    )
    for a, b in zip(plain, elsewhere, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nobody_walks_through_an_obstacle(seed):
    """Every step of everybody keeps a body's half width clear, and people get past."""
    made = walks(seed, obstacles=CLUTTER, counterflow_share=0.3, running_share=0.1)
    for obstacle in crowd(obstacles=CLUTTER).obstacles:
        rows = np.concatenate([walk.rows for walk in made])
        assert depth_in(obstacle, rows).max() < -BODY_M + 1e-6
    towards = [walk for walk in made if walk.towards]
    assert np.mean([walk.rows[-1, 0] < 0.0 for walk in towards]) > 0.95


def test_nobody_leaves_the_pavement_for_an_obstacle():
    """Ways round lead neither through the wall nor on to the road."""
    for walk in walks(obstacles=CLUTTER):
        beside = walk.rows[walk.rows[:, 0] < LAYOUT.zone_far_x_m]
        assert beside[:, 1].max(initial=0.0) < LAYOUT.wall_y_m
        assert beside[:, 1].min(initial=0.0) > LAYOUT.kerb_y_m - 0.3


def test_same_seed_same_walks_round_obstacles():
    """Obstacles and shops leave walks a function of settings and seed."""
    one = walks(obstacles=CLUTTER, shops=(SHOP,))
    again = walks(obstacles=CLUTTER, shops=(SHOP,))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)


def test_way_round_is_the_shorter_one():
    """Whoever comes a little to one side of a box passes it on that side."""
    ways = find_ways(crowd(obstacles=(KIOSK,)).obstacles, LAYOUT, camera_id="cam1")
    place, target = np.array([[13.0, -0.5]]), np.array([[4.0, -0.5]])
    head = ways.head_for(place, target)[0]
    assert head[1] < 0.2 - 0.8
    np.testing.assert_array_equal(ways.head_for(place, place), place)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"obstacles": ({**KIOSK, "y_m": 2.0},)}, "between the walls"),
        ({"obstacles": ({**KIOSK, "width_m": 4.4, "y_m": 0.0},)}, "leave a way"),
        ({"shops": ({**SHOP, "x_m": 17.0},)}, "before the corner"),
        (
            {"shops": (SHOP,), "obstacles": ({**KIOSK, "x_m": 10.0, "y_m": 1.2},)},
            "door of a shop must be free",
        ),
    ],
    ids=["in-the-wall", "barred", "no-wall", "before-a-door"],
)
def test_impossible_streets_are_refused_in_one_sentence(settings, words):
    """What there is no room for is bad input that says what to move."""
    with pytest.raises(StreetError, match=words) as caught:
        walks(**settings)
    assert "\n" not in str(caught.value)


def test_shops_stop_at_most_everybody():
    """Shares of all shops are shares of the same people."""
    with pytest.raises(ValidationError, match="at most everybody"):
        CrowdConfig(shops=(SHOP, {**SHOP, "x_m": 7.0}))


def test_some_look_at_the_window_and_walk_on():
    """They stand before the wall, face it, and leave past the camera."""
    made = walks(shops=({**SHOP, "enter_share": 0.0},))
    looking = [walk for walk in made if walk.rows[:, 9].any()]
    assert len(looking) >= 4
    for walk in looking:
        still = walk.rows[walk.rows[:, 9] > 0.5]
        assert np.all(np.abs(still[:, 0] - SHOP["x_m"]) < 2.5)
        assert np.all(still[:, 1] < LAYOUT.wall_y_m)
    settled = np.concatenate([w.rows[w.rows[:, 9] > 0.5][30:, 2] for w in looking])
    np.testing.assert_allclose(settled % 360.0, 90.0, atol=6.0)
    assert np.mean([walk.rows[-1, 0] < 0.0 for walk in looking]) > 0.8


def test_some_go_in_and_come_out_by_the_door():
    """Whoever is behind the wall went and came through the door, and goes on."""
    made = walks(shops=({**SHOP, "look_share": 0.0},))
    inside = [
        walk
        for walk in made
        if (walk.rows[walk.rows[:, 0] < 15.0, 1] > LAYOUT.wall_y_m + 1.0).any()
    ]
    assert len(inside) >= 4
    for walk in inside:
        behind = (walk.rows[:, 1] > LAYOUT.wall_y_m) & (walk.rows[:, 0] < 15.0)
        assert np.all(np.abs(walk.rows[behind, 0] - SHOP["x_m"]) < 0.45)
        assert walk.rows[-1, 1] < LAYOUT.wall_y_m
    assert np.mean([walk.rows[-1, 0] < 0.0 for walk in inside]) > 0.8


def test_share_at_the_shop_is_the_setting():
    """Of those who walk towards the camera about so many go in: four deviations."""
    made = walks(
        duration_s=240.0, mean_group_size=1.0, shops=({**SHOP, "look_share": 0.0},)
    )
    towards = [walk for walk in made if walk.towards]
    went = [w for w in towards if (w.rows[:, 9] > 0.5).any()]
    share = len(went) / len(towards)
    deviation = np.sqrt(0.3 * 0.7 / len(towards))
    assert share == pytest.approx(0.3, abs=4 * deviation)


@pytest.mark.parametrize("kind", ["bollard", "planter", "bench", "kiosk"])
def test_obstacle_is_seen_where_it_stands_and_darkens_the_ground(kind):
    """It is nearer than what it hides, and nothing far from it changes."""
    config = CameraConfig(width_px=480, height_px=270)
    camera = mount(config)
    light = draw_light(Weather.DAY, rng=np.random.default_rng(0))

    def scene(obstacles=(), shops=()):
        return build_scene(
            Setting.HIGH_STREET,
            light,
            camera,
            lay_out(config),
            build_optics(config, rng=np.random.default_rng(0)),
            samples=1,
            obstacles=obstacles,
            shops=shops,
            rng=np.random.default_rng(1),
        )

    obstacle = ObstacleConfig(kind=kind, x_m=8.0, y_m=0.3)
    empty, full = scene(), scene((obstacle,))
    middle = np.array([8.0, 0.3, 0.4 * obstacle.size_m[2]])
    column, row = camera.to_image(camera.to_camera(middle)).astype(int)
    around = np.s_[row - 3 : row + 4, column - 3 : column + 4]
    assert (full.depth_m[around] < empty.depth_m[around] - 0.2).any()
    hidden = full.depth_m < empty.depth_m - 1e-6
    foot = camera.to_image(camera.to_camera(np.array([8.0, 0.3, 0.0])))[1]
    assert hidden.sum() > 50
    assert not hidden[int(foot) + 40 :].any()
    if kind == "kiosk":
        painted = scene(shops=(ShopConfig(x_m=10.0),))
        np.testing.assert_array_equal(painted.depth_m, empty.depth_m)
        assert (painted.background_bgr != empty.background_bgr).mean() > 0.01
