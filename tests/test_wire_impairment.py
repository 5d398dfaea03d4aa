"""What a wire does to packets, without a wire."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from bench.wire.impairment import Impairment
from bench.wire.settings import NetworkConfig, Outage, WireConfig

N = 20_000


def fates(config, *, is_reliable=False, n=N, seed=1, n_bytes=1316, every_s=0.001):
    """Send packets at a steady rate; return when they entered, and their fates."""
    wire = Impairment(config, rng=np.random.default_rng(seed), is_reliable=is_reliable)
    entered = [k * every_s for k in range(n)]
    return entered, [wire.fate(now_s=now_s, n_bytes=n_bytes) for now_s in entered]


def test_a_perfect_wire_lets_everything_pass_at_once():
    """It leaves when it enters."""
    entered, ends = fates(WireConfig(), n=100)
    assert [fate.leaves_s for fate in ends] == entered


def test_so_many_datagrams_are_lost_as_was_said():
    """Five per cent, within four standard errors; and others with another seed."""
    config = WireConfig(loss=0.05)
    _, ends = fates(config)
    lost = np.array([fate.is_lost for fate in ends])
    assert lost.mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / N))
    again, other = (fates(config, seed=seed)[1] for seed in (1, 2))
    assert [f.is_lost for f in again] == lost.tolist()
    assert [f.is_lost for f in other] != lost.tolist()


def test_jitter_spreads_delays_and_keeps_the_order():
    """Each is late by the delay more or less the jitter, and none overtakes."""
    entered, ends = fates(WireConfig(delay_s=0.05, jitter_s=0.02))
    leaves = np.array([fate.leaves_s for fate in ends])
    late = leaves - np.array(entered)
    assert late.min() >= 0.03
    assert late.max() <= 0.07 + 1e-9
    assert (np.diff(leaves) >= 0).all()


def test_some_datagrams_overtake_if_that_is_asked():
    """A tenth goes out at once; a stream carries all of them in order."""
    config = WireConfig(delay_s=0.05, reorder=0.1)
    _, ends = fates(config)
    assert np.mean([f.overtakes for f in ends]) == pytest.approx(0.1, abs=0.01)
    _, stream = fates(config, is_reliable=True)
    assert not any(fate.overtakes for fate in stream)
    assert all(a.leaves_s <= b.leaves_s for a, b in pairwise(stream))


def test_changing_one_trouble_leaves_the_luck_of_the_others():
    """The same packets are lost, whether or not they are also late."""
    _, plain = fates(WireConfig(loss=0.05))
    _, late = fates(WireConfig(loss=0.05, delay_s=0.02, jitter_s=0.02))
    assert [f.is_lost for f in plain] == [f.is_lost for f in late]


def test_what_tcp_loses_comes_late_and_holds_up_what_follows():
    """Nothing is lost; a loss costs a round trip, or a time-out if it is the last."""
    config = WireConfig(delay_s=0.01, loss=0.01)
    entered, ends = fates(config, is_reliable=True, n=2000, n_bytes=16_384, every_s=1.0)
    assert not any(fate.is_lost for fate in ends)
    share = 1 - 0.99**12
    assert np.mean([f.is_late for f in ends]) == pytest.approx(share, abs=0.03)
    costs = {
        round(fate.leaves_s - now_s, 6)
        for now_s, fate in zip(entered, ends, strict=True)
        if fate.is_late
    }
    assert costs == {0.03, 0.21}


def test_a_slow_link_queues_what_comes_too_fast():
    """Ten times what it carries: the tenth packet waits for nine."""
    config = WireConfig(link_mbps=1.0)
    takes_s = 1316 * 8 / 1e6
    _, ends = fates(config, n=10, every_s=0.0)
    expected = [(k + 1) * takes_s for k in range(10)]
    assert [fate.leaves_s for fate in ends] == pytest.approx(expected)


def test_an_outage_swallows_datagrams_and_holds_streams_back():
    """Until it ends; before and after all is well."""
    config = WireConfig(outages=(Outage(from_s=1.0, until_s=2.0),))
    entered, ends = fates(config, n=300, every_s=0.01)
    lost = [now_s for now_s, f in zip(entered, ends, strict=True) if f.is_lost]
    assert (min(lost), max(lost)) == pytest.approx((1.0, 1.99))
    assert len(lost) == 100
    entered, ends = fates(config, n=300, every_s=0.01, is_reliable=True)
    held = [f for now_s, f in zip(entered, ends, strict=True) if 1.0 <= now_s < 2.0]
    assert {fate.leaves_s for fate in held} == {2.0}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"jitter_s": 0.1}, "cannot arrive before it is sent"),
        ({"reorder": 0.1}, "needs a delay_s"),
        ({"outages": [{"from_s": 2.0, "until_s": 1.0}]}, "must end after it begins"),
        ({"loss": 1.0}, "less than 1"),
    ],
    ids=["jitter", "reorder", "outage", "loss"],
)
def test_a_wire_that_cannot_be_is_refused(settings, complaint):
    """With what was required and what came."""
    with pytest.raises(ValidationError, match=complaint):
        WireConfig.model_validate(settings)


def test_one_camera_may_have_a_wire_of_its_own():
    """Its copies share it; the others have the network's."""
    network = NetworkConfig(loss=0.01, cameras={"east": WireConfig(loss=0.2)})
    assert network.of("east").loss == 0.2
    assert network.of("east~3").loss == 0.2
    assert network.of("west").loss == 0.01
