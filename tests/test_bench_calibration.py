"""A calibration learns the service times that it was shown, and no waiting time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.host.interference import others_share
from bench.planning.calibration_fit import Measured, fit_gaps, fit_hazards, fit_stages
from bench.planning.observed import Observed
from bench.planning.replay import Replay, Scene
from bench.planning.validation import figures_of
from scenarios.plan_loader import REFERENCE_CALIBRATION, load_calibration
from sim.capacity import Question, peak_node
from sim.fast import simulate_node
from sim.records import FrameEnd, StageIndex
from sim.service import fresh_memory, in_view, own_key, stage_s, track_state
from sim.site import HardwareConfig, SiteConfig, TargetConfig

CALIBRATION = load_calibration(REFERENCE_CALIBRATION)
KEY = 77


def _measured(n_cameras, gallery_size):
    """A load that the simulator itself served, laid out as if it had been driven."""
    question = Question(
        calibration=CALIBRATION,
        site=SiteConfig(cameras=n_cameras, watchlist=gallery_size),
        target=TargetConfig(),
        hardware=HardwareConfig(),
        seed=1,
    )
    node = peak_node(question, n_cameras, key=n_cameras)
    tables = CALIBRATION.tables(gallery_size=gallery_size)
    log = simulate_node(node, tables, key=KEY)
    n = len(log.end)
    took_s = np.full((n, len(StageIndex)), np.nan)
    sighted, memory = [], fresh_memory(node.passages)
    for row in range(n):
        own = np.uint64(own_key(np.uint64(KEY), row))
        camera, at_s = int(node.frames.camera[row]), float(node.frames.capture_s[row])
        processed = log.end[row] == FrameEnd.PROCESSED
        for stage in StageIndex if processed else (StageIndex.DECODE,):
            units = {StageIndex.DECODE: node.frames.packet_bytes[row]}.get(
                stage,
                log.n_faces[row] if stage <= StageIndex.ALIGN else log.n_embedded[row],
            )
            took_s[row, stage] = stage_s(
                own, stage, float(units), tables.costs_s, tables.residuals_s
            )
        if processed:
            views, places = in_view(camera, at_s, node.passages)
            for view, place in zip(views, places, strict=True):
                due = at_s - memory.last_s[view] >= tables.interval_s
                state = track_state(memory.n_seen[view], 0, 0, due, 5)
                memory.n_seen[view] += 1
                sighted.append((state, place, 0))
    scene = Scene(
        plan=None, reels=(), packets=(), frames=node.frames, passages=node.passages,
        shown=np.arange(len(node.passages.t_in_s)),
    )  # fmt: skip
    return Measured(
        replay=Replay(
            n_cameras=n_cameras, fps=10.0, duration_s=45.0, gallery_size=gallery_size
        ),
        scene=scene,
        observed=Observed(
            end=log.end,
            planned_s=node.frames.capture_s,
            received_s=log.received_s,
            start_s=log.start_s,
            done_s=log.done_s,
            stage_s=took_s,
            n_embedded=log.n_embedded.astype(np.int64),
        ),
        n_faces=log.n_faces.astype(np.int64),
        sighted=np.array(sighted, np.int64),
        n_stray=0,
        pace_s=1.0,
    )


@pytest.fixture(scope="module")
def runs():
    return (_measured(3, 1_000), _measured(6, 1_000), _measured(3, 100_000))


def test_fitted_service_times_are_those_that_served(runs):
    """A line fitted to what the model served is the line that it served by."""
    fits = fit_stages(runs)
    for fitted, true in zip(fits.stages, CALIBRATION.stages, strict=True):
        units = (fitted.units.low + fitted.units.high) / 2.0
        found, expected = (s.base_s + s.per_unit_s * units for s in (fitted, true))
        assert found == pytest.approx(expected, rel=0.05, abs=2e-5), fitted.stage
    sizes = [fit.gallery_size for fit in fits.search]
    assert sizes == [1_000, 100_000]


def test_residuals_have_no_mean_of_their_own(runs):
    """The fit carries the mean; what is drawn on top averages to nothing."""
    fits = fit_stages(runs)
    for stage, residuals_s in zip(fits.stages, fits.residuals_s, strict=True):
        mean_s = np.trapezoid(residuals_s, dx=1.0 / (len(residuals_s) - 1))
        assert abs(mean_s) < 1e-3 * stage.mean_s


def test_pace_of_the_machine_is_taken_out(runs):
    """A run on a machine half as fast, as its yardstick says, changes no fit."""
    slow = replace(
        runs[1],
        pace_s=2.0,
        observed=replace(runs[1].observed, stage_s=runs[1].observed.stage_s * 2.0),
    )
    usual, drifted = fit_stages(runs[:2]), fit_stages((runs[0], slow))
    for one, other in zip(usual.stages, drifted.stages, strict=True):
        # The usual pace of the two runs together is 1.5.
        assert other.mean_s == pytest.approx(1.5 * one.mean_s, rel=1e-6)


def test_gaps_are_those_between_frames_and_no_waiting(runs):
    """Turnaround and wake-up come back; the long waits of a busy worker do not."""
    found_s = fit_gaps(runs)
    true_s = np.array(CALIBRATION.residuals_us[7:]) * 1e-6
    middle = found_s.shape[1] // 2
    for kind in range(2):
        assert found_s[kind, middle] == pytest.approx(
            true_s[kind, middle], rel=0.15, abs=2e-5
        )
    waits_s = runs[1].observed.start_s - runs[1].observed.received_s
    assert found_s[:2].max() < np.nanmax(waits_s)


def test_chances_are_shares_of_sightings(runs):
    """Nobody was embedded in these sightings: every chance is nil, and n is told."""
    hazards = fit_hazards(runs)
    assert hazards.chance.max() == 0.0
    assert hazards.n.sum() == sum(len(run.sighted) for run in runs)


def test_figures_leave_the_warm_up_out():
    """Frames captured early count nowhere."""
    capture_s = np.array([0.0, 1.0, 2.0, 3.0])
    figures = figures_of(
        capture_s,
        np.array([1, 0, 0, 1], np.int8),
        capture_s + 0.01,
        capture_s + np.array([0.5, 0.02, 0.04, 0.03]),
        warm_up_s=1.0,
        n_workers=1,
    )
    assert figures["mean"] == pytest.approx(0.03)
    assert figures["skipped"] == pytest.approx(1 / 3)
    assert figures["utilisation"] == pytest.approx(0.06 / 2.0)


def test_others_are_what_we_did_not_use():
    """Busy time of the machine less our own; unknown stays unknown."""
    assert others_share(10.0, 22.0, ours_s=8.0, wall_s=20.0) == pytest.approx(0.2)
    assert others_share(10.0, 12.0, ours_s=8.0, wall_s=20.0) == 0.0
    assert others_share(None, 12.0, ours_s=8.0, wall_s=20.0) is None
