"""What counts of a load, what is read off it, and how long it lasts."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from bench.planning.calibration import CalibrationConfig
from bench.planning.forecast import counted, figures_of, in_time
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


def test_neither_the_warm_up_nor_the_gauge_counts():
    """Frames of the load do, once it has settled; the gauge's are in its time only."""
    scene = cut([CLIP], _replay(gauge_fps=5.0))
    capture_s = scene.frames.capture_s
    counts = counted(scene, warm_up_s=2.0)
    assert np.array_equal(counts, (scene.part == Part.LOAD) & (capture_s >= 2.0))
    assert np.array_equal(in_time(scene, warm_up_s=2.0), capture_s >= 2.0)
    assert counts.sum() == pytest.approx(18 * 3 * 10, abs=3)


def test_figures_leave_out_what_does_not_count():
    """Frames of the warm-up are in no figure."""
    capture_s = np.array([0.0, 1.0, 2.0, 3.0])
    ends = SimpleNamespace(
        end=np.array([1, 0, 0, 1], np.int8),
        start_s=capture_s + 0.01,
        done_s=capture_s + np.array([0.5, 0.02, 0.04, 0.03]),
    )
    figures = figures_of(
        capture_s, ends, counted=capture_s >= 1.0, in_time=capture_s >= 1.0
    )
    assert figures["mean"] == pytest.approx(0.03)
    assert figures["skipped"] == pytest.approx(1 / 3)
    assert figures["utilisation"] == pytest.approx(0.06 / 2.0)


def test_the_gauge_keeps_a_worker_busy_too():
    """A load that leaves half of the time, and a gauge that takes half of the rest."""
    scene = cut([CLIP], _replay(n_cameras=1, fps=5.0, gauge_fps=2.5))
    capture_s = scene.frames.capture_s
    n = len(capture_s)
    ends = SimpleNamespace(end=np.zeros(n, np.int8), start_s=capture_s,
                           done_s=capture_s + 0.1)  # fmt: skip
    figures = figures_of(
        capture_s,
        ends,
        counted=counted(scene, warm_up_s=2.0),
        in_time=in_time(scene, warm_up_s=2.0),
    )
    assert figures["utilisation"] == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(
    ("n_cameras", "fps", "seconds", "lasts_s"),
    [
        (8, 10.0, 40.0, 40.0),
        (2, 10.0, 40.0, 52.0),
        (5, 10.0, 21.0, 22.0),
        (2, 4.0, 40.0, 120.0),
        (1, 1.0, 5.0, 120.0),
        (1, 1.0, 300.0, 300.0),
    ],
    ids=["enough", "longer", "a little", "capped", "from seconds", "as asked"],
)
def test_a_load_lasts_until_it_counts_enough_frames(n_cameras, fps, seconds, lasts_s):
    """By its own rate; two minutes unless more was asked for."""
    config = CalibrationConfig(seconds=seconds, warm_up_s=2.0)
    replay = lasting(_replay(n_cameras=n_cameras, fps=fps), config=config)
    assert replay.duration_s == lasts_s
    n_frames = counted(cut([CLIP], replay), warm_up_s=2.0).sum()
    assert n_frames >= 990 or lasts_s >= 120.0


def test_a_ladder_of_few_cameras_is_driven_for_longer():
    """Rungs are held-out loads like any other."""
    config = CalibrationConfig(seconds=40.0)
    lasts_s = [rung(n, config=config).duration_s for n in (1, 2, 9)]
    assert lasts_s == [102.0, 52.0, 40.0]
