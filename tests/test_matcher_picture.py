"""Claims about the forms in which a stage sees a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from matcher_doubles import encoded, h264

from matcher.ingest import CameraDecoder
from matcher.picture import ColourPicture, DecodedPicture, shrink
from matcher.records import Detections, Frame


@pytest.fixture(scope="module")
def decoded() -> Frame:
    """A frame of soft blobs, 160x120, as the codec left it."""
    noise = np.random.default_rng(3).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    image = cv2.resize(noise, (160, 120), interpolation=cv2.INTER_CUBIC)
    (packet,) = h264([np.asarray(image, np.uint8)])
    return CameraDecoder().decode(encoded(0, packet))


def test_shrunken_view_is_that_of_the_whole_picture(decoded: Frame) -> None:
    """One pass over the codec's planes, or two over colours: the same to the eye."""
    view, scale = decoded.picture.shrunk(width_px=80)
    expected, same_scale = shrink(decoded.image_bgr, width_px=80)

    assert isinstance(decoded.picture, DecodedPicture)
    assert (view.shape, scale) == (expected.shape, same_scale) == ((60, 80, 3), 2.0)
    assert np.abs(view.astype(int) - expected).mean() < 3.0
    # A picture moved by one pixel would differ by more.
    moved = np.roll(expected, 1, axis=1)
    assert np.abs(view.astype(int) - moved).mean() > 4.0


def test_luma_is_brightness_and_is_never_copied(decoded: Frame) -> None:
    """The codec's own plane: as bright as the colours say, in video range."""
    luma = decoded.picture.luma
    grey = ColourPicture(decoded.image_bgr).luma

    assert luma.shape == grey.shape == (120, 160)
    assert np.abs((luma - 16.0) * 255 / 219 - grey).mean() < 2.0
    assert np.shares_memory(luma, decoded.picture.luma)
    assert not luma.flags.writeable


@pytest.mark.parametrize("width_px", [160, 640], ids=["equal", "wider"])
def test_picture_no_wider_than_asked_for_stays_as_it_is(
    decoded: Frame, width_px: int
) -> None:
    """Nothing is ever enlarged; and what is made once is kept."""
    view, scale = decoded.picture.shrunk(width_px=width_px)

    assert scale == 1.0
    assert view is decoded.image_bgr is decoded.picture.image_bgr


def test_faces_found_in_a_view_are_carried_to_the_whole_picture() -> None:
    """Boxes and landmarks grow with the picture, scores do not."""
    found = Detections(
        boxes_xyxy=np.array([[1, 2, 3, 4]], np.float32),
        landmarks=np.ones((1, 5, 2), np.float32),
        scores=np.array([0.5], np.float32),
    )
    whole = found.magnified(1.5)

    assert whole.boxes_xyxy.tolist() == [[1.5, 3.0, 4.5, 6.0]]
    assert np.all(whole.landmarks == 1.5)
    assert whole.scores.tolist() == [0.5]
    assert found.magnified(1.0) is found
