"""A node: the SimPy model, its compiled twin, and what must hold for both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim_doubles import periodic_frames, sites, tables, walkers

from sim.fast import simulate_node
from sim.records import FrameEnd, node_of
from sim.system import simulate_node_simpy


def _assert_alike(node, service, key):
    fast, slow = (
        simulate(node, service, key=key)
        for simulate in (simulate_node, simulate_node_simpy)
    )
    assert np.array_equal(fast.end, slow.end)
    assert np.array_equal(fast.n_faces, slow.n_faces)
    assert np.array_equal(fast.n_embedded, slow.n_embedded)
    assert np.array_equal(fast.n_shots, slow.n_shots)
    for name in ("received_s", "start_s", "done_s", "alert_s", "busy_s"):
        ours, theirs = getattr(fast, name), getattr(slow, name)
        assert np.allclose(ours, theirs, rtol=0.0, atol=1e-9, equal_nan=True), name


@settings(max_examples=40, deadline=None)
@given(site=sites(), key=st.integers(0, 2**64 - 1))
def test_kernel_and_simpy_agree_frame_by_frame(site, key):
    """Two tellings of one node end every frame alike, at the same moment."""
    _assert_alike(*site, key)


@pytest.mark.slow
@settings(max_examples=4000, deadline=None)
@given(site=sites(), key=st.integers(0, 2**64 - 1))
def test_kernel_and_simpy_agree_on_rare_coincidences(site, key):
    """Frames that come together, or while a batch waits: one model in a thousand."""
    _assert_alike(*site, key)


@settings(max_examples=60, deadline=None)
@given(site=sites(), key=st.integers(0, 2**64 - 1))
def test_every_frame_has_one_end_and_no_worker_does_two_things(site, key):
    """Ends add up to what was sent; services at one worker never overlap.

    Frames of a batch are begun one by one and end together: the next may begin before
    the last is done, but no more of them than fit into a batch.
    """
    node, service = site
    log = simulate_node(node, service, key=key)
    assert set(log.end) <= {int(end) for end in FrameEnd}
    worker = node.cameras.worker[node.frames.camera]
    for each in range(node.rules.n_workers):
        taken = (worker == each) & np.isfinite(log.start_s)
        order = np.argsort(log.start_s[taken])
        starts_s, ends_s = log.start_s[taken][order], log.done_s[taken][order]
        batch = node.rules.batch_frames
        assert np.all(starts_s[batch:] >= ends_s[:-batch] - 1e-12)
    assert np.all(log.done_s >= node.frames.capture_s)


def _simple(n_cameras, fps, *, seed, people_hz=0.5, duration_s=20.0, **rules):
    rng = np.random.default_rng(seed)
    frames = periodic_frames(n_cameras, fps, duration_s, rng=rng)
    people = walkers(n_cameras, people_hz, duration_s, rng=rng)
    return node_of(frames, people, **rules)


def _skipped(log):
    return float((log.end == FrameEnd.SKIPPED).mean())


def test_more_cameras_are_skipped_more():
    """Beyond what a worker can carry, the share of skipped frames grows."""
    shares = [
        _skipped(simulate_node(_simple(n, 10.0, seed=3), tables(), key=5))
        for n in (3, 9, 15)
    ]
    assert shares[0] == 0.0
    assert 0.0 < shares[1] < shares[2]


def test_a_skipped_frame_leaves_the_newest_one():
    """With latest-wins, the last frame of every camera is looked at."""
    node = _simple(12, 10.0, seed=4)
    log = simulate_node(node, tables(), key=1)
    for camera in range(12):
        last = np.flatnonzero(node.frames.camera == camera)[-1]
        assert log.end[last] == FrameEnd.PROCESSED


def test_a_second_worker_carries_what_one_could_not():
    """Cameras dealt out to two workers on two cores are no longer skipped."""
    one = simulate_node(_simple(9, 10.0, seed=5), tables(), key=2)
    two = simulate_node(
        _simple(9, 10.0, seed=5, n_workers=2), tables(slowdown=(1, 1, 1)), key=2
    )
    assert _skipped(one) > 0.1
    assert _skipped(two) == 0.0


def test_a_breakdown_loses_what_comes_and_no_more():
    """Frames of the broken worker fail until it is repaired; the others do not."""
    node = _simple(4, 10.0, seed=6, n_workers=2, breakdowns=((0, 5.0, 7.0),))
    log = simulate_node(node, tables(), key=3)
    failed = log.end == FrameEnd.FAILED
    assert set(node.cameras.worker[node.frames.camera[failed]]) == {0}
    # Two cameras at 10 fps for two seconds, and at most a few in hand.
    assert 38 <= failed.sum() <= 46


def test_an_urgent_camera_waits_less():
    """Priority lets one camera's frames pass the others."""
    rules = {"priority": np.array([0, 1, 1, 1, 1, 1], np.int32)}
    node = _simple(6, 10.0, seed=7, **rules)
    log = simulate_node(node, tables(), key=4)
    waited_s = log.start_s - log.received_s
    urgent = node.frames.camera == 0
    assert waited_s[urgent].mean() < 0.7 * waited_s[~urgent].mean()


def test_changing_capacity_leaves_the_crowd_and_its_draws_alone():
    """A frame that is looked at either way costs the same: common random numbers.

    Apart from rest and sway, which depend on when it is looked at.
    """
    node = _simple(3, 10.0, seed=8)
    wide = _simple(3, 10.0, seed=8, n_workers=3)
    service = tables(slowdown=(1.0, 1.0, 1.0, 1.0))
    service = service._replace(rest=np.zeros(7), sway=np.zeros_like(service.sway))
    one, three = (simulate_node(n, service, key=9) for n in (node, wide))
    assert np.array_equal(one.end, three.end)
    took = [log.done_s - log.start_s for log in (one, three)]
    assert np.allclose(*took, atol=1e-12)


def test_a_node_needs_columns_that_match():
    """A wrong assignment is refused before the first event."""
    frames = periodic_frames(2, 5.0, 1.0, rng=np.random.default_rng(0))
    people = walkers(2, 1.0, 1.0, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="workers 0 to 0"):
        node_of(frames, people, worker=np.array([0, 1], np.int32))
    with pytest.raises(ValueError, match="one length"):
        node_of(frames, people, worker=np.array([0], np.int32))
    with pytest.raises(ValueError, match="order of capture"):
        node_of(frames._replace(capture_s=frames.capture_s[::-1]), people)
