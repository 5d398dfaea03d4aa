"""Crowds that nobody filmed, cameras that nobody bought: the capacity model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenarios.plan_loader import REFERENCE_CALIBRATION, load_calibration
from sim.calibration import CalibrationError, Range
from sim.capacity import Question, beyond, carried, figures, peak_node, tables_of
from sim.capacity import without_stage as without
from sim.crowd import Profile, draw_frames, draw_passages, profile_of
from sim.fleet import histogram, quantile_s, review_alerts, run_cell, run_day
from sim.records import FrameEnd, StageIndex
from sim.site import HardwareConfig, SiteConfig, TargetConfig

CALIBRATION = load_calibration(REFERENCE_CALIBRATION)


def _question(**site):
    return Question(
        calibration=CALIBRATION,
        site=SiteConfig(**{"cameras": 12, **site}),
        target=TargetConfig(),
        hardware=HardwareConfig(cores=2),
        seed=3,
        n_replications=4,
    )


def test_more_work_is_carried_by_fewer_cameras():
    """Faster cameras and a larger watchlist cost cameras; a second worker doubles."""
    usual = carried(_question())
    assert 2 <= usual.low <= usual.median <= usual.high <= 20
    assert carried(_question(fps=20.0)).median < usual.median
    assert carried(_question(watchlist=100_000)).median < usual.median
    two = replace(_question(), hardware=HardwareConfig(cores=3))
    assert carried(two).median == 2 * usual.median


def test_the_number_carried_is_where_the_target_breaks():
    """With that many cameras a worker keeps to the target, with a third more not."""
    question = _question()
    n = carried(question).median
    tables = tables_of(question)
    kept, broken = (
        figures(peak_node(question, cameras, key=9), tables, key=9)
        for cameras in (n - 1, n + n // 3 + 1)
    )
    assert kept.skipped <= question.target.skipped_share
    assert broken.skipped > question.target.skipped_share
    assert broken.utilisation > kept.utilisation


def test_being_rid_of_a_stage_never_costs_cameras():
    """What a stage took is free for others."""
    question = _question()
    usual = carried(question).median
    for stage in (StageIndex.DECODE, StageIndex.DETECT):
        assert carried(question, change=without(stage)).median > usual


def test_far_beyond_the_measured_is_refused_and_beyond_is_said():
    """Ten times the largest gallery is the end; on the way there the plan says so."""
    largest = int(CALIBRATION.gallery_sizes.high)
    assert not beyond(_question(watchlist=largest))
    (outside,) = beyond(_question(watchlist=4 * largest))
    assert outside.factor == pytest.approx(4.0)
    with pytest.raises(CalibrationError, match="calibrate with a larger gallery"):
        carried(_question(watchlist=11 * largest))


def test_intervals_widen_beyond_what_was_measured():
    """A plan that leaves the measured range is less sure of itself."""
    question = replace(_question(fps=5.0), n_replications=12)
    inside, outside = (
        carried(replace(question, calibration=CALIBRATION.model_copy(update=update)))
        for update in ({}, {"fps": Range(low=20.0, high=40.0)})
    )
    assert outside.high - outside.low > inside.high - inside.low


def test_crowd_comes_at_the_rate_it_is_told():
    """Views per second are those asked for, times the profile's share."""
    walks = CALIBRATION.walks()
    factors = np.array([1.0, 0.25])
    people = draw_passages(
        walks, 40, views_hz=0.8, factors=factors, step_s=600.0, key=4,
        begin_s=0.0, end_s=1_200.0,
    )  # fmt: skip
    early = (people.t_in_s >= 0.0) & (people.t_in_s < 600.0)
    late = people.t_in_s >= 600.0
    assert early.sum() == pytest.approx(40 * 600 * 0.8, rel=0.03)
    assert late.sum() == pytest.approx(40 * 600 * 0.2, rel=0.05)
    for camera in range(40):
        mine = slice(people.start[camera], people.start[camera + 1])
        assert np.all(np.diff(people.t_in_s[mine]) >= 0.0)


