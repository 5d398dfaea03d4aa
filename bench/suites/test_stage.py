"""The stages of the matcher, each on frames of the smoke scenario."""

from __future__ import annotations

import numpy as np
import pytest

from matcher.alignment import align
from matcher.assembly import make_detector, make_embedder
from matcher.config import MatcherConfig
from matcher.ingest import CameraDecoder

pytestmark = [pytest.mark.perf, pytest.mark.benchmark(group="stage")]


def test_decode_hundred_frames(benchmark, encoded):
    """H.264 to BGR at 1280 by 720."""

    def decode():
        decoder = CameraDecoder()
        return sum(decoder.decode(frame).image_bgr.shape[0] for frame in encoded)

    assert benchmark(decode) == 100 * 720


def test_detect_one_frame(benchmark, frames):
    """The reference detector on one street frame."""
    detector = make_detector(MatcherConfig().detector)
    assert len(benchmark(detector.detect, frames[50].image_bgr)) >= 1


def test_align_faces_of_one_frame(benchmark, crowd, frames):
    """Chips of every face of one frame, by its true landmarks."""
    truth = crowd.clips[0].faces
    landmarks = truth.landmarks[truth.frame_index == 50]
    chips = benchmark(align, frames[50].image_bgr, landmarks, chip_px=64)
    assert len(chips) == len(landmarks) > 0


@pytest.mark.parametrize("n", [1, 8])
def test_embed(benchmark, n):
    """A batch of chips."""
    embedder = make_embedder(MatcherConfig().embedder)
    side = embedder.chip_px
    rng = np.random.default_rng(4)
    chips = rng.integers(0, 256, (n, side, side, 3), dtype=np.uint8)
    assert len(benchmark(embedder.embed, chips)) == n
