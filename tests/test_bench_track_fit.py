"""The chance that faces go astray is learnt from how many frames were searched."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sim_doubles import periodic_frames, walkers

from bench.planning.track_fit import fit_astray
from scenarios.plan_loader import REFERENCE_CALIBRATION, load_calibration
from sim.fast import simulate_node
from sim.records import node_of

SHIPPED = load_calibration(REFERENCE_CALIBRATION)


def _model(astray, *, steady_interval_s=0.25):
    look = SHIPPED.look.model_copy(
        update={"steady_interval_s": steady_interval_s, "astray": astray}
    )
    return SHIPPED.model_copy(update={"look": look, "by_load": (1.0, 1.0)})


def _driven(model, n_cameras):
    """A load that the simulator itself served, as much of it as the fit may see."""
    rng = np.random.default_rng(n_cameras)
    frames = periodic_frames(n_cameras, 10.0, 60.0, rng=rng)
    passages = walkers(n_cameras, 0.7, 60.0, rng=rng)
    log = simulate_node(
        node_of(frames, passages, max_pending=model.max_pending),
        model.tables(gallery_size=1_000),
        key=5,
    )
    return SimpleNamespace(
        scene=SimpleNamespace(frames=frames, passages=passages),
        replay=SimpleNamespace(gallery_size=1_000),
        observed=SimpleNamespace(is_searched=log.is_searched),
    )


@pytest.mark.parametrize("astray", [0.0, 0.02])
def test_chance_is_found_again(astray):
    """From the searched frames of two loads, whatever it was."""
    truth = _model(astray)
    runs = (_driven(truth, 2), _driven(truth, 4))
    assert fit_astray(_model(0.0), runs) == pytest.approx(astray, abs=0.005)


def test_nothing_goes_astray_where_every_frame_is_searched():
    """Without a cadence no frame is passed over."""
    model = _model(0.0, steady_interval_s=0.0)
    assert fit_astray(model, (_driven(model, 2),)) == 0.0