def test_frames_come_in_order_and_as_many_as_cameras_send():
    """Every camera sends at its rate; capture times never run back."""
    stream = CALIBRATION.stream(fps=10.0, jitter_s=0.02, pixels=1280 * 720)
    frames = draw_frames(stream, 5, key=2, begin_s=0.0, end_s=60.0)
    assert len(frames.camera) == 5 * 600
    assert np.all(np.diff(frames.capture_s) >= 0.0)
    assert np.bincount(frames.camera).tolist() == [600] * 5
    mean = CALIBRATION.packets[0] * 0.1 + CALIBRATION.packets[1] * 0.9
    assert frames.packet_bytes.mean() == pytest.approx(mean, rel=0.03)


def test_profiles_are_shares_of_the_busiest_moment():
    """No profile exceeds one; a stadium empties, a street sleeps at night."""
    day = profile_of(Profile.DIURNAL, duration_s=86_400.0, step_s=3_600.0)
    egress = profile_of(Profile.EGRESS, duration_s=3_600.0, step_s=60.0)
    assert day.max() <= 1.0
    assert day[3] < 0.1 < day[13]
    assert egress.max() == pytest.approx(1.0, abs=0.05)
    assert egress[0] < 0.2 > egress[-1]


def test_a_day_adds_up_however_many_threads_count_it():
    """Threads share nothing: every sum is the same."""
    question = _question(cameras=9, hours=1.0, fps=4.0, passages_per_min=20.0)
    one, two = (
        run_day(
            question,
            cameras_per_worker=4,
            threads=threads,
            progress=lambda _done, _of: None,
        )
        for threads in (1, 2)
    )
    assert one.n_frames == 9 * 4 * 3_600
    assert np.array_equal(one.ends, two.ends)
    assert np.array_equal(one.latency, two.latency)
    assert np.array_equal(one.alert_s, two.alert_s)


def test_cost_grows_with_frames_and_with_nothing_else():
    """Twice the time is twice the frames, the faces and the work: a linear model."""
    question = _question(passages_per_min=30.0)
    short, long = (
        run_cell(question, 4, key=1, begin_s=0.0, end_s=end_s)
        for end_s in (900.0, 1_800.0)
    )
    assert long.ends.sum() == 2 * short.ends.sum()
    assert long.busy_s == pytest.approx(2.0 * short.busy_s, rel=0.05)
    assert short.ends[FrameEnd.PROCESSED] == short.ends.sum()


def test_histogram_quantiles_are_right_to_their_bins():
    """A quantile read off the histogram is the exact one, or a bin above it."""
    latency_s = np.random.default_rng(5).lognormal(-3.5, 0.6, 50_000)
    for level in (0.5, 0.95, 0.99):
        exact_s = float(np.quantile(latency_s, level))
        found_s = quantile_s(histogram(latency_s), level)
        assert exact_s * 0.999 <= found_s <= exact_s * 1.036
    assert np.isnan(quantile_s(histogram(np.empty(0)), 0.5))


def test_more_operators_shorten_the_wait():
    """Alerts wait for an operator; nobody waits without alerts."""
    alert_s = np.sort(np.random.default_rng(1).uniform(0.0, 3_600.0, 300))
    few, many = (
        review_alerts(
            alert_s,
            operators=n,
            review_s=20.0,
            span_s=3_600.0,
            rng=np.random.default_rng(2),
        )
        for n in (2, 6)
    )
    assert few.p95_wait_s > many.p95_wait_s
    assert few.utilisation == pytest.approx(3.0 * many.utilisation)
    none = review_alerts(
        np.empty(0), operators=1, review_s=1.0, span_s=1.0, rng=np.random.default_rng(3)
    )
    assert none.n_alerts == 0
