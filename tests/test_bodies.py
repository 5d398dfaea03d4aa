"""Bodies have the height, build and clothes asked for, and carry their head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthetic_crowds.bodies.body_basis import CHARTS, Chart, body_basis
from synthetic_crowds.bodies.build import Body, build_body
from synthetic_crowds.people.clothing import (
    Bag,
    Bottom,
    Clothing,
    Neckline,
    Pattern,
    Top,
    draw_clothing,
)
from synthetic_crowds.records import Sex

SKIN = (90, 120, 180)
PLAIN = Clothing(
    top=Top.T_SHIRT,
    bottom=Bottom.TROUSERS,
    neckline=Neckline.CREW,
    pattern=Pattern.PLAIN,
    bag=Bag.NONE,
    top_bgr=(200, 40, 40),
    bottom_bgr=(40, 200, 40),
    shoe_bgr=(30, 30, 30),
    accent_bgr=(40, 40, 200),
    inner_bgr=(220, 220, 220),
    bag_bgr=(20, 20, 90),
    is_open=False,
    has_scarf=False,
    weave_seed=11,
)


def body(
    *,
    clothing: Clothing = PLAIN,
    sex: Sex = Sex.FEMALE,
    age_years: float = 30.0,
    height_m: float = 1.65,
    body_mass_index: float = 23.0,
) -> Body:
    """Build a body with some things changed."""
    return build_body(
        sex=sex,
        age_years=age_years,
        height_m=height_m,
        body_mass_index=body_mass_index,
        skin_bgr=SKIN,
        clothing=clothing,
    )


@pytest.mark.parametrize(
    ("age_years", "height_m"),
    [(5.0, 1.10), (12.0, 1.50), (30.0, 1.55), (30.0, 1.95), (80.0, 1.60)],
)
def test_height_is_the_height_asked_for(age_years: float, height_m: float) -> None:
    """Neck height plus the shape's own head gives the person's height, on soles."""
    built = body(age_years=age_years, height_m=height_m)

    # From the joint of the head to the crown heads measure 13 to 17 cm.
    to_crown = height_m - (built.head_joint_m[1] - 0.016)
    assert 0.125 < to_crown < 0.175
    assert built.rest_m[:, 1].min() == pytest.approx(0.0, abs=1e-6)


def test_mass_widens_the_waist() -> None:
    """A higher body mass index gives a wider trunk at the same height."""
    waist = np.abs(body_basis().height_m - 0.13) < 0.02
    waist &= body_basis().share[:, Chart.TRUNK] > 0.9

    widths = [
        np.ptp(body(body_mass_index=bmi).rest_m[: len(waist)][waist, 0])
        for bmi in (17.0, 20.0, 23.0, 27.0)
    ]

    assert np.diff(widths).min() > 0.005


def test_soles_stay_on_the_ground_all_through_the_walk() -> None:
    """At every phase something touches the ground, and nothing goes far below."""
    built = body(sex=Sex.MALE, height_m=1.8)
    for phase in np.arange(10) / 10.0:
        lowest = min(part.vertices[:, 1].min() for part in built.parts(phase))
        assert -0.02 < lowest < 0.015, phase


def test_head_rides_on_the_collar() -> None:
    """The neck's point stays over the neck hole while both bob and sway."""
    built = body()
    basis = body_basis()
    rim = basis.is_suit & (basis.height_m > 0.50)
    drawn = np.flatnonzero(rim[basis.body.source])
    gaps = []
    for phase in np.arange(8) / 8.0:
        hole = built.parts(phase)[0].vertices[drawn].mean(axis=0)
        gaps.append(built.neck(phase) - hole)

    assert np.ptp(np.array(gaps), axis=0).max() < 0.008


def test_equal_arguments_give_identical_bytes() -> None:
    """Nothing but the arguments enters a body."""
    first, second = body().parts(0.37), body().parts(0.37)

    for one, other in zip(first, second, strict=True):
        assert one.vertices.tobytes() == other.vertices.tobytes()
        assert one.texture_bgra.tobytes() == other.texture_bgra.tobytes()


