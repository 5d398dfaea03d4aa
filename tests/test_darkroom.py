"""The lens blurs people as it always did, wherever they stand, and nothing else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from synthetic_crowds.picture.darkroom import lay_over
from synthetic_crowds.picture.plate import PAD_PX, new_plate
from synthetic_crowds.raster.colour import linear_to_srgb, srgb_to_linear
from synthetic_crowds.raster.figure import Rect

WIDTH, HEIGHT = 150, 90
# In the middle, over two edges of the frame, one behind another, one near an edge.
BODIES = (
    Rect(30, 20, 60, 70),
    Rect(140, -4, 154, 40),
    Rect(50, 30, 75, 80),
    Rect(100, 44, 144, 82),
)


def street():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    plate = new_plate(np.full((HEIGHT, WIDTH), np.inf, np.float32))
    for body in BODIES:
        rows = slice(body.top + 2 * PAD_PX, body.bottom)
        columns = slice(body.left + 2 * PAD_PX, body.right)
        cover = rng.uniform(0.0, 1.0, plate.light[rows, columns, 3].shape)
        colour = rng.uniform(0.0, 1.0, (*cover.shape, 3))
        light = np.dstack((colour * cover[..., None], cover)).astype(np.float32)
        plate.light[rows, columns] = light
    return image, plate


@pytest.mark.parametrize("blur_px", [0.0, 0.3, 0.6, 1.1, 3.0])
def test_blur_is_the_whole_frames(blur_px):
    """Only where anybody is, yet as if the whole plate had been blurred and laid."""
    image, plate = street()
    room = 24
    light = np.pad(plate.light, ((room, room), (room, room), (0, 0)))
    if blur_px:
        light = cv2.GaussianBlur(light, (0, 0), blur_px)
    inside = light[room + PAD_PX :, room + PAD_PX :][:HEIGHT, :WIDTH]
    expected = linear_to_srgb(
        inside[..., :3] + (1.0 - inside[..., 3:]) * srgb_to_linear(image)
    )
    lay_over(image, plate, BODIES, lens_blur_px=blur_px)
    difference = np.abs(image.astype(int) - expected.astype(int))
    assert np.quantile(difference, 0.999) <= 1
    assert difference.max() <= 3


@pytest.mark.parametrize("blur_px", [0.0, 0.6, 3.0])
def test_plate_is_dark_again(blur_px):
    """Whoever draws on it next finds nobody there, not even beyond the frame."""
    image, plate = street()
    assert plate.light.any()
    lay_over(image, plate, BODIES, lens_blur_px=blur_px)
    assert not plate.light.any()


def test_where_nobody_is_nothing_changes():
    """The street shows through to the last bit."""
    image, plate = street()
    before = image.copy()
    lay_over(image, plate, BODIES, lens_blur_px=0.6)
    left = min(body.left for body in BODIES) - 16
    np.testing.assert_array_equal(image[:, :left], before[:, :left])
    np.testing.assert_array_equal(image[82:], before[82:])
    assert (image != before).any()
