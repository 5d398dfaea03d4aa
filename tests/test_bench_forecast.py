"""What counts of a load in pieces, what is read off it, and how long it lasts."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from bench.planning.calibration import CalibrationConfig
from bench.planning.forecast import counted, counted_s, figures_of
from bench.planning.held_out import lasting, rung
from bench.planning.replay import Footage, Part, Replay, cut

CLIP = Footage(
    packets=(bytes(10),) * 600,
    key_every=10,
    fps=10.0,
    pixels=1280 * 720,
    n_passages=1,
    frame=np.arange(40, dtype=np.int64),
    track=np.zeros(40, np.int64),
    quality=np.full(40, 0.5, np.float32),
)


def _replay(**changes):
    given = {"n_cameras": 3, "fps": 10.0, "duration_s": 20.0, "gallery_size": 100}
    return Replay(**{**given, **changes})


def test_every_piece_warms_up_anew():
    """Of each, the first seconds do not count, and of a gauge nothing does."""
    replay = _replay(gauge_s=4.0)
    scene = cut([CLIP], replay)
    counts = counted(scene, replay, warm_up_s=2.0)
    capture_s = scene.frames.capture_s
    # Gauge to 4 s, piece to 14 s, gauge to 18 s, piece to 28 s, gauge.
    within = ((capture_s >= 6.0) & (capture_s < 14.0)) | (
        (capture_s >= 20.0) & (capture_s < 28.0)
    )
    assert np.array_equal(counts, within)
    assert counts.sum() == 2 * 8 * 3 * 10
    assert not counts[scene.part == Part.GAUGE].any()
    assert counted_s(replay, warm_up_s=2.0) == pytest.approx(16.0)


def test_figures_leave_out_what_does_not_count():
    """Frames of the warm-up are in no figure."""
    capture_s = np.array([0.0, 1.0, 2.0, 3.0])
    ends = SimpleNamespace(
        end=np.array([1, 0, 0, 1], np.int8),
        start_s=capture_s + 0.01,
        done_s=capture_s + np.array([0.5, 0.02, 0.04, 0.03]),
    )
    figures = figures_of(capture_s, ends, counted=capture_s >= 1.0, span_s=3.0)
    assert figures["mean"] == pytest.approx(0.03)
    assert figures["skipped"] == pytest.approx(1 / 3)
    assert figures["utilisation"] == pytest.approx(0.06 / 3.0)


def test_a_worker_had_no_time_to_use_between_the_pieces():
    """Two pieces half busy make a load half busy, however long the gauge between."""
    replay = _replay(n_cameras=1, fps=5.0, gauge_s=4.0)
    scene = cut([CLIP], replay)
    capture_s = scene.frames.capture_s
    start_s = capture_s + 1e-3
    n = len(capture_s)
    ends = SimpleNamespace(end=np.zeros(n, np.int8), start_s=start_s,
                           done_s=start_s + 0.1)  # fmt: skip
    figures = figures_of(
        capture_s,
        ends,
        counted=counted(scene, replay, warm_up_s=2.0),
        span_s=counted_s(replay, warm_up_s=2.0),
    )
    assert figures["utilisation"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("n_cameras", "fps", "seconds", "lasts_s"),
    [
        (8, 10.0, 40.0, 40.0),
        (3, 10.0, 40.0, 70.0),
        (5, 10.0, 21.0, 40.0),
        (4, 4.0, 40.0, 120.0),
        (1, 1.0, 5.0, 120.0),
        (1, 1.0, 300.0, 300.0),
    ],
    ids=["enough", "longer", "whole pieces", "capped", "from one piece", "as asked"],
)
def test_a_load_lasts_until_it_counts_enough_frames(n_cameras, fps, seconds, lasts_s):
    """By its own rate and 8 s of every 10; two minutes unless more were asked for."""
    config = CalibrationConfig(seconds=seconds, warm_up_s=2.0)
    replay = lasting(_replay(n_cameras=n_cameras, fps=fps), config=config)
    assert replay.duration_s == lasts_s
    n_frames = counted(cut([CLIP], replay), replay, warm_up_s=2.0).sum()
    assert n_frames >= 1_500 or lasts_s >= 120.0


def test_a_ladder_of_few_cameras_is_driven_for_longer():
    """Rungs are held-out loads like any other."""
    config = CalibrationConfig(seconds=40.0)
    lasts_s = [rung(n, config=config).duration_s for n in (1, 3, 9)]
    assert lasts_s == [120.0, 70.0, 40.0]
