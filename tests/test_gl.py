"""A graphics card draws the people that the processor draws."""

from __future__ import annotations

import numpy as np
import pytest

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import Setting, Weather
from synthetic_crowds.errors import GraphicsError
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.demographics import Demographics
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.picture.actors import dress
from synthetic_crowds.picture.composer import compose
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.gl_canvas import check_card
from synthetic_crowds.raster.optics import build_optics
from synthetic_crowds.records import Renderer
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.motion import Stance
from synthetic_crowds.street.scene import build_scene

# Of faces of 24 px and more: grey levels on average.
LARGEST_DIFFERENCE = 2.0


@pytest.fixture(scope="module", autouse=True)
def _card():
    try:
        check_card()
    except GraphicsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def cast():
    made = []
    for index, (x_m, y_m, yaw_deg) in enumerate(
        [(5.0, 0.3, 0.0), (6.0, 0.0, 20.0), (8.0, -0.8, -30.0), (11.0, 0.4, 0.0)]
    ):
        person = draw_person(
            Demographics(), seed=1, domain=IdentityDomain.SCENARIO, index=index
        )
        actor = dress(person, draw_appearance(person, rng=np.random.default_rng(1)))
        stance = Stance(
            x_m=x_m, y_m=y_m, heading_deg=180.0, travelled_m=0.3, yaw_deg=yaw_deg,
            pitch_deg=-4.0, roll_deg=2.0, vx_m_s=-1.3, vy_m_s=0.0,
        )  # fmt: skip
        made.append((actor, stance))
    return made


def pictures(cast, **settings):
    """The same frame by processor and by card."""
    config = CameraConfig(width_px=960, height_px=540, gain_db=0.0, **settings)
    camera = mount(config)
    optics = build_optics(config, rng=np.random.default_rng(0))
    light = draw_light(Weather.DAY, rng=np.random.default_rng(0))
    scene = build_scene(
        Setting.HIGH_STREET, light, camera, lay_out(config), optics,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return [
        compose(
            scene, cast, camera, optics, rng=np.random.default_rng(0), renderer=renderer
        )
        for renderer in (Renderer.CPU, Renderer.GL)
    ]


@pytest.mark.parametrize(
    "settings",
    [{}, {"exposure_s": 0.03}],
    ids=["sharp", "drawn out by the shutter"],
)
def test_card_draws_the_same_faces(cast, settings):
    """Every face, hidden partly by others or not, within two grey levels."""
    by_cpu, by_card = pictures(cast, **settings)
    assert len(by_cpu.faces.box_xyxy) == len(cast)
    for left, top, right, bottom in np.rint(by_cpu.faces.box_xyxy).astype(int):
        window = np.s_[max(top, 0) : bottom, max(left, 0) : right]
        first, second = by_cpu.image_bgr[window], by_card.image_bgr[window]
        assert np.abs(first.astype(int) - second).mean() < LARGEST_DIFFERENCE


def test_card_tells_the_same_truth(cast):
    """Boxes and landmarks are the same; visibility within a pixel's worth."""
    by_cpu, by_card = (frame.faces for frame in pictures(cast))
    np.testing.assert_array_equal(by_cpu.person_index, by_card.person_index)
    np.testing.assert_array_equal(by_cpu.box_xyxy, by_card.box_xyxy)
    np.testing.assert_allclose(by_cpu.visibility, by_card.visibility, atol=0.02)


def test_card_draws_the_same_picture_twice(cast):
    """Equal seeds, equal pictures."""
    (_, first), (_, again) = pictures(cast), pictures(cast)
    np.testing.assert_array_equal(first.image_bgr, again.image_bgr)
