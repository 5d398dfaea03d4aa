"""A calibration learns the service times that it was shown, and no waiting time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sim_doubles import LOOK, periodic_frames, tables, walkers

from bench.host.interference import others_share
from bench.planning.calibration import paced_fps
from bench.planning.calibration_fit import fit_service
from bench.planning.contention_fit import fit_slowdown
from bench.planning.gaps_fit import fit_gaps
from bench.planning.measured import Measured, slowness
from bench.planning.observed import Observed, speed_change
from bench.planning.replay import Part, Replay, Scene
from sim.draws import own_key
from sim.fast import simulate_node
from sim.records import FrameEnd, StageIndex, node_of
from sim.service import coldness, stage_s

KEY = 77
TRUE = tables(slowdown=(1.0, 1.0), noise=0.1)._replace(sway=np.zeros((2, 21)))
SEARCHED = (StageIndex.DECODE, StageIndex.DETECT, StageIndex.TRACK)
STEADY = LOOK._replace(steady_interval_s=0.15)
LARGE = TRUE._replace(
    costs_s=TRUE.costs_s + np.outer(np.arange(7) == StageIndex.SEARCH, [0, 0, 4e-3, 0])
)


def _measured(n_cameras, service, gallery_size, n_workers=1):
    """A load that the simulator itself served, laid out as if it had been driven."""
    rng = np.random.default_rng(n_cameras)
    node = node_of(
        periodic_frames(n_cameras, 10.0, 40.0, rng=rng),
        walkers(n_cameras, 0.7, 40.0, rng=rng),
        n_workers=n_workers,
    )
    log = simulate_node(node, service, key=KEY)
    n = len(log.end)
    took_s = np.full((n, len(StageIndex)), np.nan)
    looked_s = np.full(n_workers, -np.inf)
    for row in np.argsort(log.start_s).tolist():
        own = np.uint64(own_key(np.uint64(KEY), row))
        worker, start_s = node.cameras.worker[node.frames.camera[row]], log.start_s[row]
        cold = coldness(start_s - looked_s[worker])
        active = int(((log.start_s <= start_s) & (log.done_s > start_s)).sum())
        is_processed = log.end[row] == FrameEnd.PROCESSED
        for stage in StageIndex if is_processed else (StageIndex.DECODE,):
            units, faces = float(log.n_faces[row]), int(log.n_embedded[row])
            if stage in SEARCHED:
                faces = int(log.is_searched[row])
            if stage is StageIndex.DECODE:
                units = float(node.frames.packet_bytes[row])
            elif stage > StageIndex.ALIGN:
                units = 0.0
            took_s[row, stage] = stage_s(
                own, int(stage), units, faces, service.costs_s, service.residuals
            ) * (1.0 + service.rest[stage] * cold)
        took_s[row] *= service.slowdown[active]
        if log.is_searched[row]:
            looked_s[worker] = start_s + took_s[row, :2].sum()
    capture_s = node.frames.capture_s
    part = np.where((capture_s > 6.0) & (capture_s < 34.0), Part.LOAD, Part.GAUGE)
    scene = Scene(
        plan=None, reels=(), packets=(), frames=node.frames, passages=node.passages,
        part=part.astype(np.int8), worker=node.cameras.worker,
    )  # fmt: skip
    return Measured(
        replay=Replay(
            n_cameras=n_cameras,
            fps=10.0,
            duration_s=28.0,
            gallery_size=gallery_size,
            n_workers=n_workers,
        ),
        scene=scene,
        observed=Observed(
            end=log.end,
            planned_s=capture_s,
            received_s=log.received_s,
            start_s=log.start_s,
            done_s=log.done_s,
            stage_s=took_s,
            is_searched=log.is_searched,
            n_faces=log.n_faces.astype(np.int64),
            n_embedded=log.n_embedded.astype(np.int64),
        ),
    )


@pytest.fixture(scope="module")
def runs():
    return (
        _measured(3, TRUE, 1_000),
        _measured(9, TRUE, 1_000),
        _measured(4, LARGE, 100_000),
    )


@pytest.fixture(scope="module")
def coasting_runs():
    """The same matcher, which searches every other frame of steady tracks."""
    return (
        _measured(2, TRUE._replace(look=STEADY), 1_000),
        _measured(6, TRUE._replace(look=STEADY), 1_000),
        _measured(4, LARGE._replace(look=STEADY), 100_000),
    )


def _slowed(run, factor):
    seen = replace(run.observed, stage_s=run.observed.stage_s * factor)
    return replace(run, observed=seen)


@pytest.mark.parametrize("which", ["runs", "coasting_runs"])
def test_fitted_service_times_are_those_that_served(which, request):
    """What a usual frame takes by the fit is what it takes by what served it."""
    found = fit_service(request.getfixturevalue(which))
    faces = dict.fromkeys(SEARCHED, 1)
    units = {StageIndex.DECODE: 50e3}
    for stage, fit in zip(StageIndex, found.stages, strict=True):
        n, u = faces.get(stage, 3), units.get(stage, 5.0)
        u = 0.0 if stage > StageIndex.ALIGN else u
        costs = (fit.base_s, fit.per_unit_s, fit.once_s, fit.per_face_s)
        if stage is StageIndex.SEARCH:
            costs = (
                fit.base_s,
                0.0,
                found.search[0].once_s,
                found.search[0].per_face_s,
            )
        took_s, true_s = (
            np.dot(c, (1.0, u, float(n > 0), n)) * (1.0 + 0.3 * rest)
            for c, rest in ((costs, fit.rest), (TRUE.costs_s[stage], TRUE.rest[stage]))
        )
        assert took_s == pytest.approx(true_s, rel=0.05, abs=3e-5), fit.stage
    assert [fit.gallery_size for fit in found.search] == [1_000, 100_000]
    assert found.search[1].once_s - found.search[0].once_s == pytest.approx(
        4e-3, rel=0.05
    )


def test_frames_that_are_not_searched_take_their_own_time(coasting_runs):
    """Without a detection a frame takes what decoding it takes, and next to nothing."""
    assert all(0.2 < run.observed.is_searched.mean() < 0.8 for run in coasting_runs)
    detect = fit_service(coasting_runs).stages[StageIndex.DETECT]
    assert detect.base_s < 1e-4
    assert detect.once_s == pytest.approx(4.99e-3, rel=0.05)


def test_what_workers_cost_each_other_is_learnt_from_frames_taken_alone():
    """Whatever the machine's speed at the time; nothing without such a load."""
    crowded = TRUE._replace(slowdown=np.array([1.0, 1.0, 1.3]))
    run = _measured(8, crowded, 1_000, n_workers=2)
    known = SimpleNamespace(tables=lambda *, gallery_size: TRUE)  # noqa: ARG005
    for measured in (run, _slowed(run, 2.0)):
        assert fit_slowdown(known, [measured]) == pytest.approx(
            (1.0, 1.0, 1.3), rel=0.02
        )
    assert fit_slowdown(known, []) == (1.0, 1.0)


