"""Claims about reading a detector's maps and keeping one box a face."""

import numpy as np
import pytest

from matcher.detectors.boxes import best_boxes
from matcher.detectors.reference import STRIDES, decode_maps
from matcher.picture import shrink


def _maps(height: int = 64, width: int = 96) -> list[np.ndarray]:
    """Maps on which no cell has a face."""
    return [
        np.zeros((1, channels, height // s, width // s), np.float32)
        for s in STRIDES
        for channels in (1, 4, 10)
    ]


def _boxes(*rows: tuple[float, float, float, float, float]) -> list[np.ndarray]:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return [table[:, :4], np.zeros((len(table), 5, 2), np.float32), table[:, 4]]


@pytest.mark.parametrize("level", [0, 1, 2], ids=["stride 8", "16", "32"])
def test_box_and_landmarks_are_read_from_the_cells_centre(level: int) -> None:
    """Distances and offsets are in strides; the centre of cell i is (i + 0.5) s."""
    stride, maps = STRIDES[level], _maps()
    score, box, points = maps[3 * level : 3 * level + 3]
    score[0, 0, 1, 2] = 0.8
    box[0, :, 1, 2] = [1, 2, 3, 4]
    points[0, :, 1, 2] = np.arange(10) / 10
    boxes, landmarks, scores = decode_maps(maps, score_threshold=0.5)

    x, y = 2.5 * stride, 1.5 * stride
    left, top, right, bottom = (
        x - stride,
        y - 2 * stride,
        x + 3 * stride,
        y + 4 * stride,
    )
    assert boxes.tolist() == [[left, top, right, bottom]]
    assert np.allclose(landmarks[0], [x, y] + np.arange(10).reshape(5, 2) / 10 * stride)
    assert scores.tolist() == [np.float32(0.8)]


def test_cell_at_the_score_threshold_is_read_and_one_below_is_not() -> None:
    """At or above, as for comparison scores."""
    maps = _maps()
    maps[0][0, 0, 0, :2] = [0.5, 0.4999]
    boxes, _, scores = decode_maps(maps, score_threshold=0.5)

    assert len(boxes) == 1
    assert scores.tolist() == [0.5]


def test_of_overlapping_boxes_the_better_stays() -> None:
    """One that overlaps only a dropped box stays too; best comes first."""
    kept = best_boxes(
        *_boxes(
            (0, 0, 10, 10, 0.7),
            (3, 0, 13, 10, 0.9),
            (7, 0, 17, 10, 0.6),
            (50, 50, 60, 60, 0.8),
        ),
        nms_iou=0.4,
    )

    assert kept.boxes_xyxy[:, 0].tolist() == [3, 50]
    loose = best_boxes(*_boxes((0, 0, 10, 10, 0.7), (7, 0, 17, 10, 0.6)), nms_iou=0.4)
    assert len(loose) == 2


def test_no_candidate_gives_no_detection() -> None:
    """Zero rows, not an error."""
    assert len(best_boxes(*_boxes(), nms_iou=0.4)) == 0


def test_wide_picture_is_shrunk_and_a_narrow_one_left_alone() -> None:
    """Never enlarged: that invents no detail and costs time."""
    view, scale = shrink(np.zeros((720, 1280, 3), np.uint8), width_px=640)
    assert (view.shape, scale) == ((360, 640, 3), 2.0)

    portrait = np.zeros((256, 200, 3), np.uint8)
    assert shrink(portrait, width_px=640) == (portrait, 1.0)
