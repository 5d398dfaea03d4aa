"""The rasteriser draws what is there, where it is, once, and the right way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from synthetic_crowds.raster.rasteriser import (
    FACING_CAMERA,
    Canvas,
    Intrinsics,
    Light,
    draw,
    linear_to_srgb,
    new_canvas,
    project,
    resolve,
    srgb_to_linear,
)
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE_PX = 40
# At one metre a pixel is a centimetre, and the axis meets the middle of the image.
INTRINSICS = Intrinsics(fx_px=100.0, fy_px=100.0, cx_px=20.0, cy_px=20.0)
RED, GREEN, BLUE, WHITE = (0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255)


def vector(*values: float) -> NDArray[np.float32]:
    """Spell a float32 vector."""
    return np.array(values, np.float32)


def flat_light() -> Light:
    """Ambient only, equal from everywhere: pixels are albedo."""
    return Light(
        direction=vector(0, 0, -1),
        key_bgr=vector(0, 0, 0),
        sky_bgr=vector(1, 1, 1),
        ground_bgr=vector(1, 1, 1),
        up=vector(0, -1, 0),
    )


def texture(*rows: list[tuple[int, int, int]]) -> NDArray[np.uint8]:
    """Paint an opaque texture from rows of BGR colours, each texel 8 wide."""
    colours = np.array(rows, np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    return np.dstack((colours, np.full(colours.shape[:2], 255, np.uint8)))


def quad(
    *, half_m: float = 0.1, z_m: float = 0.0, bgra: NDArray[np.uint8] | None = None
) -> MeshPart:
    """Make a square that faces local +z, top left of the texture at its top left."""
    h = half_m
    return MeshPart(
        vertices=np.array(
            [[-h, h, z_m], [h, h, z_m], [h, -h, z_m], [-h, -h, z_m]], np.float32
        ),
        normals=np.tile(vector(0, 0, 1), (4, 1)),
        triangles=np.array([[0, 3, 2], [0, 2, 1]], np.int32),
        uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32),
        texture_bgra=texture([WHITE]) if bgra is None else bgra,
        occlusion=np.ones(4, np.float32),
    )


def show(
    *parts: MeshPart, distance_m: float = 1.0, light: Light | None = None
) -> Canvas:
    """Draw parts frontally; owners count from 0."""
    canvas = new_canvas(SIZE_PX, SIZE_PX)
    for owner, part in enumerate(parts):
        draw(
            canvas,
            part,
            rotation=FACING_CAMERA,
            translation_m=np.array([0.0, 0.0, distance_m]),
            intrinsics=INTRINSICS,
            light=flat_light() if light is None else light,
            owner=owner,
        )
    return canvas


def show_floor(part: MeshPart, *, below_m: float, ahead_m: float) -> Canvas:
    """Draw a part lying on its back: up in its frame is away from the lens."""
    canvas = new_canvas(SIZE_PX, SIZE_PX)
    draw(
        canvas,
        part,
        rotation=np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
        translation_m=np.array([0.0, below_m, ahead_m]),
        intrinsics=INTRINSICS,
        light=flat_light(),
        owner=0,
    )
    return canvas


def test_square_covers_exactly_its_pixels() -> None:
    """A 20 cm square at 1 m covers the 20 x 20 pixels whose centres it holds."""
    expected = np.full((SIZE_PX, SIZE_PX), -1)
    expected[10:30, 10:30] = 0

    canvas = show(quad())

    np.testing.assert_array_equal(canvas.owner, expected)
    np.testing.assert_allclose(canvas.depth_m[canvas.owner == 0], 1.0, atol=1e-6)
    assert np.isinf(canvas.depth_m[canvas.owner < 0]).all()


def test_nearer_surface_wins_in_either_order() -> None:
    """Depth decides, not the order of drawing."""
    near, far = quad(half_m=0.05, z_m=0.1), quad()

    assert show(near, far).owner[20, 20] == 0
    assert show(far, near).owner[20, 20] == 1


def test_subject_left_appears_on_image_right() -> None:
    """A frontal picture is not mirrored and not upside down."""
    bgra = texture([RED, GREEN], [BLUE, WHITE])

    image = linear_to_srgb(show(quad(bgra=bgra)).bgr)

    # Local x is the subject's left; the texture's right half lies there.
    np.testing.assert_array_equal(image[12, 12], RED)
    np.testing.assert_array_equal(image[12, 27], GREEN)
    np.testing.assert_array_equal(image[27, 12], BLUE)
    pixels, depth = project(
        np.array([[0.1, 0.1, 0.0]]),
        rotation=FACING_CAMERA,
        translation_m=np.array([0.0, 0.0, 1.0]),
        intrinsics=INTRINSICS,
    )
    np.testing.assert_allclose(pixels, [[30.0, 10.0]])
    np.testing.assert_allclose(depth, [1.0])


def test_transparent_texels_show_what_is_behind() -> None:
    """A hole in a near surface neither colours nor hides."""
    holed = texture([WHITE, WHITE])
    holed[:, :8, 3] = 0

    canvas = show(quad(z_m=0.1, bgra=holed), quad(bgra=texture([RED])))

    assert canvas.owner[20, 12] == 1
    assert canvas.owner[20, 27] == 0


def test_shared_edges_are_drawn_once_without_cracks() -> None:
    """Every pixel of a fan of slivers belongs to exactly one of them."""
    rng = np.random.default_rng(7)
    rim = 24
    angle = np.sort(rng.uniform(0, 2 * np.pi, rim))
    corners = np.vstack(
        (
            [[0.003, 0.001, 0.0]],
            np.column_stack((np.cos(angle), np.sin(angle), 0 * angle)),
        )
    ).astype(np.float32)
    counts = np.zeros((SIZE_PX, SIZE_PX), int)
    for i in range(rim):
        sliver = MeshPart(
            vertices=corners[[0, 1 + i, 1 + (i + 1) % rim]],
            normals=np.tile(vector(0, 0, 1), (3, 1)),
            triangles=np.array([[0, 1, 2]], np.int32),
            uv=np.full((3, 2), 0.5, np.float32),
            texture_bgra=texture([WHITE]),
            occlusion=np.ones(3, np.float32),
        )
        counts += show(sliver).owner >= 0

    np.testing.assert_array_equal(counts, 1)


def test_texture_follows_perspective() -> None:
    """On a receding floor the middle of the texture lies nearer the horizon."""
    canvas = show_floor(
        quad(half_m=0.5, bgra=texture([RED], [GREEN])), below_m=0.1, ahead_m=1.0
    )

    far_edge, middle = 20 + 0.1 / 1.5 * 100, 20 + 0.1 / 1.0 * 100
    rows = np.flatnonzero(canvas.owner[:, 20] == 0)
    red = canvas.bgr[rows, 20, 2] > canvas.bgr[rows, 20, 1]
    assert rows[0] == pytest.approx(far_edge, abs=1)
    assert rows[red][-1] + 1 == pytest.approx(middle, abs=1)


def test_surface_behind_the_lens_is_cut_off() -> None:
    """A floor that reaches behind the camera is drawn up to the near plane."""
    canvas = show_floor(quad(half_m=3.0), below_m=0.2, ahead_m=0.5)

    rows = np.flatnonzero((canvas.owner == 0).any(axis=1))
    assert rows[0] == pytest.approx(20 + 0.2 / 3.5 * 100, abs=1)
    assert rows[-1] == SIZE_PX - 1
    np.testing.assert_array_equal(show(quad(), distance_m=-1.0).owner, -1)


def test_light_from_the_subjects_left_brightens_the_images_right() -> None:
    """The key light's direction is towards the light, in camera space."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 19)
    ring = np.column_stack((np.sin(angle), 0 * angle, np.cos(angle)))
    normals = np.vstack((ring, ring)).astype(np.float32)
    heights = np.repeat([0.1, -0.1], 19)[:, None] * [[0.0, 1.0, 0.0]]
    i = np.arange(18)
    column = MeshPart(
        vertices=(normals * 0.1 + heights).astype(np.float32),
        normals=normals,
        triangles=np.vstack(
            (np.column_stack((i, i + 19, i + 20)), np.column_stack((i, i + 20, i + 1)))
        ).astype(np.int32),
        uv=np.full((38, 2), 0.5, np.float32),
        texture_bgra=texture([WHITE]),
        occlusion=np.ones(38, np.float32),
    )
    lit = Light(
        direction=vector(1, 0, 0),
        key_bgr=vector(1, 1, 1),
        sky_bgr=vector(0, 0, 0),
        ground_bgr=vector(0, 0, 0),
        up=vector(0, -1, 0),
    )

    row = show(column, light=lit).bgr[20, :, 1]

    assert row[28] == pytest.approx(0.85, abs=0.08)
    assert row[12] == 0.0


