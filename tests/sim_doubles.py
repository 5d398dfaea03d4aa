"""Random small sites for the simulator's tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from sim.looking import TOO_SMALL, UNSEEN, LookRules
from sim.records import Frames, Passages, node_of
from sim.service import ServiceTables

LOOK = LookRules(
    young_interval_s=0.0, steady_interval_s=0.0, astray=0.0,
    confirm_hits=2, max_gap_s=1.0, min_quality=0.15, min_gain=0.1, interval_s=0.4,
    max_shots=5,
)  # fmt: skip
_SAMPLES_HZ = 10.0


def tables(
    *, slowdown=(1.0, 1.0, 1.1, 1.25), scale=1.0, noise=0.3, look=LOOK, rng=None
):
    """Service times of some matcher: 5 ms to decode, 5 to detect, 2 a face."""
    base_s = np.array([2.0, 0.01, 0.05, 0.3, 0.05, 0.02, 0.01]) * 1e-3 * scale
    per_unit_s = np.array([75e-6, 0.01, 0.0, 0.04, 0.0, 0.0, 0.0]) * 1e-3 * scale
    once_s = np.array([0.5, 4.99, 0.25, 0.5, 0.7, 0.2, 0.0]) * 1e-3 * scale
    per_face_s = np.array([0.0, 0.0, 0.0, 0.1, 1.75, 0.03, 0.01]) * 1e-3 * scale
    levels = np.linspace(-1.0, 1.0, 21)
    rest, sway = 0.1, 0.05
    if rng is not None:
        rest, sway = rng.random() * 0.3, rng.random() * 0.2
        look = LOOK._replace(
            young_interval_s=float(rng.choice([0.0, 0.0, 0.15])),
            steady_interval_s=float(rng.choice([0.0, 0.15, 0.25])),
            astray=float(rng.choice([0.0, 0.05])),
            confirm_hits=int(rng.integers(1, 4)),
            max_shots=int(rng.integers(1, 6)),
            interval_s=float(rng.uniform(0.1, 0.6)),
        )
    return ServiceTables(
        costs_s=np.stack([base_s, per_unit_s, once_s, per_face_s], axis=1),
        residuals=np.outer(np.ones(7), levels) * noise,
        rest=np.full(7, rest),
        gaps_s=np.abs(levels) * np.array([[0.2], [0.1], [0.3], [3.0]]) * 1e-3,
        sway=np.outer([sway, sway / 2.0], levels),
        slowdown=np.array(slowdown),
        look=look,
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
    start, columns, series, n_samples = [0], [], [], 0
    for _ in range(n_cameras):
        n = rng.poisson(rate_hz * duration_s)
        t_in_s = np.sort(rng.random(n) * duration_s)
        for begin_s in t_in_s.tolist():
            length = int(rng.integers(20, 80))
            quality = np.linspace(-0.1, 0.5, length) + rng.normal(0.0, 0.1, length)
            quality[quality < 0.0] = TOO_SMALL
            quality[rng.random(length) < 0.1] = UNSEEN
            columns.append((begin_s, begin_s + length / _SAMPLES_HZ, n_samples))
            series.append(np.append(quality, UNSEEN))
            n_samples += length + 1
        start.append(start[-1] + n)
    t_in_s, t_out_s, first = np.array(columns, np.float64).reshape(-1, 3).T
    p = len(t_in_s)
    return Passages(
        start=np.array(start, np.int64),
        t_in_s=t_in_s.copy(),
        t_out_s=t_out_s.copy(),
        first=first.astype(np.int64),
        rate_hz=np.full(p, _SAMPLES_HZ),
        alert_shot=rng.integers(0, 4, p).astype(np.int32),
        quality=np.concatenate([*series, [UNSEEN]]).astype(np.float32),
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
        batch_frames=draw(st.sampled_from([1, 1, 2, 4])),
        batch_wait_s=draw(st.sampled_from([0.0, 0.01, 0.05])),
        loss_share=draw(st.sampled_from([0.0, 0.1])),
        breakdowns=tuple(breakdowns),
    )
    return node, tables(scale=draw(st.floats(0.2, 3.0)), rng=rng)
