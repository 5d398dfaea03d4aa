"""Named streams of randomness are independent and stable."""

from __future__ import annotations

import numpy as np

from scenarios.streams import Stream, Streams


def test_equal_seeds_give_equal_draws():
    """A run is a value that can be reproduced."""
    one, two = (Streams(seed=5).generator(Stream.ARRIVALS) for _ in range(2))
    np.testing.assert_array_equal(one.random(8), two.random(8))


def test_streams_and_replications_differ():
    """No concern and no replication draws from another's seeds."""
    seeds = {
        Streams(seed=5, replication=replication).seed_of(stream)
        for stream in Stream
        for replication in range(3)
    }
    assert len(seeds) == len(Stream) * 3


def test_stream_numbers_are_frozen():
    """A renumbered stream would change every stored result."""
    assert [(s.name, s.value) for s in Stream][:3] == [
        ("CROWD", 0),
        ("ARRIVALS", 1),
        ("SERVICE", 2),
    ]