def test_resolved_alpha_is_the_covered_share() -> None:
    """Anti-aliased alpha sums to the covered area, colour is premultiplied by it."""
    canvas = show(quad(half_m=0.055, bgra=texture([RED])))

    tile = resolve(canvas, factor=4)

    assert tile[..., 3].sum() == pytest.approx((canvas.owner >= 0).sum() / 16)
    np.testing.assert_allclose(tile[..., 2], tile[..., 3], atol=1e-6)
    assert 0.0 < tile[3, 5, 3] < 1.0
    with pytest.raises(ValueError, match="factor must divide"):
        resolve(canvas, factor=3)


def test_equal_input_gives_identical_pictures() -> None:
    """Drawing draws no random number and depends on no state."""
    first, second = show(quad(), quad(z_m=0.2)), show(quad(), quad(z_m=0.2))

    assert first.bgr.tobytes() == second.bgr.tobytes()
    assert first.depth_m.tobytes() == second.depth_m.tobytes()


def test_srgb_bytes_survive_the_round_trip() -> None:
    """Decoding then encoding returns every byte; light beyond [0, 1] saturates."""
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)

    np.testing.assert_array_equal(linear_to_srgb(srgb_to_linear(levels)), levels)
    np.testing.assert_array_equal(linear_to_srgb(vector(-1.0, 2.0)), [0, 255])


def test_light_that_is_no_unit_vector_is_refused() -> None:
    """A direction of another length would scale the light silently."""
    with pytest.raises(ValueError, match="length 1"):
        Light(
            direction=vector(0, 0, -2),
            key_bgr=vector(1, 1, 1),
            sky_bgr=vector(1, 1, 1),
            ground_bgr=vector(1, 1, 1),
            up=vector(0, -1, 0),
        )
