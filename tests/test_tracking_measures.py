"""Claims about the judgement of tracks: known faults have known figures."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("trackeval", reason="make tracking installs it")
from bench.suites.tracking import judge

N = 20


def _clip(heights=(60.0, 60.0)):
    frames = np.repeat(np.arange(N), 2)
    people = np.tile([0, 1], N)
    x = 100.0 * people + frames
    boxes = np.stack([x, 0 * x, x + 40, 0 * x + 40], axis=1).astype(np.float32)
    faces = SimpleNamespace(
        frame_index=frames,
        passage_index=people,
        box_xyxy=boxes,
        face_height_px=np.array(heights)[people],
        visibility=np.ones(2 * N),
    )
    return SimpleNamespace(faces=faces)


def _tracks(second):
    """The truth's own boxes, under these numbers for the second person."""
    boxes = _clip().faces.box_xyxy.reshape(N, 2, 4).astype(np.float64)
    return [(np.array([7, second(k)]), boxes[k]) for k in range(N)]


def test_perfect_tracks_have_perfect_figures():
    said = judge(_clip(), _tracks(lambda _: 9))
    assert (said.hota, said.mota, said.idf1) == pytest.approx((1.0, 1.0, 1.0))
    assert (said.switches, said.fragments, said.faces, said.people) == (0, 0, 40, 2)


def test_one_switch_halfway_costs_what_the_definitions_say():
    """MOTA loses one box of forty, IDF1 the second half of one of two people."""
    said = judge(_clip(), _tracks(lambda k: 9 if k < N // 2 else 11))
    assert said.switches == 1
    assert said.mota == pytest.approx(1 - 1 / 40)
    assert said.idf1 == pytest.approx(30 / 40)
    # Association: 1 for the first person, 1/2 for either half of the second.
    assert said.hota == pytest.approx(np.sqrt(0.75))


def test_boxes_on_faces_too_small_to_count_are_neither_right_nor_wrong():
    said = judge(_clip(heights=(60.0, 20.0)), _tracks(lambda _: 9))
    assert said.faces == 20
    assert said.mota == pytest.approx(1.0)