def test_residuals_have_no_mean_of_their_own(runs):
    """The fit carries the mean; what is drawn on top averages to nothing."""
    found = fit_service(runs)
    for row in found.residuals:
        assert abs(np.trapezoid(row, dx=1.0 / (len(row) - 1))) < 0.02


def test_speed_of_the_machine_is_taken_out(runs):
    """A load on a machine half as fast, as its gauge says, changes no shape."""
    found = fit_service((*runs[:2], _slowed(runs[2], 2.0)))
    usual = fit_service(runs)
    assert found.by_load[2] / found.by_load[0] == pytest.approx(
        2.0 * usual.by_load[2] / usual.by_load[0], rel=0.02
    )
    ratios = [
        s.mean_s and (s.once_s + s.base_s) / (t.once_s + t.base_s)
        for s, t in zip(found.stages[:2], usual.stages[:2], strict=True)
    ]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.03)


def test_slowness_is_told_from_any_frames(runs):
    """The gauge's frames say how slow the machine is, whatever the load was."""
    gauge = runs[1].scene.part == Part.GAUGE
    usual, slowed = (
        slowness(run, TRUE.costs_s, TRUE.rest, of=gauge)
        for run in (runs[1], _slowed(runs[1], 1.1))
    )
    assert usual == pytest.approx(1.0, abs=0.02)
    # A slower detector is also at rest for a little less.
    assert slowed == pytest.approx(1.1 * usual, rel=0.01)


def test_gaps_are_those_between_frames_and_no_waiting(runs):
    """Turnaround and wake-up come back; the long waits of a busy worker do not."""
    found_s = fit_gaps(runs)
    middle, true_middle = found_s.shape[1] // 2, TRUE.gaps_s.shape[1] // 2
    for gap in range(2):
        true_s = np.median(np.interp(
            np.linspace(0, 1, 101), np.linspace(0, 1, 21), TRUE.gaps_s[gap]
        ))  # fmt: skip
        assert found_s[gap, middle] == pytest.approx(true_s, rel=0.2, abs=3e-5)
    assert true_middle == 10
    waits_s = runs[1].observed.start_s - runs[1].observed.received_s
    assert found_s[:2].max() < np.nanmax(waits_s)


def test_loads_are_paced_by_what_a_frame_takes():
    """Half of a worker's time over two cameras, rounded to half a frame a second."""
    assert paced_fps(0.5, 2, 0.02) == 12.5
    assert paced_fps(0.5, 2, 10.0) == 1.0
    assert paced_fps(0.9, 1, 1e-3) == 30.0
    # Fast cameras have half their frames searched.
    assert paced_fps(0.8, 2, lambda fps: 0.04 if fps < 7.0 else 0.02) == 20.0


def test_others_are_what_we_did_not_use():
    """Busy time of the machine less our own; unknown stays unknown."""
    assert others_share(10.0, 22.0, ours_s=8.0, wall_s=20.0) == pytest.approx(0.2)
    assert others_share(10.0, 12.0, ours_s=8.0, wall_s=20.0) == 0.0
    assert others_share(None, 12.0, ours_s=8.0, wall_s=20.0) is None


def test_a_change_of_speed_is_told_from_the_gauge_alone():
    """Its later half against its earlier one, whatever the load took meanwhile."""
    run = _measured(3, TRUE, 1_000)
    part = np.where(np.arange(len(run.scene.part)) % 3, Part.LOAD, Part.GAUGE)
    scene = replace(run.scene, part=part.astype(np.int8))
    assert abs(speed_change(scene, run.observed)) < 0.02
    is_late = run.scene.frames.capture_s > run.scene.frames.capture_s.max() / 2.0
    times = np.where(part == Part.LOAD, 3.0, np.where(is_late, 1.2, 1.0))
    slowed = replace(run.observed, stage_s=run.observed.stage_s * times[:, None])
    assert speed_change(scene, slowed) == pytest.approx(0.2, abs=0.02)
    ungauged = replace(scene, part=np.full_like(scene.part, Part.LOAD))
    assert speed_change(ungauged, slowed) == 0.0
