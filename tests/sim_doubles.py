"""Random small sites for the simulator's tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from sim.records import Frames, Passages, node_of
from sim.service import HEIGHT_EDGES_PX, N_STATES, ServiceTables

N_RESIDUALS = 11


def tables(*, slowdown=(1.0, 1.0, 1.1, 1.25), scale=1.0, noise=0.3, rng=None):
    """Service times of some matcher: 5 ms to decode, 5 to detect, 2 a face."""
    base_s = np.array([1.5, 5.0, 0.3, 0.3, 0.7, 0.2, 0.04]) * 1e-3 * scale
    per_unit_s = np.array([75e-6, 0.0, 0.0, 0.04, 1.75, 0.03, 0.004]) * 1e-3 * scale
    levels = np.linspace(-1.0, 1.0, 21)
    residuals_s = np.outer(np.append(base_s, [0, 0, 0, 0]), levels) * noise
    residuals_s[7:] = np.abs(levels) * np.array([[0.2], [0.1], [0.3], [3.0]]) * 1e-3
    hazards = np.full((N_STATES, len(HEIGHT_EDGES_PX)), 0.5)
    hazards[0], hazards[3] = 0.0, 0.02
    if rng is not None:
        hazards = rng.random(hazards.shape)
    return ServiceTables(
        costs_s=np.stack([base_s, per_unit_s, base_s * 0.05], axis=1),
        residuals_s=residuals_s,
        hazards=hazards,
        stray=0.07,
        interval_s=0.4,
        max_shots=5,
        slowdown=np.array(slowdown),
    )


def periodic_frames(n_cameras, fps, duration_s, *, rng, jitter_s=0.004):
    """Frames of cameras that tick at random phases."""
    n = int(duration_s * fps)
    phases_s = rng.random(n_cameras) / fps
    capture_s = phases_s[:, None] + np.arange(n) / fps
    capture_s = capture_s + jitter_s * rng.random((n_cameras, n))
    camera = np.repeat(np.arange(n_cameras, dtype=np.int32), n)
    order = np.argsort(capture_s.ravel(), kind="stable")
    sizes = np.where(np.arange(n) % 10 == 0, 120e3, 42e3)
    return Frames(
        camera=camera[order],
        capture_s=capture_s.ravel()[order],
        packet_bytes=np.tile(sizes, n_cameras)[order],
    )


def walkers(n_cameras, rate_hz, duration_s, *, rng):
    """People who come, walk towards the lens for some seconds, and leave."""
    start, columns = [0], []
    for _ in range(n_cameras):
        n = rng.poisson(rate_hz * duration_s)
        t_in_s = np.sort(rng.random(n) * duration_s)
        stay_s = rng.uniform(2.0, 8.0, n)
        far, near = 1.0 / rng.uniform(18.0, 30.0, n), 1.0 / rng.uniform(40.0, 100.0, n)
        columns.append((t_in_s, t_in_s + stay_s, far, (near - far) / stay_s))
        start.append(start[-1] + n)
    t_in_s, t_out_s, inverse, rate = (
        np.concatenate(each) for each in zip(*columns, strict=True)
    )
    return Passages(
        start=np.array(start, np.int64),
        t_in_s=t_in_s,
        t_out_s=t_out_s,
        inverse_height=inverse,
        inverse_rate=rate,
        alert_shot=rng.integers(0, 4, len(t_in_s)).astype(np.int32),
    )


@st.composite
def sites(draw):
    """Nodes of any kind: workers, priorities, full inboxes, losses, breakdowns."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_cameras = draw(st.integers(1, 9))
    n_workers = draw(st.integers(1, 3))
    duration_s = draw(st.floats(1.0, 4.0))
    breakdowns = []
    for worker in range(n_workers):
        down_s = draw(st.floats(0.1, duration_s))
        if draw(st.booleans()):
            breakdowns.append((worker, down_s, down_s + draw(st.floats(0.05, 1.0))))
    node = node_of(
        periodic_frames(n_cameras, draw(st.floats(2.0, 20.0)), duration_s, rng=rng),
        walkers(n_cameras, draw(st.floats(0.1, 3.0)), duration_s, rng=rng),
        worker=rng.integers(0, n_workers, n_cameras).astype(np.int32),
        priority=rng.integers(0, 3, n_cameras).astype(np.int32),
        n_workers=n_workers,
        max_pending=draw(st.integers(1, 3)),
        skips=draw(st.booleans()),
        capacity=draw(st.sampled_from([None, 1, 3, 10])),
        drops_oldest=draw(st.booleans()),
        loss_share=draw(st.sampled_from([0.0, 0.1])),
        breakdowns=tuple(breakdowns),
    )
    return node, tables(scale=draw(st.floats(0.2, 3.0)), rng=rng)