def test_bodies_share_what_does_not_differ() -> None:
    """Topology and texture coordinates exist once, whoever is built."""
    one, other = body().parts(0.0)[0], body(height_m=1.8).parts(0.5)[0]

    assert one.triangles is other.triangles
    assert one.uv is other.uv


def test_garments_end_where_their_cut_says() -> None:
    """A short sleeve leaves the forearm bare, trousers cover the legs."""
    built = body()
    box = CHARTS[Chart.ARM]
    arm = built.atlas_bgra[box.y : box.y + box.height, box.x : box.x + box.width, :3]
    shares = np.linspace(box.along[0], box.along[1], box.height)

    sleeve = arm[(shares > 0.0) & (shares < 0.25)].reshape(-1, 3).mean(axis=0)
    forearm = arm[(shares > 0.5) & (shares < 0.9)].reshape(-1, 3)

    assert sleeve[0] > 2.5 * sleeve[2]  # The shirt is blue.
    np.testing.assert_array_equal(forearm, np.broadcast_to(SKIN, forearm.shape))
    leg = CHARTS[Chart.LEG]
    middle = built.atlas_bgra[leg.y + 40, leg.x : leg.x + leg.width, :3].mean(axis=0)
    assert middle[1] > 2.5 * middle[0]  # The trousers are green.


def test_neck_hole_is_open_and_the_rest_is_closed() -> None:
    """The atlas is transparent above the neckline and nowhere else on the trunk."""
    box = CHARTS[Chart.TRUNK]
    alpha = body().atlas_bgra[box.y : box.y + box.height, box.x : box.x + box.width, 3]
    y = body_basis().texel_m[box.y : box.y + box.height, box.x : box.x + box.width, 1]

    assert (alpha[(y > 0.53)] < 128).all()
    assert (alpha[(y != 0.0) & (y < 0.40)] == 255).all()


@pytest.mark.parametrize(
    ("changes", "surfaces"),
    [
        ({}, 1),
        ({"bottom": Bottom.SKIRT}, 2),
        ({"top": Top.COAT}, 2),
        ({"top": Top.HOODIE}, 2),
        ({"has_scarf": True, "bag": Bag.BACKPACK}, 3),
        ({"bag": Bag.SHOULDER, "neckline": Neckline.COLLAR}, 3),
    ],
    ids=["plain", "skirt", "coat", "hood", "scarf and backpack", "collar and bag"],
)
def test_outfit_has_its_pieces(changes: dict[str, object], surfaces: int) -> None:
    """Skirts, coats, hoods, scarves, collars and bags are surfaces of their own."""
    parts = body(clothing=replace(PLAIN, **changes)).parts(0.2)  # type: ignore[arg-type]

    assert len(parts) == surfaces
    for part in parts:
        lengths = np.linalg.norm(part.normals, axis=1)
        np.testing.assert_allclose(lengths, 1.0, atol=1e-3)
        assert part.triangles.max() < len(part.vertices)


def test_backpack_is_behind_and_bag_on_the_left() -> None:
    """Bags hang where their straps lead."""
    backpack = body(clothing=replace(PLAIN, bag=Bag.BACKPACK)).parts(0.0)[-1]
    shoulder = body(clothing=replace(PLAIN, bag=Bag.SHOULDER)).parts(0.0)[-1]

    assert backpack.vertices[:, 2].mean() < -0.1
    assert shoulder.vertices[:, 0].mean() > 0.1


def test_wardrobe_depends_on_the_generator_alone() -> None:
    """Equal generators dress alike, and a crowd wears more than a uniform."""
    drawn = [
        draw_clothing(rng=np.random.default_rng(i), sex=Sex.MALE, age_years=40.0)
        for i in range(40)
    ]
    again = draw_clothing(rng=np.random.default_rng(3), sex=Sex.MALE, age_years=40.0)

    assert again == drawn[3]
    assert len({c.top for c in drawn}) >= 5
    assert not any(c.bottom is Bottom.SKIRT for c in drawn)
