"""The count of a face's pixels is that of a polygon's, filled by somebody else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from synthetic_crowds.picture.showing import may_show, share_shown
from synthetic_crowds.raster.figure_sift import FULL

SIDE = 96


def shown(outline, *, light=None, scenery=None, owners=None, size=SIDE):
    """A face of triangle 3, two others being the body's, at a depth of 5 m."""
    if light is None:
        light = np.zeros((SIDE + 8, SIDE + 8, 4), np.float32)
    if scenery is None:
        scenery = np.full((SIDE, SIDE), np.inf, np.float32)
    if owners is None:
        owners = np.full((2 * size, 2 * size + 8), 2 * 3 + 2, np.int32)
    return share_shown(light, 4, scenery, 5.0, owners, (0, 0, size), 255, 2, outline)


def cloud(seed, radius_px):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((94, 2)) @ rng.standard_normal((2, 2))
    return points * radius_px / np.abs(points).max() + SIDE / 2


@pytest.mark.parametrize("radius_px", [4.0, 12.0, 40.0])
def test_pixels_of_a_face_are_those_of_its_filled_outline(radius_px):
    """Wherever the scenery hides a part, the share is OpenCV's polygon's."""
    rng = np.random.default_rng(3)
    for seed in range(20):
        outline = cloud(seed, radius_px)
        inside = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillConvexPoly(inside, cv2.convexHull(np.rint(outline).astype(np.int32)), 1)
        scenery = rng.choice(np.array([1.0, 9.0], np.float32), (SIDE, SIDE))
        expected = float((scenery > 5.0)[inside == 1].mean())
        found = shown(outline, scenery=scenery)
        assert found == pytest.approx(expected, abs=1.5 / inside.sum())


def test_what_hides_a_face_is_not_counted():
    """People before it, its own body and the frame's edge take their pixels."""
    square = np.array([[20.0, 20.0], [39.0, 20.0], [39.0, 39.0], [20.0, 39.0]])
    assert shown(square) == 1.0
    light = np.zeros((SIDE + 8, SIDE + 8, 4), np.float32)
    light[: 4 + 25, :, 3] = 1.0
    assert shown(square, light=light) == pytest.approx(15 / 20)
    owners = np.full((2 * SIDE, 2 * SIDE + 8), 2 * 3 + 2, np.int32)
    owners[:, : 2 * 30] = 2 * 1 + 2
    assert shown(square, owners=owners) == 1.0
    owners[:] = 0
    assert shown(square, owners=owners) == 0.0
    assert shown(square, size=30) == pytest.approx(100 / 400)


def test_a_face_may_show_where_one_block_is_not_full():
    """Blocks of eight pixels are asked, also those that a rectangle merely touches."""
    filled = np.full((6, 6), FULL, np.int32)
    assert not may_show(filled, 0, 0, 47, 47)
    filled[2, 3] = FULL - 1
    assert may_show(filled, 10, 10, 24, 16)
    assert not may_show(filled, 10, 10, 23, 16)
    assert may_show(filled, -9, -9, 400, 400)
